/**
 * Finds out that a PE can never finish, and whether a PE has anything left to do but wait for
 * others. A program that can never go on is one whose mark has been collected; see
 * `program_mark.ts`. It ends the job only once all PEs rest, since until then they may be useful:
 * a program may well await for ever and serve meanwhile.
 *
 * @module
 */

import { atomicLoad, atomicStore } from "../../internal/atomics.ts";
import { garbageCollector, hasInternals, isActive } from "../../internal/engine_internals.ts";
import { ACTIVITY, type Lamella, WAIT_FOR, waitsForPrograms } from "../lamella.ts";
import { wakeSupervisor } from "../local/failure_record.ts";
import { BLOCK, blockOf, type Layout } from "../local/layout.ts";
import { REST, STATUS } from "../local/pe_status.ts";
import type { ProgramMark } from "./program_mark.ts";

/** How often a PE looks whether it has come to rest, in milliseconds. */
const TICK_MS = 150;
/** Shortest and longest time from one look at the program to the next, in milliseconds. */
const PAUSE_MS = 500;
const PAUSE_MAX_MS = 60_000;
/** Looks may take so much of the time: one part in this many. */
const SHARE = 10;
/** A larger heap is not collected for this: it would take too long. */
const HEAP_BYTES_MAX = 512 * 2 ** 20;

/** Looks from time to time whether this PE can never finish. */
export class StallWatch {
  readonly #layout: Layout;
  readonly #lamella: Lamella;
  readonly #mark: ProgramMark;
  #timer: ReturnType<typeof setInterval> | undefined;
  #collector: (() => void) | undefined;
  /** What the PE did at the last look, and since when it has done the same. */
  #seen = "";
  #since = 0;
  #looking = false;
  /** When the last look was over, and how long it took. */
  #lookedAt = -Infinity;
  #lookMs = 0;

  /**
   * @param layout Where everything is.
   * @param lamella The lamella of this PE.
   * @param mark The mark of its program.
   */
  constructor(layout: Layout, lamella: Lamella, mark: ProgramMark) {
    this.#layout = layout;
    this.#lamella = lamella;
    this.#mark = mark;
  }

  /** Begins to look, if all PEs are in this process: else one elsewhere could still move them. */
  start(): void {
    if (!hasInternals || this.#layout.nearPes !== this.#layout.numPes) return;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Stops looking. */
  stop(): void {
    clearInterval(this.#timer);
    this.#report(REST.none);
  }

  #tick(): void {
    if (this.#looking) return;
    const seen = this.#movement();
    if (seen !== this.#seen) {
      this.#seen = seen;
      this.#since = performance.now();
      this.#report(REST.none);
      return;
    }
    if (!this.#rests() || this.#load(STATUS.rest) !== REST.none) return;
    this.#looking = true;
    this.#look(seen).finally(() => this.#looking = false);
  }

  async #look(seen: string): Promise<void> {
    const kind = this.#load(STATUS.waitKind);
    const free = kind === WAIT_FOR.nothing;
    const worthIt = free
      ? this.#mark.isSet && this.#isTime()
      : waitsForPrograms(kind) && this.#someLost();
    if (!worthIt) return;
    const began = performance.now();
    const rests = !await isActive() && (!free || await this.#isLost());
    this.#lookedAt = performance.now();
    this.#lookMs = this.#lookedAt - began;
    if (!rests || this.#movement() !== seen) return;
    this.#report(free ? REST.lost : REST.quiet);
    wakeSupervisor(this.#lamella.views);
  }

  /** Looks get rarer the longer the PE rests, up to a limit. */
  #isTime(): boolean {
    const restedMs = this.#lookedAt - this.#since;
    const pauseMs = Math.min(Math.max(restedMs, PAUSE_MS), PAUSE_MAX_MS);
    return performance.now() >= this.#lookedAt + Math.max(pauseMs, SHARE * this.#lookMs);
  }

  /** Collects, and tells whether the program can never go on. */
  async #isLost(): Promise<boolean> {
    if (Deno.memoryUsage().heapUsed > HEAP_BYTES_MAX) return false;
    // Without a collector another PE was at the flags: that is over soon.
    this.#collector ??= await garbageCollector();
    // Who looks at the mark keeps it for the rest of the turn: it has to be collected before.
    this.#collector?.();
    return this.#mark.isLost;
  }

  /** What changes as soon as the PE does anything. */
  #movement(): string {
    const words = [STATUS.activity, STATUS.waitKind, STATUS.waitPe, STATUS.progress];
    return words.map((word) => this.#load(word)).join(" ");
  }

  #rests(): boolean {
    const activity = this.#load(STATUS.activity);
    return activity === ACTIVITY.idle || activity === ACTIVITY.serving;
  }

  #someLost(): boolean {
    const { numPes } = this.#layout;
    for (let pe = 0; pe < numPes; pe++) if (this.#load(STATUS.rest, pe) === REST.lost) return true;
    return false;
  }

  #load(word: number, pe = this.#lamella.pe): number {
    return atomicLoad(this.#lamella.views.i32, this.#statusOf(pe) + word);
  }

  #report(rest: number): void {
    atomicStore(this.#lamella.views.i32, this.#statusOf(this.#lamella.pe) + STATUS.rest, rest);
  }

  #statusOf(pe: number): number {
    return (blockOf(this.#layout, pe) + BLOCK.status) / 4;
  }
}
