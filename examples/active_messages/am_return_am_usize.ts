/**
 * An active message that returns another one, which runs at the origin and computes the caller's
 * result there.
 *
 *     deno task run:local -n 3 examples/active_messages/am_return_am_usize.ts
 *
 * @module
 */

import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";

/** Only the origin knows this; it never travels. */
const prices = new Map([[0, 10], [1, 25], [2, 40], [3, 70]]);

const Price = am("Price", { item: u32, amount: u32 }, (self) => {
  return (prices.get(self.item % prices.size) ?? 0) * self.amount;
});

/** Chooses on the remote PE, and lets the origin work the choice out. */
const Choose = am("Choose", { amount: u32 }, (self, lamellar) => {
  return Price({ item: lamellar.currentPe, amount: self.amount });
});

await using world = await new LamellarWorldBuilder().build();

if (world.myPe === 0) {
  const one: number = await world.execAmPe(world.numPes - 1, Choose({ amount: 2 }));
  const all: number[] = await world.execAmAll(Choose({ amount: 3 }));
  console.log(`PE ${world.numPes - 1} chose for ${one}`);
  console.log(`all chose for ${all.join(" ")}`);
}
