/**
 * Numbers of regions, arrays and Darcs. A program may have several sessions, and what belongs to
 * one must not be taken for what belongs to another: a session has numbers that no other session of
 * the process has.
 *
 * @module
 */

/** Numbers of one session. */
const NUMBERS = 2 ** 32;

/**
 * @param session The session of this PE, 0 if there is none.
 * @returns The number of its first region.
 */
export function firstNumberOf(session: number): number {
  return session * NUMBERS + 1;
}

/**
 * @param number Number of a region.
 * @returns What messages call it.
 */
export function shownNumber(number: number): number {
  return number % NUMBERS;
}

/**
 * @param number Number of a region.
 * @returns The session it belongs to.
 */
export function sessionOf(number: number): number {
  return Math.floor(number / NUMBERS);
}
