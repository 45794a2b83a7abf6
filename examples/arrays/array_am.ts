/**
 * Arrays in active messages: a handler gets the array of its own PE, puts and gets there, and sends
 * the array on, to a PE that it draws, until it has made so many steps.
 *
 *     deno task run:local -n 4 examples/arrays/array_am.ts 100
 *
 * Argument: how many steps each PE's message makes.
 *
 * @module
 */

import { am, AtomicArray, atomicArray, LamellarWorldBuilder, u32 } from "../../mod.ts";

const Walk = am(
  "Walk",
  { visits: atomicArray("u32"), left: u32 },
  async ({ left, visits }, lamellar): Promise<void> => {
    await visits.add(lamellar.currentPe, 1);
    if (left === 1) return;
    const next = Math.floor(Math.random() * lamellar.numPes);
    await lamellar.world.execAmPe(next, Walk({ visits, left: left - 1 }));
  },
);
const Mark = am("Mark", { marks: atomicArray("u32") }, async ({ marks }, { currentPe }) => {
  // Into an element of another PE, from within a handler.
  await marks.put((currentPe + 1) % marks.length, currentPe + 1);
  return await marks.get(0);
});

const [steps = 100] = Deno.args.map(Number);
await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;

using visits = await AtomicArray.create(world, "u32", numPes, "cyclic");
await world.execAmPe(myPe, Walk({ visits, left: steps }));
await world.asyncBarrier();
const total = (await visits.sum())!;
if (total !== steps * numPes) throw new Error(`${total} visits, not ${steps * numPes}`);
if (myPe === 0) console.log(`${total} visits: ${[...await visits.get(0, numPes)].join(" ")}`);

using marks = await AtomicArray.create(world, "u32", numPes, "block");
await world.execAmAll(Mark({ marks }));
await world.asyncBarrier();
const found = await marks.get(0, numPes);
const right = found.every((mark, pe) => mark === (pe + numPes - 1) % numPes + 1);
if (!right) throw new Error(`wrong marks: ${found}`);
if (myPe === 0) console.log(`each PE was marked by the one before: ${[...found].join(" ")}`);
