/**
 * Limits of waits: a time, an `AbortSignal`, or both. All waits take the same form.
 *
 * @module
 */

import { TimeoutError } from "../internal/errors.ts";
import { checkTimeLimit, startTimeLimit } from "../internal/time_limit.ts";

/**
 * When to stop waiting. This ends the wait, not the operation.
 *
 * @category World
 */
export interface WaitOptions {
  /** Ends the wait when it is aborted, with the signal's reason as the error. */
  signal?: AbortSignal;
  /**
   * Longest time to wait in milliseconds, 0 or more; the wait then ends with a `TimeoutError`.
   * Without it, or with `Infinity`, there is no limit.
   */
  timeoutMs?: number;
}

/** What a wait is for. */
export interface Awaited {
  /** In words that continue "Cannot wait any longer". */
  readonly text: string;
  /** What the user called. */
  readonly op?: string;
  /** The PE concerned. */
  readonly pe?: number;
}

/**
 * Checks limits before anything is done.
 *
 * @param options When to stop waiting.
 * @param action What cannot be done with others, such as `call execAmPe`.
 * @throws {TypeError} If the timeout is not a number, or the signal not an `AbortSignal`.
 * @throws {RangeError} If the timeout is negative or NaN.
 */
export function checkWaitOptions(options: WaitOptions, action: string): void {
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(
      `Cannot ${action}: the signal must be an AbortSignal, got ${Deno.inspect(signal)}`,
    );
  }
  checkTimeLimit(options.timeoutMs, action);
}

/** The limit of a wait that blocks: no event loop tells when it is reached. */
export class WaitLimit {
  readonly #timeoutMs: number;
  readonly #deadline: number;
  readonly #signal: AbortSignal | undefined;
  readonly #awaited: () => Awaited;
  readonly #others: readonly WaitLimit[];
  #isReached = false;

  /**
   * @param options When to stop waiting; a time begins now.
   * @param awaited What the wait is for.
   * @param others Limits that end the wait too.
   */
  constructor(options: WaitOptions, awaited: () => Awaited, others: readonly WaitLimit[] = []) {
    const { signal, timeoutMs = Infinity } = options;
    this.#others = others;
    this.#timeoutMs = timeoutMs;
    this.#deadline = performance.now() + timeoutMs;
    this.#signal = signal;
    this.#awaited = awaited;
  }

  /** Whether the wait ends by itself. */
  get isFinite(): boolean {
    return this.#deadline !== Infinity || this.#others.some((other) => other.isFinite);
  }

  /** Whether it has ended a wait. */
  get isReached(): boolean {
    return this.#isReached;
  }

  /**
   * Throws if the limit is reached.
   *
   * @returns How much time is left, in milliseconds.
   */
  check(): number {
    const leftMs = this.#deadline - performance.now();
    this.#isReached = this.#signal?.aborted === true || leftMs <= 0;
    if (this.#signal?.aborted) throw this.#signal.reason;
    if (leftMs <= 0) throw timeoutOf(this.#awaited(), this.#timeoutMs);
    return this.#others.reduce((left, other) => Math.min(left, other.check()), leftMs);
  }
}

/**
 * Calls back once a limit is reached.
 *
 * @param options When.
 * @param awaited What the wait is for.
 * @param over Gets the error.
 * @param keepsAlive Whether a time keeps the program alive.
 * @returns Ends the limit.
 */
export function startLimit(
  options: WaitOptions,
  awaited: () => Awaited,
  over: (error: unknown) => void,
  keepsAlive = true,
): () => void {
  const { signal, timeoutMs } = options;
  const onAbort = (): void => over(signal!.reason);
  signal?.addEventListener("abort", onAbort);
  const endTime = timeoutMs === undefined
    ? undefined
    : startTimeLimit(timeoutMs, () => over(timeoutOf(awaited(), timeoutMs)), { keepsAlive });
  return () => {
    endTime?.();
    signal?.removeEventListener("abort", onAbort);
  };
}

/**
 * @param awaited What the wait was for.
 * @param timeoutMs Its time.
 * @returns The error of a wait whose time is over.
 */
export function timeoutOf({ text, op, pe }: Awaited, timeoutMs: number): TimeoutError {
  return new TimeoutError(`Cannot wait any longer ${text}: ${timeoutMs} ms are over`, {
    ...op === undefined ? {} : { op },
    ...pe === undefined ? {} : { pe },
  });
}
