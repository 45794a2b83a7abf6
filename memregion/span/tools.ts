/**
 * What those need who use a span part by part, such as one that has a lock for each.
 *
 * @module
 */

import type {
  AnyElement,
  ElementArray,
  ElementValue,
  TypedArrayLike,
} from "../../internal/elements.ts";
import type { ElementOpInfo } from "../../internal/element_ops.ts";
import type { RegionMemory, Rest } from "../memory/region_memory.ts";
import type { RegionServices } from "../region.ts";
import type { Handle } from "../../lamellae/mod.ts";
import { settled } from "../transfer/handle.ts";
import { copyOf, type Target, targetOf } from "../transfer/copies.ts";
import { checkLength } from "../transfer/index_list.ts";
import { scatterItems } from "../transfer/item_bits.ts";
import { checkDifference } from "./difference.ts";
import { countOf, fill, placeIn, putEverywhere } from "./parts.ts";
import { AtomicElement } from "./span_element.ts";
import { PartCalls } from "./part_calls.ts";
import { checkRange, type DoAt, getRange, putRange } from "./pieces.ts";
import { refuseCount, refuseIndex } from "./refusals.ts";
import { SpanReduction } from "./reduce.ts";
import { type CheckedLists, checkLists } from "./checked_lists.ts";

/** Something that is done at one part. */
export interface PartWork {
  readonly part: number;
  /** Does it. */
  readonly run: () => Handle<void>;
}

/** Uses a span part by part. */
export class SpanTools<E extends AnyElement> {
  readonly #memory: RegionMemory<ElementValue<E>>;
  readonly #services: RegionServices;
  #calls: PartCalls<E> | undefined;

  /**
   * @param memory The memory of the span.
   * @param services What regions share.
   */
  constructor(memory: RegionMemory<ElementValue<E>>, services: RegionServices) {
    this.#memory = memory;
    this.#services = services;
  }

  /** Operations on elements of one part, for its PE to do. */
  get calls(): PartCalls<E> {
    return this.#calls ??= new PartCalls(this.#memory, this.#services.batches);
  }

  /**
   * What a put of several elements does at each part.
   *
   * @param index Index of the first element.
   * @param source What to copy, not a single value.
   * @returns What is to be done.
   * @throws {RangeError} If they do not fit.
   */
  put(index: number, source: object): PartWork[] {
    return this.#collect((doAt) => putRange(this.#memory, index, source, doAt));
  }

  /**
   * What a get of a range does at each part.
   *
   * @param index Index of the first element.
   * @param target What to fill, with elements as memory has them.
   * @returns What is to be done.
   * @throws {RangeError} If there are not as many.
   */
  get(index: number, target: TypedArrayLike<unknown>): PartWork[] {
    return this.#collect((doAt) => getRange(this.#memory, index, target, doAt));
  }

  /**
   * What a put to all parts does at each.
   *
   * @param offset Index of the first element among those of each part in this range.
   * @param source What to copy.
   * @returns What is to be done.
   * @throws {RangeError} If a part has not so many.
   */
  putEverywhere(offset: number, source: unknown): PartWork[] {
    return this.#collect((doAt) => putEverywhere(this.#memory, offset, source, doAt));
  }

  /**
   * What a fill does at each part.
   *
   * @param value The value.
   * @returns What is to be done.
   */
  fill(value: ElementValue<E>): PartWork[] {
    return this.#collect((doAt) => fill(this.#memory, value, doAt));
  }

