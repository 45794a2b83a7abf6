/**
 * The smallest histogram: each PE adds to random elements of an array over all PEs.
 *
 *     deno task run:local -n 4 examples/arrays/histo.ts 10000000 100000
 *
 * Arguments: elements of the array (upstream has 10^9), and additions of each PE.
 *
 * @module
 */

import { AtomicArray, LamellarWorldBuilder } from "../../mod.ts";

const [length = 10_000_000, additions = 100_000] = Deno.args.map(Number);
await using world = await new LamellarWorldBuilder().build();
using counts = await AtomicArray.create(world, "u32", length);
const indices = Float64Array.from({ length: additions }, () => Math.floor(Math.random() * length));
await counts.batchAdd(indices, 1);
await world.asyncBarrier();
const sum = await counts.sum();
if (sum !== additions * world.numPes) throw new Error(`the sum is ${sum}`);
if (world.myPe === 0) {
  console.log(`${sum} counts in ${length} elements, at most ${await counts.max()}`);
}
