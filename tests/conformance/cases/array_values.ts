/**
 * Arrays that are made of the values of PEs, and collectives over the elements that each PE has.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import {
  AtomicArray,
  ClosedError,
  type DistributionKind,
  GlobalLockArray,
  type LamellarWorld,
  LocalLockArray,
  ReadOnlyArray,
  UnsafeArray,
} from "../../../mod.ts";
import type { Case } from "../case.ts";
import { ListArch } from "./teams.ts";

const KINDS: readonly DistributionKind[] = ["block", "cyclic"];
const CLASSES = [UnsafeArray, ReadOnlyArray, AtomicArray, LocalLockArray, GlobalLockArray] as const;

/** Values that tell who gave them: as many as the number of the PE, or more. */
function valuesOf(pe: number, more = 0): number[] {
  return Array.from({ length: pe + more }, (_, i) => 1000 * (pe + 1) + i);
}

function allValues(numPes: number, more = 0): number[] {
  return Array.from({ length: numPes }, (_, pe) => valuesOf(pe, more)).flat();
}

/** An array of as many elements on each PE, and what each has. */
async function filled(
  world: LamellarWorld,
  kind: DistributionKind,
  each: number,
): Promise<{ array: UnsafeArray<"i32">; parts: Int32Array[] }> {
  const array = await UnsafeArray.create(world, "i32", each * world.numPes, kind);
  const parts = Array.from(
    { length: world.numPes },
    (_, pe) => Int32Array.from({ length: each }, (_, i) => 10 * i + pe + 1),
  );
  array.localAsMutSlice().set(parts[world.myPe]!);
  await world.asyncBarrier();
  return { array, parts };
}

