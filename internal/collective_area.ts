/**
 * What the area of a PE for collectives holds: memory of the runtime's own behind the heap, which
 * the PEs of other processes can read. It has some slots, one for each group of PEs that has a
 * large collective under way, and a scratch area.
 *
 * Data pass through a slot in blocks. Rows of a slot come in pairs, since a PE fills one while
 * others still read the other.
 *
 * @module
 */

/** Groups that can have a large collective under way at the same time on a PE. */
export const COLLECTIVE_SLOTS = 16;

/** Most bytes of a block: with several rows it still fits a second-level cache. */
const BLOCK_BYTES_MAX = 128 * 1024;
const BLOCK_BYTES_MIN = 8 * 1024;
/** Bytes that the blocks of all PEs together may take, as far as each has the least size. */
const BLOCKS_BYTES_AIM = 2 * 2 ** 20;

/** Most bytes that are copied at once where nothing has to be staged. */
export const PIECE_BYTES_MAX: number = 1024 * 1024;

/** Bytes of a lane of the scratch area, in which short lists of values are reduced. */
export const SCRATCH_LANE_BYTES = 4096;
/** Lanes: the result, the result of one host, and an operand. */
const SCRATCH_LANES = 3;

/** The rows of a slot: the index of the first of a pair, or of the only one. */
export const ROW = {
  /** What this PE contributes. */
  own: 0,
  /** What it has reduced for PEs of other hosts. */
  partial: 2,
  /** What it gives to the others. */
  given: 4,
  /** What it has got from other hosts for the PEs of its own. */
  relayed: 6,
  /** What it has got from other hosts for itself. */
  got: 8,
} as const;

const ROWS = 9;

/**
 * @param numPes PEs of the world.
 * @returns Bytes of a block, a multiple of 64.
 */
export function blockBytes(numPes: number): number {
  const share = Math.floor(BLOCKS_BYTES_AIM / numPes / 64) * 64;
  return Math.min(BLOCK_BYTES_MAX, Math.max(BLOCK_BYTES_MIN, share));
}

/**
 * @param numPes PEs of the world.
 * @param slot A slot, below {@linkcode COLLECTIVE_SLOTS}.
 * @param row A row of it.
 * @returns Where it is in the area.
 */
export function rowPlace(numPes: number, slot: number, row: number): number {
  return SCRATCH_LANES * SCRATCH_LANE_BYTES + (slot * ROWS + row) * blockBytes(numPes);
}

/**
 * @param numPes PEs of the world.
 * @returns Bytes of the area.
 */
export function collectiveAreaBytes(numPes: number): number {
  return rowPlace(numPes, COLLECTIVE_SLOTS, 0);
}
