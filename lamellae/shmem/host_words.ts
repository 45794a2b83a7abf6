/**
 * What processes that share memory say to each other in it, apart from their PEs: words at the end
 * of the area for the network, each on a line of its own.
 *
 * @module
 */

import { controlOf, type Layout } from "../local/layout.ts";

/** Byte offsets from where these words begin. */
export const HOST = {
  /** 1 while the supervisor sleeps by it, in futex(2). */
  asleep: 0,
  /** Counts signs of life. */
  beats: 64,
  /** When something moved last in the process, by the clock of the host. */
  moved: 128,
} as const;

/** Bytes of the words. */
export const HOST_BYTES = 192;

/**
 * @param layout The layout.
 * @param rank A process that shares memory with this one.
 * @param word One of {@linkcode HOST}.
 * @returns Its byte address.
 */
export function hostWordOf(layout: Layout, rank: number, word: number): number {
  const end = layout.network + layout.networkBytes;
  return controlOf(layout, rank * layout.nearPes) + end - HOST_BYTES + word;
}
