/**
 * Spreads: how the batched kernels find an element of a region that is spread over PEs. A spread is
 * a few 64-bit words in the shared memory, written once when a region is made; after them comes a
 * table of the address at which each PE's part begins. `kernels/translate.ts` says how it is read.
 *
 * @module
 */

/** How many indices a kernel translates to addresses at a time. */
export const BLOCK = 256;

/** The bytes of the area in which a PE's kernels keep those addresses. */
export const SCRATCH_BYTES: number = BLOCK * 8;

/** Bits of a spread's flags. */
export const SpreadFlag = {
  /** Four indices may be translated at once. */
  vector: 1,
  /** The multiplier and the shift divide every index exactly. */
  magic: 2,
  /** The parts lie at equal distances, so the table is not needed. */
  equidistant: 4,
  /** The distribution is cyclic. */
  cyclic: 8,
} as const;

/** Where the table of addresses begins, in bytes from the beginning of a spread. */
export const SPREAD_TABLE = 64;

/** Up to this many elements the reciprocal divides exactly. */
const RECIPROCAL_ELEMENTS_MAX = 2 ** 31;

/** A region spread over PEs. */
export interface Spread {
  /** The address at which each PE's part begins. */
  readonly bases: readonly number[];
  /** How many elements the region has: indices from there on are out of range. */
  readonly total: number;
  /** The size of an element in bytes. */
  readonly elementBytes: number;
  /** How many elements each part has when the region is in blocks; the last ones may have fewer. */
  readonly blockLength?: number;
  /** Whether neighbours stand on neighbouring PEs instead. */
  readonly cyclic?: boolean;
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
 * @throws {RangeError} If the parts cannot hold the region.
 */
export function writeSpread(words: Uint32Array, at: number, spread: Spread): void {
  const { bases, total, elementBytes, cyclic = false } = spread;
  const blockLength = spread.blockLength ?? Math.max(1, Math.ceil(total / bases.length));
  if (!cyclic && blockLength * bases.length < total) {
    throw new RangeError(
      `Cannot spread ${total} elements: ${bases.length} blocks of ${blockLength} are too few`,
    );
  }
  const divisor = cyclic ? bases.length : blockLength;
  const distance = bases.length > 1 ? bases[1]! - bases[0]! : 0;
  const equidistant = bases.every((base, pe) => base === bases[0]! + pe * distance);
  const exact = total <= RECIPROCAL_ELEMENTS_MAX;
  // Over a 64-bit memory the vector multiplies unsigned 32-bit numbers, so these have to fit.
  const fits = distance >= 0 && distance < 2 ** 32 && divisor < 2 ** 32;
  const flags = (exact && equidistant && fits ? SpreadFlag.vector : 0) |
    (exact ? SpreadFlag.magic : 0) |
    (equidistant ? SpreadFlag.equidistant : 0) |
    (cyclic ? SpreadFlag.cyclic : 0);
  const { magic, shift } = exact ? reciprocal(divisor) : { magic: 0, shift: 0 };
  const fields = [
    total,
    divisor,
    magic,
    shift,
    flags,
    bases[0] ?? 0,
    cyclic ? distance : elementBytes,
    cyclic ? elementBytes : distance,
  ];
  fields.forEach((field, i) => writeAddress(words, at + i * 8, field));
  bases.forEach((base, pe) => writeAddress(words, at + SPREAD_TABLE + pe * 8, base));
}

/** Multiplier and shift that divide numbers below 2^31. */
function reciprocal(divisor: number): { magic: number; shift: number } {
  // No number below 2^31 reaches a larger divisor.
  if (divisor > RECIPROCAL_ELEMENTS_MAX) return { magic: 0, shift: 0 };
  const shift = 31 + Math.ceil(Math.log2(divisor));
  return { magic: Number((2n ** BigInt(shift) + BigInt(divisor) - 1n) / BigInt(divisor)), shift };
}
