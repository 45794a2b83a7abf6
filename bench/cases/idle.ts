// What PEs burn that sleep in a barrier, which the last PE holds up: idle.ts [seconds]
import process from "node:process";
import { LamellarWorldBuilder } from "../../mod.ts";
import { printMetric } from "../measure.ts";

const seconds = Number(Deno.args[0] ?? 1);
const SETTLING_MS = 200;

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Of the whole process, all PEs and the supervisor. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1e-6;
}

await using world = await new LamellarWorldBuilder().build();
world.barrier();
if (world.myPe === world.numPes - 1) {
  await sleep(SETTLING_MS);
  const [before, start] = [processorSeconds(), performance.now()];
  await sleep(seconds * 1000);
  const elapsed = (performance.now() - start) / 1000;
  printMetric("idle", ((processorSeconds() - before) / elapsed) * 100, "% of a core");
}
world.barrier();
