/**
 * How the elements of an array are used: directly, or while a lock is held.
 *
 * @module
 */

import type { FetchOp, UpdateOp } from "../internal/element_ops.ts";
import type { Handle } from "../lamellae/mod.ts";
import type { ArrayLocks } from "./lock/array_locks.ts";
import type {
  AnyElement,
  BatchCompareExchangeResult,
  CompareExchangeResult,
  ElementArray,
  ElementValue,
  RunName,
} from "../memregion/mod.ts";

/** What is locked to use an element: its part, or everything. */
export type LockScope = "part" | "whole";

/** Every use of the elements of an array; a span has all of it. */
export interface ArrayElements<E extends AnyElement> {
  /** The locks that are held meanwhile, if there are any. */
  readonly locked?: { readonly locks: ArrayLocks; readonly scope: LockScope };
  at(index: number): ElementValue<E>;
  getOne(index: number): Handle<ElementValue<E>>;
  getBuffer(op: string, index: number, count: number): Handle<ElementArray<E>>;
  getInto(index: number, target: unknown): Handle<void>;
  getOneIn(part: number, offset: number): Handle<ElementValue<E>>;
  getBufferIn(part: number, offset: number, count: number): Handle<ElementArray<E>>;
  getIntoIn(part: number, offset: number, target: unknown): Handle<void>;
  put(index: number, source: unknown): Handle<void>;
  putIn(op: string, part: number, offset: number, source: unknown): Handle<void>;
  putEverywhere(offset: number, source: unknown): Handle<void>;
  fill(value: ElementValue<E>): Handle<void>;
  load(index: number): Handle<ElementValue<E>>;
  update(name: UpdateOp, index: number, value: ElementValue<E>): Handle<void>;
  fetch(
    name: FetchOp,
    op: string,
    index: number,
    value: ElementValue<E>,
  ): Handle<ElementValue<E>>;
  compareExchange(
    index: number,
    expected: ElementValue<E>,
    replacement: ElementValue<E>,
  ): Handle<CompareExchangeResult<E>>;
  batch(name: RunName, indices: unknown, values: unknown): Handle<void>;
  batchFetch(name: RunName, indices: unknown, values?: unknown): Handle<ElementArray<E>>;
  batchInto(name: RunName, indices: unknown, values: unknown, target: unknown): Handle<void>;
  batchCompareExchange(
    indices: unknown,
    expected: unknown,
    replacements: unknown,
  ): Handle<BatchCompareExchangeResult<E>>;
}
