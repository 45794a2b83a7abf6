/**
 * Jobs of several processes for tests.
 *
 * @module
 */

import { repositoryPath } from "./inline.ts";
import { LAUNCHER, type RunningProgram, startCommand, type StartOptions } from "./run.ts";

/** A shell that says its number and then does nothing for ever, whatever it is told. */
export const DEAF = "trap '' TERM INT HUP; echo \"pid $$ \"; while :; do sleep 600; done";

/** How to start a job. */
export interface ClusterOptions extends StartOptions {
  /** Flags of `deno run` for the launcher; `-A` without it. */
  readonly flags?: readonly string[];
  /** What stands before the command, to run it on another host. */
  readonly enter?: readonly string[];
}

/**
 * Starts the launcher.
 *
 * @param args Its arguments.
 * @param options The environment, the input and the limit.
 * @returns The launcher.
 */
export function startCluster(
  args: readonly string[],
  { flags = ["-A"], enter = [], ...options }: ClusterOptions = {},
): RunningProgram {
  const deno = [Deno.execPath(), "run", "--quiet", "--no-prompt", ...flags];
  return startCommand([...enter, ...deno, LAUNCHER, ...args], {
    cwd: repositoryPath("."),
    ...options,
  });
}

/**
 * Arguments of the launcher for a program that speaks PMI by itself.
 *
 * @param way What the program does.
 * @returns The arguments.
 */
export function pmiProcess(way: string): string[] {
  const program = repositoryPath("tests/programs/pmi_process.ts");
  return ["--exec", Deno.execPath(), "run", "--quiet", "-A", program, way];
}

/**
 * Waits for processes to say their numbers, as {@linkcode DEAF} does.
 *
 * @param program The launcher.
 * @param count How many processes.
 * @returns The numbers.
 */
export async function pidsOf(program: RunningProgram, count: number): Promise<number[]> {
  const pids = () => [...program.output().matchAll(/pid (\d+) /g)].map((found) => Number(found[1]));
  while (pids().length < count) await program.moreOutput();
  return pids();
}
