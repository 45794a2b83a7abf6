/**
 * What can be read of every array.
 *
 * @module
 */

import { LamellarArray } from "./base.ts";
import { copyArray, isArray } from "./copies.ts";
import { printArray } from "./printing.ts";
import { reduceArray, type Reducer } from "./reduction.ts";
import type {
  AnyElement,
  ElementArray,
  ElementSlice,
  ElementType,
  ElementValue,
  GetTarget,
  IndexSource,
  MemoryRegion,
  PutSource,
} from "../memregion/mod.ts";
import type { CollectiveHandle, Handle } from "../lamellae/mod.ts";

/**
 * The indices of a list of elements: what regions take, or any iterable, whose items are taken
 * before the call returns. One index alone stands for as many as there are values.
 *
 * @category Arrays
 */
export type ArrayIndices = IndexSource | Iterable<number> | number;

/**
 * What can be filled with elements of an array: what regions fill, or an array that can be written.
 *
 * @category Arrays
 */
export type ArrayTarget<E extends AnyElement> =
  | GetTarget<E>
  | (LamellarArray<E> & { fill(value: ElementValue<E>): Handle<void> });

/**
 * What an array can be made of: a typed array, a list or an iterable of values, or a region, whose
 * part on this PE it is.
 *
 * @category Arrays
 */
export type ArrayValues<E extends AnyElement> =
  | Iterable<ElementValue<E>>
  | ElementSlice<E>
  | MemoryRegion<E & ElementType>;

/**
 * What can be written to an array: what regions take, or all elements of another array.
 *
 * @category Arrays
 */
export type ArraySource<E extends AnyElement> = PutSource<E> | ReadableArray<E>;

/**
 * An array whose elements can be read. A multi-element read is of each element by itself: it is not
 * a snapshot of all of them.
 *
 * @category Arrays
 */
export abstract class ReadableArray<E extends AnyElement> extends LamellarArray<E> {
  /**
   * Reads an element. If its PE is far, this blocks until the value is there; `get` does not.
   *
   * @param index Index of the element.
   * @returns Its value.
   * @throws {RangeError} If there is no such element.
   */
  at(index: number): ElementValue<E> {
    return this.open("get").at(index);
  }

  /**
   * Gets one element.
   *
   * @param index Index of the element.
   * @returns A handle for its value.
   * @throws {RangeError} If there is no such element.
   */
  get(index: number): Handle<ElementValue<E>>;
  /**
   * Gets elements, of as many PEs as have them, into a new typed array.
   *
   * @param index Index of the first element.
   * @param count The number of elements.
   * @returns A handle for the array.
   * @throws {RangeError} If there are not as many.
   */
  get(index: number, count: number): Handle<ElementArray<E>>;
  /**
   * Gets as many elements as the target has, of as many PEs as have them.
   *
   * @param index Index of the first element.
   * @param target A typed array of the element type, a region whose part on this PE is filled, or
   * another array, all of which is filled.
   * @returns A handle, done when the target is filled.
   * @throws {RangeError} If there are not as many.
   */
  get(index: number, target: ArrayTarget<E>): Handle<void>;
  get(
    index: number,
    target?: number | ArrayTarget<E>,
  ): Handle<ElementValue<E>> | Handle<ElementArray<E>> | Handle<void> {
    const elements = this.open("get");
    if (target === undefined) return elements.getOne(index);
    if (typeof target === "number") return elements.getBuffer("get", index, target);
    return this.#into("get", index, target);
  }

