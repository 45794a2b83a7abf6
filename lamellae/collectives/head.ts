/**
 * What each PE tells the others in the first turn of a collective: what it contributes, if that is
 * short, or else where it will be found.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";
import { EXCHANGE_BYTES } from "../../internal/limits.ts";

/** Byte offsets of what stands in front: form, what the bytes are, and the first PE of the host. */
const FORM = 0;
const MEANING = 1;
const LEADER = 2;
/** Bytes in front of what is short. */
export const SHORT_HEAD_BYTES = 8;
/**
 * Bytes behind it of what is not short: length, slot, and offset of a source in the heap. Lengths
 * of parts may follow.
 */
const LONG_BYTES = 24;

/** Most bytes that travel in the first turn. */
export const SHORT_BYTES_MAX: number = EXCHANGE_BYTES - SHORT_HEAD_BYTES;

const SHORT = 0;
const LONG = 1;

/** What a PE told. */
export interface Head {
  /** What the bytes are, as the caller numbers it. */
  readonly meaning: number;
  /** The first PE of the group on its host, by its place in the group. */
  readonly leader: number;
  /** What it contributes, if that is short. */
  readonly short: Uint8Array | undefined;
  /** Bytes that it contributes. */
  readonly length: number;
  /** Its slot, -1 if it has none. */
  readonly slot: number;
  /** Where in its segment the bytes are, -1 if they pass through the slot. */
  readonly offset: number;
  /** The lengths of what it has for each place, if they are told and there is room for them. */
  readonly lengths: readonly number[];
}

/** The most lengths that a head has room for. */
export const LENGTHS_MAX: number = (EXCHANGE_BYTES - 32) / 8;

/**
 * @param bytes What to contribute: gets a head for the short bytes behind it.
 * @param leader The first PE of the group on this host, by its place in the group.
 * @param meaning What the bytes are.
 */
export function writeShortHead(bytes: Uint8Array, leader: number, meaning = 0): void {
  bytes[FORM] = SHORT;
  bytes[MEANING] = meaning;
  bytes[LEADER] = leader & 0xff;
  bytes[LEADER + 1] = leader >>> 8;
}

/**
 * @param head What to tell.
 * @returns The bytes to contribute.
 */
export function writeHead(head: Head): Uint8Array {
  const { short, meaning, leader, lengths } = head;
  const longBytes = LONG_BYTES + 8 * lengths.length;
  const bytes = new Uint8Array(SHORT_HEAD_BYTES + (short?.length ?? longBytes));
  writeShortHead(bytes, leader, meaning);
  if (short) {
    bytes.set(short, SHORT_HEAD_BYTES);
    return bytes;
  }
  bytes[FORM] = LONG;
  new Float64Array(bytes.buffer, SHORT_HEAD_BYTES)
    .set([head.length, head.slot, head.offset, ...lengths]);
  return bytes;
}

/**
 * @param bytes What a PE contributed, in memory of its own.
 * @returns What it told.
 * @throws {ProtocolError} If that is not what `writeHead` writes.
 */
export function readHead(bytes: Uint8Array): Head {
  const meaning = bytes[MEANING]!;
  const leader = bytes[LEADER]! | (bytes[LEADER + 1]! << 8);
  if (bytes[FORM] === SHORT && bytes.length >= SHORT_HEAD_BYTES) {
    const short = bytes.subarray(SHORT_HEAD_BYTES);
    return { meaning, leader, short, length: short.length, slot: -1, offset: -1, lengths: [] };
  }
  const words = (bytes.length - SHORT_HEAD_BYTES) / 8;
  if (bytes[FORM] !== LONG || !Number.isInteger(words) || words < LONG_BYTES / 8) {
    throw new ProtocolError(`the head of a collective of ${bytes.length} bytes`);
  }
  const at = bytes.byteOffset + SHORT_HEAD_BYTES;
  const [length, slot, offset, ...lengths] = new Float64Array(bytes.buffer, at, words);
  return {
    meaning,
    leader,
    short: undefined,
    length: length!,
    slot: slot!,
    offset: offset!,
    lengths,
  };
}
