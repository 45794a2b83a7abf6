/**
 * Every PE adds to the elements of all PEs, one by one; each shows what came of its own.
 *
 *     deno task run:local -n 4 examples/hello_world/hello_world_array.ts
 *
 * @module
 */

import { AtomicArray, LamellarWorldBuilder } from "../../mod.ts";

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
using array = await AtomicArray.create(world, "u32", 3 * numPes);

// An operation has begun when its handle is there: waitAll() waits for those that are ignored.
for (let index = 0; index < array.length; index++) array.add(index, index);
world.waitAll();
await world.asyncBarrier(); // the others have done theirs

const mine = array.localData();
const first = array.firstGlobalIndexForPe(myPe)!;
console.log(`hello from elements ${first} to ${first + 2} on PE ${myPe}: ${[...mine.values()]}`);
let index = first;
for (const element of mine) {
  if (element.load() !== numPes * index++) throw new Error(`PE ${myPe} misses an addition`);
}
