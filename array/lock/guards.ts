/**
 * Guards: what a program has while it holds the lock of an array.
 *
 * @module
 */

import {
  control,
  DarcHandle,
  type GivesBack,
  type PendingWork,
  type Reference,
  spaceOf,
  wasGivenBack,
} from "../../darc/mod.ts";
import { checkWaitOptions, WAIT_FOR, type WaitOptions } from "../../lamellae/mod.ts";
import { IdError } from "../../world/mod.ts";
import type { AnyElement, Span } from "../../memregion/mod.ts";
import type { Lock, LockClaim } from "./lock.ts";
import type { LockedArray } from "./locked_elements.ts";
import type { LockMode } from "./shared_lock.ts";

/** A lock that is held, as its guard knows it. */
export interface GuardHold<E extends AnyElement> extends GivesBack {
  /** Counts the array. */
  readonly reference: Reference;
  /** The elements that the lock is for. */
  readonly span: Span<E>;
}

/** A lock that a program wants or has, and the reference that keeps the array meanwhile. */
export class LockHold<E extends AnyElement> implements PendingWork, GuardHold<E> {
  readonly op: string;
  readonly waitKind: number = WAIT_FOR.lock;
  readonly mode: LockMode;
  /** Counts the array. */
  readonly reference: Reference;
  /** The elements that the lock is for. */
  readonly span: Span<E>;
  readonly #lock: Lock;
  #claim: LockClaim | undefined;
  #isHeld = false;

  /**
   * @param array The array.
   * @param op What the user called.
   * @param mode How the lock is wanted.
   */
  constructor(array: LockedArray<E>, op: string, mode: LockMode) {
    const { locks, record, scope, span } = array;
    this.op = op;
    this.mode = mode;
    this.span = span;
    if (scope === "part" && record.isGuest) {
      const why = "it has no part of it";
      throw new IdError(`Cannot call ${op} of ${record.name} ${record.place}: ${why}`, record.pe);
    }
    this.#lock = locks.of(scope === "part" ? record.me : locks.wholePart);
    this.reference = spaceOf(record.core).take(record, op);
  }

  /**
   * Takes the lock if it is free.
   *
   * @returns Whether it is held now.
   */
  take(): boolean {
    if (!this.#lock.take(this.mode)) return false;
    this.#held();
    return true;
  }

  /**
   * Asks for the lock.
   *
   * @param granted Called once it is held.
   */
  ask(granted: () => void): void {
    this.#claim = this.#lock.ask(this.mode, () => {
      this.#claim = undefined;
      this.#held();
      granted();
    });
  }

  #held(): void {
    this.#isHeld = true;
    this.#lock.guard(this.mode, 1);
  }

  /** Gives the lock back, or the claim up. It does nothing the second time. */
  giveBack(): void {
    if (!this.reference.isOpen) return;
    wasGivenBack(this);
    this.#claim?.withdraw();
    if (this.#isHeld) {
      this.#lock.guard(this.mode, -1);
      this.#lock.release(this.mode);
    }
    this.reference.giveBack("its lock was given back");
  }

  withdraw(): void {
    this.giveBack();
  }

  get needsEventLoop(): boolean {
    return this.#lock.excludes(this.mode);
  }

  text(): string {
    return this.#lock.text(this.mode);
  }

  pe(): number {
    return this.#lock.pe();
  }

  inquire(): void {}
}

/**
 * Asks for the lock of an array.
 *
 * @param array The array.
 * @param op What the user called.
 * @param mode How it is wanted.
 * @param guard Makes the guard.
 * @param options When to give it up.
 * @returns A handle for the guard.
 */
export function acquire<E extends AnyElement, G>(
  array: LockedArray<E>,
  op: string,
  mode: LockMode,
  guard: (hold: LockHold<E>) => G,
  options?: WaitOptions,
): DarcHandle<G> {
  if (options) checkWaitOptions(options, `call ${op}`);
  const { core } = array.record;
  core.progress.checkFailure();
  const hold = new LockHold(array, op, mode);
  const handle = new DarcHandle<G>(spaceOf(core), hold);
  if (options?.signal?.aborted) {
    hold.giveBack();
    control.reject(handle, options.signal.reason);
    return handle;
  }
  if (hold.take()) control.resolve(handle, guard(hold));
  else {
    hold.ask(() => control.resolve(handle, guard(hold)));
    DarcHandle.wait(handle, options);
  }
  return handle;
}

/**
 * Takes the lock of an array if it is free.
 *
 * @param array The array.
 * @param op What the user called.
 * @param mode How it is wanted.
 * @param guard Makes the guard.
 * @returns The guard, or undefined.
 */
export function tryAcquire<E extends AnyElement, G>(
  array: LockedArray<E>,
  op: string,
  mode: LockMode,
  guard: (hold: LockHold<E>) => G,
): G | undefined {
  const hold = new LockHold(array, op, mode);
  if (hold.take()) return guard(hold);
  hold.giveBack();
  return undefined;
}
