// Bare Workers, the least that a job of several PEs can take: workers_hello.ts [count]
// Each Worker greets, and the main thread ends once all have.
import { insideWorker } from "../measure.ts";

const count = Number(Deno.args[0] ?? 4);

if (!insideWorker()) {
  let greeted = 0;
  for (let id = 0; id < count; id++) {
    const worker = new Worker(import.meta.url, { type: "module" });
    worker.onmessage = () => {
      if (++greeted === count) Deno.exit(0);
    };
    worker.postMessage(id);
  }
} else {
  const scope = self as unknown as Worker;
  scope.onmessage = ({ data }) => {
    console.log(`hello from Worker ${data} of ${count}`);
    scope.postMessage("greeted");
  };
}
