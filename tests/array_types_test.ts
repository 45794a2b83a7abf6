/**
 * What the type checker promises of arrays: operations that an element type or a type of array does
 * not have, and values and lists of a wrong type, do not compile. That the expectations hold is
 * what `deno check` of this file says; nothing here runs.
 */

import { assertEquals } from "@std/assert";
import {
  am,
  type ArrayReadGuard,
  type ArrayWriteGuard,
  AtomicArray,
  atomicArray,
  type CollectiveHandle,
  type ElementType,
  type GlobalLockArray,
  type Handle,
  type LamellarEnv,
  type LocalLockArray,
  type ReadableArray,
  ReadOnlyArray,
  type ReadonlySlice,
  UnsafeArray,
  type WritableArray,
} from "../mod.ts";
import { type Same, same } from "./support/same_type.ts";

function operations(
  floats: AtomicArray<"f64">,
  bools: AtomicArray<"bool">,
  counts: AtomicArray<"u64">,
  big: UnsafeArray<"bigu64">,
): void {
  floats.add(0, 1.5);
  // @ts-expect-error: floats have no shifts
  floats.shl(0, 1);
  // @ts-expect-error: nor bitwise operations
  floats.batchFetchXor([0], 1);
  bools.or(0, true);
  // @ts-expect-error: booleans have no arithmetic
  bools.add(0, true);
  // @ts-expect-error: nor take numbers
  bools.store(0, 1);
  // @ts-expect-error: a u64 is a number
  counts.add(0, 1n);
  // @ts-expect-error: a bigu64 is a BigInt
  big.add(0, 1);
  big.batchAdd([0, 1], [1n, 2n]);
  // @ts-expect-error: in lists, too
  big.batchAdd([0, 1], [1, 2]);
  // @ts-expect-error: and in iterables
  big.batchAdd(new Set([1]), new Set([1]).values());
  // @ts-expect-error: indices are numbers
  counts.batchAdd(["0"], 1);
}

function kinds(
  readOnly: ReadOnlyArray<"i32">,
  unsafe: UnsafeArray<"i32">,
  locked: LocalLockArray<"i32">,
  reading: ArrayReadGuard<"i32">,
  writing: ArrayWriteGuard<"i32">,
): void {
  // @ts-expect-error: nobody changes it
  readOnly.add(0, 1);
  // @ts-expect-error: nor puts to it
  readOnly.put(0, 1);
  // @ts-expect-error: nor writes to its local data
  readOnly.localAsSlice()[0] = 1;
  // @ts-expect-error: nor fills it
  readOnly.localAsSlice().fill(1);
  unsafe.localAsMutSlice().fill(1);
  // @ts-expect-error: its local data need a guard
  locked.localAsSlice();
  // @ts-expect-error: a guard that reads does not write
  reading.array.add(0, 1);
  // @ts-expect-error: nor to the memory
  reading.localData()[0] = 1;
  writing.array.add(0, 1);
  writing.localData()[0] = 1;
  // @ts-expect-error: there is no conversion of a type into itself
  unsafe.intoUnsafe();
  // @ts-expect-error: an i32 array takes an Int32Array
  unsafe.put(0, new Float64Array(1));
}

function results(
  array: AtomicArray<"u64">,
  big: AtomicArray<"bigi64">,
  any: ReadableArray<ElementType>,
  writable: WritableArray<"f32">,
): void {
  const [one, many] = [array.get(0), array.get(0, 5)];
  same<Same<typeof one, Handle<number>>>();
  same<Same<typeof many, Handle<Float64Array>>>();
  const found = big.batchLoad([1]);
  same<Same<typeof found, Handle<BigInt64Array>>>();
  const least = writable.min();
  same<Same<typeof least, Handle<number | undefined>>>();
  const changed = writable.min(0, 1);
  same<Same<typeof changed, Handle<void>>>();
  const value = any.at(0);
  same<Same<typeof value, number | bigint | boolean>>();
}

function making(world: LamellarEnv): void {
  const made = AtomicArray.create(world, "u64", 10, "cyclic");
  same<Same<typeof made, CollectiveHandle<AtomicArray<"u64">>>>();
  const given = ReadOnlyArray.from(world, "f32", [1, 2]);
  same<Same<typeof given, CollectiveHandle<ReadOnlyArray<"f32">>>>();
  // @ts-expect-error: there is no such distribution
  AtomicArray.create(world, "u64", 10, "blocks");
  // @ts-expect-error: there is no such element type
  AtomicArray.create(world, "u128", 10);
  // @ts-expect-error: a length is a number
  AtomicArray.create(world, "u64", 10n);
  // @ts-expect-error: what is given has values, not a length
  UnsafeArray.from(world, "u64", 10n);
  // @ts-expect-error: a u64 is a number
  UnsafeArray.from(world, "u64", [1n]);
  // @ts-expect-error: in iterables, too
  UnsafeArray.from(world, "u64", new Set([1n]));
  // @ts-expect-error: a bigi64 is a BigInt
  UnsafeArray.from(world, "bigi64", [1]);
}

