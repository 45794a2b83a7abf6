/**
 * Guards: what a program has while it holds the lock of a Darc.
 *
 * @module
 */

import { checkWaitOptions, WAIT_FOR, type WaitOptions } from "../lamellae/mod.ts";
import type { LocalLock, Lock } from "./lock.ts";
import type { LockMode } from "./lock_queue.ts";
import { control, DarcHandle } from "./pending.ts";
import {
  type Cell,
  type DarcRecord,
  giveBackWith,
  type GivesBack,
  type Reference,
  wasGivenBack,
} from "./record.ts";
import type { DarcSpace } from "./space.ts";

/** A claim of a lock, and the reference that keeps the Darc while the claim lasts. */
export class LockHold implements GivesBack {
  /** The number of the claim. */
  ticket = 0;
  readonly #lock: Lock;
  readonly #reference: Reference;

  /**
   * @param lock The lock.
   * @param reference The reference.
   */
  constructor(lock: Lock, reference: Reference) {
    this.#lock = lock;
    this.#reference = reference;
  }

  /** Gives the claim up, held or not. */
  giveBack(): void {
    if (!this.#reference.isOpen) return;
    wasGivenBack(this);
    this.#lock.leave(this.ticket);
    this.#reference.giveBack("its lock was given back");
  }

  /** The claim was denied: only the reference is left. */
  denied(): void {
    this.#reference.giveBack("its lock was denied");
  }

  /**
   * @param op What the user does.
   * @returns Where the instance is.
   * @throws {ClosedError} If the lock was given back.
   */
  cell(op: string): Cell {
    return this.#reference.check(op).cell;
  }
}

/**
 * Holds the lock of a Darc for reading, together with other readers, until it is disposed of.
 *
 * @category Darcs
 */
export class DarcReadGuard<T> implements Disposable {
  readonly #hold: LockHold;

  /**
   * Programs get guards from locks.
   *
   * @ignore
   * @param hold The claim.
   */
  constructor(hold: LockHold) {
    this.#hold = hold;
    giveBackWith(this, hold);
  }

  /** This PE's instance. Throws a `ClosedError` once the lock was given back. */
  get value(): T {
    return this.#hold.cell("read").value as T;
  }

  /** Gives the lock back. It does nothing the second time. */
  dispose(): void {
    this.#hold.giveBack();
  }

  /** Gives the lock back, at the end of a scope with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Holds the lock of a Darc for writing, alone, until it is disposed of.
 *
 * @category Darcs
 */
export class DarcWriteGuard<T> implements Disposable {
  readonly #hold: LockHold;

  /**
   * Programs get guards from locks.
   *
   * @ignore
   * @param hold The claim.
   */
  constructor(hold: LockHold) {
    this.#hold = hold;
    giveBackWith(this, hold);
  }

  /**
   * This PE's instance, which may be changed or replaced. Throws a `ClosedError` once the lock was
   * given back.
   */
  get value(): T {
    return this.#hold.cell("read").value as T;
  }

  set value(value: T) {
    this.#hold.cell("write").value = value;
  }

  /** Gives the lock back. It does nothing the second time. */
  dispose(): void {
    this.#hold.giveBack();
  }

  /** Gives the lock back, at the end of a scope with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** What is asked for. */
export interface Acquisition<G> {
  readonly op: string;
  readonly mode: LockMode;
  /** Makes the guard. */
  readonly guard: (hold: LockHold) => G;
  /** When to give it up. */
  readonly options?: WaitOptions | undefined;
}

/**
 * Claims the lock of a Darc.
 *
 * @param space The Darcs of this PE.
 * @param record The Darc, to which this PE has a reference.
 * @param op What the user called.
 * @returns The claim; it has no number yet.
 */
export function claim(space: DarcSpace, record: DarcRecord, op: string): LockHold {
  return new LockHold(record.lock!, space.take(record, `guard of ${op}`));
}

/**
 * Makes the handle of a claim.
 *
 * @param space The Darcs of this PE.
 * @param record The Darc.
 * @param hold The claim.
 * @param asked What is asked for.
 * @returns The handle.
 */
export function handleOf<G>(
  space: DarcSpace,
  { lock, name }: DarcRecord,
  hold: LockHold,
  { op, mode }: Pick<Acquisition<unknown>, "op" | "mode">,
): DarcHandle<G> {
  return new DarcHandle<G>(space, {
    op,
    waitKind: WAIT_FOR.lock,
    text() {
      const by = lock!.heldBy(hold.ticket);
      return `the ${mode} lock of ${name}${by && `, which ${by}`}`;
    },
    pe: () => lock!.holderOf(hold.ticket),
    inquire: () => lock!.inquire(hold.ticket),
    withdraw: () => hold.giveBack(),
  });
}

/**
 * Asks for the lock of a Darc and waits for it.
 *
 * @param space The Darcs of this PE.
 * @param record The Darc, to which this PE has a reference.
 * @param asked What is asked for.
 * @returns A handle for the guard.
 */
export function acquire<G>(
  space: DarcSpace,
  record: DarcRecord,
  asked: Acquisition<G>,
): DarcHandle<G> {
  const { guard, mode, op, options } = asked;
  if (options) checkWaitOptions(options, `call ${op}`);
  space.progress.checkFailure();
  const hold = claim(space, record, op);
  const handle = handleOf<G>(space, record, hold, asked);
  if (options?.signal?.aborted) {
    hold.denied();
    control.reject(handle, options.signal.reason);
    return handle;
  }
  hold.ticket = record.lock!.ask("ask", mode, () => control.resolve(handle, guard(hold)));
  DarcHandle.wait(handle, options);
  return handle;
}

/**
 * Takes the lock of this PE's instance if it is free.
 *
 * @param space The Darcs of this PE.
 * @param record A `LocalRwDarc`, to which this PE has a reference.
 * @param asked What is asked for.
 * @returns The guard, or undefined.
 */
export function takeIfFree<G>(
  space: DarcSpace,
  record: DarcRecord,
  { guard, mode, op }: Acquisition<G>,
): G | undefined {
  const lock = record.lock as LocalLock;
  if (!lock.isFree(mode)) return undefined;
  const hold = claim(space, record, op);
  hold.ticket = lock.ask("try", mode, () => {});
  return guard(hold);
}

/**
 * Asks for the lock of a Darc, which another PE may have, without waiting for it to be free.
 *
 * @param space The Darcs of this PE.
 * @param record The Darc, to which this PE has a reference.
 * @param asked What is asked for.
 * @returns A handle for the guard, undefined if the lock is not free.
 */
export function tryAcquire<G>(
  space: DarcSpace,
  record: DarcRecord,
  asked: Acquisition<G>,
): DarcHandle<G | undefined> {
  space.progress.checkFailure();
  const hold = claim(space, record, asked.op);
  const handle = handleOf<G | undefined>(space, record, hold, asked);
  hold.ticket = record.lock!.ask("try", asked.mode, (granted) => {
    if (!granted) hold.denied();
    control.resolve(handle, granted ? asked.guard(hold) : undefined);
  });
  DarcHandle.wait(handle, undefined);
  return handle;
}
