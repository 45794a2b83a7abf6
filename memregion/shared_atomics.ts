/**
 * Atomic operations on the elements of shared regions.
 *
 * @module
 */

import type { ElementType, ElementValue, IntegerValue } from "./element_types.ts";
import type { RmaHandle } from "./handle.ts";
import type { CompareExchangeResult } from "./region.ts";
import { RegionBatches } from "./region_batches.ts";
import { MEMORY } from "./region_memory.ts";

/**
 * Atomic operations on any PE's elements, of any element type; integers wrap, bitwise ones take
 * integers only. They are ordered among each other, and complete on every lamella once their handle
 * is.
 */
export abstract class SharedAtomics<E extends ElementType> extends RegionBatches<E> {
  /**
   * Reads an element atomically.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @returns A handle for its value.
   */
  load(pe: number, index: number): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.load(memory, pe, index));
  }

  /**
   * Writes an element atomically.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value Its new value.
   * @returns A handle for the end.
   */
  store(pe: number, index: number, value: ElementValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.store(memory, pe, index, value));
  }

  /**
   * Replaces an element.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value Its new value.
   * @returns A handle for what it was.
   */
  swap(pe: number, index: number, value: ElementValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.swap(memory, pe, index, value));
  }

  /**
   * Adds to an element.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  add(pe: number, index: number, value: ElementValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.add(memory, pe, index, value));
  }

  /**
   * Subtracts from an element.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  sub(pe: number, index: number, value: ElementValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.sub(memory, pe, index, value));
  }

  /**
   * Keeps only the given bits of an element.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  and(pe: number, index: number, value: IntegerValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.and(memory, pe, index, value));
  }

  /**
   * Sets bits of an element.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  or(pe: number, index: number, value: IntegerValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.or(memory, pe, index, value));
  }

  /**
   * Flips bits of an element.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  xor(pe: number, index: number, value: IntegerValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.xor(memory, pe, index, value));
  }

  /**
   * Keeps the smaller of an element and a value.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  min(pe: number, index: number, value: ElementValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.min(memory, pe, index, value));
  }

  /**
   * Keeps the larger of an element and a value.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for the end.
   */
  max(pe: number, index: number, value: ElementValue<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.max(memory, pe, index, value));
  }

  /**
   * Adds to an element, and tells what it was.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchAdd(pe: number, index: number, value: ElementValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.add(memory, pe, index, value));
  }

  /**
   * Subtracts from an element, and tells what it was.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchSub(pe: number, index: number, value: ElementValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.sub(memory, pe, index, value));
  }

  /**
   * Keeps only the given bits of an element, and tells what it was.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchAnd(pe: number, index: number, value: IntegerValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.and(memory, pe, index, value));
  }

  /**
   * Sets bits of an element, and tells what it was.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchOr(pe: number, index: number, value: IntegerValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.or(memory, pe, index, value));
  }

  /**
   * Flips bits of an element, and tells what it was.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchXor(pe: number, index: number, value: IntegerValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.xor(memory, pe, index, value));
  }

  /**
   * Keeps the smaller of an element and a value, and tells what it was.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchMin(pe: number, index: number, value: ElementValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.min(memory, pe, index, value));
  }

  /**
   * Keeps the larger of an element and a value, and tells what it was.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value The other operand.
   * @returns A handle for what it was.
   */
  fetchMax(pe: number, index: number, value: ElementValue<E>): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.max(memory, pe, index, value));
  }

  /**
   * Replaces an element if it is what was expected, bit by bit.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param current What it has to be.
   * @param replacement Its new value.
   * @returns A handle for whether it was, and what it was.
   */
  compareExchange(
    pe: number,
    index: number,
    current: ElementValue<E>,
    replacement: ElementValue<E>,
  ): RmaHandle<CompareExchangeResult<E>> {
    const memory = this[MEMORY];
    return this.services.given(
      memory.access.compareExchange(memory, pe, index, current, replacement),
    );
  }
}
