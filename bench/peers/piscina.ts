// piscina, a task in a pool of one Worker: piscina.ts [seconds]
import { Piscina } from "npm:piscina@^5.0.0";
import { calibrated, printMetric } from "../measure.ts";

const pool = new Piscina({
  filename: new URL("./piscina_worker.ts", import.meta.url).href,
  minThreads: 1,
  maxThreads: 1,
});
const each = await calibrated(async (count) => {
  for (let i = 0; i < count; i++) {
    if (await pool.run(i, { name: "increment" }) !== i + 1) {
      throw new Error("The task returned a wrong value");
    }
  }
}, Number(Deno.args[0] ?? 0.3));
printMetric("round trip", each * 1e6, "us");
Deno.exit(0);
