/**
 * What a PE has of an array, whatever type it is of at the moment: a conversion hands it on.
 *
 * @module
 */

import type { DarcRecord } from "../darc/mod.ts";
import type { ElementType, Span } from "../memregion/mod.ts";
import type { SpanMaker } from "../memregion/mod.ts";
import { ArrayLocks } from "./lock/array_locks.ts";
import { type HasLocks, LockSpace } from "./lock/lock_space.ts";
import type { RecordReceiver } from "./record/record_am.ts";
import { RecordSpan } from "./record/record_span.ts";
import type { RecordType } from "./record/record_type.ts";

/** An array object, as far as it matters here. */
export interface ArrayObject {
  readonly disposed: boolean;
}

/** The elements of an array, as one PE knows them. */
export class ArrayStorage implements Disposable, HasLocks {
  /** What its elements are, if they are records. */
  readonly recordType: RecordType<unknown> | undefined;
  #span: Span<ElementType> | undefined;
  #waiting: (() => void)[] = [];
  /** The last array object that was made for it and not disposed of: what handlers get. */
  #own: WeakRef<ArrayObject> | undefined;
  /** Its locks, by what it is: while it is converted, it is two things. */
  readonly #locks = new WeakMap<DarcRecord, ArrayLocks>();

  /**
   * @param recordType What its elements are, if they are records.
   */
  constructor(recordType: RecordType<unknown> | undefined) {
    this.recordType = recordType;
  }

  /** All of its elements; undefined until this PE has seen that all PEs have made it. */
  get span(): Span<ElementType> | undefined {
    return this.#span;
  }

  /**
   * Notes that all PEs have made it.
   *
   * @param span Its elements.
   */
  place(span: Span<ElementType>): void {
    this.#span = span;
    for (const tell of this.#waiting.splice(0)) tell();
  }

  /** What makes its elements of their memory, if they are records. */
  get make(): SpanMaker | undefined {
    const { recordType } = this;
    return recordType &&
      ((services, memory) => new RecordSpan(services, memory as never, recordType));
  }

  /**
   * Uses records of this PE, once they are there.
   *
   * @param use Does it.
   * @returns What that gives.
   */
  whenReceiver<T>(use: (receiver: RecordReceiver) => T): T | Promise<T> {
    const span = this.#span as unknown as RecordReceiver | undefined;
    if (span !== undefined) return use(span);
    return new Promise<void>((resolve) => this.#waiting.push(resolve)).then(() =>
      this.whenReceiver(use)
    );
  }

  /** The array object of this PE that handlers get, if there is one. */
  get own(): ArrayObject | undefined {
    const own = this.#own?.deref();
    return own?.disposed ? undefined : own;
  }

  /**
   * Takes note of an array object.
   *
   * @param array The object, which is no view.
   */
  adopt(array: ArrayObject): void {
    if (this.own === undefined) this.#own = new WeakRef(array);
  }

  /**
   * The locks of the array.
   *
   * @param record What it is.
   * @param span Its elements, if they are known otherwise.
   * @returns They; undefined as long as this PE does not know where the elements are.
   */
  locksOf(
    record: DarcRecord,
    span: Span<ElementType> | undefined = this.span,
  ): ArrayLocks | undefined {
    let locks = this.#locks.get(record);
    if (locks === undefined && span !== undefined) {
      locks = new ArrayLocks(LockSpace.of(record.core), record, span);
      this.#locks.set(record, locks);
    }
    return locks;
  }

  /** Gives the memory up, when no PE has the array any more. */
  [Symbol.dispose](): void {
    this.span?.release();
  }
}
