/**
 * The watchdog: sees when nothing moves any more and tells who waits for whom.
 *
 * @module
 */

import { atomicLoad } from "../../internal/atomics.ts";
import type { Config } from "../../internal/config.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { ACTIVITY, WAIT_FOR, WAIT_KINDS, waitsForPrograms } from "../lamella.ts";
import { BLOCK, blockOf, type Layout, PE_STATE, REST, STATUS } from "../local/layout.ts";

/** How long nothing moves before a PE that can never finish ends the job, in milliseconds. */
const STILL_MS = 200;

/** Stands in the verdict of the watchdog, by which other processes know it. */
export const DEADLOCK_MARK = "(LAMELLAR_DEADLOCK_TIMEOUT)";

/** Watches what all PEs do. */
export class Watchdog {
  readonly #layout: Layout;
  readonly #views: MemoryViews;
  readonly #config: Config;
  readonly #everywhere: (stalledMs: number) => number;
  #seen = "";
  #since = performance.now();
  #reported = false;
  #lostSeen = "";
  #lostSince = 0;
  #movement = "";
  #movedAt = performance.now();
  #culprits: string | undefined;

  /**
   * @param layout Where everything lies.
   * @param views The memory.
   * @param config How long is too long.
   * @param everywhere Tells other processes how long nothing moved in this one, in milliseconds,
   * and returns how long nothing moved in any.
   */
  constructor(
    layout: Layout,
    views: MemoryViews,
    config: Config,
    everywhere: (stalledMs: number) => number = (stalledMs) => stalledMs,
  ) {
    this.#everywhere = everywhere;
    this.#layout = layout;
    this.#views = views;
    this.#config = config;
  }

