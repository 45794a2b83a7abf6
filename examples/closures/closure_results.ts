/**
 * Closures as active messages: the source of a function travels with its captures, and the caller
 * gets what the function returns. Nothing is registered.
 *
 *     deno task run:local -n 3 examples/closures/closure_results.ts
 *
 * @module
 */

import { type AmContext, LamellarWorldBuilder } from "../../mod.ts";

await using world = await new LamellarWorldBuilder().build();

if (world.myPe === 0) {
  const last = world.numPes - 1;
  const sum = await world.execClosurePe(last, (a: number, b: number) => a + b, [40, 2]);
  console.log(`PE ${last} added up ${sum}`);

  // The context of handlers comes after the captures.
  const squares = await world.execClosureAll(
    (base: number, lamellar: AmContext) => (base + lamellar.currentPe) ** 2,
    [10],
  );
  console.log(`squares: ${squares.join(" ")}`);

  // Variables that a closure uses but does not carry are found before anything is sent.
  const factor = 2;
  try {
    await world.execClosurePe(last, (n: number) => n * factor, [1]);
  } catch (error) {
    console.log((error as Error).message);
  }
}
