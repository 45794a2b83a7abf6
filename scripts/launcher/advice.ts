/**
 * Which errors are for the user of a program rather than for its author.
 *
 * @module
 */

import { isSetupAdvice } from "../../internal/advice.ts";
import { UsageError } from "../launch_args.ts";

export { USAGE_EXIT_CODE } from "../../internal/advice.ts";

/**
 * Tells whether an error says what the user has to change, so that a stack would only hide it.
 *
 * @param error What was thrown.
 * @returns Whether its message is enough.
 */
export function isAdvice(error: unknown): error is Error {
  return error instanceof UsageError || isSetupAdvice(error);
}
