/**
 * Turns of the event loop: microtasks that follow each other leave no time to timers and I/O, so
 * whoever makes chains of them takes one now and then.
 *
 * @module
 */

/** Longest time between turns while there is work, in milliseconds. */
const TURN_MS = 2;
/** Steps between looks at the clock. */
const CLOCK_STEPS = 32;

/** The turns of one thread. */
export class Turns {
  #underWay: Promise<void> | undefined;
  #last = performance.now();
  #steps = 0;

  /** Whether somebody waits for one. */
  get isUnderWay(): boolean {
    return this.#underWay !== undefined;
  }

  /** Whether the last one was long ago. */
  get isLate(): boolean {
    return performance.now() - this.#last >= TURN_MS;
  }

  /**
   * To be called at each of many short steps, most of which do without the clock.
   *
   * @returns Whether it is time for a turn, or one is under way.
   */
  step(): boolean {
    if (this.#underWay) return true;
    if (++this.#steps < CLOCK_STEPS) return false;
    this.#steps = 0;
    return this.isLate;
  }

  /**
   * Takes a turn, one for all who ask meanwhile.
   *
   * @returns Settles when it is over.
   */
  take(): Promise<void> {
    return this.#underWay ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#underWay = undefined;
      this.note();
    });
  }

  /** Tells that the event loop had the thread. */
  note(): void {
    this.#last = performance.now();
  }
}
