/**
 * The waits of a PE for values in its own parts of regions, and how often each is looked at.
 *
 * A PE that waits says so in the header of its part, and a PE that writes there through a region
 * then wakes it. A write that overtakes this is noticed at the next look, at most a slice later. A
 * plain put of another process wakes nobody, since the network alone does it; so where there are
 * others the slices are short.
 *
 * A wake does not say what it was for. A few waits are all looked at in each step; of many, a step
 * takes some in turn, and stops once each was looked at since the last wake.
 *
 * @module
 */

import type { LamellarError } from "../../internal/errors.ts";
import { Comparison as Code } from "../../internal/kernels_element.ts";
import { type Progress, WAIT_FOR } from "../../lamellae/mod.ts";
import { type Described, labelOf } from "../memory/refusals.ts";

/**
 * How an element is compared with a value.
 *
 * @category Memory regions
 */
export type Comparison = "==" | "!=" | ">" | ">=" | "<" | "<=";

const CODES: Readonly<Record<Comparison, number>> = {
  "==": Code.eq,
  "!=": Code.ne,
  ">": Code.gt,
  ">=": Code.ge,
  "<": Code.lt,
  "<=": Code.le,
};

/** Most waits that a step looks at. */
const STEP_LOOKS_MAX = 64;
/** Most waits that are looked at each time a slice is over. */
const SLICE_LOOKS_MAX = 1024;

/** A wait that is being awaited. */
export interface Pending {
  /** Whether what is waited for is there; throws if the region was disposed. */
  readonly holds: () => boolean;
  readonly settle: (error: unknown) => void;
}

const NO_REASON = { kind: WAIT_FOR.nothing, pe: -1 };
const VALUE_REASON = { kind: WAIT_FOR.value, pe: -1 };

/** The awaited waits of a PE. */
export class Waits {
  /** The engine that looks at them. */
  readonly progress: Progress;
  readonly #pending = new Set<Pending>();
  /** Goes round them. */
  #cursor: Iterator<Pending> = this.#pending.values();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The event counter at the last step, where there are many. */
  #events = 0;
  /** How many were not looked at since it changed. */
  #unseen = 0;

  /**
   * @param progress The engine that looks at them.
   * @internal
   */
  constructor(progress: Progress) {
    this.progress = progress;
    progress.addPoller(() => this.#pending.size === 0 ? 0 : this.#step());
    progress.addReason(() => this.#pending.size === 0 ? NO_REASON : VALUE_REASON);
    progress.onFailure((error) => this.failAll(error));
  }

  /** How many waits are under way. */
  get count(): number {
    return this.#pending.size;
  }

  /**
   * Adds a wait, which does not hold yet.
   *
   * @param pending The wait.
   */
  add(pending: Pending): void {
    this.#pending.add(pending);
    this.progress.kick();
    this.#arm();
  }

  /**
   * Gives a wait up.
   *
   * @param pending The wait.
   */
  remove(pending: Pending): void {
    this.#pending.delete(pending);
  }

  /**
   * Ends all waits with an error.
   *
   * @param error The error.
   */
  failAll(error: LamellarError): void {
    const all = [...this.#pending];
    this.#pending.clear();
    for (const pending of all) pending.settle(error);
  }

  /** Looks again after a while, for writes that came without a wake. */
  #arm(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look(SLICE_LOOKS_MAX);
      if (this.#pending.size > 0) this.#arm();
    }, this.progress.valueSliceMs);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Looks at all of a few waits, or at some of many; returns whether the next step has more. */
  #step(): number {
    const { size } = this.#pending;
    if (size <= STEP_LOOKS_MAX) return this.#look(size);
    const events = this.progress.lamella.events();
    if (events !== this.#events) this.#unseen = size;
    this.#events = events;
    if (this.#unseen === 0) return 0;
    const looks = Math.min(STEP_LOOKS_MAX, this.#unseen);
    this.#unseen -= looks;
    const over = this.#look(looks);
    return over === 0 && this.#unseen > 0 ? 1 : over;
  }

  /** Looks at so many waits, each once; returns how many are over. */
  #look(looksMax: number): number {
    const looks = Math.min(looksMax, this.#pending.size);
    const over: [Pending, unknown][] = [];
    if (looks === this.#pending.size) {
      for (const pending of this.#pending) lookAt(pending, over);
    } else for (let i = 0; i < looks; i++) lookAt(this.#next(), over);
    for (const [pending] of over) this.#pending.delete(pending);
    for (const [pending, error] of over) pending.settle(error);
    return over.length;
  }

  #next(): Pending {
    let { done, value } = this.#cursor.next();
    if (done) {
      this.#cursor = this.#pending.values();
      ({ value } = this.#cursor.next());
    }
    return value;
  }
}

function lookAt(pending: Pending, over: [Pending, unknown][]): void {
  try {
    if (pending.holds()) over.push([pending, undefined]);
  } catch (error) {
    over.push([pending, error]);
  }
}

/**
 * Looks a comparison up.
 *
 * @param memory The region, for messages.
 * @param op What the user called.
 * @param comparison The comparison.
 * @returns The code by which kernels know it.
 * @throws {TypeError} If there is no such comparison.
 */
export function codeOf(memory: Described, op: string, comparison: Comparison): number {
  if (Object.hasOwn(CODES, comparison)) return CODES[comparison];
  throw new TypeError(
    `Cannot ${op} in ${labelOf(memory)}: "${comparison}" is not one of ${
      Object.keys(CODES).join(" ")
    }`,
  );
}
