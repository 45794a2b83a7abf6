/**
 * Every operation on elements, one by one and in batches, for several types of elements and arrays.
 * All PEs are at it at the same time, each at elements of all PEs.
 *
 *     deno task run:local -n 4 examples/arrays/array_ops.ts
 *
 * @module
 */

import {
  AtomicArray,
  type BitsValue,
  element,
  type ElementType,
  type ElementValue,
  f64,
  GlobalLockArray,
  type Infer,
  type IntegerValue,
  LamellarWorldBuilder,
  LocalLockArray,
  type NumericValue,
  UnsafeArray,
  type WritableArray,
} from "../../mod.ts";

type NumberType = Exclude<ElementType, "bool">;

const point = { x: f64, y: f64 };
type Point = Infer<typeof point>;
const Point = element("array_ops.Point", point, {
  add: (a: Point, b) => ({ x: a.x + b.x, y: a.y + b.y }),
  max: (a, b) => a.x >= b.x ? a : b,
});

/** Elements for each PE to use. */
const EACH = 8;

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
/** The elements that only this PE uses: some of each PE. */
const mine = Uint32Array.from({ length: EACH }, (_, i) => myPe + i * numPes);
const one = mine[myPe % EACH]!;

let results = 0;

/** Compares results with what they should be, as numbers. */
function check(what: string, found: Iterable<unknown>, expected: readonly number[]): void {
  const values = Array.from(found, Number);
  if (`${values}` !== `${expected}`) {
    throw new Error(`PE ${myPe}: ${what} gave ${values}, not ${expected}`);
  }
  results += values.length;
}

function times(value: number): number[] {
  return Array(EACH).fill(value);
}

/** Reads, writes and exchanges: every type has them. */
async function access<E extends ElementType>(
  array: WritableArray<E>,
  no: ElementValue<E>,
  yes: ElementValue<E>,
): Promise<void> {
  const [low, high] = [Number(no), Number(yes)];
  await array.store(one, yes);
  check("swap", [await array.swap(one, no), await array.load(one)], [high, low]);
  const kept = await array.compareExchange(one, yes, no);
  const replaced = await array.compareExchange(one, no, yes);
  check("compareExchange", [kept.ok, kept.value, replaced.ok, replaced.value], [0, low, 1, low]);

  await array.batchStore(mine, no);
  check("batchSwap", await array.batchSwap(mine, yes), times(low));
  check("batchLoad", await array.batchLoad(mine), times(high));
  const { ok, values } = await array.batchCompareExchange(mine, yes, no);
  check("batchCompareExchange", [...ok, ...values], [...times(1), ...times(high)]);
}

/** Arithmetic, and the lesser and the greater: all numbers have them. */
async function arithmetic<E extends NumberType>(
  array: WritableArray<E>,
  of: (value: number) => NumericValue<E>,
): Promise<void> {
  await array.store(one, of(12));
  await array.add(one, of(5));
  await array.sub(one, of(10));
  await array.mul(one, of(6));
  await array.div(one, of(2));
  await array.rem(one, of(8));
  await array.max(one, of(9));
  await array.min(one, of(4));
  check("arithmetic", [await array.load(one)], [4]);

  await array.store(one, of(12));
  const before = [
    await array.fetchAdd(one, of(5)),
    await array.fetchSub(one, of(10)),
    await array.fetchMul(one, of(6)),
    await array.fetchDiv(one, of(2)),
    await array.fetchRem(one, of(8)),
    await array.fetchMax(one, of(9)),
    await array.fetchMin(one, of(4)),
  ];
  check("fetching arithmetic", before, [12, 17, 7, 42, 21, 5, 9]);
  const near = await array.compareExchangeEpsilon(one, of(5), of(7), of(2));
  check("compareExchangeEpsilon", [near.ok, near.value, await array.load(one)], [1, 4, 7]);

  await array.batchStore(mine, of(12));
  await array.batchAdd(mine, of(5)); // many indices, one value
  await array.batchSub(mine, Array.from(mine, () => of(10))); // pairs
  await array.batchMul(one, [of(2), of(3)]); // one index, many values
  await array.batchMul(mine.filter((index) => index !== one), of(6));
  check("batchFetchDiv", await array.batchFetchDiv(mine, of(2)), times(42));
  check("batchFetchRem", await array.batchFetchRem(mine, of(8)), times(21));
  check("batchFetchMax", await array.batchFetchMax(mine, of(9)), times(5));
  check("batchFetchMin", await array.batchFetchMin(mine, of(4)), times(9));
  check("batchFetchAdd", await array.batchFetchAdd(one, [of(1), of(2)]), [4, 5]);
}

