// MessageChannel between two Workers:
// message_channel.ts latency [together|mean|median|p99] [seconds], message_channel.ts rate|batched
// latency: round trips of one small message. rate: one update a message, one way.
// batched: 1000 updates a message in a transferred typed array.
import { calibrated, type Figure, insideWorker, printMetric, roundTrip } from "../measure.ts";

const UPDATES = 1000;
const TABLE_LENGTH = 65536;

/** The echo side: answers `{ask}` at once, counts updates, and answers `{total}` with their sum. */
function serve(port: MessagePort): void {
  const table = new Uint32Array(TABLE_LENGTH);
  let total = 0;
  port.onmessage = ({ data }) => {
    if (data.ask !== undefined) return port.postMessage(data.ask);
    if (data.total) return port.postMessage(total);
    if (data.index !== undefined) {
      table[data.index]! += data.amount;
      total++;
      return;
    }
    for (const index of data as Uint32Array) table[index]!++;
    total += (data as Uint32Array).length;
  };
}

async function measure(
  port: MessagePort,
  mode: string,
  figure: Figure,
  seconds: number,
): Promise<void> {
  let answer = (_value: number): void => {};
  port.onmessage = ({ data }) => answer(data);
  const ask = (question: unknown): Promise<number> =>
    new Promise((resolve) => {
      answer = resolve;
      port.postMessage(question);
    });

  if (mode === "latency") {
    const each = await roundTrip(figure, async (count) => {
      for (let i = 0; i < count; i++) await ask({ ask: i });
    }, seconds);
    return printMetric("round trip", each * 1e6, "us");
  }
  const batch = mode === "batched" ? UPDATES : 1;
  let sent = 0;
  const each = await calibrated(async (count) => {
    for (let i = 0; i < count; i++) {
      const index = (i * 40503) % TABLE_LENGTH;
      if (batch === 1) port.postMessage({ index, amount: 1 });
      else {
        const updates = new Uint32Array(batch).fill(index);
        port.postMessage(updates, [updates.buffer]);
      }
    }
    sent += count * batch;
    if (await ask({ total: true }) !== sent) throw new Error("The channel lost updates");
  }, seconds);
  printMetric("rate", (batch / each) * 1e-6, "M/s");
}

function startWorker(): Worker {
  return new Worker(import.meta.url, { type: "module" });
}

/** The main thread only joins the two Workers and ends with the one that measures. */
function join(mode: string, figure: string, seconds: number): void {
  const channel = new MessageChannel();
  const [server, client] = [startWorker(), startWorker()];
  client.onmessage = () => Deno.exit(0);
  for (const worker of [server, client]) {
    worker.onerror = (event) => {
      console.error(event.message);
      Deno.exit(1);
    };
  }
  server.postMessage({ port: channel.port1 }, [channel.port1]);
  client.postMessage({ port: channel.port2, mode, figure, seconds }, [channel.port2]);
}

if (!insideWorker()) {
  const [mode = "latency", figure = "together", seconds = 0.3] = Deno.args;
  join(mode, figure, Number(seconds));
} else {
  const scope = self as unknown as Worker;
  scope.onmessage = async ({ data }) => {
    if (data.mode === undefined) return serve(data.port);
    await measure(data.port, data.mode, data.figure, data.seconds);
    scope.postMessage("done");
  };
}
