/**
 * What arrays with locks have in common: their locks, and the guards that hold them.
 *
 * @module
 */

import type { DarcHandle } from "../darc/mod.ts";
import type { WaitOptions } from "../lamellae/mod.ts";
import type { AnyElement, ElementType, Span } from "../memregion/mod.ts";
import type { ArrayClass, ArrayParts } from "./base.ts";
import { acquire, type GuardHold, tryAcquire } from "./lock/guards.ts";
import { acquireTogether } from "./lock/together_guards.ts";
import type { LockScope } from "./elements.ts";
import { type LockedArray, LockedElements } from "./lock/locked_elements.ts";
import { ArrayReadGuard, ArrayWriteGuard } from "./lock_guards.ts";
import type { ReadableArray } from "./readable_array.ts";
import type { ArrayStorage } from "./storage.ts";
import { WritableArray } from "./writable_array.ts";

/** The class of what guards have that read. */
export interface ReadView {
  new <E extends AnyElement>(parts: ArrayParts<E>): ReadableArray<E>;
}

/** The class of what guards have that write. */
export interface WriteView {
  new <E extends AnyElement>(parts: ArrayParts<E>): WritableArray<E>;
}

function lockedBy<E extends AnyElement>(
  { reference: { record }, span }: ArrayParts<E>,
  scope: LockScope,
): LockedArray<E> {
  const storage = record.cell.value as ArrayStorage;
  const locks = storage.locksOf(record, span as unknown as Span<ElementType>)!;
  return { record, locks, span, scope };
}

/**
 * An array whose elements are used while a lock for readers and writers is held. Every operation
 * takes the lock and gives it back; a guard holds it for several.
 *
 * @category Arrays
 */
export abstract class LockableArray<E extends AnyElement> extends WritableArray<E> {
  readonly #locked: LockedArray<E>;
  readonly #readView: ReadView;
  readonly #writeView: WriteView;

  /**
   * Programs get arrays from `create`, from conversions, and in payloads.
   *
   * @ignore
   * @param parts What it is made of.
   * @param scope What a lock is for.
   * @param readView What guards have that read.
   * @param writeView What guards have that write.
   */
  constructor(
    parts: ArrayParts<E>,
    scope: LockScope,
    readView: ReadView,
    writeView: WriteView,
  ) {
    const locked = lockedBy(parts, scope);
    super(parts, new LockedElements(locked));
    this.#locked = locked;
    this.#readView = readView;
    this.#writeView = writeView;
  }

  /**
   * Asks for the lock to read, together with other readers. Whoever asks first gets it first.
   *
   * @param options When to give it up.
   * @returns A handle for the guard: await it, or block on it outside of handlers.
   * @throws {ClosedError} If the array was disposed of or converted.
   */
  readLock(options?: WaitOptions): DarcHandle<ArrayReadGuard<E>> {
    this.open("readLock");
    return acquire(this.#locked, "readLock", "read", (hold) => this.#readGuard(hold), options);
  }

  /**
   * Asks for the lock to write, alone.
   *
   * @param options When to give it up.
   * @returns A handle for the guard: await it, or block on it outside of handlers.
   * @throws {ClosedError} If the array was disposed of or converted.
   */
  writeLock(options?: WaitOptions): DarcHandle<ArrayWriteGuard<E>> {
    this.open("writeLock");
    return acquire(this.#locked, "writeLock", "write", (hold) => this.#writeGuard(hold), options);
  }

  #readGuard(hold: GuardHold<E>): ArrayReadGuard<E> {
    return new ArrayReadGuard(hold, new this.#readView(this.#heldBy(hold)));
  }

  #writeGuard(hold: GuardHold<E>): ArrayWriteGuard<E> {
    return new ArrayWriteGuard(hold, new this.#writeView(this.#heldBy(hold)));
  }

  /**
   * Takes the lock for all PEs together.
   *
   * @ignore
   */
  protected takeTogether(): DarcHandle<ArrayWriteGuard<E>> {
    this.open("collectiveWriteLock");
    return acquireTogether(this.#locked, (hold) => {
      const { reference, span } = hold;
      const guarded = this.constructor as ArrayClass;
      return new ArrayWriteGuard(hold, new this.#writeView({ reference, span, guarded }));
    });
  }

  #heldBy({ reference, span }: GuardHold<E>): ArrayParts<E> {
    const isLocal = this.#locked.scope === "part";
    const guarded = this.constructor as ArrayClass;
    return { reference, span: isLocal ? span.ownPart("lock") : span, guarded };
  }

  /**
   * Takes the lock to read, if it is free and nobody waits for it.
   *
   * @ignore
   */
  protected takeToRead(): ArrayReadGuard<E> | undefined {
    this.open("tryReadLock");
    return tryAcquire(this.#locked, "tryReadLock", "read", (hold) => this.#readGuard(hold));
  }

  /**
   * Takes the lock to write, if it is free.
   *
   * @ignore
   */
  protected takeToWrite(): ArrayWriteGuard<E> | undefined {
    this.open("tryWriteLock");
    return tryAcquire(this.#locked, "tryWriteLock", "write", (hold) => this.#writeGuard(hold));
  }
}
