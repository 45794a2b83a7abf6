/**
 * Time limits that a caller gives. What a timer takes ends at 2^31 - 1 ms, and above that it fires
 * at once; a limit may be as long as a number can say, and `Infinity` means no limit.
 *
 * @module
 */

/** The longest time of one timer, in milliseconds. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Checks a limit before anything is done.
 *
 * @param timeoutMs The limit in milliseconds: 0 or more, `Infinity` or undefined for none.
 * @param action What cannot be done with another, such as `call execAmPe`.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is negative or NaN.
 */
export function checkTimeLimit(timeoutMs: unknown, action: string): void {
  if (timeoutMs === undefined || (typeof timeoutMs === "number" && timeoutMs >= 0)) return;
  const text = `Cannot ${action}: the timeout must be 0 ms or more, or Infinity, ` +
    `got ${Deno.inspect(timeoutMs)}`;
  throw typeof timeoutMs === "number" ? new RangeError(text) : new TypeError(text);
}

/**
 * Calls back once a limit is over.
 *
 * @param limitMs The limit, in milliseconds.
 * @param over What to call then; never if the limit is infinite.
 * @param options Whether the limit keeps the program alive; it does by default.
 * @returns Ends the limit.
 */
export function startTimeLimit(
  limitMs: number,
  over: () => void,
  { keepsAlive = true }: { readonly keepsAlive?: boolean } = {},
): () => void {
  if (limitMs === Infinity) return () => {};
  const deadline = performance.now() + limitMs;
  let timer: ReturnType<typeof setTimeout>;
  const arm = (leftMs: number): void => {
    timer = leftMs > TIMER_MS_MAX
      ? setTimeout(() => arm(Math.max(0, deadline - performance.now())), TIMER_MS_MAX)
      : setTimeout(over, leftMs);
    if (!keepsAlive) Deno.unrefTimer(timer as unknown as number);
  };
  arm(limitMs);
  return () => clearTimeout(timer);
}
