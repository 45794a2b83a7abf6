/**
 * Turns of the event loop: microtasks that follow each other leave no time to timers and I/O, so
 * code that makes chains of them takes one now and then.
 *
 * There are two kinds. In a short one whatever is ready runs. But what I/O and timers there are
 * Deno asks the system only when its event loop comes to rest, or at every 61st turn
 * (`event_interval` of Tokio). It comes to rest while something runs in another thread of Deno's:
 * a digest of nothing is that, and takes no permission.
 *
 * @module
 */

/** Longest time between turns while there is work, in milliseconds; one takes 0.01. */
const TURN_MS = 0.5;
/** The same after a turn in which others were at work: a request takes several turns. */
const TURN_BUSY_MS = 0.05;
/** A turn that takes longer had others in it. */
const BUSY_MS = 0.05;
/** Most turns that are made up for at once, where a step took long. */
const TURNS_AT_ONCE = 8;
/** Turns that may have been none, before one has to be taken. */
const EXCUSES = 3;
/** Most steps between looks at the clock; fewer where steps are long. */
const CLOCK_STEPS = 32;

const NOTHING = new Uint8Array(0);
const subtle = crypto.subtle;

/** The turns of one thread. */
export class Turns {
  #underWay: Promise<void> | undefined;
  #last = performance.now();
  /** When the clock was looked at last, by `step`. */
  #looked = this.#last;
  #clockSteps = CLOCK_STEPS;
  #steps = 0;
  #turnMs = TURN_MS;
  /** How many turns may have been taken, or not, since the last one for certain. */
  #excuses = 0;

  /** Whether somebody waits for one. */
  get isUnderWay(): boolean {
    return this.#underWay !== undefined;
  }

  /**
   * @param ms How long is long, in milliseconds.
   * @returns Whether the last turn in which I/O and timers get on was longer ago.
   */
  isLate(ms: number): boolean {
    return performance.now() - this.#last > ms;
  }

  /** Whether one is due for so long that it should be taken although there is work. */
  get isOverdue(): boolean {
    return this.isLate(2 * this.#turnMs);
  }

  /**
   * To be called at each of many steps, most of which do without the clock if they are short.
   *
   * @returns Whether it is time for a turn, or one is under way.
   */
  step(): boolean {
    if (this.#underWay) return true;
    if (++this.#steps < this.#clockSteps) return false;
    this.#steps = 0;
    const now = performance.now();
    const passed = now - this.#looked;
    this.#looked = now;
    if (passed > this.#turnMs) this.#clockSteps = Math.ceil(this.#clockSteps / 4);
    else if (this.#clockSteps < CLOCK_STEPS) this.#clockSteps++;
    return now - this.#last >= this.#turnMs;
  }

  /**
   * Takes a turn in which I/O and timers get on, one for all that ask meanwhile; more than one if
   * the last was so long ago that several are due.
   *
   * @returns Settles when it is over.
   */
  take(): Promise<void> {
    return this.#underWay ??= this.#take();
  }

  async #take(): Promise<void> {
    const due = Math.floor((performance.now() - this.#last) / TURN_MS);
    const most = this.#excuses > 0 ? 1 : TURNS_AT_ONCE;
    for (let left = Math.min(Math.max(due, 1), most); left > 0; left--) {
      const began = performance.now();
      // Whatever is ready runs first: digests that follow each other would leave it no time.
      await new Promise<void>((resolve) => setImmediate(resolve));
      await subtle.digest("SHA-1", NOTHING);
      this.note();
      this.#turnMs = this.#last - began > BUSY_MS ? TURN_BUSY_MS : TURN_MS;
    }
    this.#underWay = undefined;
  }

  /**
   * Takes a short turn, in which whatever is ready runs.
   *
   * @returns Settles when it is over.
   */
  pass(): Promise<void> {
    return this.#underWay ?? new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** Tells that the event loop may have had the thread: that is believed a few times in a row. */
  excuse(): void {
    if (++this.#excuses <= EXCUSES) this.#last = performance.now();
  }

  /** Tells that the event loop had the thread, and came to rest. */
  note(): void {
    this.#excuses = 0;
    this.#last = performance.now();
  }
}
