/**
 * A lock of an array in memory that this PE reaches, and the tasks of this PE that wait for it.
 *
 * @module
 */

import type { Lamella } from "../../lamellae/mod.ts";
import { nodeName } from "../../internal/node_names.ts";
import type { Lock, LockClaim } from "./lock.ts";
import {
  type ClaimState,
  giveBack,
  holderOf,
  type LockMode,
  type LockWords,
  newClaim,
  noteHolder,
  passOver,
  STEP,
  stepClaim,
  tryTake,
  waits,
  withdraw,
} from "./shared_lock.ts";

/** A PE that does not take its turn for so long is passed over. */
const PASS_MS = 1;

/** For so long it is not waited for again. */
const PASSED_MS = 10;

/** A task that waits. */
interface Waiter extends LockClaim {
  readonly mode: LockMode;
  readonly granted: () => void;
  /** The place of whoever it is for. */
  readonly holder: number;
  /** Its claim in the memory, once it is the first of this PE. */
  claim: ClaimState | undefined;
  /** The ticket it was behind at the last look, and since when. */
  behind: number;
  since: number;
}

/** What locks need of those who know all of them. */
export interface LockHost {
  readonly lamella: Lamella;
  /** A lock has tasks that wait, where it had none: it is to be advanced in each step. */
  begin(lock: NearLock): void;
  /** Has this PE make a step soon. */
  kick(): void;
}

/** One lock, seen from one PE. */
export class NearLock implements Lock {
  readonly #host: LockHost;
  readonly #words: LockWords;
  readonly #pes: readonly number[];
  readonly #me: number;
  readonly #what: string;
  readonly #queue: Waiter[] = [];
  /** By place: tickets of PEs that did not take their turn. */
  readonly #passed: number[] = [];
  #passedSince = 0;
  readonly #guards: Record<LockMode, number> = { read: 0, write: 0 };

  /**
   * @param host Who knows all locks of this PE.
   * @param at The address of its words.
   * @param pes The PEs that share it, by their places.
   * @param what What it locks, for messages.
   */
  constructor(host: LockHost, at: number, pes: readonly number[], what: string) {
    const { kernels, pe } = host.lamella;
    const { atomicAdd, atomicLoad, atomicStore, cas } = kernels.of("i32");
    this.#host = host;
    this.#pes = pes;
    this.#me = pes.indexOf(pe);
    this.#what = what;
    this.#words = {
      load: (word) => atomicLoad(at + 4 * word),
      store: (word, value) => void atomicStore(at + 4 * word, value),
      add: (word, value) => atomicAdd(at + 4 * word, value),
      exchange: (word, expected, value) => cas(at + 4 * word, expected, value),
    };
  }

  take(mode: LockMode, holder: number = this.#me): boolean {
    if (this.#queue.length > 0 || !tryTake(this.#words, mode)) return false;
    noteHolder(this.#words, holder);
    return true;
  }

  ask(mode: LockMode, granted: () => void, holder: number = this.#me): LockClaim {
    const waiter: Waiter = {
      mode,
      granted,
      holder,
      claim: undefined,
      behind: 0,
      since: 0,
      withdraw: () => this.#withdraw(waiter),
    };
    if (this.#queue.push(waiter) === 1) this.#host.begin(this);
    this.#host.kick();
    return waiter;
  }

  #withdraw(waiter: Waiter): void {
    const index = this.#queue.indexOf(waiter);
    if (index < 0) return;
    this.#queue.splice(index, 1);
    const { claim } = waiter;
    if (claim === undefined || claim.phase === "ticket") return;
    withdraw(this.#words, claim);
    this.#ring();
  }

  release(mode: LockMode): void {
    if (giveBack(this.#words, mode)) this.#ring();
  }

  /** Tells those who wait that they may look again. */
  #ring(): void {
    const { lamella } = this.#host;
    this.#pes.forEach((pe, place) => {
      if (place === this.#me) this.#host.kick();
      else if (lamella.isNear(pe) && waits(this.#words, place)) lamella.wake(pe);
    });
  }

  /**
   * Goes as far as the lock allows.
   *
   * @returns How much was done; it is to be asked again soon if that is not 0.
   */
  advance(): number {
    for (let done = 0;; done++) {
      const first = this.#queue[0];
      if (first === undefined) return done;
      this.#forgetPassed();
      const claim = first.claim ??= newClaim(this.#me, first.mode, this.#passed);
      let step: number;
      do step = stepClaim(this.#words, claim, this.#pes.length); while (step === STEP.more);
      if (step === STEP.held) {
        first.behind = 0;
        return done;
      }
      if (step === STEP.behind) {
        if (!this.#isLate(first, claim)) return done + 1;
        passOver(claim);
        this.#passedSince ||= performance.now();
        continue;
      }
      this.#queue.shift();
      noteHolder(this.#words, first.holder);
      first.granted();
    }
  }

  /** Who was passed over gets its turn after a while, however many others come meanwhile. */
  #forgetPassed(): void {
    if (this.#passedSince === 0 || performance.now() - this.#passedSince < PASSED_MS) return;
    this.#passed.length = 0;
    this.#passedSince = 0;
  }

  /** Whether the PE that comes before a task has not taken its turn for long. */
  #isLate(waiter: Waiter, { seen }: ClaimState): boolean {
    const now = performance.now();
    if (waiter.behind !== seen) {
      waiter.behind = seen;
      waiter.since = now;
    }
    return now - waiter.since >= PASS_MS;
  }

  /** Whether tasks of this PE wait. */
  get isBusy(): boolean {
    return this.#queue.length > 0;
  }

  guard(mode: LockMode, change: 1 | -1): void {
    this.#guards[mode] += change;
  }

  excludes(mode: LockMode): boolean {
    return this.#guards.write > 0 || (mode === "write" && this.#guards.read > 0);
  }

  pe(): number {
    const held = holderOf(this.#words);
    return held === undefined ? -1 : this.#pes[held.holder] ?? -1;
  }

  text(mode: LockMode): string {
    const held = holderOf(this.#words);
    const lock = `the ${mode} lock of ${this.#what}`;
    if (held === undefined) return lock;
    const others = held.state > 1 ? ` and ${held.state - 1} more` : "";
    const how = held.state < 0 ? "for writing" : "for reading";
    const [time] = new Date(held.since).toTimeString().split(" ");
    const verb = held.state > 1 ? "have" : "has";
    // A client has the place behind those of the PEs.
    const { numPes } = this.#host.lamella;
    const holder = nodeName(this.#pes[held.holder] ?? numPes, numPes);
    return `${lock}, which ${holder}${others} ${verb} held ${how} since ${time}`;
  }
}
