/**
 * The program of a job, as it was named.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import { checkPermissions } from "../../internal/platform.ts";
import { UsageError } from "../launch_args.ts";

/**
 * Turns what was written on the command line into a URL.
 *
 * @param program The program as it was written, a path or a URL.
 * @returns Its URL.
 */
export function programUrl(program: string): string {
  // A single letter before the colon is a drive.
  return /^[a-z][a-z0-9+.-]+:/i.test(program) ? program : pathToFileURL(program).href;
}

/**
 * Checks that a program is there and may be read.
 *
 * @param url Its URL.
 * @param program The program as it was written, for messages.
 * @throws {UsageError} If there is no such program.
 * @throws {FeatureLevelError} If a permission is missing.
 */
export function checkProgram(url: string, program: string): void {
  if (!URL.canParse(url)) throw new UsageError(`Cannot run ${program}: it is no URL`);
  checkPermissions(url);
  if (new URL(url).protocol !== "file:") return;
  let isFile = false;
  try {
    isFile = Deno.statSync(new URL(url)).isFile;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(`Cannot run ${program}: there is no such file`);
  }
  if (!isFile) throw new UsageError(`Cannot run ${program}: it is not a file`);
}
