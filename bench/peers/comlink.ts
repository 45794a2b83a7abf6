// comlink, a call of a method in a Worker: comlink.ts [seconds]
import * as Comlink from "npm:comlink@^4.4.2";
import { calibrated, insideWorker, printMetric } from "../measure.ts";

const service = { increment: (value: number): number => value + 1 };

if (!insideWorker()) {
  const worker = new Worker(import.meta.url, { type: "module" });
  const remote = Comlink.wrap<typeof service>(worker);
  const each = await calibrated(async (count) => {
    for (let i = 0; i < count; i++) {
      if (await remote.increment(i) !== i + 1) throw new Error("The call returned a wrong value");
    }
  }, Number(Deno.args[0] ?? 0.3));
  printMetric("round trip", each * 1e6, "us");
  Deno.exit(0);
} else {
  Comlink.expose(service);
}
