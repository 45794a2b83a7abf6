/**
 * What processes tell each other before they talk over the network, and what they agree on.
 *
 * @module
 */

import { HandshakeError } from "../../internal/errors.ts";
import { PES_MAX } from "../../internal/limits.ts";
import { type Hello, readHello } from "../bootstrap/mod.ts";

/** What a process tells the others of itself. */
export interface Card {
  readonly hello: Hello;
  /** The name of its endpoint, in hexadecimal digits. */
  readonly name: string;
  /** Decimal digits of the key and the base of its memory. */
  readonly key: string;
  readonly base: string;
  /** Where its bell is, below /proc; an empty text if it has none. */
  readonly bell: string;
}

/** Most characters of the name of an endpoint. */
const NAME_DIGITS_MAX = 1024;
const KEY_MAX = 2n ** 64n - 1n;

/**
 * Reads what a process tells of itself.
 *
 * @param text What came.
 * @param rank The process.
 * @returns What it tells.
 * @throws {HandshakeError} If it is no such thing.
 */
export function parseCard(text: string, rank: number): Card {
  const card = readObject(text);
  const { name, key, base, bell } = card ?? {};
  const sound = typeof name === "string" && name.length <= NAME_DIGITS_MAX &&
    /^([0-9a-f]{2})+$/.test(name) && isNumber(key, KEY_MAX) &&
    // Addresses are computed with ordinary numbers.
    isNumber(base, BigInt(Number.MAX_SAFE_INTEGER)) &&
    typeof bell === "string" && /^(\d{1,10}\/fd\/\d{1,10})?$/.test(bell);
  if (!card || !sound) {
    throw new HandshakeError(`Cannot read the card of rank ${rank}: ${text.slice(0, 80)}`, {
      op: "build",
    });
  }
  return { hello: readHello(card.hello, rank), name, key, base, bell };
}

/** Whether something is decimal digits of a number up to a limit. */
function isNumber(value: unknown, most: bigint): value is string {
  return typeof value === "string" && /^\d{1,20}$/.test(value) && BigInt(value) <= most;
}

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
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
      `the number has to be a multiple of the processes, and at most ${PES_MAX}`,
    { op: "build" },
  );
}

/**
 * Makes a number of the name of a job, by FNV-1a: it tells the job's messages from others.
 *
 * @param job The name.
 * @returns The number, 32 bits.
 */
export function tokenOf(job: string): number {
  let value = 0x811c9dc5 | 0;
  for (let i = 0; i < job.length; i++) value = Math.imul(value ^ job.charCodeAt(i), 0x01000193);
  return value;
}
