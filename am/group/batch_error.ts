/**
 * The error of a batch of AMs, which stands for those of its AMs.
 *
 * @module
 */

import { RemoteError } from "../../internal/errors.ts";
import { remoteError } from "../wire/thrown.ts";

/** The name of the error of a batch whose AMs failed. */
export const BATCH_ERROR = "AmGroupError";

/**
 * @param error What the handle of an AM gave, perhaps of a batch.
 * @returns The errors of the AMs.
 */
export function errorsOf(error: unknown): unknown[] {
  if (!(error instanceof RemoteError)) return [error];
  const { cause, pe } = error;
  if (!(cause instanceof AggregateError) || cause.name !== BATCH_ERROR) return [error];
  return cause.errors.map((one: Error) => {
    return remoteError(one.message, pe ?? -1, one.cause);
  });
}
