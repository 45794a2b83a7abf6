/**
 * Which errors are for the user of a program rather than for its author.
 *
 * @module
 */

import { FeatureLevelError } from "../../internal/errors.ts";
import { UsageError } from "../launch_args.ts";

/** Exit code for what cannot be started as asked. */
export const USAGE_EXIT_CODE = 2;

/**
 * Tells whether an error says what the user has to change, so that a stack would only hide it.
 *
 * @param error What was thrown.
 * @returns Whether its message is enough.
 */
export function isAdvice(error: unknown): error is Error {
  return error instanceof UsageError || error instanceof FeatureLevelError ||
    error instanceof RangeError || error instanceof TypeError;
}
