/** Prints what becomes of random launches on the last PE. Arguments: the seed, how many. */

import { LamellarWorldBuilder } from "../../mod.ts";
import { randomNumbers } from "../conformance/case.ts";
import { outcomesOf } from "../support/random_calls.ts";

const [seed, count] = Deno.args.map(Number);
await using world = await new LamellarWorldBuilder().build();
if (world.myPe === 0) {
  const random = randomNumbers(seed!);
  for (const outcome of await outcomesOf(world, world.numPes - 1, random, count!)) {
    console.log(JSON.stringify(outcome));
  }
}
