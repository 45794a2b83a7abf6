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
 * @param place Its place alone.
 * @returns One line; undefined if the process has told the user itself.
 */
export function abortText(
  { message, exitCode }: PmiVerdict & { kind: "abort" },
  name: string,
  place: string,
): string | undefined {
  if (message.startsWith(REPORTED)) return undefined;
  const line = message.split("\n", 1)[0]!.trim();
  if (line === "") return `${name} aborted the job with exit code ${exitCode}`;
  // A message that names its PE needs no more than the place.
  return /^PEs? \d/.test(line) ? `${line} (${place})` : `${name} aborted the job: ${line}`;
}
