// Collectives of f64 values, into arrays that there are, of arrays of the program or of a region:
// collective.ts <which> <bytes of each PE> [seconds]
import { LamellarWorldBuilder } from "../../mod.ts";
import { printMetric } from "../measure.ts";
import { calibratedTogether } from "./together.ts";

const [which = "all-reduce", bytes = "8", seconds = "0.3"] = Deno.args;
const length = Number(bytes) / 8;

await using world = await new LamellarWorldBuilder().build();
const region = await world.allocSharedMemRegion("f64", length);
const source = region.asMutSlice().map((_, i) => world.myPe + i);
region.asMutSlice().set(source);
const part = new Float64Array(Math.floor(length / world.numPes));
const into = new Float64Array(length);
const all = new Float64Array(length * world.numPes);

const WORK: Readonly<Record<string, () => void>> = {
  "number": () => void world.allReduce(world.myPe, "sum").block(),
  "all-reduce": () => void world.allReduce(source, "sum", { into }).block(),
  "reduce-scatter": () => void world.reduceScatter(source, "sum", { into: part }).block(),
  "all-gather": () => region.gatherAllIntoBuffer(all).block(),
  "all-to-all": () => region.allToAllIntoBuffer(into).block(),
  "broadcast": () => region.broadcast(0).block(),
};

const work = WORK[which]!;
const { each } = await calibratedTogether(world, (count) => {
  for (let i = 0; i < count; i++) work();
}, Number(seconds));
if (world.myPe === 0) printMetric(which, each * 1e6, "us");
