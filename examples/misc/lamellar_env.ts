/**
 * The environment of the objects of the runtime: which PE, how many, which world and team.
 *
 *     deno task run:local -n 2 examples/misc/lamellar_env.ts
 *
 * @module
 */

import { Darc, type LamellarEnv, LamellarWorldBuilder } from "../../mod.ts";

/** Works for every object that has an environment. */
function describe(name: string, env: LamellarEnv): string {
  return `${name}: PE ${env.myPe} of ${env.numPes}, ${env.numThreadsPerPe} thread`;
}

await using world = await new LamellarWorldBuilder().build();
console.log(describe("world", world));
console.log(describe("team", world.team));
const darc = await Darc.create(world, "an object");
console.log(describe("Darc", darc));
console.log(`PE ${world.myPe}: the team has PEs ${world.team.getPes().join(" ")}`);
if (world.team.world === world) console.log(`PE ${world.myPe}: the team knows its world`);
