/**
 * The watchdog: sees when nothing moves any more and tells who waits for whom.
 *
 * @module
 */

import { atomicLoad } from "../../internal/atomics.ts";
import type { Config } from "../../internal/config.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { ACTIVITY, WAIT_FOR, WAIT_KINDS } from "../lamella.ts";
import { BLOCK, blockOf, type Layout, PE_STATE, STATUS } from "./layout.ts";

/** Watches the progress counters of all PEs. */
export class Watchdog {
  readonly #layout: Layout;
  readonly #views: MemoryViews;
  readonly #config: Config;
  #progress = -1;
  #since = performance.now();
  #reported = false;

  /**
   * @param layout Where everything lies.
   * @param views The memory.
   * @param config How long is too long.
   */
  constructor(layout: Layout, views: MemoryViews, config: Config) {
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
    const progress = this.#sum();
    if (progress !== this.#progress) {
      this.#progress = progress;
      this.#since = now;
      this.#reported = false;
      return undefined;
    }
    const { deadlockWarningMs, deadlockMs } = this.#config;
    const stalledMs = now - this.#since;
    const waiting = states.some((_, pe) => this.#waits(pe));
    if (!waiting) return undefined;
    if (deadlockMs > 0 && stalledMs >= deadlockMs) {
      return `the job is stuck, nothing moved for ${seconds(deadlockMs)} s ` +
        `(LAMELLAR_DEADLOCK_TIMEOUT): ${this.#describeAll(states)}`;
    }
    if (deadlockWarningMs > 0 && stalledMs >= deadlockWarningMs && !this.#reported) {
      this.#reported = true;
      console.error(
        `lamellar: nothing moved for ${seconds(deadlockWarningMs)} s: ` +
          this.#describeAll(states),
      );
    }
    return undefined;
  }

  #sum(): number {
    let sum = 0;
    for (let pe = 0; pe < this.#layout.numPes; pe++) sum += this.#status(pe, STATUS.progress);
    return sum;
  }

  #waits(pe: number): boolean {
    return this.#status(pe, STATUS.waitKind) !== WAIT_FOR.nothing;
  }

  #status(pe: number, word: number): number {
    return atomicLoad(
      this.#views.i32,
      (blockOf(this.#layout, pe) + BLOCK.status) / 4 + word,
    );
  }

  #describeAll(states: readonly number[]): string {
    return states.map((state, pe) => `PE ${pe} ${this.#describe(pe, state)}`).join("; ");
  }

  #describe(pe: number, state: number): string {
    if (state === PE_STATE.starting) return "is starting";
    if (state === PE_STATE.finished) return "has finished";
    const activity = this.#status(pe, STATUS.activity);
    if (activity === ACTIVITY.running) return "runs without calling the runtime";
    const kind = this.#status(pe, STATUS.waitKind);
    if (kind === WAIT_FOR.nothing) {
      return "awaits something that is not the runtime's, in its program or in a handler";
    }
    const other = this.#status(pe, STATUS.waitPe);
    const whom = other >= 0 && other !== pe ? ` (PE ${other})` : "";
    return `waits for ${WAIT_KINDS[kind] ?? "something"}${whom}`;
  }
}

function seconds(ms: number): string {
  return String(Math.round(ms / 100) / 10);
}
