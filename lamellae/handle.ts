/**
 * Handles: every operation that takes a while returns one at once.
 *
 * @module
 */

import { rejectAtAwaiter } from "../internal/stacks.ts";
import {
  type Awaited,
  checkWaitOptions,
  startLimit,
  WaitLimit,
  type WaitOptions,
} from "./wait_limit.ts";

/**
 * An operation that is under way and gives a `T`: an active message, an operation on a region, a
 * collective, or a task. Await it or block on it, any number of times.
 *
 * ```ts
 * import { am, LamellarWorldBuilder, TimeoutError, u32 } from "../mod.ts";
 *
 * const Twice = am("Twice", { n: u32 }, (self) => 2 * self.n);
 *
 * await using world = await new LamellarWorldBuilder().build();
 * const handle = world.execAmPe(0, Twice({ n: 21 }));
 * console.log(await handle, handle.done, handle.block());
 *
 * const barrier = world.asyncBarrier();
 * try {
 *   await barrier.within({ timeoutMs: 100 });
 * } catch (error) {
 *   if (!(error instanceof TimeoutError)) throw error;
 *   await barrier;
 * }
 * ```
 *
 * @category World
 */
export abstract class Handle<T> implements PromiseLike<T> {
  /** Whether the operation is over: the value or an error has arrived. */
  abstract get done(): boolean;

  /**
   * Waits for the value, as `await` does.
   *
   * @param onfulfilled Called with the value.
   * @param onrejected Called with the error.
   * @returns A promise for what the callback returns.
   */
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.promised().then(onfulfilled, onrejected);
  }

  /**
   * Waits for the end and handles an error.
   *
   * @param onrejected Called with the error.
   * @returns A promise for the value, or for what the callback returns.
   */
  catch<B = never>(
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<T | B> {
    return this.promised().catch(onrejected);
  }

  /**
   * Waits for the end, whether it is a value or an error.
   *
   * @param onfinally Called at the end.
   * @returns A promise for the value.
   */
  finally(onfinally?: (() => void) | null): Promise<T> {
    return this.promised().finally(onfinally);
  }

  /**
   * Waits for the value up to a limit. When the limit is reached, the operation goes on, and you
   * can wait for the handle again.
   *
   * @param options When to stop waiting: after a time in milliseconds, or when a signal is aborted.
   * @returns A promise for the value. It rejects with a `TimeoutError` when the time is up, and
   * with the signal's reason when the signal is aborted.
   * @throws {RangeError} If the time is negative or NaN.
   * @throws {TypeError} If the time is not a number, or the signal not an `AbortSignal`.
   */
  within(options: WaitOptions): Promise<T> {
    checkWaitOptions(options, "call within");
    // What is there is given, though the promise may take a turn of the event loop.
    if (this.done) return this.promised();
    const { signal } = options;
    if (signal?.aborted) {
      return new Promise((resolve) => rejectAtAwaiter(resolve, signal.reason));
    }
    return this.promisedWithin(options);
  }

  /**
   * Blocks this PE until the value is there. Handlers of active messages go on running meanwhile,
   * but the event loop does not: no timer fires, and no `await` goes on.
   *
   * @param options When to stop waiting. Meanwhile only a handler can abort a signal.
   * @returns The value.
   * @throws {TimeoutError} If the time is up.
   * @throws {LamellarError} Inside a handler, where you may block only on operations on regions;
   * and if the operation needs the event loop of this PE.
   */
  block(options?: WaitOptions): T {
    if (options === undefined) return this.blocked(undefined);
    checkWaitOptions(options, "call block");
    return this.blocked(new WaitLimit(options, () => this.awaited()));
  }

  /**
   * A promise for the value.
   *
   * @ignore
   */
  protected abstract promised(): Promise<T>;

  /**
   * As `within`, with options that were checked.
   *
   * @ignore
   * @param options When to stop waiting.
   * @returns A promise for the value.
   */
  protected promisedWithin(options: WaitOptions): Promise<T> {
    const promise = this.promised();
    let end: (() => void) | undefined;
    const stopped = new Promise<never>((resolve) => {
      const stop = (error: unknown): void => rejectAtAwaiter(resolve, error);
      end = startLimit(options, () => this.awaited(), stop);
    });
    return Promise.race([promise, stopped]).finally(end);
  }

  /**
   * Blocks.
   *
   * @ignore
   * @param limit When to stop waiting.
   * @returns The value.
   */
  protected abstract blocked(limit: WaitLimit | undefined): T;

  /**
   * What it is, for messages.
   *
   * @ignore
   */
  protected abstract awaited(): Awaited;
}
