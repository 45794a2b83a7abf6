/**
 * Puts and gets of shared regions in all their forms.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { am, region as regionOf, u32 } from "../../../mod.ts";
import { type Case, leftOf, rightOf } from "../case.ts";
import { arrayOf, forTypes, LIMITS, numbers, small, TYPES } from "./region_values.ts";

const LookAt = am("transfers.LookAt", { region: regionOf("u32"), index: u32 }, (self) => {
  return self.region.asSlice()[self.index]!;
});

/** How long a PE computes: far longer than the network takes. */
const COMPUTING_MS = 1000;
/** How late a timer may be: far more than a turn of the event loop takes. */
const TIMER_MS = 2000;

/** The cases of rows M-01, M-04 to M-10, M-15 and P-01. */
export const REGION_TRANSFER_CASES: readonly Case[] = [
  {
    name: "A new region holds zeros on every PE, whatever lay there before",
    async run(world) {
      for (let round = 0; round < 3; round++) {
        const region = await world.allocSharedMemRegion("f64", 1000);
        assert(region.asSlice().every((value) => value === 0));
        region.asMutSlice().fill(7);
        await world.asyncBarrier();
        region.dispose();
      }
    },
  },
  {
    name: "Values of every type arrive as they were, at both ends of their range",
    async run(world) {
      await forTypes(world, TYPES, 5, async (region, type) => {
        const right = rightOf(world);
        const values = LIMITS[type];
        for (const [i, value] of values.entries()) {
          await region.put(right, i, value);
          assertEquals(await region.get(right, i), value);
          assertEquals(region.at(right, i), value);
          assertEquals(region.blockingGet(right, i), value);
        }
        await world.asyncBarrier();
        assertEquals([...region].slice(0, values.length), [...values]);
        assertEquals(region.at(0), values[0]);
        await world.asyncBarrier();
        await region.put(right, 1, values);
        assertEquals(await region.get(right, values.length), values.at(-1));
      });
    },
  },
  {
    name: "64-bit integers have 64 bits in memory, as numbers and as BigInts",
    async run(world) {
      using numbersRegion = await world.allocSharedMemRegion("i64", 2);
      using bigints = await world.allocSharedMemRegion("bigu64", 2);
      await numbersRegion.put(rightOf(world), 0, -5);
      await bigints.put(rightOf(world), 1, 2n ** 64n - 1n);
      await world.asyncBarrier();
      assertEquals(numbersRegion.asSlice(), new BigInt64Array([-5n, 0n]));
      assertEquals(new BigInt64Array(bigints.asSlice())[1], -1n);
      await world.asyncBarrier();
    },
  },
  {
    name: "Typed arrays of every type are put and got, of any length and at any index",
    async run(world, t) {
      const length = 100;
      await forTypes(world, TYPES, length, async (region, type) => {
        const right = rightOf(world);
        const expected = new Array<number>(length).fill(0);
        for (let i = 0; i < 40; i++) {
          const index = Math.floor(t.random() * length);
          const count = Math.floor(t.random() * (length - index + 1));
          const values = Array.from({ length: count }, () => Math.floor(t.random() * 128));
          const array = arrayOf(type, values);
          if (i % 3 === 0) await region.put(right, index, array);
          else if (i % 3 === 1) region.blockingPut(right, index, array);
          else region.put(right, index, array).block();
          expected.splice(index, count, ...values);
          const into = arrayOf(type, new Array(count).fill(0));
          await region.get(right, index, into);
          assertEquals(numbers(into), values);
          assertEquals(numbers(await region.get(right, index, count)), values);
        }
        assertEquals(numbers(await region.getBuffer(right, 0, length)), expected);
      });
    },
  },
  {
    name: "A put takes a typed array, a list, a value and a region",
    async run(world) {
      await forTypes(world, TYPES, 8, async (region, type) => {
        const right = rightOf(world);
        using own = world.allocOneSidedMemRegion(type, 2);
        own.put(0, [small(type, 7), small(type, 8)]);
        await region.put(right, 0, arrayOf(type, [1, 2]));
        await region.put(right, 2, [small(type, 3), small(type, 4)]);
        await region.put(right, 4, small(type, 5));
        await region.put(right, 5, own);
        await region.put(right, 7, own.subRegion(1));
        await world.asyncBarrier();
        assertEquals(numbers(region.asSlice()), [1, 2, 3, 4, 5, 7, 8, 8]);
        const into = world.allocOneSidedMemRegion(type, 3);
        await region.get(right, 4, into);
        assertEquals(numbers(into.asSlice()), [5, 7, 8]);
        into.dispose();
      });
    },
  },
  {
    name: "putAll() writes the same to every PE",
    async run(world) {
      using region = await world.allocSharedMemRegion("u16", 3 * world.numPes);
      await region.putAll(
        3 * world.myPe,
        new Uint16Array([1, 2, 3].map((n) => n + 10 * world.myPe)),
      );
      await world.asyncBarrier();
      const expected = Array.from(
        { length: world.numPes },
        (_, pe) => [1, 2, 3].map((n) => n + 10 * pe),
      );
      assertEquals(numbers(region.asSlice()), expected.flat());
      await world.asyncBarrier();
      if (world.myPe === 0) {
        region.putAllUnmanaged(1, 999);
        world.waitAll();
      }
      await world.asyncBarrier();
      assertEquals(region.at(1), 999);
      await world.asyncBarrier();
    },
  },
  {
    name: "waitAll() completes unmanaged puts and gets",
    async run(world) {
      using region = await world.allocSharedMemRegion("u32", 1000);
      const right = rightOf(world);
      for (let i = 0; i < 1000; i += 2) region.putUnmanaged(right, i, new Uint32Array([i, i + 1]));
      world.waitAll();
      await world.asyncBarrier();
      assert(region.asSlice().every((value, i) => value === i));
      const into = new Uint32Array(1000);
      for (let i = 0; i < 1000; i += 10) region.getUnmanaged(right, i, into.subarray(i, i + 10));
      await world.awaitAll();
      assert(into.every((value, i) => value === i));
      await world.asyncBarrier();
    },
  },
  {
    name: "A put that was awaited is seen by an AM that is sent afterwards",
    async run(world) {
      using region = await world.allocSharedMemRegion("u32", world.numPes);
      const right = rightOf(world);
      const index = world.myPe;
      for (let i = 1; i <= 300; i++) {
        await region.put(right, index, i);
        assertEquals(await world.execAmPe(right, LookAt({ region, index })), i);
      }
      for (let i = 1; i <= 300; i++) {
        region.blockingPut(right, index, i);
        assertEquals(world.execAmPe(right, LookAt({ region, index })).block(), i);
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "Every PE reads what every PE wrote before a barrier",
    async run(world) {
      using region = await world.allocSharedMemRegion("f64", 50);
      for (let round = 0; round < 20; round++) {
        region.asMutSlice().fill(world.myPe + round / 100);
        world.barrier();
        for (let pe = 0; pe < world.numPes; pe++) {
          const expected = pe + round / 100;
          assert((await region.getBuffer(pe, 0, 50)).every((value) => value === expected));
        }
        world.barrier();
      }
    },
  },
  {
    name: "asSlice() is live: it shows what others put, and they get what is written to it",
    async run(world) {
      using region = await world.allocSharedMemRegion("i32", 2);
      const slice = region.asSlice();
      region.asMutSlice()[0] = 100 + world.myPe;
      await region.put(rightOf(world), 1, world.myPe);
      await world.asyncBarrier();
      assertEquals([...slice], [100 + world.myPe, leftOf(world)]);
      assertEquals(await region.get(rightOf(world), 0), 100 + rightOf(world));
      await world.asyncBarrier();
    },
  },
  {
    name: "A sub-region counts from its own start, and shares the memory",
    async run(world) {
      await forTypes(world, TYPES, 20, async (region, type) => {
        const middle = region.subRegion(5, 15);
        const inner = middle.subRegion(2, 6);
        assertEquals([middle.length, inner.length, region.subRegion(18).length], [10, 4, 2]);
        await inner.put(rightOf(world), 1, arrayOf(type, [8, 9]));
        await world.asyncBarrier();
        assertEquals(numbers(region.asSlice()).slice(7, 11), [0, 8, 9, 0]);
        assertEquals(numbers(inner.asSlice()), [0, 8, 9, 0]);
        assertEquals(numbers(inner), [0, 8, 9, 0]);
        assertEquals(Number(middle.at(rightOf(world), 3)), 8);
        assert(inner.equals(region.subRegion(7, 11)));
        assert(!inner.equals(middle));
        inner.dispose();
        assertEquals(Number(middle.at(3)), 8);
      });
    },
  },
  {
    name: "Strided puts and gets reach every so manieth element",
    async run(world) {
      await forTypes(world, TYPES, 30, async (region, type) => {
        const right = rightOf(world);
        await region.putStrided(right, 1, 7, arrayOf(type, [1, 2, 3, 4]));
        await region.putStrided(right, 2, 3, arrayOf(type, [5, 0, 6, 0, 7]), 2);
        const expected = new Array<number>(30).fill(0);
        [1, 2, 3, 4].forEach((value, i) => expected[1 + 7 * i] = value);
        [5, 6, 7].forEach((value, i) => expected[2 + 3 * i] = value);
        assertEquals(numbers(await region.getBuffer(right, 0, 30)), expected);
        const into = arrayOf(type, [0, 0, 0, 0]);
        await region.getStrided(right, 1, 7, into);
        assertEquals(numbers(into), [1, expected[8], 3, 4]);
        const spread = arrayOf(type, [9, 9, 9, 9, 9]);
        await region.getStrided(right, 2, 3, spread, 2);
        assertEquals(numbers(spread), [5, 9, expected[5], 9, expected[8]]);
      });
    },
  },
  {
    name: "Indexed puts and gets reach a list of elements",
    async run(world) {
      await forTypes(world, TYPES, 40, async (region, type) => {
        const right = rightOf(world);
        const indices = [39, 0, 17, 3];
        await region.putIndexed(right, indices, arrayOf(type, [1, 2, 3, 4]));
        await region.putIndexed(right, new Uint32Array([5, 6]), small(type, 9));
        const expected = new Array<number>(40).fill(0);
        indices.forEach((index, i) => expected[index] = i + 1);
        expected[5] = expected[6] = 9;
        assertEquals(numbers(await region.getBuffer(right, 0, 40)), expected);
        const list = new BigUint64Array([6n, 39n, 1n]);
        assertEquals(numbers(await region.getIndexed(right, list)), [9, 1, 0]);
        const into = arrayOf(type, [7, 7]);
        await region.getIndexed(right, [17, 3], into);
        assertEquals(numbers(into), [3, 4]);
      });
    },
  },
  {
    name: "Nothing is put and got at every index up to the end",
    async run(world) {
      using region = await world.allocSharedMemRegion("f32", 3);
      for (const index of [0, 1, 3]) {
        await region.put(rightOf(world), index, new Float32Array(0));
        assertEquals((await region.getBuffer(rightOf(world), index, 0)).length, 0);
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "Megabytes are put and got whole, from the heap and from elsewhere",
    async run(world) {
      const length = 1 << 20;
      using region = await world.allocSharedMemRegion("f64", length);
      using own = world.allocOneSidedMemRegion("f64", length);
      const data = Float64Array.from({ length }, (_, i) => i + world.myPe / 10);
      own.asMutSlice().set(data);
      const right = rightOf(world);
      const left = leftOf(world);
      for (const source of [data, own, own.asSlice()]) {
        region.asMutSlice().fill(0);
        await world.asyncBarrier();
        await region.put(right, 0, source);
        await world.asyncBarrier();
        assert(region.asSlice().every((value, i) => value === i + left / 10));
        await world.asyncBarrier();
      }
      const into = new Float64Array(length);
      await region.get(right, 0, into);
      assert(into.every((value, i) => value === i + world.myPe / 10));
      await world.asyncBarrier();
    },
  },
  {
    name: "A put of a region into itself moves elements as a copy would",
    async run(world) {
      using region = await world.allocSharedMemRegion("u8", 10);
      const slice = region.asMutSlice();
      slice.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      await region.put(world.myPe, 2, slice.subarray(0, 5));
      assertEquals([...slice], [1, 2, 1, 2, 3, 4, 5, 8, 9, 10]);
      await region.put(world.myPe, 0, region.subRegion(2, 7));
      assertEquals([...slice], [1, 2, 3, 4, 5, 4, 5, 8, 9, 10]);
      await world.asyncBarrier();
    },
  },
  {
    name: "Puts that have begun go out although their PE computes",
    pes: (numPes) => numPes > 1,
    async run(world) {
      using region = await world.allocSharedMemRegion("u32", 8);
      using ended = await world.allocSharedMemRegion("f64", 1);
      using source = world.allocOneSidedMemRegion("u32", 1);
      const last = world.numPes - 1;
      source.asMutSlice()[0] = 7;
      await world.asyncBarrier();
      if (world.myPe === 0) {
        const puts = Array.from({ length: 8 }, (_, i) => region.put(last, i, source));
        const end = Date.now() + COMPUTING_MS;
        while (Date.now() < end);
        await ended.put(last, 0, [Date.now()]);
        for (const put of puts) await put;
      }
      if (world.myPe === last) {
        for (let i = 0; i < 8; i++) region.waitUntil(i, "==", 7).block();
        const seen = Date.now();
        ended.waitUntil(0, "!=", 0).block();
        assert(seen < ended.asSlice()[0]!, "they came after the computation");
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "Timers run however often a PE awaits what is over already",
    async run(world) {
      using region = await world.allocSharedMemRegion("i32", 4);
      using own = world.allocOneSidedMemRegion("i32", 1);
      const right = rightOf(world);
      const operations: Record<string, () => PromiseLike<unknown>> = {
        put: () => region.put(right, 0, 1),
        get: () => region.get(right, 0),
        add: () => region.fetchAdd(right, 1, 1),
        "one-sided": () => own.get(0),
        waitUntil: () => region.waitUntil(2, "==", 0),
        awaitAll: () => world.awaitAll(),
      };
      for (const [name, operation] of Object.entries(operations)) {
        let ran = false;
        const timer = setTimeout(() => ran = true, 1);
        const end = performance.now() + TIMER_MS;
        while (!ran && performance.now() < end) await operation();
        clearTimeout(timer);
        assert(ran, `${name} left no time to the event loop`);
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "mbSent counts what is put",
    pes: (numPes) => numPes > 1,
    async run(world) {
      using region = await world.allocSharedMemRegion("u8", 1e6);
      const before = world.mbSent;
      region.blockingPut(rightOf(world), 0, new Uint8Array(1e6));
      region.blockingPut(rightOf(world), 0, region.asSlice());
      const sent = world.mbSent - before;
      assert(sent >= 2 && sent < 2.5, `${sent} MB`);
      await world.asyncBarrier();
    },
  },
  {
    name: "Handles of region operations can be awaited again and blocked on",
    async run(world) {
      using region = await world.allocSharedMemRegion("u32", 4);
      const handle = region.getBuffer(rightOf(world), 0, 4);
      assertStrictEquals(await handle, handle.block());
      assertStrictEquals(await handle, world.blockOn(handle));
      const allocation = world.allocSharedMemRegion("u8", 1);
      const first = await allocation;
      assert(first.equals(await allocation));
      assert(first.equals(allocation.block()));
      await world.asyncBarrier();
      first.dispose();
    },
  },
];
