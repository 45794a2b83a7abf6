/**
 * A lock for readers and writers, as a state machine without I/O. Readers share it, a writer has it
 * alone, and whoever asked first gets it first: readers that come after a waiting writer wait, so
 * that no stream of readers keeps a writer out.
 *
 * @module
 */

/** How a lock is held. */
export type LockMode = "read" | "write";

/** Somebody who holds the lock or waits for it. */
export interface Claim {
  /** The PE; {@linkcode EVERYBODY} for a collective claim. */
  readonly pe: number;
  /** Its number, with which the PE tells it from its others. */
  readonly ticket: number;
  readonly mode: LockMode;
  /** How many of those who got it together have still to give it back. */
  shares: number;
  /** When it was granted, in milliseconds since 1970. */
  since: number;
}

/** In place of a PE: all PEs hold the claim together. */
export const EVERYBODY = -1;

/** Who holds the lock and who waits for it, in their order, which can be copied. */
export interface LockState {
  readonly holders: Map<number, Claim>;
  readonly waiting: Map<number, Claim>;
}

/** The queue of one lock. */
export class LockQueue {
  readonly state: LockState;
  readonly #granted: (claim: Claim) => void;

  /**
   * @param granted Is told who gets the lock; it may not call back.
   * @param state Where it goes on.
   */
  constructor(
    granted: (claim: Claim) => void,
    state: LockState = { holders: new Map(), waiting: new Map() },
  ) {
    this.#granted = granted;
    this.state = state;
  }

  /**
   * Asks for the lock.
   *
   * @param pe Who.
   * @param ticket Its number there, not in use.
   * @param mode How it is to be held.
   * @param shares How many will have to give it back.
   * @returns Whether the claim is new.
   */
  ask(pe: number, ticket: number, mode: LockMode, shares = 1): boolean {
    const key = keyOf(pe, ticket);
    if (this.state.holders.has(key) || this.state.waiting.has(key)) return false;
    const claim = { pe, ticket, mode, shares, since: 0 };
    if (this.isFree(mode)) this.#grant(key, claim);
    else this.state.waiting.set(key, claim);
    return true;
  }

  /**
   * @param mode How the lock is to be held.
   * @returns Whether a claim would get it at once.
   */
  isFree(mode: LockMode): boolean {
    return this.state.waiting.size === 0 && this.#admits(mode);
  }

  /**
   * Gives a claim up, or one share of it, whether it is held or waits.
   *
   * @param pe Who.
   * @param ticket Its number there.
   * @returns Whether there was such a claim.
   */
  leave(pe: number, ticket: number): boolean {
    const key = keyOf(pe, ticket);
    const { holders, waiting } = this.state;
    const claim = holders.get(key) ?? waiting.get(key);
    if (claim === undefined) return false;
    if (--claim.shares > 0) return true;
    if (!holders.delete(key)) waiting.delete(key);
    this.#admit();
    return true;
  }

  /** Who holds the lock, those who have it longest first. */
  get holders(): Claim[] {
    return [...this.state.holders.values()];
  }

  #admits(mode: LockMode): boolean {
    const { holders } = this.state;
    if (holders.size === 0) return true;
    return mode === "read" && holders.values().next().value!.mode === "read";
  }

  #admit(): void {
    const { waiting } = this.state;
    for (const [key, claim] of waiting) {
      if (!this.#admits(claim.mode)) return;
      waiting.delete(key);
      this.#grant(key, claim);
    }
  }

  #grant(key: number, claim: Claim): void {
    claim.since = Date.now();
    this.state.holders.set(key, claim);
    this.#granted(claim);
  }
}

/** More tickets than a PE can use up, on both sides of 0. */
const TICKETS = 2 ** 40;

/**
 * @param pe A PE, or `EVERYBODY`.
 * @param ticket The number of a claim there.
 * @returns What tells it from all others: a number, since a text would take longer than all else.
 */
export function keyOf(pe: number, ticket: number): number {
  return 2 * pe * TICKETS + ticket;
}
