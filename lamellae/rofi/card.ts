/**
 * What processes tell each other before they talk over the network, and what they agree on.
 *
 * @module
 */

import { HandshakeError } from "../../internal/errors.ts";

/** What a process tells the others of itself, beside its greeting. */
export interface Card {
  /** The provider that it uses. */
  readonly provider: string;
  /** The name of its endpoint, in hexadecimal digits. */
  readonly name: string;
  /** Decimal digits of the key and the base of what it has open. */
  readonly key: string;
  readonly base: string;
  /** Where its bell is, below /proc; an empty text if it has none. */
  readonly bell: string;
}

/** Most characters of the name of a provider. */
const PROVIDER_LETTERS_MAX = 256;
/** Most characters of the name of an endpoint. */
const NAME_DIGITS_MAX = 1024;
const KEY_MAX = 2n ** 64n - 1n;

/**
 * Reads what a process tells of itself.
 *
 * @param text What came.
 * @param rank The process.
 * @returns What it tells.
 * @throws {HandshakeError} If it is not a card.
 */
export function parseCard(text: string, rank: number): Card {
  const card = readObject(text);
  const { provider, name, key, base, bell } = card ?? {};
  const sound = typeof provider === "string" && provider.length <= PROVIDER_LETTERS_MAX &&
    typeof name === "string" && name.length <= NAME_DIGITS_MAX &&
    /^([0-9a-f]{2})+$/.test(name) && isNumber(key, KEY_MAX) &&
    // Addresses are computed with ordinary numbers.
    isNumber(base, BigInt(Number.MAX_SAFE_INTEGER)) &&
    typeof bell === "string" && /^(\d{1,10}\/fd\/\d{1,10})?$/.test(bell);
  if (!card || !sound) {
    throw new HandshakeError(`Cannot read the card of rank ${rank}: ${text.slice(0, 80)}`, {
      op: "build",
    });
  }
  return { provider, name, key, base, bell };
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
