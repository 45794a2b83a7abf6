/**
 * The environment of the objects of the runtime: which PE, how many, which world and team. The
 * world, teams, arrays, Darcs and what handlers get all have it, so that a function may take any.
 *
 *     deno task run:local -n 2 examples/misc/lamellar_env.ts
 *
 * @module
 */

import {
  am,
  AtomicArray,
  BlockedArch,
  Darc,
  GlobalRwDarc,
  type LamellarEnv,
  LamellarWorldBuilder,
  LocalLockArray,
  LocalRwDarc,
  ReadOnlyArray,
  UnsafeArray,
} from "../../mod.ts";

/** Works for every object that has an environment. */
function describe(name: string, env: LamellarEnv): string {
  return `${name}: PE ${env.myPe} of ${env.numPes}, ${env.numThreadsPerPe} thread`;
}

const Describe = am("Describe", {}, (_, lamellar) => describe("handler", lamellar.world));

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const environments: Record<string, LamellarEnv> = {
  world,
  team: world.team,
  UnsafeArray: await UnsafeArray.create(world, "u8", 10),
  ReadOnlyArray: await ReadOnlyArray.create(world, "u8", 10),
  AtomicArray: await AtomicArray.create(world, "u8", 10, "cyclic"),
  LocalLockArray: await LocalLockArray.create(world, "f64", 10),
  Darc: await Darc.create(world, "an object"),
  LocalRwDarc: await LocalRwDarc.create(world, "an object"),
  GlobalRwDarc: await GlobalRwDarc.create(world, "an object"),
};
for (const [name, env] of Object.entries(environments)) {
  console.log(describe(name, env));
  // Whatever it is, it belongs to a team, by which one can launch and make more.
  if (env.world !== world) throw new Error(`the ${name} does not know its world`);
  if (env.team.numPes !== numPes) throw new Error(`the team of the ${name} has other PEs`);
}
console.log(await world.execAmPe(myPe, Describe({})));

// What is made of an object is of its team, and numbers the PEs as that does.
const last = await world.createTeamFromArch(new BlockedArch(numPes - 1, 1));
if (myPe === numPes - 1) {
  using array = await AtomicArray.create(last, "u32", 3);
  using made = await Darc.create(array, "of the same team");
  console.log(describe("array of a team", array), "|", describe("Darc of that array", made));
}
console.log(`PE ${myPe}: the team has PEs ${world.team.getPes().join(" ")}`);
