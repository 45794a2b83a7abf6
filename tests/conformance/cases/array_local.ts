/**
 * What PEs see of the elements that each has: prints, slices and chunks.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  AtomicArray,
  ClosedError,
  GlobalLockArray,
  LocalLockArray,
  ReadOnlyArray,
  UnsafeArray,
} from "../../../mod.ts";
import type { Case } from "../case.ts";

/** What a PE prints while a body runs. */
async function printedBy(body: () => Promise<void>): Promise<string[]> {
  const printed: string[] = [];
  const { log } = console;
  console.log = (...args: unknown[]) => void printed.push(args.join(" "));
  try {
    await body();
  } finally {
    console.log = log;
  }
  return printed;
}

/** Prints, slices and chunks of arrays. */
export const ARRAY_LOCAL_CASES: readonly Case[] = [
  {
    name: "print() shows the elements of each PE in the order of the PEs, once all have called",
    async run(world) {
      const { myPe, numPes } = world;
      const types = [UnsafeArray, ReadOnlyArray, AtomicArray, LocalLockArray, GlobalLockArray];
      for (const type of types) {
        using array = await type.from(world, "i16", [-myPe, 10], "block");
        const printed = await printedBy(() => array.print().then(() => {}));
        const lines = Array.from({ length: numPes }, (_, pe) => `PE ${pe}: [ ${0 - pe}, 10 ]`);
        const expected = [`${array}, block`, ...lines].join("\n");
        assertEquals(printed, myPe === 0 ? [expected] : []);
        await world.asyncBarrier();
      }
      using late = await AtomicArray.create(world, "u32", numPes, "cyclic");
      const printed = await printedBy(async () => {
        // Whatever a PE does before it calls is printed.
        for (let i = 0; i < myPe; i++) await new Promise(setImmediate);
        await late.store(myPe, myPe + 1);
        await late.print();
      });
      if (myPe === 0) assertMatch(printed[0]!, new RegExp(`PE ${numPes - 1}: \\[ ${numPes} \\]$`));
      await world.asyncBarrier();
    },
  },
  {
    name: "print() shortens long arrays, and shows views, booleans and all 64-bit integers",
    async run(world) {
      const { myPe, numPes } = world;
      const long = await UnsafeArray.create(world, "u8", 1000 * numPes, "cyclic");
      const printed = await printedBy(async () => {
        const whole = long.print(); // nobody awaits it at first
        const part = long.subArray(numPes, 3 * numPes).print();
        long.dispose(); // the print keeps it
        using empty = await UnsafeArray.from(world, "bool", myPe === 0 ? [] : [true, false]);
        await empty.print();
        using exact = await AtomicArray.create(world, "u64", numPes);
        await exact.put(myPe, BigUint64Array.of(2n ** 64n - 1n));
        await exact.print();
        await Promise.all([whole, part]);
      });
      await world.asyncBarrier();
      if (myPe !== 0) {
        assertEquals(printed, []);
        return;
      }
      assertEquals(printed.length, 4);
      assertEquals(printed[0]!.match(/\.\.\. 900 more items\n\]/g)?.length, numPes);
      assertMatch(printed[1]!, /^UnsafeArray \d+ of u8\[\d+\], cyclic\nPE 0: \[ 0, 0 \]/);
      if (numPes === 1) assertMatch(printed[2]!, /of bool\[0\], block\nPE 0: \[\]$/);
      if (numPes === 2) assertMatch(printed[2]!, /\nPE 0: \[ true \]\nPE 1: \[ false \]$/);
      assertMatch(printed[3]!, /PE 0: \[ 18446744073709551615n \]/);
    },
  },
  {
    name: "print() of an array that is gone, or of a guard, is refused",
    async run(world) {
      using array = await LocalLockArray.create(world, "u8", world.numPes);
      {
        using guard = await array.readLock();
        assertThrows(() => guard.array.print(), Error, "it ends with the guard");
      }
      const gone = await UnsafeArray.create(world, "u8", 1);
      gone.dispose();
      assertThrows(() => gone.print(), ClosedError, "Cannot call print of UnsafeArray");
      await world.asyncBarrier();
      assert(!array.disposed);
    },
  },
  {
    name: "local chunks are pieces of what a PE has of an array, over the memory itself",
    async run(world) {
      const { myPe } = world;
      const mine = myPe === 0 ? [] : Array.from({ length: 7 }, (_, i) => 10 * myPe + i);
      using array = await UnsafeArray.create(world, "u32", 7 * world.numPes);
      array.localAsMutSlice().set(mine);
      const chunks = array.localChunks(3);
      assertEquals(chunks.map((chunk) => chunk.length), [3, 3, 1]);
      assertEquals(chunks.flatMap((chunk) => [...chunk]), [...array.localAsSlice()]);
      for (const chunk of chunks) chunk[0]! += 100;
      assertEquals(array.localAsSlice()[3], (mine[3] ?? 0) + 100);
      assertEquals(array.localChunks(100).length, 1);
      assertThrows(() => array.localChunks(0), RangeError, "at least 1 is needed");
      assertThrows(() => array.localChunks(1.5), RangeError, "1.5 elements");
      const few = array.subArray(0, 2); // on the first PE only
      assertEquals(few.localChunks(1).length, myPe === 0 ? 2 : 0);
      await world.asyncBarrier();
      using fixed = await array.intoReadOnly();
      assertEquals(fixed.localChunks(4).map((chunk) => chunk[0]), [
        (mine[0] ?? 0) + 100,
        mine[4] ?? 0,
      ]);
      assertThrows(() => array.localChunks(1), ClosedError, "Cannot call localChunks of Unsafe");
      // Nothing checks them unless the user wants that.
      assertEquals(chunks[2]!.length, 1);
      await world.asyncBarrier();
    },
  },
];
