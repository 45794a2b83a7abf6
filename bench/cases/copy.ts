// Bandwidth of a blocking put or get between two PEs: copy.ts put|get <bytes> [seconds]
import { LamellarWorldBuilder } from "../../mod.ts";
import { printMetric } from "../measure.ts";

const [kind = "put", bytesText = "4194304", secondsText = "0.3"] = Deno.args;
const bytes = Number(bytesText);
const batch = Math.max(1, (16 << 20) / bytes);

await using world = await new LamellarWorldBuilder().build();
const region = await world.allocSharedMemRegion("u8", bytes);
const buffer = world.allocOneSidedMemRegion("u8", bytes);
buffer.asSlice().fill(world.myPe + 1);
region.asSlice().fill(world.myPe + 1);
world.barrier();
if (world.myPe === 0) {
  const end = performance.now() + Number(secondsText) * 1000;
  let best = 0;
  do {
    const start = performance.now();
    for (let i = 0; i < batch; i++) {
      if (kind === "put") region.blockingPut(1, 0, buffer);
      else region.blockingGet(1, 0, buffer);
    }
    best = Math.max(best, (bytes * batch) / (performance.now() - start) * 1e-6);
  } while (performance.now() < end);
  printMetric(kind, best, "GB/s");
}
world.barrier();
const [changed, expected] = kind === "put" ? [region, 1] : [buffer, 2];
if (world.myPe === (kind === "put" ? 1 : 0) && !changed.asSlice().every((b) => b === expected)) {
  throw new Error(`The ${kind} left other bytes than its source has`);
}
