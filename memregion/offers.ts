/**
 * What PEs tell each other of their room when a shared region is allocated, turn by turn.
 *
 * @module
 */

import { OutOfMemoryError } from "../internal/errors.ts";
import type { NextTurn } from "../lamellae/mod.ts";
import type { FarWork } from "./transfer/pending.ts";
import { readOffer } from "./wire.ts";

/**
 * What follows if a PE has no room. All PEs are here, so that each has disposed what it disposed
 * before; but some may have taken their room before others did. So once every PE has left what it
 * disposed, each that had no room offers again.
 *
 * @param far What this PE has under way at far PEs.
 * @param offers What each PE contributed in the last turn.
 * @param turn How many turns there were.
 * @param offer Looks for room once more, if there was none.
 * @returns The next turn; undefined if there is none.
 */
export function offerAgain(
  far: FarWork,
  offers: readonly Uint8Array[],
  turn: number,
  offer: () => Uint8Array,
): NextTurn | undefined {
  if (turn === 1 && noRoomIn(offers)) {
    let left = false;
    // What is behind the first are leaves, which the second is behind.
    far.fence(() => far.fence(() => left = true));
    return { ready: () => left, own: () => new Uint8Array() };
  }
  return turn === 2 ? { ready: () => true, own: offer } : undefined;
}

/**
 * Looks for a PE that has no room.
 *
 * @param offers What each PE offered.
 * @returns The error of the first one, if there is one.
 */
export function noRoomIn(offers: readonly Uint8Array[]): OutOfMemoryError | undefined {
  return offers.map(readOffer).find((offer) => offer instanceof OutOfMemoryError);
}