/** Values of arrays at their making, and all at once. */
export const ARRAY_VALUE_CASES: readonly Case[] = [
  {
    name: "an array of the values of PEs has those of PE 0 first, whatever its type",
    async run(world) {
      const { myPe, numPes } = world;
      const all = allValues(numPes, 2);
      for (const kind of KINDS) {
        for (const type of CLASSES) {
          using array = await type.from(world, "f64", Float64Array.from(valuesOf(myPe, 2)), kind);
          assertEquals([array.length, array.distribution, array.type], [all.length, kind, "f64"]);
          assertEquals([...await array.get(0, array.length)], all);
        }
      }
      await world.asyncBarrier();
    },
  },
  {
    name:
      "what PEs give to an array may be a list, a typed array, an iterable, a region or nothing",
    async run(world) {
      const { myPe, numPes } = world;
      const root = numPes - 1;
      const mine = myPe === root ? [1, 2, 3, 4, 5] : [];
      using region = await world.allocSharedMemRegion("u16", 2);
      region.asMutSlice().set([myPe, myPe + 10]);
      const sources = [mine, Uint16Array.from(mine), new Set(mine), mine.values()];
      for (const source of sources) {
        using array = await AtomicArray.from(world, "u16", source);
        assertEquals([...await array.get(0, array.length)], [1, 2, 3, 4, 5]);
      }
      using ofRegions = await AtomicArray.from(world, "u16", region, "cyclic");
      const expected = Array.from({ length: numPes }, (_, pe) => [pe, pe + 10]).flat();
      assertEquals([...await ofRegions.get(0, ofRegions.length)], expected);
      using empty = await LocalLockArray.from(world, "bool", []);
      assertEquals([empty.length, empty.numElemsLocal], [0, 0]);
      using big = await UnsafeArray.from(world, "bigi64", [-(2n ** 63n), BigInt(myPe)], "cyclic");
      assertEquals(await big.get(2 * root, 2), BigInt64Array.of(-(2n ** 63n), BigInt(root)));
      using exact = await UnsafeArray.from(world, "u64", Float64Array.of(2 ** 53 - 1));
      assertEquals(exact.at(myPe), 2 ** 53 - 1);
      await world.asyncBarrier();
    },
  },
  {
    name: "wrong values for an array are refused before other PEs count on it",
    async run(world) {
      assertThrows(
        () => AtomicArray.from(world, "u8", [1, 256]),
        RangeError,
        "Cannot put 256 into a new AtomicArray of u8: it takes integers from 0 to 255",
      );
      assertThrows(() => UnsafeArray.from(world, "u8", ["a"] as never), TypeError);
      assertThrows(() => UnsafeArray.from(world, "u8", new Float64Array(1) as never), TypeError);
      assertThrows(() => UnsafeArray.from(world, "u8", {} as never), TypeError);
      assertThrows(() => UnsafeArray.from(world, "u9" as never, []), TypeError);
      assertThrows(() => UnsafeArray.from(world, "u8", [], "blocks" as never), TypeError);
      using array = await UnsafeArray.from(world, "u8", [world.myPe]);
      assertEquals(array.at(world.myPe), world.myPe);
      await world.asyncBarrier();
    },
  },
  {
    name: "an array of the values of a team is the team's",
    async run(world) {
      const { myPe, numPes } = world;
      const even = Array.from({ length: numPes }, (_, pe) => pe).filter((pe) => pe % 2 === 0);
      using team = await world.createTeamFromArch(new ListArch(even));
      if (team.isMember) {
        using array = await UnsafeArray.from(team, "i32", [myPe, 100 - myPe], "cyclic");
        const expected = even.flatMap((pe) => [pe, 100 - pe]);
        assertEquals([...await array.get(0, array.length)], expected);
        await team.asyncBarrier();
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "arrays reduce, gather, scatter and exchange what each PE has",
    limitMs: 40_000,
    async run(world) {
      const { myPe, numPes } = world;
      const each = 3 * numPes;
      for (const kind of KINDS) {
        const { array, parts } = await filled(world, kind, each);
        using kept = array;
        const sum = Int32Array.from(
          { length: each },
          (_, i) => parts.reduce((total, part) => total + part[i]!, 0),
        );
        const most = parts[numPes - 1]!;
        const root = numPes - 1;
        assertEquals(await kept.sumAll(), sum);
        assertEquals(await kept.maxAll(), most);
        assertEquals(await kept.sumAll(1, 2), sum.slice(1, 3));
        const target = new Int32Array(2);
        await kept.minAllIntoBuffer(target, each - 2);
        assertEquals(target, parts[0]!.slice(-2));
        assertEquals(await kept.sumAtPe(root), myPe === root ? sum : null);
        assertEquals(await kept.sumScatter(), sum.slice(3 * myPe, 3 * myPe + 3));
        const all = Int32Array.from(parts.flatMap((part) => [...part]));
        assertEquals(await kept.gatherAll(), all);
        assertEquals(await kept.gatherAtPe(0), myPe === 0 ? all : null);
        assertEquals(await kept.scatterFromPe(root), most.slice(3 * myPe, 3 * myPe + 3));
        const pieces = parts.flatMap((part) => [...part.slice(3 * myPe, 3 * myPe + 3)]);
        assertEquals(await kept.allToAll(), Int32Array.from(pieces));
        await kept.broadcast(root, 1, 2);
        const after = parts[myPe]!.slice();
        after.set(most.slice(1, 3), 1);
        assertEquals(kept.localAsSlice(), after);
        kept.localAsMutSlice().set(parts[myPe]!);
        await kept.sumAtPeInPlace(root);
        assertEquals(kept.localAsSlice(), myPe === root ? sum : parts[myPe]);
        kept.localAsMutSlice().set(parts[myPe]!);
        await kept.sumAllInPlace();
        assertEquals(kept.localAsSlice(), sum);
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "collectives of arrays go by what each PE has of a view, and say so where that differs",
    async run(world) {
      const { myPe, numPes } = world;
      const { array, parts } = await filled(world, "cyclic", 4);
      using kept = array;
      // The second and the third element of each PE.
      const view = kept.subArray(numPes, 3 * numPes);
      const gathered = Int32Array.from(parts.flatMap((part) => [...part.slice(1, 3)]));
      assertEquals(await view.gatherAll(), gathered);
      await view.sumAllInPlace();
      const sum = (i: number): number => parts.reduce((total, part) => total + part[i]!, 0);
      const mine = parts[myPe]!;
      assertEquals([...kept.localAsSlice()], [mine[0]!, sum(1), sum(2), mine[3]!]);
      using fixed = await (await UnsafeArray.from(world, "f32", [1, 2])).intoReadOnly();
      assertEquals(await fixed.sumAll(), Float32Array.of(numPes, 2 * numPes));
      using atomic = await (await UnsafeArray.from(world, "u8", [1])).intoAtomic();
      await atomic.bitOrAllInPlace();
      assertThrows(() => kept.sumAll(3, 2), RangeError, "a PE has 4 of its elements");
      assertThrows(() => kept.sumAll(-1), RangeError, "at index -1");
      assertThrows(() => kept.sumAtPe(numPes), RangeError, "it has PEs 0 to");
      if (numPes > 1) {
        const uneven = kept.subArray(0, numPes + 1);
        assertThrows(() => uneven.sumAll(), RangeError, "PEs have 1 to 2");
        assertEquals(await uneven.sumAll(0, 1), Int32Array.of(sum(0)));
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "an element that is near enough to what is expected is replaced, of every type",
    async run(world) {
      const { myPe, numPes } = world;
      const index = (myPe + 1) % numPes;
      for (
        const type of ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"] as const
      ) {
        for (const kind of [UnsafeArray, AtomicArray, LocalLockArray, GlobalLockArray]) {
          using array = await kind.from(world, type, [10]);
          const epsilon = type.startsWith("f") ? 2.5 : 3;
          assertEquals(
            await array.compareExchangeEpsilon(index, 13, 20, epsilon),
            { ok: false, value: 10 },
          );
          assertEquals(array.compareExchangeEpsilon(index, 12, 20, epsilon).block(), {
            ok: true,
            value: 10,
          });
          assertEquals(array.at(index), 20);
          const batch = await array.batchCompareExchangeEpsilon(
            [index, index, index],
            [22, 30, 31],
            [30, 40, 50],
            epsilon,
          );
          assertEquals([...batch.ok], [1, 1, 0]);
          assertEquals([...batch.values], [20, 30, 40]);
          assertEquals(array.at(index), 40);
          const none = await array.batchCompareExchangeEpsilon([], 1, 2, epsilon);
          assertEquals([none.ok.length, none.values.length], [0, 0]);
          await world.asyncBarrier();
        }
      }
      using big = await AtomicArray.from(world, "bigi64", [-(2n ** 63n)]);
      const most = 2n ** 63n - 1n;
      const far = await big.compareExchangeEpsilon(index, most, 0n, 2n ** 64n - 1n);
      assertEquals(far, { ok: false, value: -(2n ** 63n) });
      const near = await big.batchCompareExchangeEpsilon(index, [most], [most], 2n ** 64n);
      assertEquals([...near.values], [-(2n ** 63n)]);
      assertEquals(big.at(index), most);
      await world.asyncBarrier();
    },
  },
  {
    name: "exchanges by a difference lose no update, and take only what has one",
    async run(world) {
      const { myPe, numPes } = world;
      using array = await AtomicArray.create(world, "f64", 4, "cyclic");
      const rounds = 40;
      for (let round = 0; round < rounds; round++) {
        for (const index of [0, 1, 2, 3]) {
          for (let guess = array.at(index);;) {
            // Some are near enough only by what others have added meanwhile.
            const { ok, value } = await array.compareExchangeEpsilon(index, guess, guess + 1, 0.5);
            if (ok) break;
            guess = value;
          }
        }
      }
      await world.asyncBarrier();
      assertEquals([...await array.get(0, 4)], Array(4).fill(rounds * numPes));
      await world.asyncBarrier();
      const mine = array.localData();
      if (mine.length > 0) {
        const element = mine.at(0);
        const was = rounds * numPes;
        assertEquals(element.compareExchangeEpsilon(was + 1, 0, 1), { ok: false, value: was });
        assertEquals(element.compareExchangeEpsilon(was + 1, was, 1.5), { ok: true, value: was });
        assertThrows(() => element.compareExchangeEpsilon(0, 0, -1), RangeError, "of at least 0");
      }
      await world.asyncBarrier();
      await array.store(myPe % 4, NaN);
      assertEquals((await array.compareExchangeEpsilon(myPe % 4, NaN, 0, Infinity)).ok, false);
      assertThrows(() => array.compareExchangeEpsilon(4, 0, 0, 1), RangeError, "4 elements");
      assertThrows(() => array.compareExchangeEpsilon(0, 0, 0, NaN), RangeError);
      assertThrows(() => array.compareExchangeEpsilon(0, "1" as never, 0, 1), TypeError);
      assertThrows(() => array.batchCompareExchangeEpsilon([0, 9], 0, 1, 1), RangeError);
      assertThrows(() => array.batchCompareExchangeEpsilon([0], 0, 1, 1n as never), TypeError);
      using bools = await AtomicArray.create(world, "bool", 4);
      assertThrows(
        () => bools.compareExchangeEpsilon(0, false as never, true as never, 1 as never),
        TypeError,
        "arithmetic takes numbers",
      );
      await world.asyncBarrier();
    },
  },
  {
    name: "arrays are copied to each other whole, whatever their types and distributions",
    async run(world) {
      const { myPe, numPes } = world;
      const length = 5 * numPes + 3;
      const expected = Array.from({ length }, (_, i) => i + 0.5);
      using source = await AtomicArray.from(world, "f64", myPe === 0 ? expected : [], "cyclic");
      using fixed = await (await UnsafeArray.from(world, "f64", myPe === 0 ? expected : []))
        .intoReadOnly();
      for (const kind of [UnsafeArray, AtomicArray, LocalLockArray, GlobalLockArray]) {
        using into = await kind.create(world, "f64", length + 2, "block");
        if (myPe === numPes - 1) await into.put(1, source);
        await world.asyncBarrier();
        assertEquals([...await into.get(0, length + 2)], [0, ...expected, 0]);
        await world.asyncBarrier();
        if (myPe === 0) await fixed.get(3, into.subArray(0, 4));
        await world.asyncBarrier();
        assertEquals([...await into.get(0, 5)], [3.5, 4.5, 5.5, 6.5, expected[3]]);
        await world.asyncBarrier();
        if (myPe === 0) {
          // To itself: what is written is not read again.
          await into.put(3, into.subArray(0, length - 1));
          into.blockingPut(0, source.subArray(0, 1));
          source.blockingGet(1, into.subArray(1, 2));
        }
        await world.asyncBarrier();
        assertEquals([...await into.get(0, 5)], [0.5, 1.5, 5.5, 3.5, 4.5]);
        await world.asyncBarrier();
      }
      using long = await UnsafeArray.create(world, "u8", 2 ** 20 * 2 + 7, "block");
      using other = await AtomicArray.create(world, "u8", 2 ** 20 * 2 + 7, "cyclic");
      if (myPe === 0) {
        await long.put(0, Uint8Array.from({ length: long.length }, (_, i) => i * 7 ^ i >> 9));
        await other.put(0, long);
        assertEquals(await other.get(0, other.length), await long.get(0, long.length));
      }
      await world.asyncBarrier();
      assertThrows(() => source.put(1, source), RangeError, `${length} elements at index 1`);
      assertThrows(() => source.get(-1, fixed as never), TypeError, "it is only read");
      assertThrows(() => long.put(0, source as never), TypeError, "their elements differ");
      using gone = await UnsafeArray.create(world, "f64", 1);
      gone.dispose();
      assertThrows(() => source.put(0, gone), ClosedError);
      assertThrows(() => source.get(0, gone), ClosedError);
      await world.asyncBarrier();
    },
  },
  {
    name: "the values of local data are indices and operands of other arrays",
    async run(world) {
      const { myPe, numPes } = world;
      using indices = await AtomicArray.from(world, "u32", [myPe, numPes, myPe]);
      using sums = await AtomicArray.create(world, "u32", numPes + 1);
      await sums.batchAdd(indices.localData().values(), 1);
      await sums.batchAdd(numPes, indices.localData().subData(1, 2).values());
      await world.asyncBarrier();
      const expected = [...Array(numPes).fill(2), numPes + numPes * numPes];
      assertEquals([...await sums.get(0, numPes + 1)], expected);
      await world.asyncBarrier();
    },
  },
  {
    name: "long lists of exchanges change what they say they have changed, of every width",
    async run(world) {
      const { myPe, numPes } = world;
      const each = 5000;
      const values = Float64Array.from({ length: each * numPes }, (_, i) => i + 1);
      for (const type of ["u8", "u32", "u64", "f64"] as const) {
        const wanted = values.map((value) => type === "u8" ? value % 256 : value);
        using array = await AtomicArray.create(world, type, each * numPes, "cyclic");
        using region = await world.allocSharedMemRegion(type, each);
        if (myPe === numPes - 1) {
          const indices = values.map((value) => value - 1);
          const changed = await array.batchCompareExchange(indices, 0, [...wanted]);
          assertEquals(changed.ok.every((one) => one === 1), true);
          assertEquals([...await array.batchLoad(indices)], [...wanted], type);
          const again = await array.batchCompareExchange(indices, [...wanted], 7);
          assertEquals([...again.values], [...wanted]);
          assertEquals(
            await array.sum(),
            type === "u8" ? 7 * wanted.length % 256 : 7 * wanted.length,
          );
          const { ok } = await region.batchCompareExchange(
            indices,
            [...wanted.fill(0)],
            [...values]
              .map((value) => value % 200),
          );
          assertEquals(ok.every((one) => one === 1), true);
          const found = await region.gather(indices);
          assertEquals(found.every((value, i) => value === values[i]! % 200), true);
        }
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "an array lasts until collectives and copies of it are over, though it was disposed of",
    async run(world) {
      const { myPe, numPes } = world;
      const ones = new Int32Array(20_000).fill(1);
      for (let round = 0; round < 10; round++) {
        const array = await UnsafeArray.from(world, "i32", ones);
        const sums = round % 2 === 0 ? array.sumAll() : array.gatherAll();
        const inPlace = await UnsafeArray.from(world, "i32", ones);
        const changed = inPlace.sumAllInPlace();
        array.dispose();
        inPlace.dispose();
        // One comes late: the others may make room for what follows before it has read anything.
        if (myPe === 0) { for (const end = performance.now() + 2; performance.now() < end;); }
        using other = await AtomicArray.from(world, "i32", new Int32Array(20_000).fill(5));
        const expected = round % 2 === 0 ? numPes : 1;
        assertEquals((await sums).every((value) => value === expected), true);
        await changed;
        assertEquals(await other.sum(), 5 * 20_000 * numPes);
        await world.asyncBarrier();
      }
      const length = 3 * 2 ** 17;
      using into = await UnsafeArray.create(world, "u64", length, "block");
      const values = new BigUint64Array(length).fill(2n ** 63n + 1n);
      {
        using source = await AtomicArray.from(world, "u64", myPe === 0 ? values : [], "cyclic");
        if (myPe === numPes - 1) into.putUnmanaged(0, source);
      }
      await world.awaitAll();
      await world.asyncBarrier();
      const copied = new BigUint64Array(length);
      await into.get(0, copied);
      assertEquals(copied, values);
      await world.asyncBarrier();
    },
  },
  {
    name: "values that are compared by a difference are first what elements are",
    async run(world) {
      using array = await AtomicArray.from(world, "f32", [0.1]);
      const index = world.myPe;
      assertEquals((await array.compareExchangeEpsilon(index, 0.1, 2, 1e-12)).ok, true);
      const { ok } = await array.batchCompareExchangeEpsilon([index], 2, 0.1, 1e-12);
      assertEquals([...ok], [1]);
      await world.asyncBarrier();
    },
  },
];
