/** Tells the arguments each PE was given. */

import { LamellarWorldBuilder } from "../../mod.ts";

await using world = await new LamellarWorldBuilder().build();
console.log(`PE ${world.myPe} of ${world.numPes} has ${JSON.stringify(Deno.args)}`);
