/**
 * What holds where PEs use most of their heap.
 *
 * @module
 */

import { assertEquals, assertInstanceOf, assertNotEquals } from "@std/assert";
import { OutOfMemoryError, UnsafeArray } from "../../../mod.ts";
import { type Case, errorOf, rightOf } from "../case.ts";

/** The heap of each PE in bytes. */
export const SMALL_HEAP_BYTES = 2 ** 20;

const MOST = SMALL_HEAP_BYTES * 5 / 8;

/** The cases of disposal and allocation. */
export const SMALL_HEAP_CASES: readonly Case[] = [
  {
    name: "What was disposed is room for the next region, though PEs hold most of their heap",
    async run(world, t) {
      const pe = rightOf(world);
      let region = await world.allocSharedMemRegion("u8", MOST);
      for (let round = 1; round <= 60; round++) {
        // Not awaited: memory is free only once nothing is under way to it.
        region.put(pe, 0, round);
        region.put(pe, 1, new Uint8Array(MOST - 1).fill(round));
        region.dispose();
        // Some PEs come later than others.
        for (let turns = t.random() * 3; turns > 1; turns--) await new Promise(setImmediate);
        region = t.sharedRandom() < 0.5
          ? await world.allocSharedMemRegion("u8", MOST)
          : world.allocSharedMemRegion("u8", MOST).block();
        // The next round's puts may be here already; the last one's must not be.
        assertNotEquals(region.at(0), round);
        assertNotEquals(region.at(MOST - 1), round);
      }
      region.dispose();
    },
  },
  {
    name: "A region that one PE has no room for fails on all of them, and takes no room",
    async run(world) {
      const last = world.numPes - 1;
      for (let round = 0; round < 10; round++) {
        const own = world.myPe === last ? world.allocOneSidedMemRegion("u8", MOST) : undefined;
        const allocation = world.allocSharedMemRegion("u8", MOST);
        // Other collectives may be called meanwhile.
        const barrier = world.asyncBarrier();
        const error = await errorOf(() => allocation);
        assertInstanceOf(error, OutOfMemoryError);
        assertEquals(error.pe, last);
        await barrier;
        own?.dispose();
        (await world.allocSharedMemRegion("u8", MOST)).dispose();
        // A one-sided region does not wait until all PEs have disposed a shared one.
        await world.awaitAll();
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "A one-sided region that was disposed is room for the next one",
    async run(world) {
      using shared = await world.allocSharedMemRegion("u8", 64);
      for (let round = 0; round < 100; round++) {
        const own = world.allocOneSidedMemRegion("u8", MOST);
        shared.put(rightOf(world), 0, own.subRegion(MOST - 64));
        own.dispose();
      }
      await world.awaitAll();
      await world.asyncBarrier();
    },
  },
  {
    name: "An array of values that PEs have no room for fails on all of them, and takes no room",
    async run(world) {
      const mine = new Uint8Array(world.myPe === 0 ? 2 * world.numPes * MOST : 0);
      for (let round = 0; round < 10; round++) {
        assertInstanceOf(
          await errorOf(() => UnsafeArray.from(world, "u8", mine)),
          OutOfMemoryError,
        );
        const some = mine.subarray(0, mine.length / 2).fill(round);
        using array = await UnsafeArray.from(world, "u8", some);
        assertEquals(array.at(array.length - 1), round);
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "An array that has no room fails although a PE keeps one that the others gave up",
    async run(world) {
      const last = world.numPes - 1;
      const array = await UnsafeArray.create(world, "u8", world.numPes * MOST);
      const kept = world.myPe === last ? array.clone() : undefined;
      array.dispose();
      const next = UnsafeArray.create(world, "u8", world.numPes * MOST);
      assertInstanceOf(await errorOf(() => next), OutOfMemoryError);
      kept?.dispose();
      (await UnsafeArray.create(world, "u8", world.numPes * MOST)).dispose();
      await world.asyncBarrier();
    },
  },
];
