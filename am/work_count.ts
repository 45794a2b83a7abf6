/**
 * How much a PE has under way.
 *
 * @module
 */

/** Somebody who waits until little is under way. */
interface Listener {
  /** How much may be. */
  readonly atMost: number;
  readonly call: () => void;
}

/** Counts what a PE launched. */
export class WorkCount {
  /** Launched so far. */
  launched = 0;
  /** Launched and not over. */
  outstanding = 0;
  /** Of these, how many need the event loop of this PE. */
  asynchronous = 0;
  #listeners: Listener[] = [];
  /** The most that any listener waits for; -1 if there is none. */
  #atMost = -1;

  /**
   * @param atMost How much may be under way.
   * @param call Called once when no more is.
   */
  onceAtMost(atMost: number, call: () => void): void {
    this.#listeners.push({ atMost, call });
    this.#atMost = Math.max(this.#atMost, atMost);
  }

  /**
   * Counts down what is over.
   *
   * @param count How much.
   */
  end(count: number): void {
    this.outstanding -= count;
    if (this.outstanding <= this.#atMost) this.#tell();
  }

  /** Forgets what is under way, and tells everybody who waits. */
  fail(): void {
    this.outstanding = 0;
    this.#tell();
  }

  #tell(): void {
    const { outstanding } = this;
    const told = this.#listeners.filter(({ atMost }) => outstanding <= atMost);
    this.#listeners = this.#listeners.filter(({ atMost }) => outstanding > atMost);
    this.#atMost = Math.max(-1, ...this.#listeners.map(({ atMost }) => atMost));
    for (const { call } of told) call();
  }
}
