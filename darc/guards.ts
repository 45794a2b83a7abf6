/**
 * Guards: what a program has while it holds the lock of a Darc.
 *
 * @module
 */

import { checkWaitOptions, WAIT_FOR, type WaitOptions } from "../lamellae/mod.ts";
import { LocalLock, type Lock } from "./lock.ts";
import type { LockMode } from "./lock_queue.ts";
import { control, DarcHandle, type PendingWork } from "./pending.ts";
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
export class LockClaim implements GivesBack, PendingWork {
  readonly op: string;
  readonly waitKind: number = WAIT_FOR.lock;
  readonly needsEventLoop: boolean;
  /** The number of the claim. */
  ticket = 0;
  readonly #mode: LockMode;
  readonly #lock: Lock;
  readonly #reference: Reference;

  /**
   * @param space The Darcs of this PE.
   * @param record A Darc with a lock, to which this PE has a reference.
   * @param op What the user called.
   * @param mode How the lock is to be held.
   */
  constructor(space: DarcSpace, record: DarcRecord, op: string, mode: LockMode) {
    this.op = op;
    this.#mode = mode;
    this.#lock = record.lock!;
    this.needsEventLoop = this.#lock instanceof LocalLock;
    this.#reference = space.take(record, op);
  }

  /** Gives the claim up, held or not. */
  giveBack(): void {
    if (!this.#reference.isOpen) return;
    wasGivenBack(this);
    this.#lock.leave(this.ticket);
    this.#reference.giveBack("its lock was given back");
  }

  withdraw(): void {
    this.giveBack();
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

  text(): string {
    const by = this.#lock.heldBy(this.ticket);
    return `the ${this.#mode} lock of ${this.#reference.record.name}${by && `, which ${by}`}`;
  }

  pe(): number {
    return this.#lock.holderOf(this.ticket);
  }

  inquire(): void {
    this.#lock.inquire(this.ticket);
  }
}

/**
 * Holds the lock of a Darc for reading, together with other readers, until it is disposed of.
 *
 * @category Darcs
 */
export class DarcReadGuard<T> implements Disposable {
  readonly #claim: LockClaim;

  /**
   * Programs get guards from locks.
   *
   * @ignore
   * @param claim The claim.
   */
  constructor(claim: LockClaim) {
    this.#claim = claim;
    giveBackWith(this, claim);
  }

  /** This PE's instance. Throws a `ClosedError` once the lock was given back. */
  get value(): T {
    return this.#claim.cell("read").value as T;
  }

  /** Gives the lock back. It does nothing the second time. */
  dispose(): void {
    this.#claim.giveBack();
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
  readonly #claim: LockClaim;

  /**
   * Programs get guards from locks.
   *
   * @ignore
   * @param claim The claim.
   */
  constructor(claim: LockClaim) {
    this.#claim = claim;
    giveBackWith(this, claim);
  }

  /**
   * This PE's instance, which may be changed or replaced. Throws a `ClosedError` once the lock was
   * given back.
   */
  get value(): T {
    return this.#claim.cell("read").value as T;
  }

  set value(value: T) {
    this.#claim.cell("write").value = value;
  }

  /** Gives the lock back. It does nothing the second time. */
  dispose(): void {
    this.#claim.giveBack();
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
  readonly guard: (claim: LockClaim) => G;
  /** When to give it up. */
  readonly options?: WaitOptions | undefined;
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
  record.checkMember(op);
  if (options) checkWaitOptions(options, `call ${op}`);
  space.progress.checkFailure();
  const claim = new LockClaim(space, record, op, mode);
  const handle = new DarcHandle<G>(space, claim);
  if (options?.signal?.aborted) {
    claim.denied();
    control.reject(handle, options.signal.reason);
    return handle;
  }
  claim.ticket = record.lock!.ask("ask", mode, () => control.resolve(handle, guard(claim)));
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
  record.checkMember(op);
  const lock = record.lock as LocalLock;
  if (!lock.isFree(mode)) return undefined;
  const claim = new LockClaim(space, record, op, mode);
  claim.ticket = lock.ask("try", mode, () => {});
  return guard(claim);
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
  const { guard, mode, op } = asked;
  record.checkMember(op);
  space.progress.checkFailure();
  const claim = new LockClaim(space, record, op, mode);
  const handle = new DarcHandle<G | undefined>(space, claim);
  claim.ticket = record.lock!.ask("try", mode, (granted) => {
    if (!granted) claim.denied();
    control.resolve(handle, granted ? guard(claim) : undefined);
  });
  DarcHandle.wait(handle, undefined);
  return handle;
}
