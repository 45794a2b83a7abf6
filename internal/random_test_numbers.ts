/**
 * Random numbers that a seed repeats, for tests.
 *
 * @module
 */

/**
 * A small random number generator: mulberry32.
 *
 * @param seed Where it starts.
 * @returns Gives the next number, from 0 to below 1.
 */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed for a random test, which has to name it when it fails. */
export function newSeed(): number {
  return Number(Deno.env.get("TEST_SEED") ?? Date.now() % 2 ** 31);
}
