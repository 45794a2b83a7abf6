/** All PEs sleep in a barrier, but for the last, which comes after so many seconds. */

import { LamellarWorldBuilder } from "../../mod.ts";

await using world = await new LamellarWorldBuilder().build();
console.log(`pid ${Deno.pid} PE ${world.myPe}`);
world.barrier();
if (world.myPe === world.numPes - 1) {
  await new Promise((resolve) => setTimeout(resolve, Number(Deno.args[0]) * 1000));
}
world.barrier();