/** Operations on bits: integers and booleans have them. */
async function bits<E extends Exclude<ElementType, "f32" | "f64">>(
  array: WritableArray<E>,
  of: (value: number) => BitsValue<E>,
): Promise<void> {
  await array.store(one, of(1));
  await array.and(one, of(1));
  await array.or(one, of(0));
  await array.xor(one, of(1));
  check("bits", [await array.load(one)], [0]);
  const before = [
    await array.fetchOr(one, of(1)),
    await array.fetchAnd(one, of(1)),
    await array.fetchXor(one, of(1)),
    await array.load(one),
  ];
  check("fetching bits", before, [0, 1, 1, 0]);

  await array.batchStore(mine, of(0));
  check("batchFetchOr", await array.batchFetchOr(mine, of(1)), times(0));
  check("batchFetchAnd", await array.batchFetchAnd(mine, of(1)), times(1));
  check("batchFetchXor", await array.batchFetchXor(mine, of(1)), times(1));
}

/** Shifts: integers have them. */
async function shifts<E extends Exclude<NumberType, "f32" | "f64">>(
  array: WritableArray<E>,
  of: (value: number) => IntegerValue<E>,
): Promise<void> {
  await array.store(one, of(5));
  await array.shl(one, of(3));
  await array.shr(one, of(1));
  check("shifts", [await array.load(one)], [20]);
  const before = [await array.fetchShl(one, of(2)), await array.fetchShr(one, of(4))];
  check("fetching shifts", before, [20, 80]);

  await array.batchStore(mine, of(3));
  check("batchFetchShl", await array.batchFetchShl(mine, of(4)), times(3));
  check("batchFetchShr", await array.batchFetchShr(mine, of(3)), times(48));
  check("batchLoad", await array.batchLoad(mine), times(6));
}

/** All PEs change the same element. */
async function together<E extends NumberType>(
  array: WritableArray<E>,
  of: (value: number) => NumericValue<E>,
): Promise<void> {
  await array.asyncBarrier();
  if (myPe === 0) await array.fill(of(0));
  await array.asyncBarrier();
  await array.batchAdd(0, Array(EACH).fill(of(1)));
  await array.add(0, of(1));
  await array.asyncBarrier();
  check("the additions of all PEs", [await array.load(0)], [(EACH + 1) * numPes]);
}

/** Records, with the operations that they were given. */
async function records(array: WritableArray<typeof Point>): Promise<void> {
  const point = (x: number, y: number): Point => ({ x, y });
  await array.store(one, point(1, 2));
  await array.add(one, point(0.5, 3));
  const before = await array.fetchMax(one, point(9, 0));
  const after = await array.load(one);
  check("records", [before.x, before.y, after.x, after.y], [1.5, 5, 9, 0]);
  const missed = await array.compareExchange(one, point(9, 1), point(0, 0));
  check("an exchange of records", [missed.ok, missed.value.x], [0, 9]);

  await array.batchStore(mine, point(1, 1));
  await array.batchAdd(mine, Array.from(mine, (_, i) => point(i, -1)));
  const points = await array.batchLoad(mine);
  check("batches of records", points.map(({ x, y }) => x + y), Array.from(mine, (_, i) => i + 1));
}

const number = (value: number): number => value;

for (const type of [AtomicArray, LocalLockArray, GlobalLockArray, UnsafeArray]) {
  results = 0;
  for (const name of ["u8", "i16", "u32", "i64"] as const) {
    using array = await type.create(world, name, EACH * numPes, "block");
    await access(array, 0, 1);
    await arithmetic(array, number);
    await bits(array, number);
    await shifts(array, number);
    await together(array, number);
  }
  {
    using array = await type.create(world, "bigu64", EACH * numPes, "cyclic");
    await access(array, 0n, 1n);
    await arithmetic(array, BigInt);
    await bits(array, BigInt);
    await shifts(array, BigInt);
    await together(array, BigInt);
  }
  for (const name of ["f32", "f64"] as const) {
    using array = await type.create(world, name, EACH * numPes, "cyclic");
    await access(array, -0.5, 0.25);
    await arithmetic(array, number);
    await together(array, number);
  }
  {
    using array = await type.create(world, "bool", EACH * numPes, "block");
    await access(array, false, true);
    await bits(array, Boolean);
  }
  {
    using array = await type.create(world, Point, EACH * numPes, "cyclic");
    await records(array);
  }
  await world.asyncBarrier();
  if (myPe === 0) console.log(`${type.name}: ${results} results of each PE are right`);
}
