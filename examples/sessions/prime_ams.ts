/**
 * What the PEs of the other examples here do: a module that defines AMs.
 *
 * @module
 */

import { am, f64 } from "../../mod.ts";

/** Counts the primes from `from` to below `to`. */
export const CountPrimes = am("CountPrimes", { from: f64, to: f64 }, ({ from, to }) => {
  let count = 0;
  for (let n = Math.max(2, from); n < to; n++) if (isPrime(n)) count++;
  return count;
});

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}

/**
 * Cuts a range into blocks.
 *
 * @param upTo Where the range ends.
 * @param blocks How many blocks.
 * @returns The payloads of `CountPrimes` for them.
 */
export function* blocksOf(upTo: number, blocks: number): Generator<{ from: number; to: number }> {
  for (let block = 0; block < blocks; block++) {
    yield {
      from: Math.floor((block * upTo) / blocks),
      to: Math.floor(((block + 1) * upTo) / blocks),
    };
  }
}
