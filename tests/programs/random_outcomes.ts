/** Prints what becomes of random launches on the last PE. Arguments: the seed, how many. */

import { LamellarWorldBuilder } from "../../mod.ts";
import { outcomesOf } from "../support/random_calls.ts";
import { randomNumbers } from "../../internal/random_test_numbers.ts";

const [seed, count] = Deno.args.map(Number);
await using world = await new LamellarWorldBuilder().build();
if (world.myPe === 0) {
  const random = randomNumbers(seed!);
  for (const outcome of await outcomesOf(world, world.numPes - 1, random, count!)) {
    console.log(JSON.stringify(outcome));
  }
}