  #into(op: string, index: number, target: ArrayTarget<E>): Handle<void> {
    const elements = this.open(op);
    if (!isArray<E>(target)) return elements.getInto(index, target);
    return copyArray(op, { array: this, index }, { array: target, index: 0 }, target.length);
  }

  /**
   * The same as `get` with a number.
   *
   * @param index Index of the first element.
   * @param count The number of elements.
   * @returns A handle for a new typed array of them.
   */
  getBuffer(index: number, count: number): Handle<ElementArray<E>> {
    return this.open("getBuffer").getBuffer("getBuffer", index, count);
  }

  /**
   * Gets as many elements as the target has, and returns when they are there.
   *
   * @param index Index of the first element.
   * @param target What to fill.
   */
  blockingGet(index: number, target: ArrayTarget<E>): void {
    this.checkBlocking("blockingGet");
    this.#into("blockingGet", index, target).block();
  }

  /**
   * Like `get` into a target, but without a handle: `waitAll` of the world waits for it.
   *
   * @param index Index of the first element.
   * @param target What to fill.
   */
  getUnmanaged(index: number, target: ArrayTarget<E>): void {
    this.#into("getUnmanaged", index, target);
  }

  /**
   * Gets one of the elements that a PE has.
   *
   * @param pe The PE, by its number in the array's team.
   * @param offset Index of the element among those of this array that the PE has.
   * @returns A handle for its value.
   * @throws {RangeError} If there is no such element.
   */
  getPe(pe: number, offset: number): Handle<ElementValue<E>>;
  /**
   * Gets elements that a PE has into a new typed array.
   *
   * @param pe The PE, by its number in the array's team.
   * @param offset Index of the first element among those of this array that the PE has.
   * @param count The number of elements.
   * @returns A handle for the array.
   */
  getPe(pe: number, offset: number, count: number): Handle<ElementArray<E>>;
  /**
   * Gets as many of the elements that a PE has as the target has.
   *
   * @param pe The PE, by its number in the array's team.
   * @param offset Index of the first element among those of this array that the PE has.
   * @param target What to fill.
   * @returns A handle, done when the target is filled.
   */
  getPe(pe: number, offset: number, target: GetTarget<E>): Handle<void>;
  getPe(
    pe: number,
    offset: number,
    target?: number | GetTarget<E>,
  ): Handle<ElementValue<E>> | Handle<ElementArray<E>> | Handle<void> {
    const elements = this.open("getPe");
    if (target === undefined) return elements.getOneIn(pe, offset);
    if (typeof target === "number") return elements.getBufferIn(pe, offset, target);
    return elements.getIntoIn(pe, offset, target);
  }

  /**
   * Adds all elements. Integers wrap. Floats are added in an order that depends on the length, the
   * distribution and the number of PEs only, so the result has the same bits whoever asks. Elements
   * that others change meanwhile count as they are when they are read.
   *
   * @returns A handle for the sum; undefined if the array is empty.
   * @throws {TypeError} If the elements are booleans.
   */
  sum(): Handle<ElementValue<E> | undefined> {
    return this.#reduced("sum", "sum");
  }

  /**
   * Multiplies all elements, as `sum` adds them.
   *
   * @returns A handle for the product; undefined if the array is empty.
   */
  prod(): Handle<ElementValue<E> | undefined> {
    return this.#reduced("prod", "prod");
  }

  /**
   * Finds the least element; NaN if there is one.
   *
   * @returns A handle for it; undefined if the array is empty.
   */
  min(): Handle<ElementValue<E> | undefined> {
    return this.#reduced("min", "min");
  }

  /**
   * Finds the greatest element; NaN if there is one.
   *
   * @returns A handle for it; undefined if the array is empty.
   */
  max(): Handle<ElementValue<E> | undefined> {
    return this.#reduced("max", "max");
  }

  /**
   * Combines all elements to one value: first those of each PE in their order, then what comes of
   * the PEs.
   *
   * @param by `"sum"`, `"prod"`, `"min"`, `"max"`, `"and"`, `"or"` or `"xor"`; the name of a
   * `reduction`; or an associative function, which runs on this PE only.
   * @returns A handle for the value; undefined if the array is empty.
   * @throws {TypeError} If there is no such reduction, or not for the element type.
   */
  reduce(by: string | Reducer<ElementValue<E>>): Handle<ElementValue<E> | undefined> {
    return this.#reduced(by, "reduce");
  }

  #reduced(
    by: string | Reducer<ElementValue<E>>,
    op: string,
  ): Handle<ElementValue<E> | undefined> {
    this.open(op);
    return reduceArray(this, by, op);
  }

  /**
   * Loads an element atomically.
   *
   * @param index Index of the element.
   * @returns A handle for its value.
   * @throws {RangeError} If there is no such element.
   */
  load(index: number): Handle<ElementValue<E>> {
    return this.open("load").load(index);
  }

  /**
   * Loads each element of a list.
   *
   * @param indices The indices.
   * @returns A handle for a new typed array of their values, in the order of the list.
   * @throws {RangeError} If an index is out of range.
   */
  batchLoad(indices: ArrayIndices): Handle<ElementArray<E>>;
  /**
   * Loads each element of a list.
   *
   * @param indices The indices.
   * @param target What to fill, in the order of the list.
   * @returns A handle, done when the target is filled.
   * @throws {RangeError} If an index is out of range, or the target is not as long as the list.
   */
  batchLoad(indices: ArrayIndices, target: GetTarget<E>): Handle<void>;
  batchLoad(
    indices: ArrayIndices,
    target?: GetTarget<E>,
  ): Handle<ElementArray<E>> | Handle<void> {
    const elements = this.open("batchLoad");
    return target === undefined
      ? elements.batchFetch("batchLoad", indices)
      : elements.batchInto("batchLoad", indices, undefined, target);
  }

  /**
   * Prints the elements, those of each PE on lines of their own, in the order of the PEs: the first
   * 100 of each. Collective: all PEs of the array's team call it, and the first one prints, once
   * all have called.
   *
   * @returns A handle, done when all of it is printed.
   * @throws {ClosedError} If the array was disposed of or converted.
   */
  print(): CollectiveHandle<void> {
    return printArray(this);
  }
}
