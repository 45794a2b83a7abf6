/**
 * Closures that come back: one as data, which the caller runs whenever it likes, and one that runs
 * at the origin by itself.
 *
 *     deno task run:local -n 3 examples/closures/closure_return.ts
 *
 * @module
 */

import { type AmContext, LamellarWorldBuilder } from "../../mod.ts";

await using world = await new LamellarWorldBuilder().build();

if (world.myPe === 0) {
  const last = world.numPes - 1;
  const greet = await world.execClosurePe(
    last,
    (name: string, lamellar: AmContext) =>
      lamellar.closure((who: string, pe: number) => `${who}, made on PE ${pe}`, [
        name,
        lamellar.currentPe,
      ]),
    ["a closure"],
  );
  console.log(`as data: ${greet()}`);

  const where = await world.execClosurePe(
    last,
    (lamellar: AmContext) =>
      lamellar.onReturn(
        (from: number, origin: AmContext) => `sent by PE ${from}, run on PE ${origin.currentPe}`,
        [lamellar.currentPe],
      ),
    [],
  );
  console.log(`on return: ${where}`);
}
