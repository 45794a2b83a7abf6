/**
 * Which elements each PE has: the first and the last by their indices, in blocks and cyclic, of
 * arrays, sub-arrays, and arrays with fewer elements than PEs.
 *
 *     deno task run:local -n 4 examples/arrays/array_first_last_global_indices.ts
 *
 * @module
 */

import { type LamellarArray, LamellarWorldBuilder, UnsafeArray } from "../../mod.ts";

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;

/** Every PE has the same answers, and they agree with the place of each element. */
async function show(what: string, array: LamellarArray<"u8">): Promise<void> {
  const lines: string[] = [];
  for (let pe = 0; pe < numPes; pe++) {
    const places = Array.from({ length: array.length }, (_, i) => i)
      .filter((i) => array.peAndOffsetForGlobalIndex(i)!.pe === pe);
    const [first, last] = [array.firstGlobalIndexForPe(pe), array.lastGlobalIndexForPe(pe)];
    if (first !== places[0] || last !== places.at(-1)) throw new Error(`${what}: PE ${pe}`);
    lines.push(`PE ${pe} ${first === undefined ? "none" : `${first} to ${last}`}`);
  }
  if (myPe === 0) console.log(`${what}: ${lines.join(", ")}`);
  await world.asyncBarrier();
}

for (const kind of ["block", "cyclic"] as const) {
  using array = await UnsafeArray.create(world, "u8", 16, kind);
  await show(`${kind}, 16`, array);
  await show(`${kind}, 3 to 11`, array.subArray(3, 11));
  await show(`${kind}, 2 to 4 of 3 to 11`, array.subArray(3, 11).subArray(2, 4));
  using short = await UnsafeArray.create(world, "u8", 2, kind);
  await show(`${kind}, 2`, short);
}
if (myPe === 0) console.log("every element is where the queries say");
