/**
 * Adds to random elements of an array in batches, and waits for them in three ways: by the handle,
 * by `waitAll` of the world, and with indices that come from a generator.
 *
 *     deno task run:local -n 4 examples/arrays/array_batch_add.ts 1000000 1000000
 *
 * Arguments: elements of the array, and additions of each PE.
 *
 * @module
 */

import { AtomicArray, LamellarWorldBuilder } from "../../mod.ts";

const [length = 1_000_000, additions = 1_000_000] = Deno.args.map(Number);
await using world = await new LamellarWorldBuilder().build();
using array = await AtomicArray.create(world, "u64", length);

function* randomIndices(): Generator<number> {
  for (let i = 0; i < additions; i++) yield Math.floor(Math.random() * length);
}
const indices = Uint32Array.from(randomIndices());

let added = 0;
async function timed(how: string, add: () => void | PromiseLike<void>): Promise<void> {
  await world.asyncBarrier();
  const began = performance.now();
  await add();
  await world.asyncBarrier();
  const ms = performance.now() - began;
  added += additions * world.numPes;
  const sum = (await array.sum())!;
  if (sum !== added) throw new Error(`${how}: the sum is ${sum}, not ${added}`);
  await world.asyncBarrier();
  if (world.myPe !== 0) return;
  const rate = additions * world.numPes / ms / 1000;
  console.log(`${how}: ${ms.toFixed(1)} ms, ${rate.toFixed(1)} M additions/s, sum ${sum}`);
}

await timed("awaited", () => array.batchAdd(indices, 1));
await timed("waitAll", () => {
  array.batchAdd(indices, 1);
  world.waitAll();
});
await timed("one value each", () => array.batchAdd(indices, new Float64Array(additions).fill(1)));
await timed("generator", () => array.batchAdd(randomIndices(), 1));
