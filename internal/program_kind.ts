/**
 * Whether the main thread runs a program that PEs could run, too.
 *
 * @module
 */

import { FeatureLevelError } from "./errors.ts";

/** What `Deno.test` and `Deno.bench` do with a name that is not allowed. */
type Register = (name: string) => unknown;

const INSTEAD = "put it into a program and start that from here: " +
  'new Deno.Command(Deno.execPath(), { args: ["run", "-A", "program.ts"] }), ' +
  "then check its output and exit code";

/**
 * Refuses to start PEs where there is no program that they could run from its beginning.
 *
 * @throws {FeatureLevelError} In a REPL, in `deno test` and in `deno bench`; says what to do.
 */
export function checkProgramKind(): void {
  if (isTyped()) {
    throw refusal("a REPL", "write the program to a file and start it by deno run -A program.ts");
  }
  if (collects(Deno.test as unknown as Register)) throw refusal("deno test", INSTEAD);
  if (collects(Deno.bench as unknown as Register)) throw refusal("deno bench", INSTEAD);
}

/**
 * @returns Whether this is a REPL or a notebook, where programs are typed piece by piece.
 */
export function isTyped(): boolean {
  return /\/\$deno\$(repl|jupyter\w*)\.\w+$/.test(Deno.mainModule ?? "");
}

/** Whether tests or benchmarks are being collected: else all are ignored, even such as this. */
function collects(register: Register): boolean {
  try {
    register("");
    return false;
  } catch {
    return true;
  }
}

function refusal(where: string, instead: string): FeatureLevelError {
  return new FeatureLevelError(
    `Cannot build a world in ${where}: each PE runs the program from its beginning, and there is ` +
      `none; ${instead}`,
    { op: "build" },
  );
}
