/**
 * What a lock of an array is to those who use it, wherever it is.
 *
 * @module
 */

import type { LockMode } from "./shared_lock.ts";

/** A task that waits for a lock. */
export interface LockClaim {
  /** Gives it up. */
  withdraw(): void;
}

/** A lock for readers and writers. */
export interface Lock {
  /**
   * Takes it at once, if that is possible.
   *
   * @param mode How it is to be held.
   * @param holder The place of whoever it is for, if that is not this PE.
   * @returns Whether it is held now.
   */
  take(mode: LockMode, holder?: number): boolean;
  /**
   * Asks for it.
   *
   * @param mode How it is to be held.
   * @param granted Called once it is held, later than this returns.
   * @param holder The place of whoever it is for, if that is not this PE.
   * @returns The claim.
   */
  ask(mode: LockMode, granted: () => void, holder?: number): LockClaim;
  /** Gives it back. */
  release(mode: LockMode): void;
  /** Counts guards of this PE that hold it. */
  guard(mode: LockMode, change: 1 | -1): void;
  /** Whether a guard of this PE keeps it from being held so. */
  excludes(mode: LockMode): boolean;
  /** The PE that holds it, -1 if none is known. */
  pe(): number;
  /** What is waited for, in words that continue "waits for". */
  text(mode: LockMode): string;
}
