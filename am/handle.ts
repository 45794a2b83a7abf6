/**
 * Handles of launched work. The work is under way when one gets its handle: a handle can be
 * awaited, blocked on, or ignored. The error of an ignored one surfaces in `waitAll`.
 *
 * @module
 */

import { LamellarError, TimeoutError } from "../internal/errors.ts";
import type { AmDefinition } from "./call.ts";
import type { TeamWork } from "./team_work.ts";

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

/**
 * Checks the options of a launch before anything is sent.
 *
 * @param options When to stop waiting.
 * @param op What was called.
 * @throws {RangeError} If the timeout is negative or no number.
 */
export function checkLaunchOptions(options: LaunchOptions, op: string): void {
  const { timeoutMs } = options;
  if (timeoutMs === undefined || (timeoutMs >= 0 && timeoutMs < Infinity)) return;
  throw new RangeError(`Cannot call ${op}: the timeout has to be 0 ms or more, got ${timeoutMs}`);
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

/** What only some handles need; most are never awaited, and there are many of them. */
interface Wait<T> {
  promise?: Promise<T>;
  resolve?: (value: T) => void;
  reject?: (error: unknown) => void;
  timeoutMs?: number;
  /** Ends the timer and the listener of a limited wait. */
  unlimit?: () => void;
  /** The work needs the event loop of this PE. */
  asynchronous?: true;
  /** The team it was launched in, if that is not the world's. */
  team?: TeamWork;
}

/** A launched AM or closure on one PE. */
export class AmHandle<T> implements PromiseLike<T> {
  /** Where it runs. */
  readonly pe: number;
  /** What it runs, undefined for a closure. */
  readonly definition: AmDefinition | undefined;
  readonly #host: HandleHost;
  #state = PENDING;
  #value: unknown = undefined;
  #wait: Wait<T> | undefined = undefined;

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
    const check = (): boolean => this.#state !== PENDING || this.#wait?.asynchronous === true;
    try {
      if (!check()) this.#host.blockFor(check, this.op, this.pe, this.#wait?.timeoutMs);
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      this.#giveUp(this.#timeoutError());
    }
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
    const wait = this.#wait ??= {};
    return wait.promise ??= this.#newPromise(wait);
  }

  #newPromise(wait: Wait<T>): Promise<T> {
    if (this.#state === DONE) return Promise.resolve(this.#value as T);
    if (this.#state === FAILED) {
      this.#host.dropError(this as AmHandle<unknown>);
      return Promise.reject(this.#value);
    }
    this.#host.attend();
    return new Promise((resolve, reject) => {
      wait.resolve = resolve;
      wait.reject = reject;
    });
  }

  /**
   * Called by the engine when the result is there.
   *
   * @param value The result.
   */
  resolve(value: unknown): void {
    const wait = this.#wait;
    wait?.team?.end(wait.asynchronous === true);
    if (this.#state !== PENDING) return;
    this.#state = DONE;
    this.#value = value;
    if (wait === undefined) return;
    wait.unlimit?.();
    wait.resolve?.(value as T);
  }

  /**
   * Called by the engine when the work failed.
   *
   * @param error Why.
   */
  reject(error: unknown): void {
    const wait = this.#wait;
    wait?.team?.end(wait.asynchronous === true);
    this.#giveUp(error);
  }

  /** Nobody waits for the work any more, which may go on. */
  #giveUp(error: unknown): void {
    if (this.#state !== PENDING) return;
    this.#state = FAILED;
    this.#value = error;
    this.#wait?.unlimit?.();
    if (this.#wait?.reject) this.#wait.reject(error);
    else this.#host.keepError(this as AmHandle<unknown>);
  }

  #timeoutError(): TimeoutError {
    const text = `Cannot wait for ${this.op} on PE ${this.pe} any longer: ` +
      `${this.#wait?.timeoutMs} ms are over`;
    return new TimeoutError(text, { pe: this.pe, op: this.op });
  }

  /** Called by the engine when the work waits for the event loop of this PE. */
  needsEventLoop(): void {
    const wait = this.#wait ??= {};
    if (wait.team && !wait.asynchronous) wait.team.asynchronous++;
    wait.asynchronous = true;
  }

  /**
   * The team it was launched in, undefined for the world's.
   *
   * @internal
   */
  get team(): TeamWork | undefined {
    return this.#wait?.team;
  }

  /**
   * Called by the engine at launch in a team other than the world's.
   *
   * @internal
   * @param team The team, which counts it from now on.
   * @returns The team.
   */
  join(team: TeamWork): TeamWork {
    (this.#wait ??= {}).team = team;
    team.outstanding++;
    team.launched++;
    return team;
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
    if (signal?.aborted) return this.#giveUp(signal.reason);
    const wait = this.#wait ??= {};
    const onAbort = (): void => this.#giveUp(signal!.reason);
    signal?.addEventListener("abort", onAbort);
    const timer = timeoutMs === undefined
      ? undefined
      : setTimeout(() => this.#giveUp(this.#timeoutError()), timeoutMs);
    if (timeoutMs !== undefined) wait.timeoutMs = timeoutMs;
    wait.unlimit = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
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
