/**
 * Handles of launched work. The work is under way when one gets its handle: a handle can be
 * awaited, blocked on, or ignored. The error of an ignored one surfaces in `waitAll`.
 *
 * @module
 */

import { LamellarError, TimeoutError } from "../internal/errors.ts";
import type { AmDefinition } from "./call.ts";

/** Options of a launch. */
export interface LaunchOptions {
  /** Ends the wait, not the work: the handle rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * Longest time to wait for the result in milliseconds; the handle then rejects with a
   * `TimeoutError`.
   */
  timeoutMs?: number;
}

/** What a handle needs of the engine. */
export interface HandleHost {
  /** Sends what is buffered and gives replies full attention. */
  attend(): void;
  /** Blocks until the condition holds. */
  blockFor(done: () => boolean, op: string, pe: number, timeoutMs?: number): void;
  /** The error of this handle has nobody who waits for it, yet. */
  keepError(handle: AmHandle<unknown>): void;
  /** Someone asked for the error. */
  dropError(handle: AmHandle<unknown>): void;
}

const PENDING = 0;
const DONE = 1;
const FAILED = 2;

/** A launched AM or closure on one PE. */
export class AmHandle<T> implements PromiseLike<T> {
  /** Where it runs. */
  readonly pe: number;
  /** What it runs, undefined for a closure. */
  readonly definition: AmDefinition | undefined;
  readonly #host: HandleHost;
  #state = PENDING;
  #value: unknown = undefined;
  #promise: Promise<T> | undefined;
  #resolve: ((value: T) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #timeoutMs: number | undefined;
  #blockable = true;

  /**
   * Handles come from launches.
   *
   * @internal
   * @param host The engine.
   * @param pe Where it runs.
   * @param definition What it runs.
   */
  constructor(host: HandleHost, pe: number, definition: AmDefinition | undefined) {
    this.#host = host;
    this.pe = pe;
    this.definition = definition;
  }

  /** How messages call it. */
  get op(): string {
    return this.definition ? `AM "${this.definition.name}"` : "closure";
  }

  /** Whether the result or an error is there. */
  get done(): boolean {
    return this.#state !== PENDING;
  }

