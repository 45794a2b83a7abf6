/** All PEs compute for longer than the tests' deadlock timeout, then meet, PE 1 a little later. */

import { LamellarWorldBuilder } from "../../mod.ts";

await using world = await new LamellarWorldBuilder().build();
const end = performance.now() + 1500 + 100 * world.myPe;
while (performance.now() < end);
world.barrier();
console.log("met");
