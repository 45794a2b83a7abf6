/**
 * The demonstration: a greeting from every PE, then some work. All PEs together count the primes
 * below a limit; the numbers are cut into blocks, and an AM for each block counts the primes in it.
 * Then PE 0 counts them alone.
 *
 *     deno task run:local                      all cores
 *     deno task run:local -n 4 examples/hello.ts 20000000
 *
 * @module
 */

import { am, f64, LamellarWorldBuilder, u32 } from "../mod.ts";
import { pes } from "./table.ts";

const BLOCK = 1 << 17;

const Hello = am("Hello", { from: u32 }, (self, lamellar) => {
  console.log(`Hello from PE ${self.from} to PE ${lamellar.currentPe} of ${lamellar.numPes}`);
});

/** Counts the primes from one number to below another, by a sieve. */
function countPrimes(from: number, to: number): number {
  const composite = new Uint8Array(to - from);
  for (let p = 2; p * p < to; p++) {
    for (let n = Math.max(p * p, Math.ceil(from / p) * p); n < to; n += p) composite[n - from] = 1;
  }
  let primes = 0;
  for (let n = Math.max(from, 2); n < to; n++) primes += 1 - composite[n - from]!;
  return primes;
}

const CountPrimes = am("CountPrimes", { from: f64, to: f64 }, (self) => {
  return countPrimes(self.from, self.to);
});

const limit = Number(Deno.args[0] ?? 20_000_000);
if (!(limit >= 1 && limit <= 1e10)) throw new RangeError(`Cannot count primes below ${limit}`);

await using world = await new LamellarWorldBuilder().build();
world.execAmPe((world.myPe + 1) % world.numPes, Hello({ from: world.myPe }));
await world.awaitAll();
await world.asyncBarrier();

if (world.myPe === 0) {
  const start = performance.now();
  const counts = [];
  for (let from = 0, pe = 0; from < limit; from += BLOCK, pe = (pe + 1) % world.numPes) {
    counts.push(world.execAmPe(pe, CountPrimes({ from, to: Math.min(from + BLOCK, limit) })));
  }
  let primes = 0;
  for (const count of counts) primes += await count;
  const seconds = (performance.now() - start) / 1000;

  const begin = performance.now();
  let serial = 0;
  for (let from = 0; from < limit; from += BLOCK) {
    serial += countPrimes(from, Math.min(from + BLOCK, limit));
  }
  const alone = (performance.now() - begin) / 1000;
  if (serial !== primes) throw new Error(`PE 0 alone counts ${serial} primes, not ${primes}`);

  console.log(
    `\nThere are ${primes.toLocaleString("en")} primes below ${limit.toLocaleString("en")}.\n` +
      `${pes(world.numPes)} counted them by ${counts.length} active messages in ` +
      `${seconds.toFixed(2)} s, PE 0 alone in ${alone.toFixed(2)} s.`,
  );
}
