/**
 * The handle of an asynchronous barrier.
 *
 * @module
 */

import type { Collective } from "../lamellae/mod.ts";

/** A barrier this PE has entered: await it or block on it. */
export class BarrierHandle implements PromiseLike<void> {
  readonly #collective: Collective;
  #promise: Promise<void> | undefined;

  /**
   * Handles come from `asyncBarrier`.
   *
   * @internal
   * @param collective The barrier.
   */
  constructor(collective: Collective) {
    this.#collective = collective;
  }

  /**
   * Waits until every PE has entered, as `await` does.
   *
   * @param onfulfilled Called then.
   * @param onrejected Called if the job failed or the PEs called different collectives.
   * @returns A promise for what the callback returns.
   */
  then<A = void, B = never>(
    onfulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#promise ??= this.#collective.finished().then(() => {});
    return this.#promise.then(onfulfilled, onrejected);
  }

  /** Blocks this PE until every PE has entered. */
  block(): void {
    this.#collective.block();
  }
}
