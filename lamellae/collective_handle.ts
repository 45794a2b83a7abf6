/**
 * The handle of a collective that gives something.
 *
 * @module
 */

import type { Collective } from "./collectives.ts";

/** A collective that this PE has called, and what is made of it: await it or block on it. */
export class CollectiveHandle<T> implements PromiseLike<T> {
  readonly #collective: Collective;
  readonly #finish: (contributions: Uint8Array[]) => T;
  #outcome: (() => T) | undefined;
  #promise: Promise<T> | undefined;

  /**
   * Programs get handles from what they call.
   *
   * @param collective The collective.
   * @param finish Makes the result of what all PEs contributed; called once.
   * @internal
   */
  constructor(collective: Collective, finish: (contributions: Uint8Array[]) => T) {
    this.#collective = collective;
    this.#finish = finish;
  }

  /**
   * Waits until every PE has called, as `await` does.
   *
   * @param onfulfilled Called with the result.
   * @param onrejected Called with the error.
   * @returns A promise for what the callback returns.
   */
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#promise ??= this.#collective.finished().then((all) => this.#result(() => all));
    return this.#promise.then(onfulfilled, onrejected);
  }

  /**
   * Blocks this PE until every PE has called.
   *
   * @returns The result.
   */
  block(): T {
    return this.#result(() => this.#collective.block());
  }

  #result(contributions: () => Uint8Array[]): T {
    if (!this.#outcome) {
      const all = contributions();
      try {
        const value = this.#finish(all);
        this.#outcome = () => value;
      } catch (error) {
        this.#outcome = () => {
          throw error;
        };
      }
    }
    return this.#outcome();
  }
}
