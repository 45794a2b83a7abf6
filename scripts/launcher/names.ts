/**
 * How the launcher speaks of processes and their ends.
 *
 * @module
 */

import type { Plan } from "./hosts.ts";
import type { PmiVerdict } from "./pmi_server.ts";

/** How a process says that it has told its failure itself. */
const REPORTED = "reported:";

/**
 * The PEs of processes that follow each other.
 *
 * @param plan The job.
 * @param ranks The processes, at least one.
 * @returns Such as `PE 3` or `PEs 2 to 3`.
 */
export function pesOf({ pesPerProcess }: Plan, ranks: readonly number[]): string {
  const [first, last] = [ranks[0]! * pesPerProcess, (ranks.at(-1)! + 1) * pesPerProcess - 1];
  return first === last ? `PE ${first}` : `PEs ${first} to ${last}`;
}

/**
 * What the user is told of a process that wants the job to end.
 *
 * @param abort What it said.
 * @param name Its PEs and its place.
 * @param placeOf The place of a PE.
 * @returns One line, and what the process has to say below it; undefined if it has told the user
 * itself.
 */
export function abortText(
  { message, exitCode }: PmiVerdict & { kind: "abort" },
  name: string,
  placeOf: (pe: number) => string,
): string | undefined {
  if (message.startsWith(REPORTED)) return undefined;
  const [first, ...more] = message.trimEnd().split("\n");
  const line = first!.trim();
  if (line === "") return `${name} aborted the job with exit code ${exitCode}`;
  // A message that names a PE, which may be another's, needs no more than the place.
  const [, pe] = /^PEs? (\d+)/.exec(line) ?? [];
  let told = `${name} aborted the job: ${line}`;
  if (pe !== undefined) told = `${line} (${placeOf(Number(pe))})`;
  else if (line.startsWith("the job ")) told = line;
  return [told, ...more].join("\n");
}
