/**
 * The lanes of a group of PEs: its collectives take them in turn, and those in different lanes do
 * not wait for each other. The number of a signal has the lane in its lowest bits, and counts the
 * turns in that lane above them.
 *
 * In one lane a PE can be one turn ahead of another, never two: it ends a turn only after every
 * other has entered it. What belongs to a turn is therefore kept in one of two **sets** of a lane,
 * one for even turns and one for odd ones.
 *
 * @module
 */

const LANE_BITS = 3;

/** Lanes of a group: as many collectives of it can be under way at once. */
export const LANES: number = 1 << LANE_BITS;
/** Sets of what belongs to a turn, of all lanes. */
export const SETS: number = 2 * LANES;

/** Turns of a lane: numbers stay positive 31-bit integers. */
const LAST_TURN = (1 << (31 - LANE_BITS)) - 1;

/**
 * @param sequence The number of a signal, or of a collective of a group.
 * @returns Its lane.
 */
export function laneOf(sequence: number): number {
  return sequence & (LANES - 1);
}

/**
 * @param lane A lane.
 * @param turns How many turns there were, the same on every PE.
 * @returns The number of the signals before the first of the lane.
 */
export function numberBefore(lane: number, turns: number): number {
  return (turns << LANE_BITS) | lane;
}

/**
 * Even and odd turns alternate even where the numbers wrap, because a partner that is one ahead
 * writes the other set.
 *
 * @param sequence The number of a signal.
 * @returns That of the next turn in its lane.
 */
export function nextSequence(sequence: number): number {
  if (sequence >>> LANE_BITS < LAST_TURN) return sequence + LANES;
  return numberBefore(laneOf(sequence), 2);
}

/**
 * @param sequence The number of a signal.
 * @returns The set for its turn, below {@linkcode SETS}.
 */
export function setOf(sequence: number): number {
  return sequence & (SETS - 1);
}
