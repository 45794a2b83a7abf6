// Random reads over the tables of all PEs, a kernel call for a million of them: gather.ts [seconds]
import { LamellarWorldBuilder } from "../../mod.ts";
import { printMetric } from "../measure.ts";
import { randomIndices } from "../random.ts";
import { calibratedTogether } from "./together.ts";

const LENGTH = 1 << 20;

await using world = await new LamellarWorldBuilder().build();
const table = await world.allocSharedMemRegion("u64", LENGTH);
const indices = world.allocOneSidedMemRegion("u32", LENGTH);
const target = world.allocOneSidedMemRegion("u64", LENGTH);
const wanted = randomIndices(LENGTH, LENGTH * world.numPes, world.myPe);
indices.asSlice().set(wanted);
// Element i of the whole table holds i.
const own = table.asSlice();
for (let i = 0; i < LENGTH; i++) own[i] = BigInt(world.myPe * LENGTH + i);
world.barrier();
const { each } = await calibratedTogether(world, (count) => {
  for (let i = 0; i < count; i++) table.gather(indices, target).block();
}, Number(Deno.args[0] ?? 0.3));
const gathered = target.asSlice();
const wrong = wanted.findIndex((index, i) => gathered[i] !== BigInt(index));
if (wrong >= 0) throw new Error(`PE ${world.myPe} gathered ${gathered[wrong]} at ${wanted[wrong]}`);
if (world.myPe === 0) printMetric("gather", (LENGTH * world.numPes * 1e-6) / each, "M/s");
world.barrier();
