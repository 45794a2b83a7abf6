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

import type {
  BatchFetchName,
  BatchName,
  ElementOp,
  FetchOp,
  IntegerOp,
  ReductionOp,
  RowName,
  UpdateOp,
} from "./element_ops.ts";
import type { MemoryType } from "./elements.ts";

/** The comparison codes of `test`. */
export const Comparison = { eq: 0, ne: 1, gt: 2, ge: 3, lt: 4, le: 5 } as const;

/**
 * Works on the elements at a list of indices in a spread: reads them to `out`, writes them, or
 * changes them by `values`; what it does not need it does not look at.
 */
export type BatchKernel = (
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

/** The kernels of operations for lists of indices. Integers wrap; NaN comes before any number. */
export type BatchKernels<O extends ElementOp> =
  & { readonly [Op in O & UpdateOp as BatchName<Op>]: BatchKernel }
  & { readonly [Op in O & FetchOp as BatchFetchName<Op>]: BatchKernel };

/** The kernels of operations, each in all its forms. */
export type OpKernels<V, O extends ElementOp> =
  & { readonly [Op in O as `atomic${Capitalize<Op>}`]: AtomicUpdate<V> }
  & BatchKernels<O>;

/** Combines two rows of `n` elements, one by one, into a third, which may be one of them. */
export type RowKernel = (to: number, a: number, b: number, n: number) => void;

/** The kernels of reductions. Integers wrap; NaN comes before any number, -0 is less than 0. */
export type RowKernels<O extends ReductionOp> = { readonly [Op in O as RowName<Op>]: RowKernel };

/** Kernels of any element type. `V` is what a value is in JavaScript. */
export type ElementKernels<V> =
  & PlainKernels<V>
  & OpKernels<V, Exclude<ElementOp, IntegerOp>>
  & RowKernels<Exclude<ReductionOp, IntegerOp>>;

/** Kernels of booleans. */
export type BooleanKernels =
  & PlainKernels<boolean>
  & OpKernels<boolean, "store" | "swap" | "and" | "or" | "xor">;

/** Kernels of integer types: those of all types and those of operations that only they have. */
export type IntegerKernels<V> =
  & PlainKernels<V>
  & OpKernels<V, ElementOp>
  & RowKernels<ReductionOp>;

/** Kernels that are not an operation of the table. */
export interface PlainKernels<V> {
  /** Plain load. */
  load(at: number): V;
  /** Plain store. */
  store(at: number, value: V): void;
  /** Atomic load. */
  atomicLoad(at: number): V;
  /** Replaces if the element has the bits of `expected`, and returns what it was. */
  cas(at: number, expected: V, desired: V): V;
  /** Compares an atomic load with a value, by a code of {@linkcode Comparison}: 1 or 0. */
  test(at: number, code: number, value: V): number;
  /** Sets `n` elements, not atomically. */
  fill(at: number, value: V, n: number): void;

  /** Replaces each that is as expected and tells what it was; `values` are pairs of the two. */
  batchCas: BatchKernel;
  /** Plain loads of each into `out`. */
  gather: BatchKernel;
  /** Plain stores to each. */
  scatter: BatchKernel;
}

/** What a value is in JavaScript, by what it is in memory. */
export type KernelValue<T extends MemoryType> = T extends "u64" | "i64" ? bigint : number;

/** The kernels of an element type, by its name. */
export type KernelsOf<T extends MemoryType> = T extends "f32" | "f64"
  ? ElementKernels<KernelValue<T>>
  : IntegerKernels<KernelValue<T>>;
