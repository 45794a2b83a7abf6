/**
 * One record of an array on this PE.
 *
 * @module
 */

import { ELEMENT_OPS, type FetchOp, type UpdateOp } from "../../internal/element_ops.ts";
import type { CompareExchangeResult, RecordElement } from "../../memregion/mod.ts";
import type { RecordAccess } from "./record_access.ts";

/**
 * Refuses to compare records by a difference.
 *
 * @param span The records of the array.
 * @param op What the user called.
 */
export function refuseDifference<V>({ label, recordType }: RecordAccess<V>, op: string): never {
  throw new TypeError(`Cannot ${op} in ${label} of ${recordType}: records have no difference`);
}

/** One record of an `AtomicArray` on this PE; it has the methods of `AtomicElement`. */
export class RecordAtomicElement<V> {
  readonly #span: RecordAccess<V>;
  readonly #indexOf: (place: number) => number;
  #index: number;

  /**
   * @param span The records of the array.
   * @param index Which one.
   * @param indexOf Gives the index of the record at a place of this PE's part.
   */
  constructor(span: RecordAccess<V>, index: number, indexOf: (place: number) => number) {
    this.#span = span;
    this.#indexOf = indexOf;
    this.#index = index;
  }

  /** Moves it to another record, by its place in the part of this PE. */
  moveTo(place: number): this {
    this.#index = this.#indexOf(place);
    return this;
  }

  /** Reads the record. */
  load(): V {
    return this.#span.load(this.#index).block();
  }

  /** Replaces the record if it is as expected, by its bytes. */
  compareExchange(expected: V, replacement: V): CompareExchangeResult<RecordElement<V>> {
    return this.#span.compareExchange(this.#index, expected, replacement).block();
  }

  /** Refused: records have no difference. */
  compareExchangeEpsilon(): void {
    refuseDifference(this.#span, "compareExchangeEpsilon");
  }

  static {
    const methods = this.prototype as unknown as Record<string, (value: unknown) => unknown>;
    for (const { fetches, fetchName, name, updates } of ELEMENT_OPS) {
      if (updates) {
        methods[name] = function (this: RecordAtomicElement<unknown>, value) {
          return this.#span.update(name as UpdateOp, this.#index, value).block();
        };
      }
      if (fetches) {
        methods[fetchName] = function (this: RecordAtomicElement<unknown>, value) {
          return this.#span.fetch(name as FetchOp, fetchName, this.#index, value).block();
        };
      }
    }
  }
}
