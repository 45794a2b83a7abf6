/**
 * The guards of arrays with locks, as programs have them.
 *
 * @module
 */

import { giveBackWith } from "../darc/mod.ts";
import type { AnyElement, ElementSlice } from "../memregion/mod.ts";
import type { ReadonlySlice } from "./base.ts";
import { chunksOf, handedOut } from "./slices.ts";
import type { GuardHold } from "./lock/guards.ts";
import type { ReadableArray } from "./readable_array.ts";
import type { WritableArray } from "./writable_array.ts";

/**
 * What the guards of arrays have in common.
 *
 * @category Arrays
 */
export abstract class ArrayGuard<E extends AnyElement> implements Disposable {
  /** @ignore */
  protected readonly hold: GuardHold<E>;

  /**
   * Programs get guards from locks.
   *
   * @ignore
   * @param hold The lock that is held.
   */
  constructor(hold: GuardHold<E>) {
    this.hold = hold;
    giveBackWith(this, hold);
  }

  /** @ignore */
  protected local(op: string): ElementSlice<E> {
    this.hold.reference.check(op, `call ${op} of a guard of`);
    return handedOut(this.hold.span, op, () => this.hold.reference);
  }

  /** @ignore */
  protected chunks(op: string, size: number): ElementSlice<E>[] {
    return chunksOf(op, size, () => this.local(op));
  }

  /** Gives the lock back. It does nothing the second time. */
  dispose(): void {
    this.hold.giveBack();
  }

  /** Gives the lock back, at the end of a scope with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Holds the lock of an array for reading, together with other readers, until it is disposed of.
 *
 * @category Arrays
 */
export class ArrayReadGuard<E extends AnyElement> extends ArrayGuard<E> {
  /** The elements that the lock is for, as an array that uses the lock which is held. */
  readonly array: ReadableArray<E>;

  /**
   * Programs get guards from locks.
   *
   * @ignore
   * @param hold The lock that is held.
   * @param array The elements that it is for.
   */
  constructor(hold: GuardHold<E>, array: ReadableArray<E>) {
    super(hold);
    this.array = array;
  }

  /**
   * The elements that this PE has.
   *
   * @returns A typed array over the memory. Do not use it after the guard was disposed of.
   * @throws {ClosedError} If the guard was disposed of.
   */
  localData(): ReadonlySlice<E> {
    return this.local("localData") as unknown as ReadonlySlice<E>;
  }

  /**
   * The elements that this PE has, in chunks of neighbours.
   *
   * @param size Elements of each chunk; the last may have fewer.
   * @returns Typed arrays over the memory.
   * @throws {RangeError} If the size is not an integer of at least 1.
   */
  localChunks(size: number): ReadonlySlice<E>[] {
    return this.chunks("localChunks", size) as unknown as ReadonlySlice<E>[];
  }
}

/**
 * Holds the lock of an array for writing, alone, until it is disposed of.
 *
 * @category Arrays
 */
export class ArrayWriteGuard<E extends AnyElement> extends ArrayGuard<E> {
  /** The elements that the lock is for, as an array that uses the lock which is held. */
  readonly array: WritableArray<E>;

  /**
   * Programs get guards from locks.
   *
   * @ignore
   * @param hold The lock that is held.
   * @param array The elements that it is for.
   */
  constructor(hold: GuardHold<E>, array: WritableArray<E>) {
    super(hold);
    this.array = array;
  }

  /**
   * The elements that this PE has.
   *
   * @returns A typed array over the memory. Do not use it after the guard was disposed of.
   * @throws {ClosedError} If the guard was disposed of.
   */
  localData(): ElementSlice<E> {
    return this.local("localData");
  }

  /**
   * The elements that this PE has, in chunks of neighbours.
   *
   * @param size Elements of each chunk; the last may have fewer.
   * @returns Typed arrays over the memory.
   * @throws {RangeError} If the size is not an integer of at least 1.
   */
  localChunks(size: number): ElementSlice<E>[] {
    return this.chunks("localChunks", size);
  }
}
