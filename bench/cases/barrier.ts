// The blocking barrier of all PEs: barrier.ts [seconds]
import { LamellarWorldBuilder } from "../../mod.ts";
import { printMetric } from "../measure.ts";
import { calibratedTogether } from "./together.ts";

await using world = await new LamellarWorldBuilder().build();
const { each } = await calibratedTogether(world, (count) => {
  for (let i = 0; i < count; i++) world.barrier();
}, Number(Deno.args[0] ?? 0.3));
if (world.myPe === 0) printMetric("barrier", each * 1e6, "us");