  /**
   * Looks once; prints a report when nothing moved for the warning time.
   *
   * @param states The state of each PE.
   * @returns Why the job has to end, or undefined.
   */
  look(states: readonly number[]): string | undefined {
    const now = performance.now();
    // Where nobody waits, somebody computes or is at its own I/O: the time runs from the first who
    // waits, and anew whenever one works or waits for something else.
    const waits = this.#waits(states);
    // Where all are idle, timers and I/O may still move them: that is told, but ends nothing.
    const movement = this.#movementOf(states);
    if (movement !== this.#movement) this.#movedAt = now;
    else this.#culprits = this.#describeCulprits(states);
    this.#movement = movement;
    const everywhere = this.#everywhere(now - this.#movedAt);
    const seen = waits || this.#allIdle(states) ? movement : "";
    if (seen === "" || seen !== this.#seen) {
      this.#seen = seen;
      this.#since = now;
      this.#reported = false;
      return undefined;
    }
    const { deadlockWarningMs, deadlockMs } = this.#config;
    const stalledMs = Math.min(now - this.#since, everywhere);
    if (waits && deadlockMs > 0 && stalledMs >= deadlockMs) {
      return `the job is stuck, nothing moved for ${seconds(deadlockMs)} s ` +
        `${DEADLOCK_MARK}: ${this.#describeAll(states)}`;
    }
    if (deadlockWarningMs > 0 && stalledMs >= deadlockWarningMs && !this.#reported) {
      this.#reported = true;
      console.error(
        `lamellar: nothing moved for ${seconds(deadlockWarningMs)} s: ${this.#describeAll(states)}`,
      );
    }
    return undefined;
  }

  /** Whether some PE can never finish and no other moves. */
  get suspects(): boolean {
    return this.#lostSeen !== "";
  }

  /**
   * Looks whether some PE can never finish, and no other has anything left to do but wait.
   *
   * @param states The state of each PE.
   * @returns Why the job has to end, or undefined.
   */
  lookForLost(states: readonly number[]): string | undefined {
    const now = performance.now();
    const lost = states.some((_, pe) => this.#status(pe, STATUS.rest) === REST.lost);
    const still = lost && states.every((state, pe) => this.#isStill(pe, state));
    const seen = still ? this.#movementOf(states) : "";
    if (seen === "" || seen !== this.#lostSeen) {
      this.#lostSeen = seen;
      this.#lostSince = now;
      return undefined;
    }
    return now - this.#lostSince < STILL_MS ? undefined : this.#describeLost(states);
  }

  #isStill(index: number, state: number): boolean {
    if (state === PE_STATE.finished) return true;
    const activity = this.#status(index, STATUS.activity);
    if (activity === ACTIVITY.blocked) {
      return waitsForPrograms(this.#status(index, STATUS.waitKind));
    }
    const rests = activity === ACTIVITY.idle || activity === ACTIVITY.serving;
    return rests && this.#status(index, STATUS.rest) !== REST.none;
  }

  #describeLost(states: readonly number[]): string {
    const pes = [...states.keys()];
    const lost = pes.filter((pe) => this.#status(pe, STATUS.rest) === REST.lost);
    const others = pes.filter((pe) => !lost.includes(pe));
    const what = lost.length === 1
      ? "finishes: its program awaits"
      : "finish: their programs await";
    const text = `PE ${ranges(lost)} never ${what} a promise that nothing can settle any more`;
    return others.length > 0 ? `${text}; ${this.#describeAll(states, others)}` : text;
  }

  #waits(states: readonly number[]): boolean {
    return states.some((_, i) => this.#status(i, STATUS.waitKind) !== WAIT_FOR.nothing);
  }

  #allIdle(states: readonly number[]): boolean {
    return states.every((state, i) =>
      state === PE_STATE.finished || this.#status(i, STATUS.activity) === ACTIVITY.idle
    );
  }

  #movementOf(states: readonly number[]): string {
    const words = [STATUS.progress, STATUS.waitKind, STATUS.waitPe];
    return states.map((state, i) =>
      `${state} ${words.map((word) => this.#status(i, word)).join(" ")}`
    ).join();
  }

  /** A word of the status of a PE, by its place among those of this process. */
  #status(index: number, word: number): number {
    const block = blockOf(this.#layout, this.#layout.firstPe + index);
    return atomicLoad(this.#views.i32, (block + BLOCK.status) / 4 + word);
  }

  /** What PEs do that waited for no other at the last look, which others may wait for. */
  get culprits(): string | undefined {
    return this.#culprits;
  }

  #describeCulprits(states: readonly number[]): string | undefined {
    const indices = [...states.keys()].filter((index) =>
      states[index] !== PE_STATE.finished &&
      this.#status(index, STATUS.waitKind) === WAIT_FOR.nothing
    );
    return indices.length > 0 ? this.#describeAll(states, indices) : undefined;
  }

  /** PEs that do the same are named together. */
  #describeAll(states: readonly number[], which: Iterable<number> = states.keys()): string {
    const groups = Map.groupBy(which, (index) => this.#describe(index, states[index]!));
    const { firstPe } = this.#layout;
    return [...groups].map(([what, indices]) =>
      `PE ${ranges(indices.map((index) => firstPe + index))}: ${what}`
    ).join("; ");
  }

  #describe(index: number, state: number): string {
    if (state === PE_STATE.starting) return "starting";
    if (state === PE_STATE.finished) return "finished";
    const activity = this.#status(index, STATUS.activity);
    if (activity === ACTIVITY.running) return "running without calling the runtime";
    const kind = this.#status(index, STATUS.waitKind);
    if (kind === WAIT_FOR.nothing) {
      return "awaiting something that is not the runtime's, in its program or in a handler";
    }
    const other = this.#status(index, STATUS.waitPe);
    const whom = other >= 0 && other !== this.#layout.firstPe + index ? ` (PE ${other})` : "";
    const program = activity === ACTIVITY.serving ? "at the end of its program, " : "";
    return `${program}waiting for ${WAIT_KINDS[kind] ?? "something"}${whom}`;
  }
}

/** Writes ascending numbers as `0-3, 5`. */
function ranges(numbers: readonly number[]): string {
  const texts: string[] = [];
  for (let at = 0; at < numbers.length; at++) {
    const first = numbers[at]!;
    while (numbers[at + 1] === numbers[at]! + 1) at++;
    const last = numbers[at]!;
    texts.push(first === last ? `${first}` : `${first}-${last}`);
  }
  return texts.join(", ");
}

function seconds(ms: number): string {
  return String(Math.round(ms / 100) / 10);
}
