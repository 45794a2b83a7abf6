/**
 * Active messages that return a number: each PE adds up the values it gets, weighted by its own
 * number.
 *
 *     deno task run:local -n 3 examples/active_messages/am_return_usize.ts
 *
 * @module
 */

import { am, array, LamellarWorldBuilder, u32 } from "../../mod.ts";

const WeightedSum = am("WeightedSum", { values: array(u32), offset: u32 }, (self, lamellar) => {
  const sum = self.values.reduce((total, value) => total + value, 0);
  return sum * (lamellar.currentPe + 1) + self.offset;
});

await using world = await new LamellarWorldBuilder().build();

if (world.myPe === 0) {
  const call = WeightedSum({ values: [1, 2, 3, 4], offset: 100 });
  console.log(`local: ${await world.execAmLocal(call)}`);
  console.log(`remote: ${await world.execAmPe(world.numPes - 1, call)}`);
  console.log(`all: ${(await world.execAmAll(call)).join(" ")}`);
  console.log(`blocking: ${world.execAmAll(call).block().join(" ")}`);
}
