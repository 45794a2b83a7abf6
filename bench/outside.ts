/**
 * What stands outside of a measured program, as a process of its own: a TCP echo server, or clients
 * of its HTTP server. It takes no time from the threads that are measured but that of a core, and
 * the same from each contender.
 *
 *     outside.ts echo                        prints its port, and answers until it is ended
 *     outside.ts http PORT CLIENTS SECONDS   prints how many requests a second were answered
 *
 * @module
 */
import { WARM_UP_SECONDS } from "./measure.ts";

const HOST = "127.0.0.1";
const REQUEST = new TextEncoder().encode(`GET /?value=1 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);

/** Sends back what comes on each connection. */
async function echo(): Promise<void> {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  console.log(listener.addr.port);
  for await (const connection of listener) {
    connection.setNoDelay(true);
    void connection.readable.pipeTo(connection.writable).catch(() => {});
  }
}

/** Bytes of the response that `text` begins with, 0 if its end is not there. */
function responseLength(text: string): number {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return 0;
  if (!text.startsWith("HTTP/1.1 200")) throw new Error(`The server answered ${text}`);
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
  return text.length >= head + 4 + length ? head + 4 + length : 0;
}

/** Asks on one connection that is kept open, again and again; returns how many answers count. */
async function client(port: number, from: number, until: number): Promise<number> {
  using connection = await Deno.connect({ hostname: HOST, port });
  connection.setNoDelay(true);
  const buffer = new Uint8Array(4096);
  const decoder = new TextDecoder("latin1");
  let counted = 0;
  for (;;) {
    await connection.write(REQUEST);
    let text = "";
    while (responseLength(text) === 0) {
      const read = await connection.read(buffer);
      if (read === null) throw new Error("The server closed the connection");
      text += decoder.decode(buffer.subarray(0, read));
    }
    const now = performance.now();
    if (now >= until) return counted;
    if (now >= from) counted++;
  }
}

async function http(port: number, clients: number, seconds: number): Promise<void> {
  const from = performance.now() + WARM_UP_SECONDS * 1000;
  const until = from + seconds * 1000;
  const all = Array.from({ length: clients }, () => client(port, from, until));
  const counted = (await Promise.all(all)).reduce((sum, each) => sum + each, 0);
  console.log(counted / seconds);
}

if (Deno.args[0] === "echo") await echo();
else {
  const [port, clients, seconds] = Deno.args.slice(1).map(Number);
  await http(port!, clients!, seconds!);
}
