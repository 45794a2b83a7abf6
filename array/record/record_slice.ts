/**
 * Records in the memory of this PE.
 *
 * @module
 */

import type { MemoryViews } from "../../internal/memory_views.ts";
import type { RecordSlice as Slice } from "../../memregion/mod.ts";
import type { RecordType } from "./record_type.ts";

/** Records that stand in a row in the memory of this PE. */
export class RecordSlice<V> implements Slice<V> {
  readonly length: number;
  readonly #type: RecordType<V>;
  readonly #views: MemoryViews;
  readonly #at: number;

  /**
   * @param type What they are.
   * @param views The memory.
   * @param at The address of the first one.
   * @param length How many there are.
   */
  constructor(type: RecordType<V>, views: MemoryViews, at: number, length: number) {
    this.#type = type;
    this.#views = views;
    this.#at = at;
    this.length = length;
  }

  at(index: number): V | undefined {
    const i = index < 0 ? this.length + index : index;
    if (!Number.isInteger(i) || i < 0 || i >= this.length) return undefined;
    return this.#type.decode(this.#views, this.#at + i * this.#type.bytes);
  }

  set(records: Iterable<V>, index = 0): void {
    const list = this.#type.taken([...records], "set a record in a slice");
    if (!Number.isInteger(index) || index < 0 || index + list.length > this.length) {
      throw new RangeError(
        `Cannot set ${list.length} records at index ${index}: there are ${this.length}`,
      );
    }
    list.forEach((record, i) => this.#write(index + i, record));
  }

  #write(index: number, record: V): void {
    this.#views.u8.set(this.#type.encode(record), this.#at + index * this.#type.bytes);
  }

  fill(record: V, begin = 0, end: number = this.length): this {
    const [from, to] = this.#range(begin, end);
    const [own] = this.#type.taken([record], "fill a slice");
    for (let i = from; i < to; i++) this.#write(i, own!);
    return this;
  }

  subarray(begin = 0, end: number = this.length): RecordSlice<V> {
    const [from, to] = this.#range(begin, end);
    const at = this.#at + from * this.#type.bytes;
    return new RecordSlice(this.#type, this.#views, at, Math.max(0, to - from));
  }

  /** Counts from the end where numbers are below 0, as typed arrays do. */
  #range(begin: number, end: number): [number, number] {
    const place = (i: number): number =>
      Math.min(this.length, Math.max(0, Math.trunc(i < 0 ? this.length + i : i) || 0));
    return [place(begin), place(end)];
  }

  *[Symbol.iterator](): IterableIterator<V> {
    for (let i = 0; i < this.length; i++) yield this.at(i)!;
  }
}
