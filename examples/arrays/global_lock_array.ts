/**
 * The lock of a `GlobalLockArray`: writers are alone in the whole array, readers are together.
 *
 *     deno task run:local -n 4 examples/arrays/global_lock_array.ts 10
 *
 * Argument: how often each PE writes.
 *
 * @module
 */

import { GlobalLockArray, LamellarWorldBuilder } from "../../mod.ts";

const [rounds = 10] = Deno.args.map(Number);
await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
using array = await GlobalLockArray.create(world, "u32", 4 * numPes, "cyclic");

// Whoever writes finds all elements alike, and leaves them alike.
for (let round = 0; round < rounds; round++) {
  using guard = await array.writeLock();
  const before = await guard.array.get(0, array.length);
  if (!before.every((value) => value === before[0])) throw new Error(`PE ${myPe}: ${before}`);
  await guard.array.fill(before[0]! + 1);
}
await world.asyncBarrier();
const value = array.at(0);
if (value !== rounds * numPes) throw new Error(`${value} writes, not ${rounds * numPes}`);
if (myPe === 0) console.log(`${value} writes, none of which saw half of another`);
await world.asyncBarrier();

// Readers do not exclude each other: all PEs are inside at the same time.
{
  using guard = await array.readLock();
  await world.asyncBarrier();
  const local = guard.localData();
  if (!local.every((one) => one === value)) throw new Error(`PE ${myPe} reads ${[...local]}`);
}
if (myPe === 0) console.log(`${numPes} readers held the lock together`);
await world.asyncBarrier();

// Each operation takes the lock by itself, and waits for whoever holds it.
if (myPe === 0) {
  const guard = await array.writeLock();
  const add = array.add(0, 1);
  const waited = !add.done;
  guard.dispose();
  await add;
  console.log(waited ? "an addition waited for the guard" : "an addition did not wait");
  if (!waited) throw new Error("the guard was passed by");
}
