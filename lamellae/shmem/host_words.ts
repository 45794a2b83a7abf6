/**
 * What processes that share memory say to each other in it, apart from their PEs: words in the area
 * for the network, each on a line of its own.
 *
 * @module
 */

import { controlOf, type Layout } from "../local/layout.ts";

/** Byte offsets in that area. */
export const HOST = {
  /** 1 while the supervisor sleeps by it, in futex(2). */
  asleep: 0,
  /** Counts signs of life. */
  beats: 64,
  /** When something moved last in the process, by the clock of the host. */
  moved: 128,
  /** Tells the memory of one job from that of others. */
  tag: 192,
} as const;

/** Bytes of the area. */
export const HOST_BYTES = 256;

/**
 * @param layout The layout.
 * @param rank A process.
 * @param word One of {@linkcode HOST}.
 * @returns Its byte address.
 */
export function hostWordOf(layout: Layout, rank: number, word: number): number {
  return controlOf(layout, rank * layout.nearPes) + layout.network + word;
}
