/** Random numbers that a seed repeats, for the tests of this folder. */

import { assertEquals, assertNotEquals } from "@std/assert";

/**
 * Makes a generator of numbers from 0 to 1, 1 excluded.
 *
 * @param seed An integer; the same seed gives the same numbers.
 * @returns A function that gives the next number.
 */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
  };
}

Deno.test("A generator repeats its numbers for the same seed only", () => {
  const take = (seed: number) => Array.from({ length: 5 }, generator(seed));
  assertEquals(take(7), take(7));
  assertNotEquals(take(7), take(8));
});
