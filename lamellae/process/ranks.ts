/**
 * A process among those of its job: their numbers, and what users know them by.
 *
 * @module
 */

import { HandshakeError } from "../../internal/errors.ts";
import { PES_MAX } from "../../internal/limits.ts";

/** A process among those of its job. */
export interface Ranked {
  /** This process. */
  readonly rank: number;
  /** PEs of each process. */
  readonly pesPerProcess: number;
  /** All processes, and the host that each is on. */
  readonly peers: readonly { readonly host: string }[];
}

/**
 * @param all The processes, or as much as says how many PEs each has.
 * @param rank A process.
 * @returns Its PEs for messages, such as `PE 3` or `PEs 2 to 3`.
 */
export function pesOf({ pesPerProcess }: Pick<Ranked, "pesPerProcess">, rank: number): string {
  const first = rank * pesPerProcess;
  return pesPerProcess === 1 ? `PE ${first}` : `PEs ${first} to ${first + pesPerProcess - 1}`;
}

/**
 * @param all The processes.
 * @param step 1 for the processes that hear this one's signs of life, -1 for those it hears.
 * @returns Their numbers.
 */
export function hearers({ peers, rank }: Pick<Ranked, "peers" | "rank">, step: 1 | -1): number[] {
  const count = peers.length;
  const ranks = [1, 2].map((distance) => (rank + step * distance + 2 * count) % count);
  return [...new Set(ranks)].filter((other) => other !== rank);
}

/**
 * @returns Milliseconds by a clock that all threads of a host share, in 32 bits.
 */
export function clockMs(): number {
  return Math.round(performance.timeOrigin + performance.now()) | 0;
}

/**
 * How many PEs each process has: as it is said, or an even share.
 *
 * @param pes PEs of the world, if that is said.
 * @param asked PEs of each process, if that is said.
 * @param processes Processes of the job.
 * @returns The number.
 * @throws {HandshakeError} If the numbers do not fit.
 */
export function pesPerProcess(
  pes: number | undefined,
  asked: number | undefined,
  processes: number,
): number {
  const share = asked ?? (pes === undefined ? 1 : pes / processes);
  const total = share * processes;
  if (Number.isInteger(share) && (pes === undefined || pes === total) && total <= PES_MAX) {
    return share;
  }
  const each = asked === undefined ? "" : ` with ${asked} PEs each`;
  throw new HandshakeError(
    `Cannot spread ${pes ?? total} PEs over ${processes} processes${each}: ` +
      `the number must be a multiple of the processes, and at most ${PES_MAX}`,
    { op: "build" },
  );
}

/**
 * Makes a number of the name of a job, by FNV-1a: it tells what processes of the job share from
 * what others do, which may have it at the same place. It is not a secret.
 *
 * @param job The name.
 * @returns The number, 32 bits.
 */
export function tagOf(job: string): number {
  let value = 0x811c9dc5 | 0;
  for (let i = 0; i < job.length; i++) value = Math.imul(value ^ job.charCodeAt(i), 0x01000193);
  return value;
}
