/**
 * A PMI-1 launcher in this process, for the tests: over `PMI_PORT`, and as well-behaved as it is
 * told to be.
 */

import { assertEquals } from "@std/assert";
import { createServer, type Server, type Socket } from "node:net";
import { type Bootstrap, within } from "./bootstrap.ts";
import { startPmi } from "./pmi.ts";

/** What a launcher answers: the lines, or undefined for what is right. */
export type Answer = (line: string, step: number) => string | undefined;

/** Serves `size` processes of a job. */
export class FakeLauncher {
  readonly heard: string[] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server;
  readonly #values = new Map<string, string>();
  readonly #size: number;
  readonly #answer: Answer;
  #waiting: Socket[] = [];

  private constructor(size: number, answer: Answer) {
    this.#size = size;
    this.#answer = answer;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(size: number, answer: Answer = () => undefined): Promise<FakeLauncher> {
    const launcher = new FakeLauncher(size, answer);
    await new Promise<void>((resolve) =>
      launcher.#server.listen({ host: "127.0.0.1", port: 0 }, resolve)
    );
    return launcher;
  }

  /** The environment of a process. */
  env(rank: number): (name: string) => string | undefined {
    const { port } = this.#server.address() as { port: number };
    const values: Record<string, string> = {
      PMI_PORT: `127.0.0.1:${port}`,
      PMI_ID: String(rank),
    };
    return (name) => values[name];
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.sockets.push(socket);
    socket.on("error", () => {});
    let text = "";
    let step = 0;
    socket.on("data", (chunk: Uint8Array) => {
      text += new TextDecoder().decode(chunk);
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) {
        this.heard.push(line);
        const answer = this.#answer(line, step++) ?? this.#right(line, socket);
        if (answer !== "") socket.write(answer);
      }
    });
  }

  #right(line: string, socket: Socket): string {
    const fields = Object.fromEntries(line.split(" ").map((word) => word.split("="))) as Record<
      string,
      string
    >;
    switch (fields.cmd) {
      case "initack":
        return `cmd=initack rc=0\ncmd=set size=${this.#size}\ncmd=set rank=${fields.pmiid}\n` +
          "cmd=set debug=0\n";
      case "init":
        return "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0\n";
      case "get_maxes":
        return "cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=1024\n";
      case "get_my_kvsname":
        return "cmd=my_kvsname kvsname=kvs_7\n";
      case "put":
        this.#values.set(fields.key!, fields.value!);
        return "cmd=put_result rc=0 msg=success\n";
      case "get":
        return `cmd=get_result rc=0 msg=success value=${this.#values.get(fields.key!)}\n`;
      case "barrier_in":
        this.#waiting.push(socket);
        if (this.#waiting.length === this.#size) {
          for (const one of this.#waiting.splice(0)) one.write("cmd=barrier_out\n");
        }
        return "";
      case "finalize":
        return "cmd=finalize_ack\n";
      default:
        return "";
    }
  }
}

/**
 * Why a connection was lost; a test that fails must not wait for ever.
 */
export function lossOf(bootstrap: Bootstrap): Promise<Error> {
  return within(bootstrap.lost(), 5000, () => new Error("lost() has not settled in 5 s"));
}

Deno.test("the launcher of the tests serves a process that asks for nothing", async () => {
  const launcher = await FakeLauncher.start(1);
  const bootstrap = await startPmi({
    env: launcher.env(0),
    timeoutMs: 5000,
    agent: "other",
  });
  assertEquals([bootstrap.rank, bootstrap.size, bootstrap.job], [0, 1, "kvs_7"]);
  await bootstrap.close();
  assertEquals(launcher.heard.at(-1), "cmd=finalize");
  await launcher.stop();
});
