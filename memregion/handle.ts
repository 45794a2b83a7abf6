/**
 * Handles of RMA operations and of allocations: awaited or blocked on, in the same words.
 *
 * @module
 */

import type { Collective, Progress } from "../lamellae/mod.ts";

/**
 * An RMA operation. It was started when one gets its handle, so that a handle may be ignored. On a
 * lamella over shared memory the operation is also complete by then, and awaiting only gives
 * handlers a chance to run.
 */
export class RmaHandle<T> implements PromiseLike<T> {
  readonly #progress: Progress;
  readonly #value: T;
  #promise: Promise<T> | undefined;

  /**
   * @param progress The engine that gets a chance to work when the handle is awaited.
   * @param value What the operation gave.
   * @internal
   */
  constructor(progress: Progress, value: T) {
    this.#progress = progress;
    this.#value = value;
  }

  /**
   * Waits until the operation is complete, as `await` does: a put is then visible at its target,
   * and to whatever handles an active message sent afterwards.
   *
   * @param onfulfilled Called with what the operation gave.
   * @param onrejected Called if the job failed.
   * @returns A promise for what the callback returns.
   */
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#progress.kick();
    this.#promise ??= Promise.resolve(this.#value);
    return this.#promise.then(onfulfilled, onrejected);
  }

  /**
   * Blocks this PE until the operation is complete.
   *
   * @returns What the operation gave.
   */
  block(): T {
    return this.#value;
  }
}

/** A collective allocation that this PE has called. */
export class RegionHandle<T> implements PromiseLike<T> {
  readonly #collective: Collective;
  readonly #finish: (contributions: Uint8Array[]) => T;
  #outcome: (() => T) | undefined;
  #promise: Promise<T> | undefined;

  /**
   * @param collective The collective.
   * @param finish Makes the result of what all PEs contributed; called once.
   * @internal
   */
  constructor(collective: Collective, finish: (contributions: Uint8Array[]) => T) {
    this.#collective = collective;
    this.#finish = finish;
  }

  /**
   * Waits until every PE has allocated, as `await` does.
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
   * Blocks this PE until every PE has allocated.
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
