/**
 * The program of a job, as it was named.
 *
 * @module
 */

import { fileURLToPath, pathToFileURL } from "node:url";
import { checkPermissions } from "../../internal/platform.ts";
import { UsageError } from "../launch_args.ts";

/** Names of files that Deno takes for a program; one without an ending is JavaScript. */
const RUNS = /(?:\.(?:[cm]?[jt]s|[jt]sx|wasm)|(?:^|[/\\])\.?[^./\\]+)$/i;

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
  if (!URL.canParse(url)) throw new UsageError(`Cannot run ${program}: it is not a URL`);
  const path = new URL(url).protocol === "file:" ? pathOf(url, program) : undefined;
  checkPermissions(url);
  if (path === undefined) return;
  // What was written may be relative to a folder that the user does not think of.
  const named = path === program ? "it" : path;
  const info = look(path);
  if (info instanceof Deno.errors.NotFound) {
    const tried = path === program ? "there is no such file" : `there is no file ${path}`;
    const meant = look(`${path}.ts`) instanceof Error ? "" : `; did you mean ${program}.ts?`;
    throw new UsageError(`Cannot run ${program}: ${tried}${meant}`);
  }
  if (info instanceof Error) {
    throw new UsageError(`Cannot run ${program}: ${info.message}`, { cause: info });
  }
  if (info.isDirectory) throw new UsageError(`Cannot run ${program}: ${named} is a folder`);
  if (!info.isFile) throw new UsageError(`Cannot run ${program}: ${named} is not a file`);
  if (!RUNS.test(path)) {
    throw new UsageError(
      `Cannot run ${program}: it is not a program; the names of programs end in .ts, .tsx, .mts, ` +
        ".cts, .js, .jsx, .mjs, .cjs or .wasm",
    );
  }
  if (info.size === 0) throw new UsageError(`Cannot run ${program}: ${named} is empty`);
  checkReadable(path, program);
}

/** The system may refuse what Deno allows. */
function checkReadable(path: string, program: string): void {
  try {
    Deno.openSync(path).close();
  } catch (cause) {
    throw new UsageError(`Cannot run ${program}: ${(cause as Error).message}`, { cause });
  }
}

function pathOf(url: string, program: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new UsageError(`Cannot run ${program}: it does not name a file of this machine`, {
      cause,
    });
  }
}

function look(path: string): Deno.FileInfo | Error {
  try {
    return Deno.statSync(path);
  } catch (error) {
    return error as Error;
  }
}
