/**
 * What the type checker promises of arrays: operations that an element type or a type of array does
 * not have, and values and lists of a wrong type, do not compile. That the expectations hold is
 * what `deno check` of this file says; nothing here runs.
 */

import { assertEquals } from "@std/assert";
import type {
  ArrayReadGuard,
  ArrayWriteGuard,
  AtomicArray,
  ElementType,
  Handle,
  LocalLockArray,
  ReadableArray,
  ReadOnlyArray,
  UnsafeArray,
  WritableArray,
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

Deno.test("What arrays do not have does not compile", () => {
  assertEquals([operations, kinds, results].map(({ length }) => length), [4, 5, 4]);
});
