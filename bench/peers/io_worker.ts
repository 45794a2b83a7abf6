// I/O on the main thread with messages to a Worker in between:
// io_worker.ts <kind> [clients] [seconds]
import { Answers, IoLoad, type Question } from "../io_loads.ts";
import { insideWorker } from "../measure.ts";

interface Message {
  readonly id: number;
  readonly question: Question;
  readonly value: number;
}

/** The Worker answers whatever it is asked, in any order. */
function serve(): void {
  const scope = self as unknown as Worker;
  let answers: Answers;
  scope.onmessage = async ({ data }) => {
    if (data.port !== undefined) {
      answers = new Answers(data);
      return;
    }
    const { id, question, value } = data as Message;
    const answer = answers.answer(question, value);
    scope.postMessage({ id, value: typeof answer === "number" ? answer : await answer });
  };
}

async function measure(kind: string, clients: number, seconds: number): Promise<void> {
  await using load = await IoLoad.open();
  const worker = new Worker(import.meta.url, { type: "module" });
  const waiting = new Map<number, (value: number) => void>();
  let last = 0;
  worker.onmessage = ({ data: { id, value } }) => {
    waiting.get(id)!(value);
    waiting.delete(id);
  };
  worker.postMessage(load.places);
  await load.measure(kind, clients, seconds, (question, value) =>
    new Promise((resolve) => {
      waiting.set(++last, resolve);
      worker.postMessage({ id: last, question, value });
    }));
  worker.terminate();
}

if (insideWorker()) serve();
else {
  const [kind = "http", clients = 1, seconds = 1] = Deno.args;
  await measure(kind, Number(clients), Number(seconds));
}
