/**
 * A lock for readers and writers in memory that PEs share, as a state machine: each step is one
 * access to that memory, so that tests can put the steps of several PEs in any order.
 *
 * A word says who holds the lock. Whoever finds it free and nobody waiting takes it by one
 * compare-and-exchange. Everybody else takes a ticket and writes it to the slot of its PE: of those
 * that wait, who has the smallest ticket comes first, readers together. To hold the lock depends on
 * the exchange alone, so a PE that does not take its turn can be passed over without danger.
 *
 * @module
 */

/** How the lock is held. */
export type LockMode = "read" | "write";

/** The words of the lock, by index. */
export interface LockWords {
  load(word: number): number;
  store(word: number, value: number): void;
  /** Adds; gives what the word was. */
  add(word: number, value: number): number;
  /** Stores if the word is as expected; gives what it was. */
  exchange(word: number, expected: number, value: number): number;
}

const WORD = {
  /** -1 while a writer has it, else how many readers have. */
  state: 0,
  /** How many slots are in use. */
  waiting: 1,
  /** How many tickets were given out. */
  tickets: 2,
  /** The PE that took the lock last, by its place; only for messages. */
  holder: 3,
  /** When it did so, in seconds since 1970. */
  since: 4,
  /** The slot of each PE: its ticket, twice, and 1 more for a writer; 0 if it does not wait. */
  slots: 6,
} as const;

/** Tickets are compared by their distance, so that they may wrap. */
const TICKETS = 1 << 28;

/**
 * @param numPes PEs that may wait.
 * @returns Bytes of the words of a lock.
 */
export function lockBytes(numPes: number): number {
  return 4 * (WORD.slots + numPes);
}

/** What comes of a step. */
export const STEP = {
  /** There is another one. */
  more: 0,
  /** The lock is not free; the next step looks again. */
  held: 1,
  /** The lock is free, and another PE comes first; the next step looks again. */
  behind: 2,
  /** It is over. */
  done: 3,
} as const;

/** A result of a step, one of {@linkcode STEP}. */
export type Step = (typeof STEP)[keyof typeof STEP];

/** What a claim knows, which can be copied. */
export interface ClaimState {
  readonly me: number;
  readonly mode: LockMode;
  phase: "ticket" | "slot" | "waiting" | "look" | "scan" | "enter" | "clear" | "leave" | "over";
  /** What its slot has. */
  mine: number;
  /** What the state was. */
  seen: number;
  /** The slot that is looked at next. */
  slot: number;
  /** By slot: tickets that were passed over, and keep their place. */
  readonly passed: number[];
}

/**
 * @param me The PE, by its place among those that share the lock.
 * @param mode How it wants to hold it.
 * @param passed By slot: tickets that earlier claims have passed over; gets more.
 * @returns A claim that has not begun.
 */
export function newClaim(me: number, mode: LockMode, passed: number[] = []): ClaimState {
  return { me, mode, phase: "ticket", mine: 0, seen: 0, slot: 0, passed };
}

/**
 * Makes the next step of a claim.
 *
 * @param words The lock.
 * @param claim The claim.
 * @param numPes PEs that may wait.
 * @returns What comes of it.
 */
export function stepClaim(words: LockWords, claim: ClaimState, numPes: number): Step {
  const { me, mode } = claim;
  switch (claim.phase) {
    case "ticket":
      claim.mine = 2 * (1 + words.add(WORD.tickets, 1) & (TICKETS - 1)) +
        (mode === "write" ? 1 : 0);
      // The slot of a PE that waits is never 0.
      if (claim.mine >>> 1 !== 0) claim.phase = "slot";
      return STEP.more;
    case "slot":
      words.store(WORD.slots + me, claim.mine);
      claim.phase = "waiting";
      return STEP.more;
    case "waiting":
      words.add(WORD.waiting, 1);
      claim.phase = "look";
      return STEP.more;
    case "look":
      claim.seen = words.load(WORD.state);
      if (!isFree(claim.seen, mode)) return STEP.held;
      claim.slot = 0;
      claim.phase = "scan";
      return STEP.more;
    case "scan":
      return scan(words, claim, numPes);
    case "enter":
      claim.phase = enter(words, claim) ? "clear" : "look";
      return STEP.more;
    case "clear":
      words.store(WORD.slots + me, 0);
      claim.phase = "leave";
      return STEP.more;
    case "leave":
      words.add(WORD.waiting, -1);
      claim.phase = "over";
      return STEP.done;
    case "over":
      return STEP.done;
  }
}

