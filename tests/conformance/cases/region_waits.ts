/**
 * Waits for several elements, and many waits at once.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { TimeoutError } from "../../../mod.ts";
import { type Case, errorOf, leftOf, rightOf } from "../case.ts";
import { arrayOf, forTypes, small, TYPES } from "./region_values.ts";

/** The cases of `waitUntilAll`, `waitUntilAny` and `waitUntilSome`. */
export const REGION_WAIT_CASES: readonly Case[] = [
  {
    name: "waitUntilAll() ends once every PE has written, with one value or one for each",
    async run(world, t) {
      const { myPe, numPes } = world;
      await forTypes(world, TYPES, 2 * numPes, async (region, type) => {
        const mine = Array.from({ length: numPes }, (_, pe) => pe);
        const others = new Uint32Array(numPes).map((_, pe) => numPes + pe);
        const all = region.waitUntilAll(mine, ">=", small(type, 1));
        const each = arrayOf(type, mine.map((pe) => pe + 2));
        if (t.random() < 0.5) await undefined;
        for (let pe = 0; pe < numPes; pe++) {
          region.store(pe, myPe, small(type, 1));
          region.put(pe, numPes + myPe, small(type, myPe + 2));
        }
        if (t.random() < 0.5) await all;
        else all.block();
        await region.waitUntilAll(others, "==", each);
        await region.waitUntilAll([], "==", small(type, 9));
      });
    },
  },
  {
    name: "waitUntilAny() and waitUntilSome() tell which elements others have written",
    async run(world) {
      using region = await world.allocSharedMemRegion("i32", 100);
      const pe = rightOf(world);
      let left = Array.from({ length: 100 }, (_, i) => i);
      for (let i = 0; i < 100; i++) region.store(pe, (i * 37) % 100, i + 1);
      const first = await region.waitUntilAny(left, ">", 0);
      assert(region.at(first) > 0);
      while (left.length > 0) {
        const some = left.length % 2 === 0
          ? await region.waitUntilSome(left, ">", 0)
          : region.waitUntilSome(left, ">", left.map(() => 0)).block();
        assert(some.length > 0 && some.every((index) => region.at(index) > 0));
        left = left.filter((index) => !some.includes(index));
      }
      const late = await errorOf(() => region.waitUntilAny([0, 1], "<", 0, { timeoutMs: 1 }));
      assertInstanceOf(late, TimeoutError);
      await world.asyncBarrier();
    },
  },
  {
    name: "A wait for several elements is woken by a signal at the last of them",
    async run(world) {
      using data = await world.allocSharedMemRegion("f64", 4);
      using flags = await world.allocSharedMemRegion("u8", 3);
      const pe = rightOf(world);
      const all = flags.waitUntilAll([0, 1, 2], "!=", 0).then(() => [...data]);
      await world.asyncBarrier();
      for (let i = 0; i < 3; i++) {
        const signal = { region: flags, index: i, value: 1 } as const;
        await data.putSignal(pe, i, 1 + i + 10 * world.myPe, signal);
      }
      const from = 10 * leftOf(world);
      assertEquals(await all, [1 + from, 2 + from, 3 + from, 0]);
      await world.asyncBarrier();
    },
  },
  {
    name: "Thousands of waits end as their elements are written, and handlers run meanwhile",
    async run(world) {
      const count = 5000;
      using region = await world.allocSharedMemRegion("u32", count);
      const pe = rightOf(world);
      let ended = 0;
      const waits = Array.from(
        { length: count },
        (_, i) => region.waitUntil(i, "==", i + 1).then(() => ended++),
      );
      assertEquals(ended, 0);
      await world.asyncBarrier();
      region.store(pe, count - 1, count);
      await waits[count - 1];
      region.store(pe, 0, 1);
      await waits[0];
      assertEquals(ended, 2);
      await world.asyncBarrier();
      await region.put(pe, 0, Uint32Array.from({ length: count }, (_, i) => i + 1));
      await Promise.all(waits);
      await world.asyncBarrier();
    },
  },
];
