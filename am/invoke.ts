/**
 * Calling handlers.
 *
 * V8 compiles a function into its only caller. A handler that works for long would then be part of
 * the engine's own code, which runs too seldom to be compiled well, and do so several times slower
 * than when it is called. A call that has seen several functions stays a call.
 *
 * @module
 */

import type { AmDefinition } from "./call.ts";

/**
 * Calls a handler.
 *
 * @param handler The handler.
 * @param self The payload.
 * @param context What else it gets.
 * @returns What it returns.
 */
export function invoke(
  handler: AmDefinition["handler"],
  self: unknown,
  context: unknown,
): unknown {
  return handler(self, context);
}

/** V8 takes notes of what a function calls only after some hundred calls of it. */
const CALLS_NOTED = 1000;

for (let i = 0; i < CALLS_NOTED; i++) invoke(i % 2 === 0 ? (self) => self : () => i, i, i);
