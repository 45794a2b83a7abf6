/**
 * What a PE has of an array, whatever type it is of at the moment: a conversion hands it on.
 *
 * @module
 */

import type { DarcRecord } from "../darc/mod.ts";
import type { ElementType, Span } from "../memregion/mod.ts";
import { ArrayLocks } from "./lock/array_locks.ts";
import { type HasLocks, LockSpace } from "./lock/lock_space.ts";

/** An array object, as far as it matters here. */
export interface ArrayObject {
  readonly disposed: boolean;
}

/** The elements of an array, as one PE knows them. */
export class ArrayStorage implements Disposable, HasLocks {
  /** All of its elements; undefined until this PE has seen that all PEs have made it. */
  span: Span<ElementType> | undefined;
  /** The last array object that was made for it and not disposed of: what handlers get. */
  #own: WeakRef<ArrayObject> | undefined;
  /** Its locks, by what it is: while it is converted, it is two things. */
  readonly #locks = new WeakMap<DarcRecord, ArrayLocks>();

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
