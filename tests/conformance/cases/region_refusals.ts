/**
 * What regions refuse: every wrong argument has a clear error and changes nothing; memory comes
 * back.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { bool, ClosedError, type ElementType, i16, OutOfMemoryError, str } from "../../../mod.ts";
import { type Case, errorOf, rightOf } from "../case.ts";

/** The cases of bounds, types, lifetime and memory. */
export const REGION_REFUSAL_CASES: readonly Case[] = [
  {
    name: "A PE, index or length out of range is refused, and nothing changes",
    async run(world) {
      using region = await world.allocSharedMemRegion("u32", 10);
      const n = world.numPes;
      const two = new Uint32Array(2).fill(9);
      const attempts: [() => unknown, string][] = [
        [() => region.put(n, 0, 1), `PE ${n}`],
        [() => region.put(-1, 0, 1), "PE -1"],
        [() => region.put(0.5, 0, 1), "PE 0.5"],
        [() => region.put(NaN, 0, 1), "PE NaN"],
        [() => region.get(n, 0), `PE ${n}`],
        [() => region.put(0, 10, 1), "10 elements"],
        [() => region.put(0, 9, two), "2 elements at index 9"],
        [() => region.put(0, -1, 1), "index -1"],
        [() => region.put(0, 1.5, 1), "index 1.5"],
        [() => region.put(0, 2 ** 53, 1), "index"],
        [() => region.blockingPut(0, 9, two), "10 elements"],
        [() => region.putUnmanaged(0, 9, two), "10 elements"],
        [() => region.putAll(9, two), "10 elements"],
        [() => region.get(0, 9, two), "2 elements at index 9"],
        [() => region.getBuffer(0, 0, 11), "11 elements"],
        [() => region.getBuffer(0, 0, -1), "-1"],
        [() => region.at(10), "index 10"],
        [() => region.at(0, -1), "index -1"],
        [() => region.add(0, 10, 1), "index 10"],
        [() => region.load(n, 0), `PE ${n}`],
        [() => region.putStrided(0, 8, 2, two), "region"],
        [() => region.putStrided(0, 0, 0, two), "stride"],
        [() => region.putIndexed(0, [10], 9), "10"],
        [() => region.putIndexed(0, [-1], 9), "-1"],
        [() => region.getIndexed(0, [0, 99]), "99"],
        [() => region.batchAdd([10 * n], 9), `${10 * n}`],
        [() => region.gather([10 * n]), `${10 * n}`],
        [() => region.waitUntil(10, "==", 1).block(), "index 10"],
        [() => region.subRegion(5, 11), "11"],
        [() => region.subRegion(-1), "-1"],
        [() => region.subRegion(6, 5), "6"],
        [() => region.subRegion(2, 4).put(0, 2, 1), "2 elements"],
      ];
      for (const [attempt, text] of attempts) {
        const error = await errorOf(attempt);
        assertInstanceOf(error, RangeError, `${attempt}`);
        assertStringIncludes(error.message, text, `${attempt}`);
      }
      await world.asyncBarrier();
      assert(region.asSlice().every((value) => value === 0));
      await world.asyncBarrier();
    },
  },
  {
    name: "A value or array of a wrong type is refused, and nothing changes",
    async run(world) {
      using u8 = await world.allocSharedMemRegion("u8", 4);
      using u64 = await world.allocSharedMemRegion("u64", 4);
      using big = await world.allocSharedMemRegion("bigi64", 4);
      using f32 = await world.allocSharedMemRegion("f32", 4);
      const any = <T>(value: unknown): T => value as T;
      const attempts: [() => unknown, typeof Error][] = [
        [() => u8.put(0, 0, 256), RangeError],
        [() => u8.put(0, 0, -1), RangeError],
        [() => u8.put(0, 0, 0.5), RangeError],
        [() => u8.put(0, 0, NaN), RangeError],
        [() => u8.put(0, 0, [1, 2, 256]), RangeError],
        [() => u8.put(0, 0, any("1")), TypeError],
        [() => u8.put(0, 0, any(1n)), TypeError],
        [() => u8.put(0, 0, any(new Int8Array(1))), TypeError],
        [() => u8.put(0, 0, any(new Uint32Array(1))), TypeError],
        [() => u8.put(0, 0, any(null)), TypeError],
        [() => u8.put(0, 0, any({ length: 1 })), TypeError],
        [() => u8.put(0, 0, any(u64)), TypeError],
        [() => u8.get(0, 0, any(new Uint8ClampedArray(1))), TypeError],
        [() => u8.get(0, 0, any(f32)), TypeError],
        [() => u8.add(0, 0, 1000), RangeError],
        [() => u8.batchAdd([0], 1000), RangeError],
        [() => u8.batchAdd(any("0"), 1), TypeError],
        [() => u8.compareExchange(0, 0, 256, 0), RangeError],
        [() => u8.waitUntil(0, any("="), 1).block(), TypeError],
        [() => u64.put(0, 0, 2 ** 53), RangeError],
        [() => u64.put(0, 0, -1), RangeError],
        [() => u64.put(0, 0, any(1n)), TypeError],
        [() => big.put(0, 0, any(1)), TypeError],
        [() => big.put(0, 0, 2n ** 63n), RangeError],
        [() => f32.put(0, 0, any("0.5")), TypeError],
        [() => f32.put(0, 0, any(new Float64Array(1))), TypeError],
        [() => u8.put(any("0"), 0, 1), TypeError],
        [() => u8.put(0, any("0"), 1), TypeError],
      ];
      for (const [attempt, kind] of attempts) {
        const error = await errorOf(attempt);
        assertInstanceOf(error, kind, `${attempt} gave ${error}`);
        assertMatch(error.message, /^Cannot .*region/, `${attempt}`);
      }
      await world.asyncBarrier();
      for (const region of [u8, u64, big, f32]) assert([...region].every((value) => !value));
      await world.asyncBarrier();
    },
  },
  {
    name: "A 64-bit integer that no number holds is refused when it is read as one",
    async run(world) {
      using region = await world.allocSharedMemRegion("u64", 1);
      region.asMutSlice()[0] = 2n ** 60n + 1n;
      for (
        const attempt of [() => region.at(0), () => region.load(world.myPe, 0), () => [...region]]
      ) {
        assertThrows(attempt, RangeError, "bigu64");
      }
      const copies = [
        () => region.getBuffer(world.myPe, 0, 1),
        () => region.gather([world.myPe]),
        () => region.getStrided(world.myPe, 0, 1, new Float64Array(1)),
        () => region.batchFetchMul([world.myPe], 1),
      ];
      for (const copy of copies) {
        const error = await errorOf(copy);
        assertInstanceOf(error, RangeError, `${copy} gave ${error}`);
        assertMatch(error.message, /1152921504606846977 \(item 0\) .* use bigu64/);
      }
      const bits = new BigUint64Array(1);
      await region.get(world.myPe, 0, bits);
      assertEquals(bits[0], 2n ** 60n + 1n);
      await world.asyncBarrier();
    },
  },
  {
    name: "What is not a PE is refused by every operation, and nothing is written",
    async run(world) {
      using region = await world.allocSharedMemRegion("u32", 2);
      // deno-lint-ignore no-explicit-any -- none of these is a PE
      for (const pe of [undefined, null, "0", 0n, -1, 0.5, NaN, world.numPes, {}] as any[]) {
        const calls = [
          () => region.put(pe, 0, 1),
          () => region.get(pe, 0),
          () => region.putIndexed(pe, [0], 1),
          () => region.getIndexed(pe, [0]),
          () => region.putStrided(pe, 0, 1, new Uint32Array(1)),
          () => region.getStrided(pe, 0, 1, new Uint32Array(1)),
          () => region.add(pe, 0, 1),
          () => region.fetchAdd(pe, 0, 1),
          () => region.compareExchange(pe, 0, 0, 1),
          () => region.load(pe, 0),
        ];
        for (const call of calls) {
          const error = await errorOf(call);
          assertMatch(`${error}`, /^(?:Range|Type)Error: Cannot \w+ .* on PE /, `${call} ${pe}`);
        }
      }
      await world.asyncBarrier();
      assertEquals([...region], [0, 0]);
      await world.asyncBarrier();
    },
  },
  {
    name: "The schema of an element type names it, as its name does",
    async run(world) {
      using byName = await world.allocSharedMemRegion("i16", 2);
      using bySchema = await world.allocSharedMemRegion(i16, 2);
      using own = world.allocOneSidedMemRegion(bool, 1);
      assertEquals([byName.type, bySchema.type, own.type], ["i16", "i16", "bool"]);
      // deno-lint-ignore no-explicit-any -- none of these is a type
      for (const wrong of [str, {}, null, { elementType: "u128" }] as any[]) {
        assertThrows(() => world.allocOneSidedMemRegion(wrong, 1), TypeError, "the element types");
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "A region of no type or of no length is refused",
    async run(world) {
      for (const length of [0, -1, 0.5, NaN, Infinity]) {
        assertThrows(() => world.allocSharedMemRegion("u8", length), RangeError, "length");
        assertThrows(() => world.allocOneSidedMemRegion("u8", length), RangeError, "length");
      }
      const wrong = "u128" as ElementType;
      assertThrows(() => world.allocSharedMemRegion(wrong, 1), TypeError, "element types are");
      assertThrows(() => world.allocOneSidedMemRegion(wrong, 1), TypeError, "element types are");
      // Nobody was left behind in a collective.
      await world.asyncBarrier();
    },
  },
  {
    name: "More memory than there is is refused with what was asked, is free and is configured",
    async run(world) {
      const length = 2 ** 46;
      const check = (error: Error | undefined): void => {
        assertInstanceOf(error, OutOfMemoryError);
        assertEquals(error.code, "ERR_OUT_OF_MEMORY");
        assertMatch(error.message, /\d+ bytes.*free.*(heap|LAMELLAR_HEAP_SIZE)/);
      };
      check(await errorOf(() => world.allocOneSidedMemRegion("f64", length)));
      check(await errorOf(() => world.allocSharedMemRegion("f64", length)));
      const shared = await world.tryAllocSharedMemRegion("f64", length);
      const own = world.tryAllocOneSidedMemRegion("f64", length);
      assert(!shared.ok && !own.ok);
      check(shared.error);
      check(own.error);
      const good = await world.tryAllocSharedMemRegion("f64", 10);
      assert(good.ok);
      await good.region.put(rightOf(world), 0, 1);
      await world.asyncBarrier();
      good.region.dispose();
    },
  },
  {
    name: "Disposed memory is used again, however often",
    async run(world) {
      // Together far more than any heap.
      for (let i = 0; i < 200; i++) {
        using region = await world.allocSharedMemRegion("u8", 64 * 2 ** 20);
        await region.put(rightOf(world), region.length - 1, 1);
        using own = world.allocOneSidedMemRegion("u8", 64 * 2 ** 20);
        own.put(0, 1);
        await world.asyncBarrier();
        assertEquals(region.at(region.length - 1), 1);
      }
    },
    pes: (numPes) => numPes <= 3,
    limitMs: 60_000,
  },
  {
    name: "A region that was disposed refuses everything, and can be disposed again",
    async run(world) {
      const region = await world.allocSharedMemRegion("u32", 4);
      const sub = region.subRegion(1, 3);
      await world.asyncBarrier();
      sub.dispose();
      assertEquals([sub.disposed, region.disposed], [true, false]);
      assertThrows(() => sub.at(0), ClosedError);
      assertEquals(region.at(1), 0);
      await world.asyncBarrier();
      region.dispose();
      region.dispose();
      assert(region.disposed);
      const attempts = [
        () => region.put(0, 0, 1),
        () => region.get(0, 0),
        () => region.at(0),
        () => region.asSlice(),
        () => region.add(0, 0, 1),
        () => region.batchAdd([0], 1),
        () => region.gather([0]),
        () => region.putIndexed(0, [0], 1),
        () => region.waitUntil(0, "==", 1).block(),
        () => region.subRegion(0, 1).at(0),
        () => [...region],
      ];
      for (const attempt of attempts) {
        const error = await errorOf(attempt);
        assertInstanceOf(error, ClosedError, `${attempt} gave ${error}`);
        assertStringIncludes(error.message, "disposed");
      }
      await assertRejects(async () => await region.waitUntil(0, "==", 1), ClosedError);
      await world.asyncBarrier();
    },
  },
  {
    name: "A wait for a value ends with an error if its region is disposed meanwhile",
    async run(world) {
      const region = await world.allocSharedMemRegion("u32", 1);
      const waiting = region.waitUntil(0, "==", 1).then(() => "it came", (error) => error);
      await world.asyncBarrier();
      region.dispose();
      assertInstanceOf(await waiting, ClosedError);
      await world.asyncBarrier();
    },
  },
];
