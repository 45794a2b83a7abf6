/**
 * The kernels of one element type, as `kernels.ts` hands them out.
 *
 * Addresses are bytes in the shared memory and multiples of the element's size wherever a kernel
 * is atomic. Counts are elements. A list of indices is `width` bytes an index, 4 or 8, unsigned. A
 * list of values is read with a step in bytes, where 0 means one value for all. Batched kernels
 * return how many items they did: `n`, or as many as stand before the first index out of range.
 *
 * @module
 */

/** The name of an element type. */
export type ElementName =
  | "u8"
  | "i8"
  | "u16"
  | "i16"
  | "u32"
  | "i32"
  | "u64"
  | "i64"
  | "f32"
  | "f64";

/** The comparison codes of `test`. */
export const Comparison = { eq: 0, ne: 1, gt: 2, ge: 3, lt: 4, le: 5 } as const;

/** Changes the elements at a list of indices in a spread. */
export type BatchUpdate = (
  spread: number,
  idx: number,
  width: number,
  values: number,
  step: number,
  n: number,
) => number;

/** Changes the elements at a list of indices in a spread, and writes to `out` what they were. */
export type BatchFetch = (
  spread: number,
  idx: number,
  width: number,
  values: number,
  step: number,
  out: number,
  n: number,
) => number;

/** Changes one element atomically and returns what it was. */
export type AtomicUpdate<V> = (at: number, value: V) => V;

/** Kernels of any element type. `V` is what a value is in JavaScript. */
export interface ElementKernels<V> {
  /** Plain load. */
  load(at: number): V;
  /** Plain store. */
  store(at: number, value: V): void;
  /** Atomic load. */
  atomicLoad(at: number): V;
  /** Atomic store. */
  atomicStore(at: number, value: V): void;
  /** Adds; integers wrap. */
  atomicAdd: AtomicUpdate<V>;
  /** Subtracts; integers wrap. */
  atomicSub: AtomicUpdate<V>;
  /** Multiplies; integers wrap. */
  atomicMul: AtomicUpdate<V>;
  /** Keeps the smaller one; NaN if either is. */
  atomicMin: AtomicUpdate<V>;
  /** Keeps the larger one; NaN if either is. */
  atomicMax: AtomicUpdate<V>;
  /** Replaces. */
  atomicXchg: AtomicUpdate<V>;
  /** Replaces if the element has the bits of `expected`, and returns what it was. */
  cas(at: number, expected: V, desired: V): V;
  /** Compares an atomic load with a value, by a code of {@linkcode Comparison}: 1 or 0. */
  test(at: number, code: number, value: V): number;
  /** Sets `n` elements, not atomically. */
  fill(at: number, value: V, n: number): void;

  /** Adds to each. */
  batchAdd: BatchUpdate;
  /** Subtracts from each. */
  batchSub: BatchUpdate;
  /** Multiplies each. */
  batchMul: BatchUpdate;
  /** Keeps the smaller of each. */
  batchMin: BatchUpdate;
  /** Keeps the larger of each. */
  batchMax: BatchUpdate;
  /** Stores to each atomically. */
  batchStore: BatchUpdate;
  /** Adds to each and tells what it was. */
  batchFetchAdd: BatchFetch;
  /** Subtracts from each and tells what it was. */
  batchFetchSub: BatchFetch;
  /** Multiplies each and tells what it was. */
  batchFetchMul: BatchFetch;
  /** Keeps the smaller of each and tells what it was. */
  batchFetchMin: BatchFetch;
  /** Keeps the larger of each and tells what it was. */
  batchFetchMax: BatchFetch;
  /** Replaces each and tells what it was. */
  batchFetchXchg: BatchFetch;
  /** Replaces each that is as expected and tells what it was. */
  batchCas(
    spread: number,
    idx: number,
    width: number,
    expected: number,
    expectedStep: number,
    desired: number,
    desiredStep: number,
    out: number,
    n: number,
  ): number;
  /** Plain loads of each into `out`. */
  gather(spread: number, idx: number, width: number, out: number, n: number): number;
  /** Plain stores to each. */
  scatter: BatchUpdate;
  /** Like `gather` over one part of `length` elements at `base`. */
  indexedGet(
    base: number,
    length: number,
    idx: number,
    width: number,
    out: number,
    n: number,
  ): number;
  /** Like `scatter` over one part of `length` elements at `base`. */
  indexedPut(
    base: number,
    length: number,
    idx: number,
    width: number,
    values: number,
    step: number,
    n: number,
  ): number;
}

/** Kernels of integer types: those of all types and the bitwise ones. */
export interface IntegerKernels<V> extends ElementKernels<V> {
  /** Keeps only the given bits. */
  atomicAnd: AtomicUpdate<V>;
  /** Sets the given bits. */
  atomicOr: AtomicUpdate<V>;
  /** Flips the given bits. */
  atomicXor: AtomicUpdate<V>;
  /** Keeps only the given bits of each. */
  batchAnd: BatchUpdate;
  /** Sets the given bits of each. */
  batchOr: BatchUpdate;
  /** Flips the given bits of each. */
  batchXor: BatchUpdate;
  /** Keeps only the given bits of each and tells what it was. */
  batchFetchAnd: BatchFetch;
  /** Sets the given bits of each and tells what it was. */
  batchFetchOr: BatchFetch;
  /** Flips the given bits of each and tells what it was. */
  batchFetchXor: BatchFetch;
}

/** What a value of each element type is in JavaScript. */
export interface ElementValues {
  /** Number. */
  u8: number;
  /** Number. */
  i8: number;
  /** Number. */
  u16: number;
  /** Number. */
  i16: number;
  /** Number. */
  u32: number;
  /** Number. */
  i32: number;
  /** BigInt. */
  u64: bigint;
  /** BigInt. */
  i64: bigint;
  /** Number. */
  f32: number;
  /** Number. */
  f64: number;
}

/** The kernels of an element type, by its name. */
export type KernelsOf<T extends ElementName> = T extends "f32" | "f64"
  ? ElementKernels<ElementValues[T]>
  : IntegerKernels<ElementValues[T]>;
