/**
 * Tasks of the program that the world counts.
 *
 * @module
 */

/** A spawned task. It goes on whether or not somebody waits for it. */
export class LamellarTask<T> implements PromiseLike<T> {
  readonly #promise: Promise<T>;
  #observed = false;

  /**
   * Tasks come from `spawn`.
   *
   * @internal
   * @param promise What it does.
   */
  constructor(promise: Promise<T>) {
    this.#promise = promise;
  }

  /** Whether somebody waits for it, and so sees its error. */
  get observed(): boolean {
    return this.#observed;
  }

  /**
   * Waits for its value, as `await` does.
   *
   * @param onfulfilled Called with the value.
   * @param onrejected Called with the error.
   * @returns A promise for what the callback returns.
   */
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#observed = true;
    return this.#promise.then(onfulfilled, onrejected);
  }
}
