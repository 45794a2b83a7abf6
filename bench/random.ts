/**
 * A small seeded generator (mulberry32), so that a run can be repeated.
 *
 * @param seed any integer
 * @returns a function that gives whole numbers from 0 up to, not including, its argument
 */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Random whole numbers below a limit, one a place. */
export function randomIndices(
  count: number,
  below: number,
  seed: number,
): Uint32Array<ArrayBuffer> {
  const random = seededRandom(seed);
  return Uint32Array.from({ length: count }, () => random(below));
}
