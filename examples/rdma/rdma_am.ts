/**
 * A region travels in an active message: the handler gets from the memory of the PE that launched
 * it, and puts its answer there.
 *
 *     deno task run:local -n 4 examples/rdma/rdma_am.ts
 *
 * @module
 */

import { am, LamellarWorldBuilder, type OneSidedMemoryRegion } from "../../mod.ts";

const LENGTH = 8;

/** The first half of the region is the question, the second the answer. */
const Square = am(
  "Square",
  async (self: { region: OneSidedMemoryRegion<"u32"> }, lamellar) => {
    const numbers = await self.region.getBuffer(0, LENGTH / 2);
    const squares = numbers.map((n) => n * n + lamellar.currentPe);
    await self.region.put(LENGTH / 2, squares);
  },
);

await using world = await new LamellarWorldBuilder().build();
using region = world.allocOneSidedMemRegion("u32", LENGTH);
region.asMutSlice().set([1, 2, 3, 4].map((n) => n + 10 * world.myPe));

const next = (world.myPe + 1) % world.numPes;
await world.execAmPe(next, Square({ region }));
console.log(`PE ${world.myPe}: ${region.asSlice().join(" ")} from PE ${next}`);
