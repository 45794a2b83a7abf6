/**
 * Arrays of records: they are read, written, changed and compared as other elements are, each under
 * a lock of its own.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  am,
  AtomicArray,
  atomicArray,
  bigu64,
  bool,
  element,
  f32,
  f64,
  GlobalLockArray,
  type Infer,
  LocalLockArray,
  oneOf,
  optional,
  ReadOnlyArray,
  reduction,
  str,
  tuple,
  u16,
  u32,
  u8,
  UnsafeArray,
} from "../../../mod.ts";
import { type Case, rightOf, several } from "../case.ts";

const POINT = { tag: u8, x: f64, count: u32 } as const;
type Point = Infer<typeof POINT>;
const Point = element("records.Point", POINT, {
  add: (a: Point, b) => ({ tag: a.tag | b.tag, x: a.x + b.x, count: a.count + b.count }),
  max: (a, b) => a.x >= b.x ? a : b,
  // The record that is given may be changed.
  sub: (a, b) => {
    a.x -= b.x;
    a.count -= b.count;
    return a;
  },
  mul: () => {
    throw new RangeError("no product");
  },
  xor: () => undefined as never,
  and: (_, b) => {
    b.x *= 10;
    return b;
  },
});
const WIDE = { hi: bigu64, lo: bigu64 } as const;
const Wide = element("records.u128", WIDE, {
  add: (a: Infer<typeof WIDE>, b) => {
    const sum = (a.hi << 64n) + a.lo + (b.hi << 64n) + b.lo;
    return { hi: BigInt.asUintN(64, sum >> 64n), lo: BigInt.asUintN(64, sum) };
  },
});
const MIXED = {
  kind: oneOf("none", "some"),
  inner: { flag: bool, at: tuple(f32, f32, u16) },
  maybe: optional(f64),
} as const;
const Mixed = element("records.Mixed", MIXED);
const FIRST = reduction("records.first", (a: Point) => a);

const KINDS = [UnsafeArray, AtomicArray, LocalLockArray, GlobalLockArray] as const;
const DISTRIBUTIONS = ["block", "cyclic"] as const;

function point(x: number): Point {
  return { tag: 1, x, count: 1 };
}

function xs(points: readonly Point[]): number[] {
  return points.map(({ x }) => x);
}

const AddTo = am("records.AddTo", { to: atomicArray(Point), index: u32 }, async ({ to, index }) => {
  await to.add(index, point(1));
  return to.toString();
});
const Describe = am("records.Describe", (self: { any: { it: UnsafeArray<typeof Point> } }) => {
  return [self.any.it.length, self.any.it.type === Point];
});

/** What arrays of records promise. */
export const ARRAY_RECORD_CASES: readonly Case[] = [
  {
    name: "records are written and read by index, by PE, in rows and in lists, in every array",
    async run(world) {
      const { myPe, numPes } = world;
      const length = 3 * numPes + 1;
      const all = Array.from({ length }, (_, i) => point(i + 0.5));
      for (const kind of KINDS) {
        for (const distribution of DISTRIBUTIONS) {
          using array = await kind.create(world, Point, length, distribution);
          assertEquals(array.at(length - 1), { tag: 0, x: 0, count: 0 });
          await world.asyncBarrier();
          if (myPe === 0) await array.put(0, all);
          await world.asyncBarrier();
          assertEquals(await array.get(1, length - 1), all.slice(1));
          assertEquals(await array.batchLoad([2, 0, 2]), [all[2], all[0], all[2]]);
          const into: Point[] = [point(0), point(0)];
          await array.get(length - 2, into);
          assertEquals(into, all.slice(-2));
          const pe = numPes - 1;
          const first = array.firstGlobalIndexForPe(pe)!;
          assertEquals(await array.getPe(pe, 0), all[first]);
          const view = array.subArray(1, length);
          assertEquals(await view.load(0), all[1]);
          await world.asyncBarrier();
          if (myPe === pe) {
            await array.putPe(0, 1, [point(-1), point(-2)].slice(0, 1));
            await view.store(0, point(-3));
            await array.batchStore([2, 3], [point(-4), point(-5)]);
          }
          await world.asyncBarrier();
          assertEquals(array.at(1).x === -3 || array.at(1).x === -1, true);
          assertEquals(xs(await array.get(2, 2)), [-4, -5]);
          await world.asyncBarrier();
          if (myPe === 0) await array.putAll(1, point(7));
          if (myPe === 0) await array.subArray(0, 1).fill(point(9));
          await world.asyncBarrier();
          assertEquals(array.at(0).x, 9);
          for (let other = 0; other < numPes; other++) {
            assertEquals((await array.getPe(other, 1)).x, 7);
          }
          await world.asyncBarrier();
        }
      }
    },
  },
  {
    name: "operations on records lose no update, near and far, one by one and in lists",
    async run(world) {
      const { numPes } = world;
      for (const kind of KINDS) {
        using array = await kind.create(world, Point, 3, "cyclic");
        for (let round = 0; round < 10; round++) {
          for (const index of [0, 1, 2]) await array.add(index, point(1));
          await array.batchAdd([0, 1, 2, 2], point(2));
          await array.batchSub([2], [point(2)]);
        }
        await world.asyncBarrier();
        const sums = await array.get(0, 3);
        assertEquals(xs(sums), Array(3).fill(30 * numPes));
        assertEquals(sums.map(({ count }) => count), Array(3).fill(20 * numPes));
        await world.asyncBarrier();
        const before = await array.fetchMax(0, point(1e9 + world.myPe));
        assert(before.x === 30 * numPes || before.x >= 1e9);
        await world.asyncBarrier();
        assertEquals(array.at(0).x, 1e9 + numPes - 1);
        const same = await array.batchFetchSub(1, [point(0), point(0)]);
        assertEquals(same.length, 2);
        await world.asyncBarrier();
        const swapped = await array.swap(1, point(-1));
        assert(swapped.x === -1 || swapped.x === 30 * numPes);
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "records are exchanged if all of their bytes are as expected",
    async run(world) {
      const { myPe, numPes } = world;
      using array = await AtomicArray.create(world, Point, numPes, "block");
      const index = (myPe + 1) % numPes;
      const other = { ...point(0), tag: 0, count: 0 };
      const missed = await array.compareExchange(index, point(0), point(5));
      assertEquals(missed, { ok: false, value: other });
      assertEquals((await array.compareExchange(index, other, point(5))).ok, true);
      const zeros = { tag: 0, x: -0, count: 0 };
      assertEquals((await array.compareExchange(index, zeros, point(6))).ok, false);
      const list = await array.batchCompareExchange(
        [index, index, index],
        [point(5), point(5), point(6)],
        [point(6), point(7), point(8)],
      );
      assertEquals([...list.ok], [1, 0, 1]);
      assertEquals(xs(list.values), [5, 6, 6]);
      await world.asyncBarrier();
      // Only one of all PEs wins.
      using races = await LocalLockArray.create(world, Point, 50, "cyclic");
      const indices = Array.from({ length: 50 }, (_, i) => i);
      const { ok } = await races.batchCompareExchange(indices, other, point(myPe));
      const won = await world.allReduce(ok.reduce((sum, one) => sum + one, 0), "sum");
      assertEquals(won, 50);
      await world.asyncBarrier();
    },
  },
  {
    name: "integers of 128 bits, and records with optional and nested fields, keep their values",
    async run(world) {
      const { myPe, numPes } = world;
      using wide = await AtomicArray.create(world, Wide, 2);
      for (let i = 0; i < 5; i++) await wide.add(0, { hi: 0n, lo: 2n ** 63n });
      await world.asyncBarrier();
      assertEquals(wide.at(0), {
        hi: BigInt(5 * numPes) >> 1n,
        lo: BigInt(5 * numPes % 2) << 63n,
      });
      const mine: Infer<typeof MIXED> = myPe % 2 === 0
        ? { kind: "some", inner: { flag: true, at: [1.5, -0, 65535] }, maybe: NaN }
        : { kind: "none", inner: { flag: false, at: [0, 1, 2] } };
      using mixed = await UnsafeArray.from(world, Mixed, [mine], "cyclic");
      assertEquals(await mixed.load(myPe), { maybe: undefined, ...mine });
      assertEquals(mixed.localAsSlice().at(0), { maybe: undefined, ...mine });
      await world.asyncBarrier();
      await mixed.store(myPe, { kind: "none", inner: mine.inner });
      assertEquals(mixed.at(myPe).maybe, undefined);
      await world.asyncBarrier();
    },
  },
  {
    name: "arrays of records are made of values, converted, and used in place",
    async run(world) {
      const { myPe, numPes } = world;
      const array = await UnsafeArray.from(world, Point, new Set([point(myPe), point(myPe + 0.5)]));
      const slice = array.localAsMutSlice();
      assertEquals([slice.length, slice.at(-1)?.x, slice.at(2)], [2, myPe + 0.5, undefined]);
      slice.set([{ ...point(myPe + 100), count: 3 }], 1);
      slice.subarray(0, 1).fill(point(myPe + 50));
      assertEquals(xs([...slice]), [myPe + 50, myPe + 100]);
      assertThrows(() => slice.set([point(1)], 2), RangeError);
      await world.asyncBarrier();
      const atomic = await array.intoAtomic();
      assertEquals((await atomic.load(1)).x, 100);
      await world.asyncBarrier();
      const local = atomic.localData();
      assertEquals(local.length, 2);
      for (const one of local) one.add(point(1));
      assertEquals(xs([...local.values()]), [myPe + 51, myPe + 101]);
      assertEquals(local.at(1).fetchSub(point(1)).x, myPe + 101);
      assertEquals(local.at(1).compareExchange(point(0), point(1)).ok, false);
      await world.asyncBarrier();
      const locked = await atomic.intoLocalLock();
      {
        using guard = await locked.writeLock();
        guard.localData().fill(point(1));
        await guard.array.add(0, point(myPe));
      }
      await world.asyncBarrier();
      const readOnly = await locked.intoReadOnly();
      assert(readOnly instanceof ReadOnlyArray);
      const total = 2 * numPes + numPes * (numPes - 1) / 2;
      assertEquals(await readOnly.sum(), { tag: 1, x: total, count: 3 * numPes });
      assertEquals((await readOnly.max())?.x, numPes);
      assertEquals((await readOnly.reduce(FIRST))?.x, 1);
      assertEquals((await readOnly.reduce((_, b: Point) => b))?.x, 1);
      if (numPes > 1) await assertRejects(async () => await readOnly.prod(), Error, "no product");
      assertThrows(() => readOnly.min(), TypeError, 'its records have no "min"');
      await world.asyncBarrier();
      readOnly.dispose();
    },
  },
  {
    name: "arrays of records travel in AMs, in schemas and anywhere else",
    async run(world) {
      const { myPe, numPes } = world;
      using array = await AtomicArray.create(world, Point, numPes);
      const right = rightOf(world);
      const text = await world.execAmPe(right, AddTo({ to: array, index: myPe }));
      assertMatch(text, /^AtomicArray \d+ of records\.Point\[\d+\]$/);
      using unsafe = await UnsafeArray.create(world, Point, 3);
      const shown = await world.execAmPe(right, Describe({ any: { it: unsafe.subArray(1) } }));
      assertEquals(shown, [2, true]);
      const x = await world.execClosurePe(
        right,
        async (it: typeof array, i: number) => (await it.load(i)).x,
        [
          array,
          myPe,
        ],
      );
      assertEquals(x, 1);
      using other = await AtomicArray.create(world, Wide, 1);
      assertThrows(() => world.execAmPe(right, AddTo({ to: other as never, index: 0 })), TypeError);
      await world.asyncBarrier();
    },
  },
  {
    name: "an operation that fails gives the record free, and says why to who asked",
    async run(world) {
      const { myPe, numPes } = world;
      const index = (myPe + 1) % numPes;
      for (const kind of KINDS) {
        using array = await kind.create(world, Point, numPes);
        const fails = async (): Promise<void> => await array.mul(index, point(1));
        await assertRejects(fails, Error, "no product");
        await assertRejects(async () => await array.batchXor([index], point(1)), Error);
        await array.add(index, point(2));
        assertEquals(array.at(index).x, 2);
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "what is not a record, or not an operation of it, is refused before anything is done",
    async run(world) {
      const { myPe, numPes } = world;
      using array = await AtomicArray.create(world, Point, numPes + 1);
      const wrong = { ...point(1), count: -1 };
      assertThrows(
        () => array.store(0, wrong),
        RangeError,
        'of records.Point: Field "count" must be a u32',
      );
      assertThrows(() => array.put(0, [point(1), { x: 1 } as never]), TypeError);
      assertThrows(() => array.add(0, 1 as never), TypeError);
      assertThrows(() => array.shl(0, point(1)), TypeError, 'no "shl"; give it to element()');
      assertThrows(() => array.batchAdd([0, numPes + 1], point(1)), RangeError);
      assertThrows(() => array.batchAdd([0, 1], [point(1)]), RangeError, "different lengths");
      assertThrows(() => array.get(0, numPes + 2), RangeError);
      assertThrows(() => array.put(numPes + 1, point(1)), RangeError);
      assertThrows(() => array.get(0, new Float64Array(1) as never), TypeError, "into an array");
      assertThrows(() => array.sumAll(), TypeError, "collectives take elements of other types");
      assertThrows(
        () => array.compareExchangeEpsilon(0, point(0) as never, point(0) as never, 1 as never),
        TypeError,
        "records have no difference",
      );
      assertThrows(() => UnsafeArray.from(world, Point, [wrong]), RangeError, "a new UnsafeArray");
      assertThrows(() => element("records.Point", POINT), TypeError, "there are records of that");
      assertThrows(() => element("records.bad", { name: str } as never), TypeError, "fixed size");
      assertThrows(
        () => element("records.bad", POINT, { plus: () => point(1) } as never),
        TypeError,
      );
      assertEquals(xs(await array.get(0, numPes + 1)), Array(numPes + 1).fill(0));
      await world.asyncBarrier();
      if (myPe === 0) assertEquals(await array.batchLoad([]), []);
      await world.asyncBarrier();
    },
  },
  {
    name: "a put of records that is not awaited is complete after waitAll",
    pes: several,
    async run(world) {
      const { myPe, numPes } = world;
      using array = await AtomicArray.create(world, Point, numPes);
      array.putUnmanaged((myPe + 1) % numPes, point(myPe));
      await world.awaitAll();
      await world.asyncBarrier();
      assertEquals(array.at(myPe).x, (myPe + numPes - 1) % numPes);
      await world.asyncBarrier();
    },
  },
  {
    name: "records are looked at once, and operations have a record and an operand of their own",
    async run(world) {
      const { myPe, numPes } = world;
      using array = await AtomicArray.create(world, Point, 2 * numPes);
      using other = await UnsafeArray.create(world, Point, numPes);
      const index = (myPe + 1) % numPes;
      let looks = 0;
      const changing = {
        tag: 0,
        count: 0,
        get x(): number {
          // It uses another record of the type meanwhile.
          other.localAsMutSlice().set([point(666)]);
          return ++looks === 1 ? 0 : NaN;
        },
      };
      const exchanged = await array.compareExchange(index, changing, point(5));
      assertEquals([exchanged.ok, looks, array.at(index)], [true, 1, point(5)]);
      const operand = point(1);
      await array.batchAnd([index, index + numPes, index], operand);
      assertEquals(operand, point(1));
      assertEquals(xs(await array.batchLoad([index, index + numPes])), [10, 10]);
      const short = [point(0)];
      assertThrows(() => array.batchFetchAnd([index, index], operand, short), RangeError);
      assertEquals([array.at(index).x, short[0]!.x], [10, 0]);
      for (
        const call of [
          () => array.put(index, undefined as never),
          () => array.add(index, undefined as never),
          () => array.batchStore([index], undefined as never),
          () => array.putPe(0, 0, undefined as never),
        ]
      ) assertThrows(call, TypeError, "of records.Point: The payload must be an object");
      const slice = other.localAsMutSlice();
      for (const empty of [slice.subarray(0, NaN), slice.subarray(NaN, 0), slice.subarray(2, 1)]) {
        assertEquals([empty.length, empty.at(0)], [0, undefined]);
        assertThrows(() => empty.set([point(1)]), RangeError, "there are 0");
      }
      assertThrows(() => slice.set([{ x: 1 } as never]), TypeError, "set a record in a slice");
      assertThrows(() => slice.fill({ x: 1 } as never), TypeError, "fill a slice");
      assertEquals(slice.at(0)!.x, 666);
      await world.asyncBarrier();
    },
  },
];