  #collect(call: (doAt: DoAt) => Rest): PartWork[] {
    const pieces: PartWork[] = [];
    call((part, run) => {
      pieces.push({ part, run: () => this.#services.ended(run()) });
      return undefined;
    });
    return pieces;
  }

  /**
   * Checks the lists of a call.
   *
   * @param name What the user called.
   * @param indices The list, or one index for all values.
   * @param lists The lists of operands: each a value for all, or one for each item.
   * @returns The lists.
   * @throws {RangeError} If an index is out of range, or lengths differ; nothing has been done.
   */
  lists(
    name: Parameters<typeof checkLists>[1],
    indices: unknown,
    lists: readonly unknown[],
  ): CheckedLists {
    return checkLists(this.#memory, name, indices, lists);
  }

  /**
   * @param given A source or a target.
   * @returns How many elements it has.
   */
  countOf(given: unknown): number {
    return countOf(given);
  }

  /**
   * Refuses elements that a part does not have.
   *
   * @param op What the user called.
   * @param part The part.
   * @param offset Index of the first one among those of the part in this range.
   * @param count How many.
   * @throws {RangeError} If the part has not so many, or there is no such part.
   */
  checkIn(op: string, part: number, offset: number, count: number): void {
    placeIn(this.#memory, op, part, offset, count);
  }

  /**
   * Refuses a range that there is not.
   *
   * @param op What the user called.
   * @param index Index of the first element.
   * @param count How many.
   * @throws {RangeError} If there are not as many.
   */
  checkRange(op: string, index: number, count: number): void {
    checkRange(this.#memory, op, index, count);
  }

  /**
   * One of the elements that this PE has.
   *
   * @param op What the user called.
   * @param offset Its index among these.
   * @returns It.
   * @throws {RangeError} If there is no such element.
   */
  elementAt(op: string, offset: number): AtomicElement<E> {
    const memory = this.#memory;
    const part = memory.own(op);
    return new AtomicElement(memory, part, placeIn(memory, op, part, offset, 1));
  }

  /**
   * Makes an array for elements as memory has them.
   *
   * @param length How many.
   * @returns The array.
   */
  newArray(length: number): TypedArrayLike<unknown> {
    return this.#memory.access.far.newArray(length);
  }

  /**
   * As `newArray`, for a range.
   *
   * @param op What the user called.
   * @param index Index of the first element.
   * @param count How many.
   * @returns The array.
   * @throws {RangeError} If there are not as many.
   */
  arrayFor(op: string, index: number, count: number): TypedArrayLike<unknown> {
    const memory = this.#memory;
    if (!Number.isSafeInteger(count) || count < 0) refuseCount(memory, op, count);
    if (!(count <= memory.distribution.length)) refuseIndex(memory, op, index, count);
    return this.newArray(count);
  }

  /**
   * Makes a copy of elements as users get it.
   *
   * @param op What the user called.
   * @param array A copy as memory has them.
   * @returns The same, or numbers that stand for 64-bit integers.
   */
  copyOf(op: string, array: TypedArrayLike<unknown>): ElementArray<E> {
    return copyOf(this.#memory, op, array) as unknown as ElementArray<E>;
  }

  /**
   * What a user wants to have filled.
   *
   * @param op What the user called.
   * @param target A typed array, or a region with data on this PE.
   * @returns What is to be filled with elements as memory has them.
   * @throws {TypeError} If it is something else.
   */
  targetOf(op: string, target: unknown): Target {
    return targetOf(this.#memory, op, target);
  }

  /**
   * Refuses a target that is not as long as a list.
   *
   * @param op What the user called.
   * @param array The target.
   * @param count Items of the list.
   */
  checkLength(op: string, { length }: TypedArrayLike<unknown>, count: number): void {
    checkLength(this.#memory, op, length, count);
  }

  /**
   * Writes elements to where their items stand in a list.
   *
   * @param into The results of the list.
   * @param items Their places there.
   * @param from The elements.
   */
  scatter(
    into: TypedArrayLike<unknown>,
    items: Uint32Array,
    from: TypedArrayLike<unknown>,
  ): void {
    scatterItems(into, items, from, this.#memory.access.info.bytes);
  }

  /**
   * Refuses what an exchange of elements by their difference does not take.
   *
   * @param op What the user called.
   * @param epsilon The difference below which elements are as expected.
   * @param values Values of the element type.
   */
  checkDifference(op: string, epsilon: unknown, values: readonly unknown[]): void {
    checkDifference(this.#memory, op, epsilon, values);
  }

  /**
   * @param name What the reduction is called.
   * @param op The operation.
   * @returns What reduces the elements.
   * @throws {TypeError} If the element type does not have the operation.
   */
  reduction(name: string, op: ElementOpInfo): SpanReduction<ElementValue<E>> {
    return new SpanReduction(this.#memory, name, op);
  }

  /**
   * The elements of a near part, in a row.
   *
   * @param part The part.
   * @returns Their values in the order of their indices.
   */
  *valuesOf(part: number): IterableIterator<ElementValue<E>> {
    const memory = this.#memory;
    const { place, count } = memory.distribution.inPart(part);
    for (let i = 0; i < count; i++) yield settled(memory.access.read(memory, part, place + i));
  }
}
