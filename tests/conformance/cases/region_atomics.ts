/**
 * Atomic operations on shared regions, one by one and in batches, signals and waits.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type SharedMemoryRegion, TimeoutError } from "../../../mod.ts";
import { type Case, leftOf, rightOf } from "../case.ts";
import {
  arrayOf,
  forTypes,
  INTEGER_TYPES,
  numbers,
  type NumberType,
  small,
  TYPES,
} from "./region_values.ts";

/** The cases of rows P-02 and P-05, and of the batched operations. */
export const REGION_ATOMIC_CASES: readonly Case[] = [
  {
    name: "Atomic operations of every type do what they say, and fetching ones tell what was",
    async run(world) {
      await forTypes(world, TYPES, 1, async (region, type) => {
        const pe = rightOf(world);
        const v = (n: number): never => small(type, n) as never;
        const value = async (): Promise<number> => Number(await region.load(pe, 0));
        await region.store(pe, 0, v(40));
        assertEquals(await value(), 40);
        await region.add(pe, 0, v(5));
        assertEquals(await value(), 45);
        await region.sub(pe, 0, v(3));
        assertEquals(await value(), 42);
        await region.max(pe, 0, v(50));
        await region.max(pe, 0, v(20));
        assertEquals(await value(), 50);
        await region.min(pe, 0, v(30));
        await region.min(pe, 0, v(60));
        assertEquals(await value(), 30);
        assertEquals(Number(await region.swap(pe, 0, v(10))), 30);
        assertEquals(Number(await region.fetchAdd(pe, 0, v(7))), 10);
        assertEquals(Number(await region.fetchSub(pe, 0, v(2))), 17);
        assertEquals(Number(await region.fetchMax(pe, 0, v(90))), 15);
        assertEquals(Number(await region.fetchMin(pe, 0, v(12))), 90);
        assertEquals(await value(), 12);
      });
    },
  },
  {
    name: "Bitwise operations of every integer type do what they say; floats refuse them",
    async run(world) {
      await forTypes(world, INTEGER_TYPES, 1, async (region, type) => {
        const pe = rightOf(world);
        const v = (n: number): never => small(type, n) as never;
        await region.store(pe, 0, v(0b1100));
        await region.and(pe, 0, v(0b0110));
        assertEquals(Number(await region.fetchOr(pe, 0, v(0b0011))), 0b0100);
        assertEquals(Number(await region.fetchXor(pe, 0, v(0b0101))), 0b0111);
        assertEquals(Number(await region.fetchAnd(pe, 0, v(0b1110))), 0b0010);
        await region.or(pe, 0, v(0b1000));
        await region.xor(pe, 0, v(0b0001));
        assertEquals(Number(await region.load(pe, 0)), 0b1011);
      });
      await forTypes(world, ["f32", "f64"], 1, (region) => {
        assertThrows(() => region.and(0, 0, 1 as never), TypeError, "bitwise");
        assertThrows(() => region.fetchXor(0, 0, 1 as never), TypeError, "bitwise");
        assertThrows(() => region.batchOr([0], 1 as never), TypeError, "bitwise");
      });
    },
  },
  {
    name: "compareExchange() changes an element that is as expected, and tells what it was",
    async run(world) {
      await forTypes(world, TYPES, 1, async (region, type) => {
        const pe = rightOf(world);
        await region.store(pe, 0, small(type, 5));
        assertEquals(await region.compareExchange(pe, 0, small(type, 4), small(type, 9)), {
          ok: false,
          value: small(type, 5),
        });
        assertEquals(await region.compareExchange(pe, 0, small(type, 5), small(type, 9)), {
          ok: true,
          value: small(type, 5),
        });
        assertEquals(Number(region.at(pe, 0)), 9);
      });
    },
  },
  {
    name: "compareExchange() tells whether it replaced: zeros of integers are one, NaNs are many",
    async run(world) {
      const pe = rightOf(world);
      await forTypes(world, INTEGER_TYPES, 1, async (region, type) => {
        if (type.startsWith("big")) return;
        const found = { ok: true, value: 0 };
        assertEquals(await region.compareExchange(pe, 0, Math.round(-0.2), 1), found);
        assertEquals(region.at(pe, 0), 1);
      });
      // NaN as computed by most processors, negative and quiet, and one with a payload.
      const others = {
        f32: [0xffc00000, 0x7fc00001],
        f64: [0xfff8n << 48n, (0x7ff8n << 48n) | 1n],
      };
      for (const type of ["f32", "f64"] as const) {
        using region = await world.allocSharedMemRegion(type, 1);
        const { buffer, byteOffset } = region.asSlice();
        const bits = type === "f32"
          ? new Uint32Array(buffer, byteOffset, 1)
          : new BigUint64Array(buffer, byteOffset, 1);
        for (const other of others[type]) {
          bits[0] = other;
          await world.asyncBarrier();
          const { ok, value } = await region.compareExchange(pe, 0, NaN, 1);
          assertEquals([ok, value, region.at(pe, 0)], [false, NaN, NaN], `${other}`);
          await world.asyncBarrier();
          assertEquals(bits[0], other);
          await world.asyncBarrier();
          await region.store(pe, 0, NaN);
          const last = await region.compareExchange(pe, 0, NaN, -0);
          assertEquals([last.ok, last.value], [true, NaN]);
          assertEquals(await region.compareExchange(pe, 0, 0, 1), { ok: false, value: -0 });
          assertEquals(await region.compareExchange(pe, 0, -0, 1), { ok: true, value: -0 });
          await world.asyncBarrier();
        }
      }
    },
  },
  {
    name: "Integers wrap around at the ends of their range",
    async run(world) {
      using bytes = await world.allocSharedMemRegion("u8", 1);
      using longs = await world.allocSharedMemRegion("bigi64", 1);
      await bytes.store(rightOf(world), 0, 250);
      assertEquals(await bytes.fetchAdd(rightOf(world), 0, 10), 250);
      assertEquals(await bytes.load(rightOf(world), 0), 4);
      await longs.store(rightOf(world), 0, 2n ** 63n - 1n);
      await longs.add(rightOf(world), 0, 1n);
      assertEquals(await longs.load(rightOf(world), 0), -(2n ** 63n));
      await world.asyncBarrier();
    },
  },
  {
    name: "No addition is lost while all PEs add to the same elements of every type",
    async run(world) {
      const each = 500;
      await forTypes(world, ["u32", "f32", "f64", "i64", "bigu64"], 2, async (region, type) => {
        const one = small(type, 1);
        for (let i = 0; i < each; i++) {
          region.add(0, 0, one);
          if (i % 2 === 0) region.fetchAdd(0, 1, one);
        }
        await world.awaitAll();
        await world.asyncBarrier();
        assertEquals(Number(region.at(0, 0)), each * world.numPes);
        assertEquals(Number(region.at(0, 1)), each / 2 * world.numPes);
      });
      await forTypes(world, ["u8", "i16"], 8, async (region, type) => {
        // Neighbours in one word must not disturb each other.
        for (let i = 0; i < each; i++) region.add(0, (i + world.myPe) % 8, small(type, 1));
        await world.awaitAll();
        await world.asyncBarrier();
        const total = numbers(await region.getBuffer(0, 0, 8)).reduce((sum, n) => sum + n);
        const expected = each * world.numPes;
        assertEquals(
          type === "u8" ? total % 256 : total,
          type === "u8" ? expected % 256 : expected,
        );
      });
    },
  },
  {
    name: "fetchAdd() gives every ticket once",
    async run(world) {
      using tickets = await world.allocSharedMemRegion("u64", 1);
      using taken = await world.allocSharedMemRegion("u8", 1000 * world.numPes);
      for (let i = 0; i < 1000; i++) await taken.add(0, await tickets.fetchAdd(0, 0, 1), 1);
      await world.asyncBarrier();
      if (world.myPe === 0) assert(taken.asSlice().every((count) => count === 1));
      await world.asyncBarrier();
    },
  },
  {
    name: "compareExchange() makes a lock that lets one PE in at a time",
    async run(world) {
      using region = await world.allocSharedMemRegion("i32", 2);
      const each = 200;
      for (let i = 0; i < each; i++) {
        while (!(await region.compareExchange(0, 0, 0, 1)).ok) await undefined;
        // Not atomic: without the lock, additions would be lost.
        await region.put(0, 1, region.at(0, 1) + 1);
        await region.store(0, 0, 0);
      }
      await world.asyncBarrier();
      assertEquals(region.at(0, 1), each * world.numPes);
      await world.asyncBarrier();
    },
  },
  {
    name: "Batches change elements on all PEs by global index, with one value or one for each",
    async run(world) {
      await forTypes(world, TYPES, 5, async (region, type) => {
        const total = 5 * world.numPes;
        const all = Array.from({ length: total }, (_, i) => i);
        await world.asyncBarrier();
        await region.batchAdd(all, small(type, 1));
        await region.batchAdd(Uint32Array.from(all), arrayOf(type, all.map((i) => i % 5)));
        await world.asyncBarrier();
        const n = world.numPes;
        assertEquals(numbers(region.asSlice()), [0, 1, 2, 3, 4].map((i) => n * (1 + i)));
        assertEquals(numbers(await region.gather(all)), all.map((i) => n * (1 + i % 5)));
        await world.asyncBarrier();
        if (world.myPe === 0) await alone(region, type, total);
      });
    },
  },
  {
    name: "Batches of bitwise operations change integers of every type",
    async run(world) {
      await forTypes(world, INTEGER_TYPES, 2, async (region, type) => {
        if (world.myPe !== 0) return;
        const v = (n: number): never => small(type, n) as never;
        const last = 2 * world.numPes - 1;
        await region.batchOr([last, last], arrayOf(type, [0b0110, 0b1000]) as never);
        await region.batchAnd([last], v(0b1100));
        await region.batchXor([last], v(0b0101));
        assertEquals(Number(region.at(world.numPes - 1, 1)), 0b1001);
      });
    },
  },
  {
    name: "A batch takes indices from a region, and writes results to one",
    async run(world) {
      using region = await world.allocSharedMemRegion("f64", 100);
      const total = 100 * world.numPes;
      using indices = world.allocOneSidedMemRegion("u64", total);
      using into = world.allocOneSidedMemRegion("f64", total);
      await indices.put(0, Array.from({ length: total }, (_, i) => total - 1 - i));
      region.asMutSlice().set(Float64Array.from({ length: 100 }, (_, i) => 100 * world.myPe + i));
      await world.asyncBarrier();
      await region.gather(indices, into);
      assert(into.asSlice().every((value, i) => value === total - 1 - i));
      await world.asyncBarrier();
    },
  },
  {
    name: "Large batches of all PEs at once lose nothing",
    async run(world, t) {
      const length = 1000;
      const count = 50_000;
      using bins = await world.allocSharedMemRegion("u64", length);
      const indices = Uint32Array.from(
        { length: count },
        () => Math.floor(t.random() * length * world.numPes),
      );
      await bins.batchAdd(indices, 1);
      await world.asyncBarrier();
      const own = bins.asSlice().reduce((sum, n) => sum + n, 0n);
      const sums = await world.execClosureAll((sum: bigint) => sum, [own]);
      assertEquals(sums.length, world.numPes);
      using total = await world.allocSharedMemRegion("bigu64", 1);
      await total.add(0, 0, own);
      await world.asyncBarrier();
      assertEquals(total.at(0, 0), BigInt(count * world.numPes));
      await world.asyncBarrier();
    },
  },
  {
    name: "batchFetchAdd() tells what each element was",
    async run(world) {
      using region = await world.allocSharedMemRegion("u32", 4);
      const slots = 4 * world.numPes;
      const indices = Array.from({ length: 3 * slots }, (_, i) => i % slots);
      const tickets = await region.batchFetchAdd(indices, 1);
      await world.asyncBarrier();
      assert(region.asSlice().every((value) => value === 3 * world.numPes));
      for (let slot = 0; slot < slots; slot++) {
        const mine = [0, 1, 2].map((round) => tickets[round * slots + slot]!);
        assert(mine[0]! < mine[1]! && mine[1]! < mine[2]!, mine.join());
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "putSignal() shows the signal after the data, set or added, awaited or blocked on",
    async run(world) {
      using data = await world.allocSharedMemRegion("f64", 1000);
      using flags = await world.allocSharedMemRegion("u32", 2);
      const [left, right] = [leftOf(world), rightOf(world)];
      for (let round = 1; round <= 100; round++) {
        const block = new Float64Array(1000).fill(round + world.myPe / 10);
        if (round % 2 === 0) {
          await data.putSignal(right, 0, block, { region: flags, index: 0, value: round });
          await flags.waitUntil(0, "==", round);
        } else {
          data.putSignal(right, 0, block, { region: flags, index: 1, value: 2, op: "add" });
          flags.waitUntil(1, ">=", round + 1).block();
        }
        const expected = round + left / 10;
        assert(data.asSlice().every((value) => value === expected), `round ${round}`);
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "waitUntil() compares in all ways, and returns at once if it holds",
    async run(world) {
      using region = await world.allocSharedMemRegion("i64", 1);
      region.store(world.myPe, 0, 5);
      for (
        const [comparison, value] of [["==", 5], ["!=", 4], [">", 4], [">=", 5], ["<", 6]] as const
      ) {
        assert(region.test(0, comparison, value));
        await region.waitUntil(0, comparison, value);
        region.waitUntil(0, comparison, value).block();
      }
      assert(!region.test(0, "<=", 4));
      await world.asyncBarrier();
    },
  },
  {
    name: "waitUntil() sees puts, atomics and batches of others, and direct writes of its own PE",
    async run(world) {
      using region = await world.allocSharedMemRegion("u32", 4);
      const right = rightOf(world);
      const waits = [0, 1, 2, 3].map((i) => region.waitUntil(i, "==", 7));
      const all = Promise.all(waits);
      await world.asyncBarrier();
      await region.put(right, 0, 7);
      await region.add(right, 1, 7);
      await region.batchStore([4 * right + 2], 7);
      region.asMutSlice()[3] = 7;
      await all;
      await world.asyncBarrier();
    },
  },
  {
    name: "waitUntil() ends with a TimeoutError if the value does not come in time",
    async run(world) {
      using region = await world.allocSharedMemRegion("u8", 1);
      const wait = region.waitUntil(0, "==", 1, { timeoutMs: 20 });
      await assertRejects(async () => await wait, TimeoutError, "20 ms");
      const blocking = region.waitUntil(0, "==", 1, { timeoutMs: 20 });
      assertThrows(() => blocking.block(), TimeoutError, "20 ms");
      await world.asyncBarrier();
    },
  },
];

/** The batched operations that other PEs would disturb. */
async function alone(
  region: SharedMemoryRegion<NumberType>,
  type: NumberType,
  total: number,
): Promise<void> {
  const all = Array.from({ length: total }, (_, i) => i);
  const values = async (): Promise<number[]> => numbers(await region.gather(all));
  const v = (n: number): never => small(type, n) as never;
  await region.batchStore(all, v(20));
  await region.batchSub([0, 0, total - 1], v(2));
  assertEquals(await values(), all.map((i) => i === 0 ? 16 : i === total - 1 ? 18 : 20));
  await region.batchMax([0], v(17));
  await region.batchMin([1], v(3));
  await region.scatter([2, 3], arrayOf(type, [100, 101]));
  assertEquals((await values()).slice(0, 4), [17, 3, 100, 101]);
  const into = arrayOf(type, [0, 0]);
  await region.batchFetchAdd([2, 2], v(1), into);
  assertEquals(numbers(into), [100, 101]);
  assertEquals(numbers(await region.batchFetchAdd([2], v(1))), [102]);
}
