/**
 * Errors that say what the user of a program has to change, be it a setting, a permission or an
 * option: a stack below them would only hide it.
 *
 * @module
 */

import { LamellarError } from "./errors.ts";

/** Exit code for what cannot be started as asked. */
export const USAGE_EXIT_CODE = 2;

/**
 * Tells whether the message of an error at the start of a job is enough.
 *
 * @param error What was thrown.
 * @returns Whether it is.
 */
export function isSetupAdvice(error: unknown): error is Error {
  return error instanceof LamellarError || error instanceof RangeError ||
    error instanceof TypeError;
}

/**
 * Ends the process because a job cannot be started: with one line if that is enough.
 *
 * @param error Why not.
 */
export function endWithAdvice(error: unknown): never {
  if (!isSetupAdvice(error)) throw error;
  console.error(`lamellar: ${error.message}`);
  Deno.exit(USAGE_EXIT_CODE);
}
