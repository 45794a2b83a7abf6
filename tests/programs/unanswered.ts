/**
 * PE 0 adds to the memory of the last PE and awaits nothing, so that it waits in place for answers,
 * until the job fails.
 */

import { LamellarWorldBuilder } from "../../mod.ts";

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
using region = await world.allocSharedMemRegion("u32", 1);
world.barrier();
console.log(`pid ${Deno.pid} PE ${myPe}`);
if (myPe !== 0) await new Promise(() => {});
for (let added = 0;; added++) {
  region.add(numPes - 1, 0, 1);
  if (added === 1000) console.log("PE 0 is at work");
}
