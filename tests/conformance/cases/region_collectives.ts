/**
 * The collectives of regions, by the names of Lamellar 0.8.
 *
 * @module
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { LamellarWorld, SharedMemoryRegion } from "../../../mod.ts";
import type { Case, Tools } from "../case.ts";

const OPERATORS = {
  sum: (a: number, b: number) => a + b,
  prod: (a: number, b: number) => Math.imul(a, b),
  min: Math.min,
  max: Math.max,
  bitAnd: (a: number, b: number) => a & b,
  bitOr: (a: number, b: number) => a | b,
  bitXor: (a: number, b: number) => a ^ b,
} as const;

type Prefix = keyof typeof OPERATORS;

interface Filled {
  readonly region: SharedMemoryRegion<"i32">;
  /** What each PE has in it. */
  readonly parts: readonly Int32Array[];
}

async function filled(world: LamellarWorld, t: Tools, length: number): Promise<Filled> {
  const region = await world.allocSharedMemRegion("i32", length);
  const parts = Array.from(
    { length: world.numPes },
    () => Int32Array.from({ length }, () => Math.floor(t.sharedRandom() * 2 ** 32)),
  );
  region.asMutSlice().set(parts[world.myPe]!);
  return { region, parts };
}

function reduced(parts: readonly Int32Array[], prefix: Prefix): Int32Array {
  const [first, ...others] = parts.map((part) => part.slice());
  const combine = OPERATORS[prefix];
  for (const other of others) other.forEach((value, i) => first![i] = combine(first![i]!, value));
  return first!;
}

export const REGION_COLLECTIVE_CASES: readonly Case[] = [
  {
    name: "Regions reduce ranges: everywhere, at a PE, scattered, into what there is, in place",
    limitMs: 40_000,
    async run(world, t) {
      const { myPe, numPes } = world;
      const { region, parts } = await filled(world, t, 6 * numPes);
      const [start, count] = [2, 4 * numPes];
      const range = parts.map((part) => part.slice(start, start + count));
      const root = numPes - 1;
      for (const prefix of Object.keys(OPERATORS) as Prefix[]) {
        const whole = reduced(parts, prefix);
        const some = reduced(range, prefix);
        const mine = some.slice(4 * myPe, 4 * (myPe + 1));
        assertEquals(await region[`${prefix}All`](), whole);
        assertEquals(await region[`${prefix}All`](start, count), some);
        const target = new Int32Array(count);
        await region[`${prefix}AllIntoBuffer`](target, start);
        assertEquals(target, some);
        const atPe = await region[`${prefix}AtPe`](root, start, count);
        assertEquals(atPe, myPe === root ? some : null);
        await region[`${prefix}AtPeIntoBuffer`](0, target.fill(0), start);
        assertEquals(target, myPe === 0 ? some : new Int32Array(count));
        assertEquals(await region[`${prefix}Scatter`](start, count), mine);
        const part = new Int32Array(4);
        await region[`${prefix}ScatterIntoBuffer`](part, start);
        assertEquals(part, mine);
        await region[`${prefix}AtPeInPlace`](root, start, count);
        const expected = parts[myPe]!.slice();
        if (myPe === root) expected.set(some, start);
        assertEquals(region.asSlice(), expected);
        region.asMutSlice().set(parts[myPe]!);
        await region[`${prefix}AllInPlace`]();
        assertEquals(region.asSlice(), whole);
        region.asMutSlice().set(parts[myPe]!);
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "Regions gather, scatter, exchange and broadcast ranges, small and large",
    async run(world, t) {
      const { myPe, numPes } = world;
      for (const each of [3, 9001]) {
        const { region, parts } = await filled(world, t, each * numPes + 1);
        const count = each * numPes;
        const ranges = parts.map((part) => part.slice(1));
        const all = Int32Array.from(ranges.flatMap((range) => [...range]));
        const pieces = ranges.map((range) => range.slice(each * myPe, each * (myPe + 1)));
        assertEquals(await region.gatherAll(1), all);
        assertEquals(await region.gatherAtPe(0, 1), myPe === 0 ? all : null);
        const target = new Int32Array(all.length);
        await region.gatherAllIntoBuffer(target, 1);
        assertEquals(target, all);
        assertEquals(await region.allToAll(1), Int32Array.from(pieces.flatMap((one) => [...one])));
        assertEquals(await region.scatterFromPe(numPes - 1, 1), pieces[numPes - 1]);
        await region.broadcast(numPes - 1, 1, count);
        const expected = parts[numPes - 1]!.slice();
        expected[0] = parts[myPe]![0]!;
        assertEquals(region.asSlice(), expected);
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "64-bit integers reduce as numbers that are exact, or say that they are not",
    async run(world) {
      using region = await world.allocSharedMemRegion("u64", 2);
      region.asMutSlice().set([2n ** 40n, 2n ** 62n]);
      const sum = await region.sumAll(0, 1);
      assertEquals(sum, Float64Array.of(world.numPes * 2 ** 40));
      await assertRejects(() => region.maxAll(1).finally(), RangeError, "use bigu64");
      await world.asyncBarrier();
    },
  },
  {
    name: "A range or a target that does not fit is refused where it is given",
    async run(world) {
      const { numPes } = world;
      using region = await world.allocSharedMemRegion("f64", 2 * numPes);
      assertThrows(() => region.sumAll(1, 2 * numPes), RangeError, "Cannot call sumAll for");
      assertThrows(() => region.sumAll(-1, 1), RangeError, "at index -1");
      assertThrows(() => region.bitXorAll(), TypeError, '"xor" for f64');
      assertThrows(() => region.sumAtPe(numPes), RangeError, "it has PEs 0 to");
      assertThrows(
        () => region.gatherAllIntoBuffer(new Float64Array(2 * numPes * numPes + numPes)),
        RangeError,
      );
      assertThrows(() => region.sumAllIntoBuffer(new Float32Array(1) as never), TypeError);
      if (numPes > 1) assertThrows(() => region.sumScatter(0, 1), RangeError, "each gets as many");
      await world.asyncBarrier();
    },
  },
  {
    name: "A region that is disposed of keeps its memory until its collectives are over",
    limitMs: 40_000,
    async run(world, t) {
      const length = 512 * world.numPes;
      for (let round = 0; round < 8; round++) {
        const { region, parts } = await filled(world, t, length);
        const target = await world.allocSharedMemRegion("i32", length);
        await world.asyncBarrier();
        const whole = reduced(parts, "sum");
        const gathered = region.gatherAll();
        const summed = region.sumAllIntoBuffer(target);
        const added = world.allReduce(region, "sum");
        const values = world.allGather(region);
        const last = world.allReduce(target, "max", { into: target });
        region.dispose();
        target.dispose();
        // What would be free got its elements here.
        const others = await Promise.all(
          [0, 1].map(() => world.allocSharedMemRegion("i32", length)),
        );
        for (const other of others) other.asMutSlice().fill(-1);
        assertEquals(await gathered, Int32Array.from(parts.flatMap((part) => [...part])));
        assertEquals(await added, whole);
        assertEquals(await values, parts);
        await summed;
        await last;
        await world.asyncBarrier();
        for (const other of others) {
          assertEquals(other.asSlice().findIndex((value) => value !== -1), -1);
          other.dispose();
        }
      }
    },
  },
];
