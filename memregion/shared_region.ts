/**
 * Shared regions: memory that every PE has a part of.
 *
 * @module
 */

import type { ElementArray, ElementType, ElementValue } from "./element_types.ts";
import type { RmaHandle } from "./handle.ts";
import {
  type GetTarget,
  type IndexSource,
  type IntegerSource,
  newArray,
  type PutSource,
} from "./region.ts";
import { MEMORY } from "./region_memory.ts";
import { SharedRma } from "./shared_rma.ts";

/**
 * Memory of which every PE has a part of the same length, made by `allocSharedMemRegion`. Any PE
 * reads and writes any part, unsynchronised but for the atomic operations, of which the batched
 * ones take indices over all parts.
 *
 * The memory is used again once every PE has disposed its handle. A sub-region, and a handle that
 * came in an active message, shares the memory and does not keep it: disposing it only closes that
 * handle.
 */
export class SharedMemoryRegion<E extends ElementType> extends SharedRma<E> {
  /** Number of PEs that have a part: all of the world. */
  get numPes(): number {
    return this[MEMORY].space.lamella.numPes;
  }

  /**
   * Reads an element on this PE.
   *
   * @param index Index of the element.
   * @returns Its value.
   */
  at(index: number): ElementValue<E>;
  /**
   * Reads an element on any PE.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @returns Its value.
   */
  at(pe: number, index: number): ElementValue<E>;
  at(first: number, second?: number): ElementValue<E> {
    const memory = this[MEMORY];
    return second === undefined
      ? memory.access.read(memory, memory.localPart, first)
      : memory.access.read(memory, first, second);
  }

  /**
   * A range of every part, sharing the memory.
   *
   * @param start Index of its first element.
   * @param end Index after its last; the end of the region if left out.
   * @returns The range as a region.
   * @throws {RangeError} If it is no range of this region.
   */
  subRegion(start: number, end: number = this.length): SharedMemoryRegion<E> {
    return new SharedMemoryRegion(this.services, this[MEMORY].subRange(start, end));
  }

  /**
   * Adds to each of a list of elements, wherever they are; each change is atomic.
   *
   * @param indices Global indices: element i on PE p has p × `length` + i.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchAdd(indices: IndexSource, values: PutSource<E>): RmaHandle<void> {
    this.services.batches.update(this[MEMORY], "batchAdd", indices, values);
    return this.services.done;
  }

  /**
   * Subtracts from each of a list of elements, wherever they are; each change is atomic.
   *
   * @param indices Global indices: element i on PE p has p × `length` + i.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchSub(indices: IndexSource, values: PutSource<E>): RmaHandle<void> {
    this.services.batches.update(this[MEMORY], "batchSub", indices, values);
    return this.services.done;
  }

  /**
   * Keeps the smaller value at each of a list of elements, wherever they are; each change is
   * atomic.
   *
   * @param indices Global indices: element i on PE p has p × `length` + i.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchMin(indices: IndexSource, values: PutSource<E>): RmaHandle<void> {
    this.services.batches.update(this[MEMORY], "batchMin", indices, values);
    return this.services.done;
  }

  /**
   * Keeps the larger value at each of a list of elements, wherever they are; each change is atomic.
   *
   * @param indices Global indices: element i on PE p has p × `length` + i.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchMax(indices: IndexSource, values: PutSource<E>): RmaHandle<void> {
    this.services.batches.update(this[MEMORY], "batchMax", indices, values);
    return this.services.done;
  }

  /**
   * Keeps only the given bits at each of a list of elements, wherever they are; each change is
   * atomic.
   *
   * @param indices Global indices: element i on PE p has p × `length` + i.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchAnd(indices: IndexSource, values: IntegerSource<E>): RmaHandle<void> {
    this.services.batches.update(this[MEMORY], "batchAnd", indices, values);
    return this.services.done;
  }

  /**
   * Sets bits at each of a list of elements, wherever they are; each change is atomic.
   *
   * @param indices Global indices: element i on PE p has p × `length` + i.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchOr(indices: IndexSource, values: IntegerSource<E>): RmaHandle<void> {
    this.services.batches.update(this[MEMORY], "batchOr", indices, values);
    return this.services.done;
  }

  /**
   * Flips bits at each of a list of elements, wherever they are; each change is atomic.
   *
   * @param indices Global indices: element i on PE p has p × `length` + i.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchXor(indices: IndexSource, values: IntegerSource<E>): RmaHandle<void> {
    this.services.batches.update(this[MEMORY], "batchXor", indices, values);
    return this.services.done;
  }

  /**
   * Stores atomically to each of a list of elements, wherever they are; each change is atomic.
   *
   * @param indices Global indices: element i on PE p has p × `length` + i.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchStore(indices: IndexSource, values: PutSource<E>): RmaHandle<void> {
    this.services.batches.update(this[MEMORY], "batchStore", indices, values);
    return this.services.done;
  }

  /**
   * Writes each of a list of elements, not atomically, in the order of the list.
   *
   * @param indices Global indices: element i on PE p has p × `length` + i.
   * @param values A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  scatter(indices: IndexSource, values: PutSource<E>): RmaHandle<void> {
    this.services.batches.update(this[MEMORY], "scatter", indices, values);
    return this.services.done;
  }

  /**
   * Adds to each of a list of elements atomically, and tells what they were.
   *
   * @param indices Global indices: element i on PE p has p × `length` + i.
   * @param values A value for each, or one for all.
   * @returns A handle for a new typed array.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  batchFetchAdd(indices: IndexSource, values: PutSource<E>): RmaHandle<ElementArray<E>>;
  /**
   * Adds to each of a list of elements atomically, and tells what they were.
   *
   * @param indices Global indices: element i on PE p has p × `length` + i.
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
    this.services.batches.fetchAdd(this[MEMORY], indices, values, into);
    return target ? this.services.done : this.services.given(into as ElementArray<E>);
  }

  /**
   * Reads each of a list of elements, not atomically.
   *
   * @param indices Global indices: element i on PE p has p × `length` + i.
   * @returns A handle for a new typed array.
   * @throws {RangeError} At an index out of range.
   */
  gather(indices: IndexSource): RmaHandle<ElementArray<E>>;
  /**
   * Reads each of a list of elements, not atomically.
   *
   * @param indices Global indices: element i on PE p has p × `length` + i.
   * @param target What to fill.
   * @returns A handle for the end.
   */
  gather(indices: IndexSource, target: GetTarget<E>): RmaHandle<void>;
  gather(
    indices: IndexSource,
    target?: GetTarget<E>,
  ): RmaHandle<ElementArray<E>> | RmaHandle<void> {
    const into = target ?? newArray(this.type, indices.length);
    this.services.batches.gather(this[MEMORY], indices, into);
    return target ? this.services.done : this.services.given(into as ElementArray<E>);
  }

  /**
   * Gives the handle up. Where it is the one that allocation gave, this PE takes part no more, and
   * the memory is used again once all PEs have done so; no PE waits for that.
   */
  dispose(): void {
    this[MEMORY].release();
  }
}
