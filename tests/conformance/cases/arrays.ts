/**
 * Arrays: where their elements are, views of them, copies over the bounds of PEs, conversions, how
 * they travel, and their end.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import {
  am,
  AtomicArray,
  atomicArray,
  ClosedError,
  type DistributionKind,
  IdError,
  type LamellarWorld,
  reduction,
  RemoteError,
  UnsafeArray,
} from "../../../mod.ts";
import { type Case, errorOf, leftOf, rightOf } from "../case.ts";
import { ListArch } from "./teams.ts";

const KINDS: readonly DistributionKind[] = ["block", "cyclic"];
const LENGTHS: readonly number[] = [0, 1, 2, 3, 7, 16, 19];

/** The PE of each element, by definition. */
function owners(kind: DistributionKind, length: number, numPes: number): number[] {
  if (kind === "cyclic") return Array.from({ length }, (_, i) => i % numPes);
  return Array.from({ length: numPes }, (_, pe) => pe)
    .flatMap((pe) => Array(Math.floor(length / numPes) + (pe < length % numPes ? 1 : 0)).fill(pe));
}

/**
 * Makes an array whose elements are their indices.
 *
 * @param world The world.
 * @param length Its length.
 * @param kind Its distribution.
 * @returns It.
 */
export async function numbered(
  world: LamellarWorld,
  length: number,
  kind: DistributionKind,
): Promise<AtomicArray<"f64">> {
  const array = await AtomicArray.create(world, "f64", length, kind);
  if (world.myPe === 0) await array.put(0, Float64Array.from({ length }, (_, i) => i));
  await world.asyncBarrier();
  return array;
}

const Length = am("arrays.Length", { of: atomicArray("f64") }, (self) => self.of.length);
const FAILS = reduction("arrays.fails", () => {
  throw new Error("on purpose");
});
const LAST = reduction("arrays.last", (_: bigint, b: bigint) => b);

