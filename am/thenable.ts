/**
 * Telling promises from values.
 *
 * @module
 */

/**
 * Tells whether a handler is not done when it returns.
 *
 * @param value What it returned.
 * @returns Whether that is a promise, or something else with a `then`.
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}
