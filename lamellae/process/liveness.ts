/**
 * Whether timers or operations of Deno keep the program of a PE alive: a server that nobody asks
 * anything waits, and so do those that wait for it, but nothing is stuck. To find out takes a PE
 * some milliseconds, so it does so when the watchdog asks.
 *
 * @module
 */

import { atomicCompareExchange, atomicLoad, atomicStore } from "../../internal/atomics.ts";
import { isActive } from "../../internal/engine_internals.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { ACTIVITY, type Lamella } from "../lamella.ts";
import { BLOCK, blockOf, type Layout } from "../local/layout.ts";
import { LIVE, STATUS } from "../local/pe_status.ts";

/** How often a PE looks whether it is asked, in milliseconds. */
const TICK_MS = 100;
/** How long it may take to answer, in milliseconds. One that has not by then is held up. */
const ANSWER_MS = 3000;

/** Answers for one PE, from its event loop. */
export class Liveness {
  readonly #lamella: Lamella;
  /** Index of its status. */
  readonly #status: number;
  #timer: ReturnType<typeof setInterval> | undefined;
  #looking = false;

  /**
   * @param layout Where everything is.
   * @param lamella The lamella of this PE.
   */
  constructor(layout: Layout, lamella: Lamella) {
    this.#lamella = lamella;
    this.#status = (blockOf(layout, lamella.pe) + BLOCK.status) / 4;
  }

  /** Begins to answer. */
  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Stops that. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const { i32 } = this.#lamella.views;
    if (this.#looking || atomicLoad(i32, this.#status + STATUS.live) !== LIVE.asked) return;
    this.#looking = true;
    this.#look().finally(() => this.#looking = false);
  }

  async #look(): Promise<void> {
    const answer = await isActive() ? LIVE.yes : LIVE.no;
    // The question may have been taken back.
    const { i32 } = this.#lamella.views;
    atomicCompareExchange(i32, this.#status + STATUS.live, LIVE.asked, answer);
  }
}

/** Asks the PEs of this process, for the watchdog. */
export class Questions {
  readonly #layout: Layout;
  readonly #views: MemoryViews;
  /** Those that are asked now, by their place among those of this process. */
  #asked: readonly number[] = [];
  #askedAt = 0;
  /** Those that are asked next if these say no. */
  #left: readonly number[] = [];
  /** The one that said yes the last time, so that others need not look. */
  #lively = -1;

  /**
   * @param layout Where everything is.
   * @param views The memory.
   */
  constructor(layout: Layout, views: MemoryViews) {
    this.#layout = layout;
    this.#views = views;
  }

  /**
   * Asks, and looks for answers; to be called again and again until there is one.
   *
   * @param resting PEs that rest in their event loops.
   * @param now The time, in milliseconds.
   * @returns `yes` if something keeps one of them alive, `no` if nothing does as far as they
   * answer, and `asked` as long as that is open.
   */
  ask(resting: readonly number[], now: number): number {
    if (this.#asked.length === 0) {
      if (resting.length === 0) return LIVE.no;
      if (!resting.includes(this.#lively)) return this.#put(resting, [], now);
      return this.#put([this.#lively], resting.filter((index) => index !== this.#lively), now);
    }
    const answers = this.#asked.map((index) => this.answerOf(index));
    const yes = answers.indexOf(LIVE.yes);
    if (yes >= 0) {
      this.#lively = this.#asked[yes]!;
      this.takeBack();
      return LIVE.yes;
    }
    if (answers.includes(LIVE.asked) && now < this.#askedAt + ANSWER_MS) return LIVE.asked;
    if (this.#left.length > 0) return this.#put(this.#left, [], now);
    this.#asked = [];
    this.#lively = -1;
    return LIVE.no;
  }

  /** Forgets what was asked and answered, since something moves. */
  takeBack(): void {
    for (const index of this.#asked) this.#store(index, LIVE.unknown);
    this.#asked = [];
  }

  /**
   * @param index A PE, by its place among those of this process.
   * @returns What it answered last.
   */
  answerOf(index: number): number {
    return atomicLoad(this.#views.i32, this.#wordOf(index));
  }

  #put(pes: readonly number[], left: readonly number[], now: number): number {
    this.#asked = pes;
    this.#left = left;
    this.#askedAt = now;
    for (const index of pes) this.#store(index, LIVE.asked);
    return LIVE.asked;
  }

  #store(index: number, live: number): void {
    atomicStore(this.#views.i32, this.#wordOf(index), live);
  }

  #wordOf(index: number): number {
    const block = blockOf(this.#layout, this.#layout.firstPe + index);
    return (block + BLOCK.status) / 4 + STATUS.live;
  }
}

/**
 * @param activity What a PE does.
 * @returns Whether it rests in its event loop, where it can be asked.
 */
export function restsIn(activity: number): boolean {
  return activity === ACTIVITY.idle || activity === ACTIVITY.serving;
}
