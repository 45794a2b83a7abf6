/**
 * Slices of arrays that are checked at each use, as `LAMELLAR_CHECK_SLICES=1` makes them.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import {
  am,
  AtomicArray,
  ClosedError,
  f64Array,
  GlobalLockArray,
  LocalLockArray,
  UnsafeArray,
} from "../../../mod.ts";
import type { Case } from "../case.ts";

const Total = am(
  "checked_slices.Total",
  { values: f64Array },
  (self) => self.values.reduce((sum, value) => sum + value, 0),
);
const Packed = am("checked_slices.Packed", (self: { values: Float64Array }) => [...self.values]);

/** What can be done with slices, and what cannot be done with those that are gone. */
export const CHECKED_SLICE_CASES: readonly Case[] = [
  {
    name: "a slice of an array that was disposed of or converted is refused by name",
    async run(world) {
      const { myPe } = world;
      const array = await UnsafeArray.from(world, "f64", [myPe, 1, 2]);
      const slice = array.localAsMutSlice();
      const [chunk] = array.localChunks(2);
      const view = array.subArray(3 * myPe + 1, 3 * myPe + 3).localAsSlice();
      slice[1] = 10;
      slice.forEach((value, i, all) => all[i] = value + 1);
      assertEquals([...chunk!, ...view], [myPe + 1, 11, 11, 3]);
      const fixed = await array.intoReadOnly();
      assertThrows(() => slice[0], ClosedError, "Cannot use element 0 of a slice of UnsafeArray");
      assertThrows(() => slice.fill(0), ClosedError, "it was converted");
      assertThrows(() => chunk![0] = 1, ClosedError, "Cannot set element 0 of a slice of");
      assertThrows(() => view.length, ClosedError);
      const read = fixed.localAsSlice();
      const [first] = fixed.localChunks(3);
      assertEquals([...read], [...first!]);
      const seen = read.values();
      assertEquals(seen.next().value, myPe + 1);
      using kept = fixed.clone();
      fixed.dispose();
      assertThrows(() => read.at(1), ClosedError, "it was disposed of");
      assertThrows(() => seen.next(), ClosedError, "go through a slice");
      assertThrows(() => first!.slice(), ClosedError);
      assertEquals(kept.localAsSlice()[1], 11);
      await world.asyncBarrier();
    },
  },
  {
    name: "a slice of a guard is refused by name once the lock was given back",
    async run(world) {
      for (const type of [LocalLockArray, GlobalLockArray]) {
        using array = await type.from(world, "u16", [1, 2, 3]);
        const guard = await array.writeLock();
        const data = guard.localData();
        const chunks = guard.localChunks(2);
        data.set([4, 5]);
        assertEquals(chunks.map((chunk) => [...chunk]), [[4, 5], [3]]);
        guard.dispose();
        assertThrows(() => data[0] = 9, ClosedError, "set element 0 of a slice of");
        assertThrows(() => chunks[1]!.at(0), ClosedError, "its lock was given back");
        using reader = await array.readLock();
        assertEquals([...reader.localData()], [4, 5, 3]);
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "checked slices are sources, targets, indices and operands of arrays, near and far",
    async run(world) {
      const { myPe, numPes } = world;
      const right = (myPe + 1) % numPes;
      using own = await UnsafeArray.from(world, "f64", [myPe, 5, 7]);
      using indices = await UnsafeArray.from(world, "u32", [3 * right, 3 * right + 2]);
      using big = await UnsafeArray.from(world, "u64", [myPe, 1]);
      const slice = own.localAsMutSlice();
      for (const type of [UnsafeArray, AtomicArray, LocalLockArray]) {
        using other = await type.create(world, "f64", 3 * numPes);
        await other.put(3 * right, slice);
        await other.putPe(right, 1, slice.subarray(2));
        assertEquals([...await other.get(3 * right, 3)], [myPe, 7, 7]);
        await other.batchAdd(indices.localAsSlice(), slice.subarray(1));
        const values = await other.batchLoad(indices.localAsSlice());
        assertEquals([...values], [myPe + 5, 14]);
        await world.asyncBarrier();
        await other.get(3 * right, slice);
        assertEquals([...slice], [myPe + 5, 7, 14]);
        await other.batchLoad(indices.localAsSlice(), slice.subarray(0, 2));
        await other.batchSub(indices.localAsSlice().values(), slice.subarray(1));
        assertEquals([...slice], [myPe + 5, 14, 14]);
        slice.set([myPe, 5, 7]);
        await world.asyncBarrier();
      }
      using exact = await AtomicArray.create(world, "u64", 2 * numPes);
      await exact.put(2 * right, big.localAsSlice());
      await world.asyncBarrier();
      assertEquals([...await exact.get(2 * right, 2)], [myPe, 1]);
      using made = await UnsafeArray.from(world, "f64", slice, "cyclic");
      assertEquals(made.at(1), 5);
      await world.asyncBarrier();
    },
  },
  {
    name: "checked slices are sources and targets of regions and collectives, and travel as copies",
    async run(world) {
      const { myPe, numPes } = world;
      const right = (myPe + 1) % numPes;
      const ours = await UnsafeArray.from(world, "f64", [1, myPe]);
      const slice = ours.localAsMutSlice();
      const region = await world.allocSharedMemRegion("f64", 4);
      await region.put(right, 0, slice);
      await region.putStrided(right, 2, 1, slice, 1);
      await region.batchAdd(new Uint32Array(slice.length).fill(4 * right + 3), slice);
      await world.asyncBarrier();
      const left = (myPe + numPes - 1) % numPes;
      assertEquals([...region.asSlice()], [1, left, 1, 2 * left + 1]);
      await region.get(right, 2, slice);
      assertEquals([...slice], [1, 2 * myPe + 1]);
      slice.set([1, myPe]);
      assertEquals(await world.allReduce(slice, "max"), Float64Array.of(1, numPes - 1));
      await world.allReduce(slice.subarray(1), "sum", { into: slice.subarray(0, 1) });
      assertEquals(slice[0], numPes * (numPes - 1) / 2);
      const wanted = slice[0]! + myPe;
      assertEquals(await world.execAmPe(right, Total({ values: slice })), wanted);
      assertEquals(await world.execAmPe(right, Packed({ values: slice })), [slice[0]!, myPe]);
      const last = await world.execClosurePe(right, (it: Float64Array) => it.at(-1), [slice]);
      assertEquals(last, myPe);
      ours.dispose();
      assertThrows(() => region.put(right, 0, slice), ClosedError, "a slice of UnsafeArray");
      assertThrows(() => world.allReduce(slice, "sum"), ClosedError);
      assertThrows(() => world.execAmPe(right, Packed({ values: slice })), ClosedError);
      await world.asyncBarrier();
      region.dispose();
    },
  },
];