function copying(
  target: UnsafeArray<"f64">,
  source: AtomicArray<"f64">,
  other: AtomicArray<"f32">,
  fixed: ReadOnlyArray<"f64">,
  locked: LocalLockArray<"f64">,
): void {
  target.put(0, fixed);
  target.get(0, locked);
  // @ts-expect-error: the elements of both have one type
  target.put(0, other);
  // @ts-expect-error: for gets, too
  target.get(0, other);
  // @ts-expect-error: nobody writes to it
  source.get(0, fixed);
  // @ts-expect-error: an array is no source of the elements of one PE
  target.putPe(0, 0, source);
  // @ts-expect-error: what takes arrays to write to does not take it
  const wrong: WritableArray<"f64"> = fixed;
  const right: WritableArray<"f64"> = locked;
  // @ts-expect-error: what is sent has the type of the schema
  Sent({ array: other });
  Sent({ array: source });
  void [wrong, right];
}

function collectives(
  unsafe: UnsafeArray<"i32">,
  fixed: ReadOnlyArray<"i32">,
  locked: LocalLockArray<"i32">,
  global: GlobalLockArray<"i32">,
): void {
  const sums = unsafe.sumAll();
  same<Same<typeof sums, CollectiveHandle<Int32Array>>>();
  const atPe = fixed.gatherAtPe(0);
  same<Same<typeof atPe, CollectiveHandle<Int32Array | null>>>();
  // @ts-expect-error: nobody changes it
  fixed.sumAllInPlace();
  // @ts-expect-error: nor does a broadcast
  fixed.broadcast(0);
  // @ts-expect-error: collectives do not look at locks
  locked.sumAll();
  // @ts-expect-error: of whatever kind
  global.gatherAll();
  // @ts-expect-error: a range of an array is filled with its type
  unsafe.sumAllIntoBuffer(new Float32Array(1));
  // @ts-expect-error: a PE is a number
  unsafe.sumAtPe("0");
}

async function exchanging(
  floats: AtomicArray<"f64">,
  bools: AtomicArray<"bool">,
  big: AtomicArray<"bigu64">,
): Promise<void> {
  const { ok, value } = await floats.compareExchangeEpsilon(0, 1, 2, 0.1);
  same<Same<[typeof ok, typeof value], [boolean, number]>>();
  // @ts-expect-error: booleans differ or they do not
  bools.compareExchangeEpsilon(0, true, false, true);
  // @ts-expect-error: a difference of BigInts is one
  big.compareExchangeEpsilon(0, 1n, 2n, 1);
  // @ts-expect-error: the difference is missing
  floats.batchCompareExchangeEpsilon([0], 1, 2);
  const element = bools.localData().at(0);
  // @ts-expect-error: an element has the operations of its type
  element.add(true);
  // @ts-expect-error: floats have no bits
  floats.localData().at(0).fetchXor(1);
  const all = big.localData().values();
  same<Same<typeof all, IterableIterator<bigint>>>();
}

async function locals(
  unsafe: UnsafeArray<"u16">,
  fixed: ReadOnlyArray<"u16">,
  atomic: AtomicArray<"u16">,
  local: LocalLockArray<"u16">,
  global: GlobalLockArray<"u16">,
): Promise<void> {
  unsafe.localChunks(5)[0]![0] = 1;
  const chunks = fixed.localChunks(5);
  same<Same<typeof chunks, ReadonlySlice<"u16">[]>>();
  // @ts-expect-error: nobody changes it
  chunks[0]![0] = 1;
  // @ts-expect-error: nor parts of it
  chunks[0]!.subarray(1).fill(0);
  // @ts-expect-error: what a loop writes there would not be atomic
  atomic.localAsSlice();
  // @ts-expect-error: nor has it chunks
  atomic.localChunks(5);
  (await global.collectiveWriteLock()).localData()[0] = 1;
  // @ts-expect-error: it has a lock for each PE
  local.collectiveWriteLock();
  // @ts-expect-error: its lock may be far
  global.tryWriteLock();
  const printed = atomic.print();
  same<Same<typeof printed, CollectiveHandle<void>>>();
}

const Sent = am("array types", { array: atomicArray("f64") }, (self) => {
  same<Same<typeof self.array, AtomicArray<"f64">>>();
});

Deno.test("What arrays do not have does not compile", () => {
  assertEquals([operations, kinds, results].map(({ length }) => length), [4, 5, 4]);
  const others = [making, copying, collectives, exchanging, locals];
  assertEquals(others.map(({ length }) => length), [1, 5, 4, 3, 5]);
});