function scan(words: LockWords, claim: ClaimState, numPes: number): Step {
  const { slot } = claim;
  if (slot === numPes) {
    claim.phase = "enter";
    return STEP.more;
  }
  claim.slot++;
  if (slot === claim.me) return STEP.more;
  const other = words.load(WORD.slots + slot);
  if (other === 0 || !comesFirst(other, claim.mine) || claim.passed[slot] === other) {
    return STEP.more;
  }
  // Readers do not wait for readers.
  if (claim.mode === "read" && (other & 1) === 0) return STEP.more;
  // A writer cannot take its turn before those who read are through.
  const isHeld = claim.seen !== 0;
  claim.seen = other;
  claim.phase = "look";
  return isHeld ? STEP.held : STEP.behind;
}

function enter(words: LockWords, { mode, seen }: ClaimState): boolean {
  return words.exchange(WORD.state, seen, mode === "write" ? -1 : seen + 1) === seen;
}

/**
 * Passes over the PE that a claim was behind, which does not take its turn.
 *
 * @param claim A claim whose last step gave `STEP.behind`.
 */
export function passOver(claim: ClaimState): void {
  claim.passed[claim.slot - 1] = claim.seen;
}

/**
 * Takes the lock if it is free and nobody waits for it.
 *
 * @param words The lock.
 * @param mode How it is to be held.
 * @returns Whether it is held now.
 */
export function tryTake(words: LockWords, mode: LockMode): boolean {
  if (words.load(WORD.waiting) !== 0) return false;
  const seen = words.load(WORD.state);
  if (!isFree(seen, mode)) return false;
  return words.exchange(WORD.state, seen, mode === "write" ? -1 : seen + 1) === seen;
}

/**
 * Gives the lock back.
 *
 * @param words The lock.
 * @param mode How it was held.
 * @returns Whether others wait for it, who have to be told.
 */
export function giveBack(words: LockWords, mode: LockMode): boolean {
  if (mode === "write") words.store(WORD.state, 0);
  else words.add(WORD.state, -1);
  return words.load(WORD.waiting) !== 0;
}

/**
 * Gives a claim up that waits. Those behind it have to be told.
 *
 * @param words The lock.
 * @param claim The claim, which has done the step "waiting".
 */
export function withdraw(words: LockWords, claim: ClaimState): void {
  words.store(WORD.slots + claim.me, 0);
  words.add(WORD.waiting, -1);
  claim.phase = "over";
}

/**
 * @param words The lock.
 * @param pe A PE, by its place.
 * @returns Whether it waits.
 */
export function waits(words: LockWords, pe: number): boolean {
  return words.load(WORD.slots + pe) !== 0;
}

/** Who holds a lock, as far as messages tell it. */
export interface LockHolder {
  /** -1 for a writer, else how many readers. */
  readonly state: number;
  /** The PE that took it last, by its place. */
  readonly holder: number;
  /** When, in milliseconds since 1970. */
  readonly since: number;
}

/**
 * Notes who took the lock.
 *
 * @param words The lock.
 * @param me The PE, by its place.
 */
export function noteHolder(words: LockWords, me: number): void {
  words.store(WORD.holder, me);
  words.store(WORD.since, Math.floor(Date.now() / 1000));
}

/**
 * @param words The lock.
 * @returns Who holds it; undefined if nobody does.
 */
export function holderOf(words: LockWords): LockHolder | undefined {
  const state = words.load(WORD.state);
  if (state === 0) return undefined;
  return { state, holder: words.load(WORD.holder), since: 1000 * words.load(WORD.since) };
}

function isFree(state: number, mode: LockMode): boolean {
  return mode === "write" ? state === 0 : state >= 0;
}

function comesFirst(other: number, mine: number): boolean {
  return (((other >>> 1) - (mine >>> 1)) & (TICKETS - 1)) > TICKETS / 2;
}