  /**
   * Waits for the result, as `await` does.
   *
   * @param onfulfilled Called with the result.
   * @param onrejected Called with the error: a `RemoteError` if the handler threw.
   * @returns A promise for what the callback returns.
   */
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#asPromise().then(onfulfilled, onrejected);
  }

  /**
   * Waits for the end, to deal with an error.
   *
   * @param onrejected Called with the error.
   * @returns A promise for the result, or for what the callback returns.
   */
  catch<B = never>(
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<T | B> {
    return this.#asPromise().catch(onrejected);
  }

  /**
   * Waits for the end, whatever it is.
   *
   * @param onfinally Called at the end, whatever it is.
   * @returns A promise for the result.
   */
  finally(onfinally?: (() => void) | null): Promise<T> {
    return this.#asPromise().finally(onfinally);
  }

  /**
   * Blocks this PE until the result is there. Handlers go on running meanwhile, but no event loop:
   * async handlers do not get past their first `await`.
   *
   * @returns The result.
   * @throws {RemoteError} If the handler threw.
   * @throws {TimeoutError} If the time of the launch is over.
   * @throws {LamellarError} Inside a handler, or if the result needs the event loop of this PE.
   */
  block(): T {
    const check = (): boolean => this.#state !== PENDING || !this.#blockable;
    if (!check()) this.#host.blockFor(check, this.op, this.pe, this.#timeoutMs);
    if (this.#state === DONE) return this.#value as T;
    if (this.#state === PENDING) {
      throw new LamellarError(
        "ERR_NEEDS_EVENT_LOOP",
        `Cannot block on ${this.op} on PE ${this.pe}: its handler is async and runs on this PE, ` +
          "use await",
        { pe: this.pe, op: this.op },
      );
    }
    this.#host.dropError(this as AmHandle<unknown>);
    throw this.#value;
  }

  #asPromise(): Promise<T> {
    if (this.#promise) return this.#promise;
    if (this.#state === PENDING) {
      this.#promise = new Promise((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
      });
      this.#host.attend();
    } else if (this.#state === DONE) this.#promise = Promise.resolve(this.#value as T);
    else {
      this.#host.dropError(this as AmHandle<unknown>);
      this.#promise = Promise.reject(this.#value);
    }
    return this.#promise;
  }

  /**
   * Called by the engine when the result is there.
   *
   * @param value The result.
   */
  resolve(value: unknown): void {
    if (this.#state !== PENDING) return;
    this.#state = DONE;
    this.#value = value;
    this.#resolve?.(value as T);
  }

  /**
   * Called by the engine when the work failed, or nobody waits any more.
   *
   * @param error Why.
   */
  reject(error: unknown): void {
    if (this.#state !== PENDING) return;
    this.#state = FAILED;
    this.#value = error;
    if (this.#reject) this.#reject(error);
    else this.#host.keepError(this as AmHandle<unknown>);
  }

  /** Called by the engine when the work waits for the event loop of this PE. */
  needsEventLoop(): void {
    this.#blockable = false;
  }

  /** The error of a failed handle. */
  get error(): unknown {
    return this.#state === FAILED ? this.#value : undefined;
  }

  /**
   * Called by the engine at launch.
   *
   * @param options When to stop waiting.
   */
  limit(options: LaunchOptions): void {
    const { signal, timeoutMs } = options;
    if (timeoutMs !== undefined) {
      if (!(timeoutMs >= 0)) {
        throw new RangeError(
          `Cannot launch ${this.op}: the timeout has to be 0 or more, got ${timeoutMs}`,
        );
      }
      this.#timeoutMs = timeoutMs;
      const timer = setTimeout(() => {
        const text =
          `Cannot wait for ${this.op} on PE ${this.pe} any longer: ${timeoutMs} ms are over`;
        this.reject(new TimeoutError(text, { pe: this.pe, op: this.op }));
      }, timeoutMs);
      Deno.unrefTimer(timer);
      this.#asPromise().then(() => clearTimeout(timer), () => clearTimeout(timer));
    }
    if (signal?.aborted) this.reject(signal.reason);
    else signal?.addEventListener("abort", () => this.reject(signal.reason), { once: true });
  }
}

/** An AM or closure launched on all PEs. */
export class MultiAmHandle<T> implements PromiseLike<T[]> {
  readonly #handles: readonly AmHandle<T>[];
  #promise: Promise<T[]> | undefined;

  /**
   * Handles come from launches.
   *
   * @internal
   * @param handles One for each PE, in order.
   */
  constructor(handles: readonly AmHandle<T>[]) {
    this.#handles = handles;
  }

  /** Whether all results are there. */
  get done(): boolean {
    return this.#handles.every((handle) => handle.done);
  }

  /**
   * Waits for the results, as `await` does.
   *
   * @param onfulfilled Called with the results in the order of the PEs.
   * @param onrejected Called with the first error.
   * @returns A promise for what the callback returns.
   */
  then<A = T[], B = never>(
    onfulfilled?: ((value: T[]) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#promise ??= Promise.all(this.#handles);
    return this.#promise.then(onfulfilled, onrejected);
  }

  /**
   * Waits for the end, to deal with an error.
   *
   * @param onrejected Called with the first error.
   * @returns A promise for the results, or for what the callback returns.
   */
  catch<B = never>(
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<T[] | B> {
    return this.then(undefined, onrejected);
  }

  /**
   * Waits for the end, whatever it is.
   *
   * @param onfinally Called at the end, whatever it is.
   * @returns A promise for the results.
   */
  finally(onfinally?: (() => void) | null): Promise<T[]> {
    return this.then().finally(onfinally);
  }

  /**
   * Blocks this PE until all results are there.
   *
   * @returns The results in the order of the PEs.
   * @throws {RemoteError} If a handler threw.
   * @throws {LamellarError} Inside a handler, or if a result needs the event loop of this PE.
   */
  block(): T[] {
    return this.#handles.map((handle) => handle.block());
  }
}
