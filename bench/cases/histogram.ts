// Random atomic adds over the tables of all PEs, a kernel call for a million of them:
// histogram.ts [seconds]
import { LamellarWorldBuilder } from "../../mod.ts";
import { printMetric } from "../measure.ts";
import { randomIndices } from "../random.ts";
import { calibratedTogether } from "./together.ts";

const LENGTH = 1 << 20;

await using world = await new LamellarWorldBuilder().build();
const table = await world.allocSharedMemRegion("u64", LENGTH);
const indices = world.allocOneSidedMemRegion("u32", LENGTH);
indices.asSlice().set(randomIndices(LENGTH, LENGTH * world.numPes, world.myPe));
table.asSlice().fill(0n);
const { each, total } = await calibratedTogether(world, (count) => {
  for (let i = 0; i < count; i++) table.batchAdd(indices, 1).block();
}, Number(Deno.args[0] ?? 0.3));
if (world.myPe === 0) {
  let sum = 0n;
  const values = new BigUint64Array(LENGTH);
  for (let pe = 0; pe < world.numPes; pe++) {
    table.blockingGet(pe, 0, values);
    for (const value of values) sum += value;
  }
  if (sum !== BigInt(total * LENGTH * world.numPes)) throw new Error("The table lost updates");
  printMetric("histogram", (LENGTH * world.numPes * 1e-6) / each, "M/s");
}
world.barrier();
