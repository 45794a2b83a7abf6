/**
 * Operations on a list of elements in one call of a kernel.
 *
 * @module
 */

import type { ElementArray, ElementType } from "./element_types.ts";
import type { RmaHandle } from "./handle.ts";
import {
  type GetTarget,
  type IndexSource,
  type IntegerSource,
  MemoryRegion,
  newArray,
  type PutSource,
} from "./region.ts";
import { MEMORY } from "./region_memory.ts";

/**
 * Operations on a list of elements. Indices run over all parts of the region: of a shared one,
 * element i on PE p has p × `length` + i; a one-sided one has one part.
 */
export abstract class RegionBatches<E extends ElementType> extends MemoryRegion<E> {
  /**
   * Adds to each of a list of elements; each change is atomic.
   *
   * @param indices The indices.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchAdd(indices: IndexSource, values: PutSource<E>): RmaHandle<void> {
    return this.services.ended(
      this.services.batches.update(this[MEMORY], "batchAdd", indices, values),
    );
  }

  /**
   * Subtracts from each of a list of elements; each change is atomic.
   *
   * @param indices The indices.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchSub(indices: IndexSource, values: PutSource<E>): RmaHandle<void> {
    return this.services.ended(
      this.services.batches.update(this[MEMORY], "batchSub", indices, values),
    );
  }

  /**
   * Keeps the smaller value at each of a list of elements; each change is
   * atomic.
   *
   * @param indices The indices.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchMin(indices: IndexSource, values: PutSource<E>): RmaHandle<void> {
    return this.services.ended(
      this.services.batches.update(this[MEMORY], "batchMin", indices, values),
    );
  }

  /**
   * Keeps the larger value at each of a list of elements; each change is atomic.
   *
   * @param indices The indices.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchMax(indices: IndexSource, values: PutSource<E>): RmaHandle<void> {
    return this.services.ended(
      this.services.batches.update(this[MEMORY], "batchMax", indices, values),
    );
  }

  /**
   * Keeps only the given bits at each of a list of elements; each change is
   * atomic.
   *
   * @param indices The indices.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchAnd(indices: IndexSource, values: IntegerSource<E>): RmaHandle<void> {
    return this.services.ended(
      this.services.batches.update(this[MEMORY], "batchAnd", indices, values),
    );
  }

  /**
   * Sets bits at each of a list of elements; each change is atomic.
   *
   * @param indices The indices.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchOr(indices: IndexSource, values: IntegerSource<E>): RmaHandle<void> {
    return this.services.ended(
      this.services.batches.update(this[MEMORY], "batchOr", indices, values),
    );
  }

  /**
   * Flips bits at each of a list of elements; each change is atomic.
   *
   * @param indices The indices.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchXor(indices: IndexSource, values: IntegerSource<E>): RmaHandle<void> {
    return this.services.ended(
      this.services.batches.update(this[MEMORY], "batchXor", indices, values),
    );
  }

  /**
   * Stores atomically to each of a list of elements; each change is atomic.
   *
   * @param indices The indices.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchStore(indices: IndexSource, values: PutSource<E>): RmaHandle<void> {
    return this.services.ended(
      this.services.batches.update(this[MEMORY], "batchStore", indices, values),
    );
  }

  /**
   * Writes each of a list of elements, not atomically, in the order of the list.
   *
   * @param indices The indices.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  scatter(indices: IndexSource, values: PutSource<E>): RmaHandle<void> {
    return this.services.ended(
      this.services.batches.update(this[MEMORY], "scatter", indices, values),
    );
  }

  /**
   * Adds to each of a list of elements atomically, and tells what they were.
   *
   * @param indices The indices.
   * @param values A value for each, or one for all.
   * @returns A handle for a new typed array.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchFetchAdd(indices: IndexSource, values: PutSource<E>): RmaHandle<ElementArray<E>>;
  /**
   * Adds to each of a list of elements atomically, and tells what they were.
   *
   * @param indices The indices.
   * @param values A value for each, or one for all.
   * @param target What to fill.
   * @returns A handle for the end.
   */
  batchFetchAdd(
    indices: IndexSource,
    values: PutSource<E>,
    target: GetTarget<E>,
  ): RmaHandle<void>;
  batchFetchAdd(
    indices: IndexSource,
    values: PutSource<E>,
    target?: GetTarget<E>,
  ): RmaHandle<ElementArray<E>> | RmaHandle<void> {
    const into = target ?? newArray(this.type, indices.length);
    const rest = this.services.batches.fetchAdd(this[MEMORY], indices, values, into);
    return target
      ? this.services.ended(rest)
      : this.services.givenAfter(rest, into as ElementArray<E>);
  }

  /**
   * Reads each of a list of elements, not atomically.
   *
   * @param indices The indices.
   * @returns A handle for a new typed array.
   * @throws {RangeError} At an index out of range.
   */
  gather(indices: IndexSource): RmaHandle<ElementArray<E>>;
  /**
   * Reads each of a list of elements, not atomically.
   *
   * @param indices The indices.
   * @param target What to fill.
   * @returns A handle for the end.
   */
  gather(indices: IndexSource, target: GetTarget<E>): RmaHandle<void>;
  gather(
    indices: IndexSource,
    target?: GetTarget<E>,
  ): RmaHandle<ElementArray<E>> | RmaHandle<void> {
    const into = target ?? newArray(this.type, indices.length);
    const rest = this.services.batches.gather(this[MEMORY], indices, into);
    return target
      ? this.services.ended(rest)
      : this.services.givenAfter(rest, into as ElementArray<E>);
  }
}
