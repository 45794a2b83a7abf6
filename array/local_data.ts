/**
 * The elements of an `AtomicArray` on this PE.
 *
 * @module
 */

import type { Reference } from "../darc/mod.ts";
import type { AnyElement, AtomicElement, ElementValue, Span } from "../memregion/mod.ts";

/**
 * The elements of an `AtomicArray` on this PE, in the order of their indices. They are used one by
 * one and atomically, without handles.
 *
 * @category Arrays
 */
export class AtomicLocalData<E extends AnyElement> {
  readonly #span: Span<E>;
  readonly #reference: () => Reference;
  readonly #start: number;
  /** How many elements there are. */
  readonly length: number;

  /**
   * Programs get it from `localData` of an array.
   *
   * @ignore
   * @param span The elements of the array.
   * @param reference What counts the array.
   * @param start The first of these elements among those of this PE.
   * @param length How many there are.
   */
  constructor(span: Span<E>, reference: () => Reference, start: number, length: number) {
    this.#span = span;
    this.#reference = reference;
    this.#start = start;
    this.length = length;
  }

  /**
   * One of the elements.
   *
   * @param offset Its index among them.
   * @returns The element.
   * @throws {RangeError} If there is no such element.
   * @throws {ClosedError} If the array was disposed of or converted.
   */
  at(offset: number): AtomicElement<E> {
    this.#check("at");
    if (!(Number.isSafeInteger(offset) && offset >= 0 && offset < this.length)) {
      throw new RangeError(
        `Cannot call at for offset ${String(offset)} of the local data of ${this.#span.label}: ` +
          `there are ${this.length} elements`,
      );
    }
    return this.#span.tools.elementAt("at", this.#start + offset);
  }

  /**
   * Some of the elements.
   *
   * @param start Offset of the first one.
   * @param end Offset after the last; the end of these if left out.
   * @returns They.
   * @throws {RangeError} If it is not a range of these.
   */
  subData(start: number, end: number = this.length): AtomicLocalData<E> {
    const isRange = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 &&
      start <= end && end <= this.length;
    if (!isRange) {
      throw new RangeError(
        `Cannot call subData from ${String(start)} to ${String(end)} of the local data of ` +
          `${this.#span.label}: there are ${this.length} elements`,
      );
    }
    return new AtomicLocalData(this.#span, this.#reference, this.#start + start, end - start);
  }

  /**
   * Goes through the elements. It gives the same object each time, moved to the next element, so
   * that walking over many costs nothing: use it before you go on, and do not keep it.
   *
   * @returns An iterator.
   */
  *[Symbol.iterator](): IterableIterator<AtomicElement<E>> {
    if (this.length === 0) return;
    const cursor = this.at(0);
    const first = this.#span.distribution.inPart(this.#span.memory.own("iterate")).place +
      this.#start;
    for (let i = 0; i < this.length; i++) {
      if (!this.#reference().isOpen) this.#check("iterate");
      yield cursor.moveTo(first + i);
    }
  }

  /**
   * The values of these, loaded atomically one by one: as indices or operands of other arrays, too.
   *
   * @returns They, in their order.
   */
  *values(): IterableIterator<ElementValue<E>> {
    for (const element of this) yield element.load();
  }

  #check(op: string): void {
    this.#reference().check(op, `call ${op} of the local data of`);
  }
}
