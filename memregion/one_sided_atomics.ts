/**
 * Atomic operations on the elements of one-sided regions.
 *
 * @module
 */

import type { ElementType, ElementValue, IntegerValue } from "./element_types.ts";
import type { RmaHandle } from "./handle.ts";
import type { CompareExchangeResult } from "./region.ts";
import { RegionBatches } from "./region_batches.ts";
import { MEMORY } from "./region_memory.ts";

/**
 * Atomic operations on the owner's elements, of any element type; integers wrap, bitwise ones take
 * integers only. They are ordered among each other, and complete on every lamella once their handle
 * is.
 */
export abstract class OneSidedAtomics<E extends ElementType> extends RegionBatches<E> {
  /**
   * Reads an element atomically.
   *
   * @param index Index of the element.
   * @returns A handle for its value.
   */
  load(index: number): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.load(memory, 0, index));
  }

  /**
   * Writes an element atomically.
   *
   * @param index Index of the element.
   * @param value Its new value.
   * @returns A handle for the end.
   */
  store(index: number, value: ElementValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.store(memory, 0, index, value));
  }

  /**
   * Replaces an element.
   *
   * @param index Index of the element.
   * @param value Its new value.
   * @returns A handle for what it was.
   */
  swap(index: number, value: ElementValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.swap(memory, 0, index, value));
  }

  /**
   * Adds to an element.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  add(index: number, value: ElementValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.add(memory, 0, index, value));
  }

  /**
   * Subtracts from an element.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  sub(index: number, value: ElementValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.sub(memory, 0, index, value));
  }

  /**
   * Keeps only the given bits of an element.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  and(index: number, value: IntegerValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.and(memory, 0, index, value));
  }

  /**
   * Sets bits of an element.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  or(index: number, value: IntegerValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.or(memory, 0, index, value));
  }

  /**
   * Flips bits of an element.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  xor(index: number, value: IntegerValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.xor(memory, 0, index, value));
  }

  /**
   * Keeps the smaller of an element and a value.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  min(index: number, value: ElementValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.min(memory, 0, index, value));
  }

  /**
   * Keeps the larger of an element and a value.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  max(index: number, value: ElementValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.max(memory, 0, index, value));
  }

  /**
   * Adds to an element, and tells what it was.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchAdd(index: number, value: ElementValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.add(memory, 0, index, value));
  }

  /**
   * Subtracts from an element, and tells what it was.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchSub(index: number, value: ElementValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.sub(memory, 0, index, value));
  }

  /**
   * Keeps only the given bits of an element, and tells what it was.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchAnd(index: number, value: IntegerValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.and(memory, 0, index, value));
  }

  /**
   * Sets bits of an element, and tells what it was.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchOr(index: number, value: IntegerValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.or(memory, 0, index, value));
  }

  /**
   * Flips bits of an element, and tells what it was.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchXor(index: number, value: IntegerValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.xor(memory, 0, index, value));
  }

  /**
   * Keeps the smaller of an element and a value, and tells what it was.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchMin(index: number, value: ElementValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.min(memory, 0, index, value));
  }

  /**
   * Keeps the larger of an element and a value, and tells what it was.
   *
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchMax(index: number, value: ElementValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.max(memory, 0, index, value));
  }

  /**
   * Replaces an element if it is what was expected, bit by bit.
   *
   * @param index Index of the element.
   * @param current What it has to be.
   * @param replacement Its new value.
   * @returns A handle for whether it was, and what it was.
   */
  compareExchange(
    index: number,
    current: ElementValue<E>,
    replacement: ElementValue<E>,
  ): RmaHandle<CompareExchangeResult<E>> {
    const memory = this[MEMORY];
    return this.services.given(
      memory.access.compareExchange(memory, 0, index, current, replacement),
    );
  }
}
