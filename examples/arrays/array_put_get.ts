/**
 * Puts and gets of ranges: from typed arrays, lists, regions and single values, into arrays in
 * blocks and cyclic, over the bounds of PEs. Everything is compared with what it should be.
 *
 *     deno task run:local -n 4 examples/arrays/array_put_get.ts
 *
 * @module
 */

import { type DistributionKind, LamellarWorldBuilder, UnsafeArray } from "../../mod.ts";

const LENGTH = 20;

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;

function check(what: string, found: ArrayLike<number>, wanted: ArrayLike<number>): void {
  const same = found.length === wanted.length &&
    Array.from(found).every((value, i) => value === wanted[i]);
  if (!same) throw new Error(`${what}: ${Array.from(found)}, not ${Array.from(wanted)}`);
}

async function show(kind: DistributionKind): Promise<void> {
  using array = await UnsafeArray.create(world, "u32", LENGTH, kind);
  using region = await world.allocSharedMemRegion("u32", LENGTH);
  region.asMutSlice().fill(10 + myPe);
  const model = new Uint32Array(LENGTH);

  // The last PE writes all of it, wherever the elements are.
  if (myPe === numPes - 1) await array.put(0, Uint32Array.from({ length: LENGTH }, (_, i) => i));
  model.forEach((_, i) => model[i] = i);
  await world.asyncBarrier();
  check(`${kind}, typed array`, await array.get(0, LENGTH), model);
  await world.asyncBarrier();

  // PE 0 writes a range from a list, one element, and its part of a sub-region.
  if (myPe === 0) {
    await array.put(3, [100, 101, 102, 103]);
    await array.put(19, 7);
    await array.put(9, region.subRegion(0, 6));
  }
  model.set([100, 101, 102, 103], 3);
  model[19] = 7;
  model.fill(10, 9, 15);
  await world.asyncBarrier();
  const target = new Uint32Array(12);
  await array.get(2, target);
  check(`${kind}, list and region`, target, model.subarray(2, 14));
  await array.get(0, region);
  check(`${kind}, into a region`, region.asSlice(), model);
  if (myPe === 0) console.log(`${kind}: ${[...await array.get(0, LENGTH)].join(" ")}`);
  await world.asyncBarrier();
}

await show("block");
await show("cyclic");
if (myPe === 0) console.log("all puts and gets are right");
