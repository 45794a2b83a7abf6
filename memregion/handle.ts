/**
 * Handles of RMA operations: awaited or blocked on, in the same words.
 *
 * @module
 */

import type { Progress } from "../lamellae/mod.ts";
import { FarOperation } from "./far.ts";
import type { Given } from "./region_memory.ts";

/**
 * An RMA operation. It was started when one gets its handle, so that a handle may be ignored;
 * `waitAll` then covers it, and an error surfaces there. Where the PE's memory belongs to this
 * process the operation is also complete by then, and awaiting only gives handlers a chance to run,
 * now and then timers and I/O, too.
 */
export class RmaHandle<T> implements PromiseLike<T> {
  readonly #progress: Progress;
  readonly #value: Given<T>;
  #promise: Promise<T> | undefined;

  /**
   * @param progress The engine that gets a chance to work when the handle is awaited.
   * @param value What the operation gave, or the operation.
   * @internal
   */
  constructor(progress: Progress, value: Given<T>) {
    this.#progress = progress;
    this.#value = value;
  }

  /**
   * Waits until the operation is complete, as `await` does: a put is then visible at its target,
   * and to whatever handles an active message sent afterwards.
   *
   * @param onfulfilled Called with what the operation gave.
   * @param onrejected Called if the job failed, or another process did not do the operation.
   * @returns A promise for what the callback returns.
   */
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const value = this.#value;
    this.#promise ??= isFar(value) ? value.promise() : Promise.resolve(value);
    return this.#progress.paced(this.#promise).then(onfulfilled, onrejected);
  }

  /**
   * Blocks this PE until the operation is complete. Inside a handler nothing else runs meanwhile.
   *
   * @returns What the operation gave.
   */
  block(): T {
    const value = this.#value;
    return isFar(value) ? value.block() : value;
  }
}

/**
 * Waits in place for what an operation gives.
 *
 * @param value The value, or the operation that gives it.
 * @returns The value.
 */
export function settled<T>(value: Given<T>): T {
  return isFar(value) ? value.wait() : value;
}

/** Most values are numbers, of which the first look takes no time. */
function isFar<T>(value: Given<T>): value is FarOperation<T> {
  return typeof value === "object" && value instanceof FarOperation;
}
