/**
 * Whom a PE signals, and whose signals it waits for, in an n-way dissemination barrier: in each
 * round it signals `factor` partners and waits for as many, and after ⌈log(factor + 1) P⌉ rounds
 * everyone has heard of everyone (Hensgen, Finkel, Manber: Two algorithms for barrier
 * synchronization, 1988). What PEs contribute travels along, each signal with what its sender has
 * gathered so far (Bruck, Ho, Kipnis, Upfal, Weathersby: Efficient algorithms for all-to-all
 * communications in multiport message-passing systems, 1997).
 *
 * @module
 */

/** Some PEs, and which of them this one is. */
export interface Members {
  /** What messages call them. */
  readonly name: string;
  /** Their number on the wire; {@linkcode WORLD_ID} for all PEs of the world. */
  readonly id: number;
  /** The PEs by their numbers in the world. */
  readonly pes: readonly number[];
  /** This PE in that list. */
  readonly me: number;
}

/** The number of the world as a group of PEs; those of teams are not negative. */
export const WORLD_ID = -1;

/** One round of a barrier. */
export interface Round {
  /** Slot of the first signal; the others follow. */
  readonly slot: number;
  /** Whom this PE signals, by their numbers in the world. */
  readonly to: readonly number[];
  /** Who signals this PE, in the order of the slots. */
  readonly from: readonly number[];
  /** How far before this PE each of these comes. */
  readonly distances: readonly number[];
  /** Of how many PEs, itself and those before it, a PE has what they contribute. */
  readonly known: number;
}

/**
 * @param members The PEs of the barrier.
 * @param factor Partners in each round.
 * @param slotsMax Most slots there may be; with fewer partners there are fewer.
 * @returns The rounds of this PE.
 */
export function roundsOf(members: Members, factor: number, slotsMax = Infinity): Round[] {
  const { pes, me } = members;
  const { length } = pes;
  let width = Math.min(factor, Math.max(1, length - 1), slotsMax);
  while (countOf(length, width) * width > slotsMax) width--;
  const rounds: Round[] = [];
  for (let reach = 1; reach < length; reach *= width + 1) {
    const distances: number[] = [];
    for (let i = 1; i <= width && i * reach < length; i++) distances.push(i * reach);
    rounds.push({
      slot: rounds.length * width,
      to: distances.map((distance) => pes[(me + distance) % length]!),
      from: distances.map((distance) => pes[(me - distance + length) % length]!),
      distances,
      known: reach,
    });
  }
  return rounds;
}

function countOf(length: number, width: number): number {
  let rounds = 0;
  for (let reach = 1; reach < length; reach *= width + 1) rounds++;
  return rounds;
}
