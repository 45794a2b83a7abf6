/**
 * What the staging area of a PE holds: memory of the runtime's own beside the heap, in which it
 * prepares what kernels work on. First comes a cell for one value, then the spreads of some
 * regions, and then lanes, into which lists that are elsewhere are copied a block at a time.
 *
 * @module
 */

import { spreadBytes } from "./kernels_spread.ts";

/** Items that pass through a lane at a time, unless they are wide. */
const LANE_ITEMS = 4096;

/** Bytes of an item that is not wide. */
export const LANE_ITEM_BYTES = 8;

/**
 * @param bytes Bytes of an item: an exchange takes two values of 8 bytes each.
 * @returns How many pass through a lane at a time.
 */
export function laneItems(bytes: number): number {
  return Math.floor(LANE_ITEMS * LANE_ITEM_BYTES / Math.max(LANE_ITEM_BYTES, bytes));
}

/** Lists that a kernel works on at once: indices, values and results. */
const LANES = 3;

/** Regions whose spreads are kept. */
export const SPREADS_KEPT = 16;

/** Bytes in front of the spreads, a cache line. */
const CELL_BYTES = 64;

/**
 * @param numPes PEs of the world.
 * @param slot A place for a spread, below {@linkcode SPREADS_KEPT}.
 * @returns Where it is in the area.
 */
export function spreadPlace(numPes: number, slot: number): number {
  return CELL_BYTES + slot * spreadBytes(numPes);
}

/**
 * @param numPes PEs of the world.
 * @param lane A lane: 0 to 2.
 * @returns Where it is in the area.
 */
export function lanePlace(numPes: number, lane: number): number {
  return spreadPlace(numPes, SPREADS_KEPT) + lane * LANE_ITEMS * LANE_ITEM_BYTES;
}

/**
 * @param numPes PEs of the world.
 * @returns Bytes of the area.
 */
export function stagingBytes(numPes: number): number {
  return lanePlace(numPes, LANES);
}
