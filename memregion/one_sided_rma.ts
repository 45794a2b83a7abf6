/**
 * Reading and writing one-sided regions without the help of the PE that has the memory.
 *
 * @module
 */

import type { ElementArray, ElementType, ElementValue } from "./element_types.ts";
import { type RmaHandle, settled } from "./handle.ts";
import {
  type GetTarget,
  type IndexSource,
  newArray,
  putSignal,
  type PutSource,
  type RegionSignal,
} from "./region.ts";
import { type Given, MEMORY } from "./region_memory.ts";
import { OneSidedAtomics } from "./one_sided_atomics.ts";

/** Remote memory access to the owner's memory. */
export abstract class OneSidedRma<E extends ElementType> extends OneSidedAtomics<E> {
  /**
   * Copies elements to the owner's memory. They are visible there, and to whatever handles an
   * active message sent afterwards, once the handle is complete; until then the source has to stay
   * as it is.
   *
   * @param index Index of the first element.
   * @param source A typed array of the element type, a list of values, one value, or a region, of
   * which
   * the part on this PE is taken. What lies in the shared heap is copied fastest.
   * @returns A handle for the end.
   * @throws {RangeError} If the elements do not fit.
   * @throws {TypeError} If the source has another element type.
   * @throws {ClosedError} If the region was disposed.
   */
  put(index: number, source: PutSource<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.put(memory, 0, index, source));
  }

  /**
   * As `put`, and returns only when the source may be changed.
   *
   * @param index Index of the first element.
   * @param source What to copy.
   */
  blockingPut(index: number, source: PutSource<E>): void {
    const memory = this[MEMORY];
    settled(memory.access.put(memory, 0, index, source, true));
  }

  /**
   * As `put`, without a handle: `waitAll` of the world waits for it.
   *
   * @param index Index of the first element.
   * @param source What to copy.
   */
  putUnmanaged(index: number, source: PutSource<E>): void {
    const memory = this[MEMORY];
    memory.access.put(memory, 0, index, source);
  }

  /**
   * Copies elements and then sets, or adds to, an element the target waits for: whoever sees the
   * signal sees the elements.
   *
   * @param index Index of the first element.
   * @param source What to copy.
   * @param signal Which element to change and how.
   * @returns A handle for the end.
   * @throws {TypeError} If the signal is not on the same PE.
   * @example
   * ```ts
   * import { LamellarWorldBuilder } from "../mod.ts";
   *
   * await using world = await new LamellarWorldBuilder().build();
   * const data = world.allocOneSidedMemRegion("f64", 3);
   * const ready = world.allocOneSidedMemRegion("u8", 1);
   * data.putSignal(0, [1, 2, 3], { region: ready, index: 0, value: 1 });
   * await ready.waitUntil(0, "==", 1);
   * console.log([...data]);
   * ```
   */
  putSignal<S extends ElementType>(
    index: number,
    source: PutSource<E>,
    signal: RegionSignal<S>,
  ): RmaHandle<void> {
    return this.services.ended(putSignal(this[MEMORY], 0, index, source, signal));
  }

  /**
   * Gets one element.
   *
   * @param index Index of the element.
   * @returns A handle for its value.
   */
  get(index: number): RmaHandle<ElementValue<E>>;
  /**
   * Gets elements into a new typed array.
   *
   * @param index Index of the first element.
   * @param count How many.
   * @returns A handle for the array.
   */
  get(index: number, count: number): RmaHandle<ElementArray<E>>;
  /**
   * Gets elements, as many as the target has.
   *
   * @param index Index of the first element.
   * @param target A typed array of the element type, or a region whose part on this PE is filled.
   * @returns A handle for the end.
   */
  get(index: number, target: GetTarget<E>): RmaHandle<void>;
  get(
    index: number,
    target?: number | GetTarget<E>,
  ): RmaHandle<ElementValue<E>> | RmaHandle<ElementArray<E>> | RmaHandle<void> {
    const memory = this[MEMORY];
    if (target === undefined) return this.services.given(memory.access.read(memory, 0, index));
    if (typeof target === "number") return this.getBuffer(index, target);
    return this.services.ended(memory.access.get(memory, 0, index, target));
  }

  /**
   * Gets elements into a new typed array.
   *
   * @param index Index of the first element.
   * @param count How many.
   * @returns A handle for the array.
   */
  getBuffer(index: number, count: number): RmaHandle<ElementArray<E>> {
    const memory = this[MEMORY];
    const array = memory.access.getBuffer(memory, 0, index, count);
    return this.services.given(array as unknown as Given<ElementArray<E>>);
  }

  /**
   * Gets one element, and returns it.
   *
   * @param index Index of the element.
   * @returns Its value.
   */
  blockingGet(index: number): ElementValue<E>;
  /**
   * Gets elements, as many as the target has, and returns when they are there.
   *
   * @param index Index of the first element.
   * @param target A typed array of the element type, or a region whose part on this PE is filled.
   */
  blockingGet(index: number, target: GetTarget<E>): void;
  blockingGet(index: number, target?: GetTarget<E>): ElementValue<E> | void {
    const memory = this[MEMORY];
    if (target === undefined) return settled(memory.access.read(memory, 0, index, true));
    settled(memory.access.get(memory, 0, index, target, true));
  }

  /**
   * As `get` into a target, without a handle: `waitAll` of the world waits for it.
   *
   * @param index Index of the first element.
   * @param target A typed array of the element type, or a region whose part on this PE is filled.
   */
  getUnmanaged(index: number, target: GetTarget<E>): void {
    const memory = this[MEMORY];
    memory.access.get(memory, 0, index, target);
  }

  /**
   * Copies elements to every `stride`-th element.
   *
   * @param index Index of the first element.
   * @param stride Elements from one to the next, from 1.
   * @param source What to copy.
   * @param sourceStride Elements from one to the next in the source.
   * @returns A handle for the end.
   */
  putStrided(
    index: number,
    stride: number,
    source: GetTarget<E>,
    sourceStride = 1,
  ): RmaHandle<void> {
    return this.services.ended(this[MEMORY].strided(true, 0, index, stride, source, sourceStride));
  }

  /**
   * Gets every `stride`-th element.
   *
   * @param index Index of the first element.
   * @param stride Elements from one to the next, from 1.
   * @param target What to fill.
   * @param targetStride Elements from one to the next in the target.
   * @returns A handle for the end.
   */
  getStrided(
    index: number,
    stride: number,
    target: GetTarget<E>,
    targetStride = 1,
  ): RmaHandle<void> {
    return this.services.ended(this[MEMORY].strided(false, 0, index, stride, target, targetStride));
  }

  /**
   * Writes elements at a list of indices, in their order.
   *
   * @param indices The indices.
   * @param source A value for each, or one for all.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  putIndexed(indices: IndexSource, source: PutSource<E>): RmaHandle<void> {
    return this.services.ended(this.services.batches.putIndexed(this[MEMORY], 0, indices, source));
  }

  /**
   * Reads elements at a list of indices.
   *
   * @param indices The indices.
   * @returns A handle for a new typed array.
   * @throws {RangeError} At an index out of range.
   */
  getIndexed(indices: IndexSource): RmaHandle<ElementArray<E>>;
  /**
   * Reads elements at a list of indices.
   *
   * @param indices The indices.
   * @param target What to fill.
   * @returns A handle for the end.
   * @throws {RangeError} At an index out of range.
   */
  getIndexed(indices: IndexSource, target: GetTarget<E>): RmaHandle<void>;
  getIndexed(
    indices: IndexSource,
    target?: GetTarget<E>,
  ): RmaHandle<ElementArray<E>> | RmaHandle<void> {
    const into = target ?? newArray(this.type, indices.length);
    const rest = this.services.batches.getIndexed(this[MEMORY], 0, indices, into);
    return target
      ? this.services.ended(rest)
      : this.services.givenAfter(rest, into as ElementArray<E>);
  }
}
