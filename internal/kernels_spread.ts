/**
 * Spreads: how the batched kernels find an element of a region that is spread over PEs. A spread is
 * a few 64-bit words in the shared memory, written once when a region is made; after them comes a
 * table of the address at which each PE's part begins. `kernels/translate.ts` says how it is read.
 *
 * @module
 */

import type { Distribution } from "./distribution.ts";

/** How many indices a kernel translates to addresses at a time. */
export const BLOCK = 256;

/** Where the scratch area of kernels has room for the spread of one part; addresses are before. */
export const SCRATCH_SPREAD: number = BLOCK * 8;

/** Bits of a spread's flags. */
export const SpreadFlag = {
  /** Four indices may be translated at once. */
  vector: 1,
  /** The multipliers and the shifts divide every index exactly. */
  magic: 2,
  /** The parts are at equal distances, so the table is not needed. */
  equidistant: 4,
  /** The distribution is cyclic. */
  cyclic: 8,
  /** Some blocks have one element more than others. */
  uneven: 16,
} as const;

/** The words of a spread, in their order. */
export const SPREAD_FIELDS = [
  /** Elements of the range: indices from there on are out of range. */
  "total",
  /** What is added to an index: where the range begins in the whole. */
  "first",
  /** By blocks the length of a long one, cyclic the number of parts. */
  "divisor",
  "magic",
  "shift",
  "flags",
  "base",
  "rBytes",
  "qBytes",
  /** By blocks: elements before the first block that is short. */
  "edge",
  /** The same as `divisor` for what is behind that. */
  "divisor2",
  "magic2",
  "shift2",
  /** How many blocks are long, 0 if all are alike. */
  "extras",
] as const;

const fieldAt = (name: typeof SPREAD_FIELDS[number]): number => 8 * SPREAD_FIELDS.indexOf(name);
const TOTAL = fieldAt("total");
const FLAGS = fieldAt("flags");
const BASE = fieldAt("base");
const R_BYTES = fieldAt("rBytes");

/** Where the table of addresses begins, in bytes from the beginning of a spread. */
export const SPREAD_TABLE: number = 8 * SPREAD_FIELDS.length;

/** The bytes of the scratch area of kernels. */
export const SCRATCH_BYTES: number = SCRATCH_SPREAD + SPREAD_TABLE + 16;

/** Up to this many elements the reciprocal divides exactly. */
const RECIPROCAL_ELEMENTS_MAX = 2 ** 31;

/** A range of elements that are spread over PEs. */
export interface Spread {
  /** The address at which each part begins. */
  readonly bases: readonly number[];
  /** Which part has an element, and where. */
  readonly distribution: Distribution;
  /** The size of an element in bytes. */
  readonly elementBytes: number;
}

/**
 * Tells how much memory a spread takes.
 *
 * @param numPes The number of parts.
 * @returns The size in bytes.
 */
export function spreadBytes(numPes: number): number {
  return SPREAD_TABLE + 8 * numPes;
}

/**
 * Writes a 64-bit word of which the kernels read an address, or a number below 2^53.
 *
 * @param words 32-bit view of the memory.
 * @param at Where to write, in bytes, a multiple of 8.
 * @param value The address; negative ones wrap.
 */
export function writeAddress(words: Uint32Array, at: number, value: number): void {
  words[at / 4] = value % 2 ** 32;
  words[at / 4 + 1] = Math.floor(value / 2 ** 32);
}

/**
 * Writes a spread.
 *
 * @param words 32-bit view of the memory.
 * @param at Where to write, in bytes, a multiple of 8; see {@linkcode spreadBytes}.
 * @param spread The region.
 */
export function writeSpread(words: Uint32Array, at: number, spread: Spread): void {
  const { bases, distribution, elementBytes } = spread;
  const { kind, parts, first, length, longBlock, block, edge, extras } = distribution;
  const cyclic = kind === "cyclic";
  const divisor = cyclic ? parts : longBlock;
  // Of fewer elements than parts each part has one or none: all that there are are as long.
  const uneven = extras > 0 && block > 0;
  const distance = parts > 1 ? bases[1]! - bases[0]! : 0;
  const equidistant = bases.every((base, part) => base === bases[0]! + part * distance);
  const exact = first + length <= RECIPROCAL_ELEMENTS_MAX;
  // Over a 64-bit memory the vector multiplies unsigned 32-bit numbers, so these have to fit.
  const fits = distance >= 0 && distance < 2 ** 32 && divisor < 2 ** 32;
  const flags = (exact && equidistant && fits ? SpreadFlag.vector : 0) |
    (exact ? SpreadFlag.magic : 0) |
    (equidistant ? SpreadFlag.equidistant : 0) |
    (cyclic ? SpreadFlag.cyclic : 0) |
    (uneven ? SpreadFlag.uneven : 0);
  const none = { magic: 0, shift: 0 };
  const { magic, shift } = exact ? reciprocal(divisor) : none;
  const { magic: magic2, shift: shift2 } = exact && uneven ? reciprocal(block) : none;
  writeFields(words, at, {
    total: length,
    first,
    divisor,
    magic,
    shift,
    flags,
    base: bases[0]!,
    rBytes: cyclic ? distance : elementBytes,
    qBytes: cyclic ? elementBytes : distance,
    // Beyond 32 bits a vector would see another number; no index that it takes is so large.
    edge: exact ? Math.min(edge, 2 ** 32 - 1) : edge,
    divisor2: uneven ? block : divisor,
    magic2,
    shift2,
    extras: uneven ? extras : 0,
  });
  bases.forEach((base, part) => writeAddress(words, at + SPREAD_TABLE + part * 8, base));
}

function writeFields(
  words: Uint32Array,
  at: number,
  fields: Readonly<Record<typeof SPREAD_FIELDS[number], number>>,
): void {
  for (let i = 0; i < SPREAD_FIELDS.length; i++) {
    writeAddress(words, at + i * 8, fields[SPREAD_FIELDS[i]!]);
  }
}

/**
 * Writes the spread of one part alone, which takes no division.
 *
 * @param words 32-bit view of the memory.
 * @param at Where to write, in bytes, a multiple of 8.
 * @param base The address at which the part begins.
 * @param length How many elements it has.
 * @param elementBytes The size of an element in bytes.
 */
export function writeSingleSpread(
  words: Uint32Array,
  at: number,
  base: number,
  length: number,
  elementBytes: number,
): void {
  const flags = SpreadFlag.magic | SpreadFlag.equidistant |
    (length < RECIPROCAL_ELEMENTS_MAX ? SpreadFlag.vector : 0);
  words.fill(0, at / 4, (at + SPREAD_TABLE) / 4);
  writeAddress(words, at + TOTAL, length);
  writeAddress(words, at + FLAGS, flags);
  writeAddress(words, at + BASE, base);
  writeAddress(words, at + R_BYTES, elementBytes);
}

/** Multiplier and shift that divide numbers below 2^31. */
function reciprocal(divisor: number): { magic: number; shift: number } {
  // No number below 2^31 reaches a larger divisor.
  if (divisor > RECIPROCAL_ELEMENTS_MAX) return { magic: 0, shift: 0 };
  const shift = 31 + Math.ceil(Math.log2(divisor));
  return { magic: Number((2n ** BigInt(shift) + BigInt(divisor) - 1n) / BigInt(divisor)), shift };
}