/** What every array promises. */
export const ARRAY_CASES: readonly Case[] = [
  {
    name: "the elements of an array are where its distribution says, for every length",
    async run(world) {
      const { myPe, numPes } = world;
      for (const kind of KINDS) {
        for (const length of LENGTHS) {
          using array = await UnsafeArray.create(world, "i32", length, kind);
          const pes = owners(kind, length, numPes);
          assertEquals([array.length, array.distribution, array.type], [length, kind, "i32"]);
          const mine = pes.flatMap((pe, i) => pe === myPe ? [i] : []);
          assertEquals(array.numElemsLocal, mine.length);
          assertEquals(array.localAsSlice().length, mine.length);
          for (let pe = 0; pe < numPes; pe++) {
            const theirs = pes.flatMap((owner, i) => owner === pe ? [i] : []);
            assertEquals(array.firstGlobalIndexForPe(pe), theirs[0]);
            assertEquals(array.lastGlobalIndexForPe(pe), theirs.at(-1));
            theirs.forEach((i, offset) =>
              assertEquals(array.peAndOffsetForGlobalIndex(i), { pe, offset })
            );
          }
          for (const index of [-1, length, 0.5, NaN]) {
            assertEquals(array.peAndOffsetForGlobalIndex(index), undefined);
          }
          assertEquals(array.firstGlobalIndexForPe(numPes), undefined);
          mine.forEach((i, offset) => array.localAsMutSlice()[offset] = 10 * i);
          await world.asyncBarrier();
          assertEquals(await array.get(0, length), Int32Array.from(pes, (_, i) => 10 * i));
          await world.asyncBarrier();
        }
      }
    },
  },
  {
    name: "sub-arrays of sub-arrays have their range of the elements, and count from its beginning",
    async run(world, t) {
      const { myPe, numPes } = world;
      for (const kind of KINDS) {
        using array = await numbered(world, 19, kind);
        const pes = owners(kind, 19, numPes);
        for (let round = 0; round < 10; round++) {
          const [a, b] = [t.sharedRandom(), t.sharedRandom()].map((n) => Math.floor(20 * n)).sort((
            one,
            other,
          ) => one - other) as [number, number];
          const c = Math.floor(t.sharedRandom() * (b - a + 1));
          const sub = array.subArray(a, b).subArray(c);
          const first = a + c;
          const indices = Array.from({ length: b - first }, (_, i) => first + i);
          assertEquals(sub.length, indices.length);
          assertEquals(sub.subArrayRange, { start: first, end: b });
          assertEquals(indices.map((_, i) => sub.globalIndex(i)), indices);
          assertEquals([...await sub.get(0, sub.length)], indices);
          const local = indices.filter((i) => pes[i] === myPe);
          assertEquals(sub.numElemsLocal, local.length);
          const where = local[0] === undefined ? undefined : local[0] - first;
          assertEquals(sub.firstGlobalIndexForPe(myPe), where);
          indices.forEach((i, at) => {
            const offset = indices.filter((other) => other < i && pes[other] === pes[i]).length;
            assertEquals(sub.peAndOffsetForGlobalIndex(at), { pe: pes[i]!, offset });
          });
          if (local.length > 0) {
            assertEquals([...await sub.getPe(myPe, 0, local.length)], local);
          }
        }
        assertThrows(() => array.subArray(5, 20), RangeError, "from 5 to 20");
        assertThrows(() => array.subArray(5, 4), RangeError);
        assertThrows(() => array.subArray(0.5, 4), RangeError);
        assertThrows(() => array.subArray(2, 4).subArray(0, 3), RangeError, "has 2 elements");
        assertThrows(() => array.subArray(2, 4).at(2), RangeError, "at index 2");
        assertThrows(() => array.subArray(2, 4).globalIndex(2), RangeError);
      }
    },
  },
  {
    name: "another distribution counts the same memory in another order, and moves nothing",
    async run(world) {
      const { numPes } = world;
      using blocks = await UnsafeArray.create(world, "u16", 11, "block");
      const cyclic = blocks.useDistribution("cyclic");
      if (world.myPe === 0) await cyclic.put(0, Uint16Array.from({ length: 11 }, (_, i) => i));
      await world.asyncBarrier();
      const order = Array.from({ length: numPes }, (_, pe) => pe)
        .flatMap((pe) => Array.from({ length: 11 }, (_, i) => i).filter((i) => i % numPes === pe));
      assertEquals([...await blocks.get(0, 11)], order);
      assertEquals([...await cyclic.get(0, 11)], order.toSorted((a, b) => a - b));
      assertEquals(cyclic.distribution, "cyclic");
      assertThrows(() => blocks.useDistribution("rows" as "block"), TypeError, "rows");
    },
  },
  {
    name: "puts and gets of any range pass over the bounds of PEs",
    async run(world, t) {
      const { myPe } = world;
      for (const kind of KINDS) {
        for (const length of [1, 5, 64, 777]) {
          using array = await UnsafeArray.create(world, "u32", length, kind);
          const model = new Uint32Array(length);
          for (let round = 0; round < 8; round++) {
            const from = Math.floor(t.sharedRandom() * (length + 1));
            const count = Math.floor(t.sharedRandom() * (length - from + 1));
            const values = Uint32Array.from({ length: count }, () => 2 ** 32 * t.sharedRandom());
            model.set(values, from);
            if (myPe === round % world.numPes) {
              const source = round % 2 === 0 ? values : [...values];
              if (round % 3 === 0) array.blockingPut(from, source);
              else await array.put(from, source);
            }
            await world.asyncBarrier();
            const begin = Math.floor(t.random() * (length + 1));
            const some = Math.floor(t.random() * (length - begin + 1));
            const wanted = model.subarray(begin, begin + some);
            assertEquals(await array.get(begin, some), wanted);
            const target = new Uint32Array(some);
            await array.get(begin, target);
            assertEquals(target, wanted);
            target.fill(1);
            array.blockingGet(begin, target);
            assertEquals(target, wanted);
            await world.asyncBarrier();
          }
          assertThrows(() => array.put(length, 1), RangeError, `has ${length} element`);
          assertThrows(() => array.put(1, new Uint32Array(length)), RangeError);
          assertThrows(() => array.get(0, length + 1), RangeError);
          assertThrows(() => array.put(0, new Uint8Array(1) as never), TypeError);
        }
      }
    },
  },
  {
    name: "puts from regions and to the elements of one PE reach them",
    async run(world) {
      const { myPe, numPes } = world;
      for (const kind of KINDS) {
        using array = await UnsafeArray.create(world, "i64", 5 * numPes, kind);
        using region = await world.allocSharedMemRegion("i64", 5 * numPes);
        region.asMutSlice().fill(BigInt(10 + myPe));
        if (myPe === 0) await array.put(0, region);
        await world.asyncBarrier();
        assertEquals([...await array.get(0, 5 * numPes)], Array(5 * numPes).fill(10));
        await world.asyncBarrier();
        const right = rightOf(world);
        await array.putPe(right, 3, [myPe, -1]);
        await world.asyncBarrier();
        assertEquals([...array.localAsSlice()], [10n, 10n, 10n, BigInt(leftOf(world)), -1n]);
        assertEquals(await array.getPe(right, 3), myPe);
        await array.get(0, region);
        assertEquals(region.at(array.firstGlobalIndexForPe(right)!), 10);
        await world.asyncBarrier();
        if (myPe === numPes - 1) await array.putAll(1, [7, 8, 9]);
        await world.asyncBarrier();
        assertEquals([...array.localAsSlice()], [10n, 7n, 8n, 9n, -1n]);
        assertThrows(() => array.putPe(right, 4, [1, 2]), RangeError, "has 5 elements of it");
        assertThrows(() => array.putAll(5, 1), RangeError);
        assertThrows(() => array.putPe(numPes, 0, 1), RangeError);
        await world.asyncBarrier();
        if (myPe === 0) await array.subArray(1, 5 * numPes - 1).fill(-3);
        await world.asyncBarrier();
        const all = [...await array.get(0, 5 * numPes)];
        assertEquals(all.filter((value) => value === -3).length, 5 * numPes - 2);
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "64-bit integers that no number holds are refused by their index in the array",
    async run(world) {
      using array = await AtomicArray.create(world, "u64", 9, "cyclic");
      using same = await AtomicArray.create(world, "bigu64", 9, "cyclic");
      if (world.myPe === 0) await same.put(7, 2n ** 60n);
      await world.asyncBarrier();
      assertEquals(same.at(7), 2n ** 60n);
      if (world.myPe === 0) {
        for (let i = 0; i < 30; i++) await array.mul(7, i === 0 ? 1 : 4).block();
        await array.put(7, 2 ** 52);
        await array.mul(7, 2 ** 10);
      }
      await world.asyncBarrier();
      const message = /at index 7 .* AtomicArray \d+ of u64: it is beyond what a number holds/;
      assertMatch((await errorOf(() => array.load(7)))!.message, message);
      assertMatch((await errorOf(() => array.fetchAdd(7, 0)))!.message, message);
      assertMatch((await errorOf(() => array.at(7)))!.message, message);
      await world.asyncBarrier();
    },
  },
  {
    name: "lists of indices may be one index, typed arrays, regions, local data, and iterables",
    async run(world) {
      const { myPe, numPes } = world;
      using array = await AtomicArray.create(world, "u32", 100_000, "block");
      using region = await world.allocSharedMemRegion("u32", 3);
      region.asMutSlice().set([5, 99_999, 5]);
      await array.batchAdd(region, [1, 2, 3]);
      await array.batchAdd(7, [1, 2, 3]);
      await array.batchAdd(new Set([8, 9]), 5);
      await array.batchAdd([], 5);
      await array.batchAdd(new Float64Array([10]), [1]);
      function* every(): Generator<number> {
        for (let i = 0; i < 100_000; i++) yield i;
      }
      function* ones(count: number): Generator<number> {
        for (let i = 0; i < count; i++) yield 1;
      }
      await array.batchAdd(every(), ones(100_000));
      await array.batchAdd(11, ones(70_000));
      await world.asyncBarrier();
      const values = (await array.batchLoad(every())).map((value) => value / numPes);
      const wanted = [5, 7, 8, 9, 10, 11, 12, 99_999];
      assertEquals(wanted.map((i) => values[i]), [5, 7, 6, 6, 2, 70_001, 1, 3]);
      await world.asyncBarrier();
      // Lengths that do not match.
      assertThrows(() => array.batchAdd([1, 2], [1]), RangeError);
      assertThrows(() => array.batchAdd([1, 2], ones(1)), RangeError, "nothing has been done");
      assertThrows(() => array.batchAdd([1], ones(2)), RangeError, "nothing has been done");
      const error = assertThrows(() => array.batchAdd(every(), ones(70_000)), RangeError);
      assertMatch(error.message, /different lengths; the first 65536 items have been done/);
      await world.asyncBarrier();
      assertEquals((await array.load(12)) / numPes, 2);
      assertEquals((await array.load(66_000)) / numPes, 1);
      assertThrows(() => array.batchAdd([1, -1], 1), RangeError, "(item 1)");
      assertThrows(() => array.batchAdd(new Map() as never, "x" as never), TypeError);
      assertThrows(() => array.batchAdd({} as never, 1), TypeError);
      assertThrows(() => array.batchAdd([1].values(), {} as never), TypeError, "a list is");
      assertThrows(() => array.batchLoad([1].values(), {} as never), TypeError, "a list is");
      const two = [1, 2];
      const long = new Uint32Array(3);
      assertThrows(() => array.batchLoad(two.values(), long), RangeError, "different lengths");
      let isClosed = false;
      function* closing(): Generator<number> {
        try {
          for (;;) yield -1;
        } finally {
          isClosed = true;
        }
      }
      assertThrows(() => array.batchAdd(closing(), 1), RangeError);
      assert(isClosed, "the generator was left open");
      await world.asyncBarrier();
      const { ok, values: were } = await array.batchCompareExchange(
        (function* () {
          yield 20 + myPe;
          yield 40;
        })(),
        [2 * numPes, 1],
        ones(2),
      );
      assertEquals([[...ok], were[0]], [[1, 0], 2 * numPes]);
    },
  },
  {
    name: "arrays of a team belong to its members, whose numbers they use",
    pes: (numPes) => numPes >= 3,
    async run(world) {
      const team = await world.createTeamFromArch(new ListArch([2, 0]));
      if (world.myPe % 2 === 0 && world.myPe <= 2) {
        using array = await AtomicArray.create(team, "f64", 5, "block");
        assertEquals([array.numPes, array.numElemsLocal], [2, world.myPe === 2 ? 3 : 2]);
        assertStrictEquals(array.team, team);
        await array.add(4, 1);
        await array.asyncBarrier();
        assertEquals(await array.load(4), 2);
        if (world.myPe === 2) {
          const error = await errorOf(() => world.execAmPe(1, Length({ of: array })));
          assert(error instanceof RemoteError || error instanceof IdError, String(error));
          assertMatch(error.message, /Cannot use AtomicArray \d+ of team .* not a member/);
        }
        await array.asyncBarrier();
      } else {
        assertThrows(() => AtomicArray.create(team, "f64", 5, "block"), IdError, "not a member");
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "two teams with arrays of their own do not disturb each other",
    pes: (numPes) => numPes >= 2,
    async run(world) {
      const { myPe, numPes } = world;
      const team = await world.team.split({ color: myPe % 2 });
      for (let round = 0; round < 5; round++) {
        using array = await AtomicArray.create(team!, "u32", 7 + (myPe % 2), "cyclic");
        await array.batchAdd([0, 1, 6], 1);
        await array.asyncBarrier();
        const members = Math.floor((numPes + 1 - (myPe % 2)) / 2);
        assertEquals([...await array.batchLoad([0, 1, 2, 6])], [members, members, 0, members]);
        await array.asyncBarrier();
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "a sum of floats has the same bits whoever asks, however often, and by handler",
    async run(world, t) {
      for (const kind of KINDS) {
        for (const length of [1, 100, 5000, 40_000]) {
          using array = await UnsafeArray.create(world, "f64", length, kind);
          const mine = array.localAsMutSlice();
          for (let i = 0; i < mine.length; i++) {
            mine[i] = (t.random() - 0.5) * 10 ** (20 * t.random());
          }
          await world.asyncBarrier();
          const sum = (await array.sum())!;
          assertEquals(await array.sum(), sum);
          assertEquals(array.reduce("sum").block(), sum);
          const all = await world.allGather(sum);
          assert(all.every((other) => Object.is(other, sum)), `${all}`);
          const values = await array.get(0, length);
          const serial = values.reduce((a, b) => a + b, 0);
          const scale = values.reduce((a, b) => a + Math.abs(b), 0);
          assert(Math.abs(serial - sum) <= 1e-12 * scale);
          await world.asyncBarrier();
        }
      }
    },
  },
  {
    name: "reductions by name and by function combine elements in their order",
    async run(world) {
      const { myPe } = world;
      using array = await AtomicArray.create(world, "bigi64", 30, "block");
      if (myPe === 0) await array.put(0, Array.from({ length: 30 }, (_, i) => BigInt(i)));
      await world.asyncBarrier();
      assertEquals(await array.reduce(LAST), 29n);
      assertEquals(await array.reduce((a, b) => a * 1n + b), 435n);
      assertEquals(array.reduce("xor").block(), 1n);
      assertEquals(await array.subArray(5, 5).reduce(LAST), undefined);
      assertEquals(await array.subArray(3, 9).max(), 8n);
      assertThrows(() => array.reduce("no such"), TypeError, "no reduction of that name");
      assertThrows(() => reduction(LAST, () => 0), TypeError, "there is one of that name");
      assertThrows(() => reduction("sum", () => 0), TypeError, "there is one of that name");
      using bools = await AtomicArray.create(world, "bool", 3, "block");
      assertThrows(() => bools.sum(), TypeError, "arithmetic takes numbers");
      assertEquals(await bools.reduce("or"), false);
      const error = await errorOf(() =>
        array.reduce(() => {
          throw new Error("on purpose");
        })
      );
      assertEquals(error?.message, "on purpose");
      // Those of other PEs are not told again at the end.
      using long = await AtomicArray.create(world, "u32", 20_000 * world.numPes, "block");
      const failed = await errorOf(() => long.reduce(FAILS));
      assertMatch(failed!.message, /on purpose/);
      // A view that has nothing of some PEs.
      const view = long.subArray(long.length - 1);
      assertEquals(await view.reduce((a, b) => a + b), 0);
      if (world.numPes > 1) {
        await view.putPe(0, 0, []);
        assertEquals((await view.getPe(0, 0, 0)).length, 0);
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "the local data of an AtomicArray are elements that others change at the same time",
    async run(world) {
      const { myPe, numPes } = world;
      for (const kind of KINDS) {
        using whole = await AtomicArray.create(world, "i32", 5 * numPes + 2, kind);
        const array = whole.subArray(1);
        const local = array.localData();
        assertEquals(local.length, array.numElemsLocal);
        const rounds = 200;
        const first = array.firstGlobalIndexForPe(rightOf(world))!;
        for (let i = 0; i < rounds; i++) {
          array.add(first, 1);
          local.at(0).add(1);
          assert(local.at(0).fetchAdd(-1) > 0);
        }
        await world.asyncBarrier();
        assertEquals(local.at(0).load(), rounds);
        let offset = 0;
        for (const element of local) element.store(100 * myPe + offset++);
        assertEquals(offset, local.length);
        assertEquals(local.at(1).compareExchange(100 * myPe + 1, -5), {
          ok: true,
          value: 100 * myPe + 1,
        });
        const some = local.subData(1, 3);
        assertEquals([...some].length, 2);
        assertEquals([some.at(0).load(), some.at(1).swap(7)], [-5, 100 * myPe + 2]);
        await world.asyncBarrier();
        const there = await array.getPe(rightOf(world), 0, 3);
        assertEquals([...there], [100 * rightOf(world), -5, 7]);
        assertThrows(() => local.at(local.length), RangeError);
        assertThrows(() => local.subData(2, 1), RangeError);
        await world.asyncBarrier();
        whole.dispose();
        assertThrows(() => local.at(0), ClosedError);
        assertThrows(() => [...local], ClosedError);
      }
    },
  },
  {
    name: "arrays that are created alike on all PEs only are refused otherwise",
    async run(world) {
      const create = (length: unknown, type: unknown = "f64", kind: unknown = "block") => () =>
        UnsafeArray.create(world, type as "f64", length as number, kind as "block");
      assertThrows(create(-1), RangeError, "-1 elements");
      assertThrows(create(1.5), RangeError);
      assertThrows(create("5"), TypeError);
      assertThrows(create(5, "f63"), TypeError, "f63");
      assertThrows(create(5, "f64", "rows"), TypeError, "rows");
      assertThrows(
        () => UnsafeArray.create({} as never, "f64", 5, "block"),
        TypeError,
        "UnsafeArray.create",
      );
      const error = await errorOf(() => UnsafeArray.create(world, "f64", 2 ** 40, "block"));
      assertEquals(error?.name, "OutOfMemoryError");
      using array = await UnsafeArray.create(world, "f64", 2, "block");
      assertEquals(array.length, 2);
    },
  },
  {
    name: "the memory of ten thousand arrays that were disposed of is given back",
    limitMs: 60_000,
    async run(world) {
      const rounds = 10_000 / Math.max(4, world.numPes);
      for (let i = 0; i < rounds; i++) {
        using array = await AtomicArray.create(world, "u8", 1_000_000, "block");
        if (array.numElemsLocal > 0) array.put(array.firstGlobalIndexForPe(world.myPe)!, 1);
      }
      await world.asyncBarrier();
    },
  },
];
