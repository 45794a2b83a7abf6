/**
 * A histogram of real data: the departure delays of 200,000 flights in the United States, from
 * the package vega-datasets. Every PE takes a share of the flights and counts them into bins that
 * are spread over the memory of all PEs, by atomic additions; PE 0 compares the bins, and the time,
 * with those of a serial count.
 *
 *     deno task run:local -n 4 examples/histogram.ts 15
 *
 * Argument: width of a bin in minutes.
 *
 * @module
 */

import { LamellarWorldBuilder } from "../mod.ts";
import { pes } from "./table.ts";
import { readDataset } from "./vega.ts";

/** Delays outside this range go to the first and the last bin. */
const [SHORTEST, LONGEST] = [-60, 300];

const width = Number(Deno.args[0] ?? 30);
if (!(width >= 1 && width <= LONGEST - SHORTEST)) {
  throw new RangeError(`Cannot make bins of ${width} minutes`);
}
const binCount = Math.ceil((LONGEST - SHORTEST) / width);

function binOf(delay: number): number {
  const bin = Math.floor((delay - SHORTEST) / width);
  return Math.min(Math.max(bin, 0), binCount - 1);
}

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
using bins = await world.allocSharedMemRegion("u64", Math.ceil(binCount / numPes));

const flights: { delay: number }[] = JSON.parse(await readDataset("flights-200k.json"));
const start = performance.now();
const share = Math.ceil(flights.length / numPes);
const mine = flights.slice(myPe * share, (myPe + 1) * share);
// The indices of a batch run through the parts of all PEs.
await bins.batchAdd(Uint32Array.from(mine, (flight) => binOf(flight.delay)), 1);
await world.asyncBarrier();

if (myPe === 0) {
  const ms = performance.now() - start;
  const counts = Array.from(
    await bins.gather(Uint32Array.from({ length: binCount }, (_, bin) => bin)),
    Number,
  );
  const most = Math.max(...counts);
  for (const [bin, count] of counts.entries()) {
    const from = SHORTEST + bin * width;
    const bar = "#".repeat(Math.round(50 * count / most));
    console.log(`${String(from).padStart(4)} min ${String(count).padStart(7)} ${bar}`.trimEnd());
  }
  const begin = performance.now();
  const serial = new Array<number>(binCount).fill(0);
  for (const flight of flights) serial[binOf(flight.delay)]!++;
  const alone = performance.now() - begin;
  const right = serial.every((count, bin) => count === counts[bin]);
  console.log(`${flights.length} flights on ${pes(numPes)} in ${ms.toFixed(1)} ms`);
  console.log(`the serial count ${right ? "agrees" : "differs"}, ${alone.toFixed(1)} ms`);
}
await world.asyncBarrier();
