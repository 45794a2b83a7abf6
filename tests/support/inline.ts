/**
 * Programs written inside a test, for what must not lie in the repository, such as a syntax error.
 *
 * @module
 */

import { fromFileUrl, ROOT } from "./paths.ts";
import { type RunOptions, runProgram, type RunResult } from "./run.ts";

/**
 * Runs a program given as text with the launcher. It imports the library from `"MOD"`.
 *
 * @param source The program.
 * @param options How to run it; without a number of PEs there are 3.
 * @returns How it ended.
 */
export async function runSource(
  source: string,
  options: Partial<RunOptions> = {},
): Promise<RunResult> {
  const folder = await Deno.makeTempDir({ prefix: "lamellar-test-" });
  try {
    const program = `${folder}/program.ts`;
    const library = new URL("mod.ts", ROOT).href;
    await Deno.writeTextFile(program, source.replaceAll('"MOD"', JSON.stringify(library)));
    return await runProgram({ program, pes: 3, launcher: true, ...options });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Runs the test files' tool with a path of the repository.
 *
 * @param path A path from the root of the repository.
 * @returns The path on this machine.
 */
export function repositoryPath(path: string): string {
  return fromFileUrl(new URL(path, ROOT));
}
