/**
 * histo: random increments of a table that is spread cyclically over all PEs.
 *
 *     deno run -A scripts/launch.ts -n 2 bench/programs/histo.ts [updates a PE] [buffer size]
 *         [launch threads] [--variants a,b] [--iterations N] [--table-length N]
 *
 * A PE has one thread, so no two handlers of it run at once. `unsafe` AMs increment a plain typed
 * array of the PE; `safe` ones elements of an AtomicArray there, which other PEs might change too.
 *
 * | variant              | an update                                                             |
 * | -------------------- | --------------------------------------------------------------------- |
 * | `safe_am`            | an AM, which increments an atomic element                             |
 * | `unsafe_am`          | an AM, which increments a plain number                                |
 * | `buffered_safe_am`   | an index in an AM with a buffer of them, into the atomic table        |
 * | `buffered_unsafe_am` | an index in an AM with a buffer of them, into the plain table         |
 * | `darc`               | an AM that brings a Darc, whose instance on each PE is a plain table  |
 * | `atomic_array`       | an index in a call of `batchAdd`                                      |
 * | `array_comparison`   | the same for one array as UnsafeArray, LocalLockArray and AtomicArray |
 *
 * The tables have 10^6 elements a PE, those of `darc` and `array_comparison` ten times as many.
 * Each variant is checked: the sum over its table is the number of updates.
 *
 * @module
 */
import { LamellarWorldBuilder } from "../../mod.ts";
import { printMetric } from "../measure.ts";
import { randomIndices } from "../random.ts";
import { BUFFER_SIZE, LAUNCH_THREADS, readArguments, TABLE_LENGTH, UPDATES } from "./arguments.ts";
import { buffered, darc, type Histo, oneByOne } from "./histo_ams.ts";
import { arrayComparison, atomicArray } from "./histo_arrays.ts";
import { lamellaOf, reportLine, steadySeconds, timedRuns } from "./report.ts";

const VARIANTS = {
  safe_am: (histo: Histo) => oneByOne(histo, "safe"),
  unsafe_am: (histo: Histo) => oneByOne(histo, "unsafe"),
  buffered_safe_am: (histo: Histo) => buffered(histo, "safe"),
  buffered_unsafe_am: (histo: Histo) => buffered(histo, "unsafe"),
  darc,
  atomic_array: atomicArray,
  array_comparison: arrayComparison,
};

const { numbers, variants, iterations, metric } = readArguments(
  Deno.args,
  Object.keys(VARIANTS) as (keyof typeof VARIANTS)[],
  {
    updates: UPDATES,
    bufferSize: BUFFER_SIZE,
    launchThreads: LAUNCH_THREADS,
    tableLength: TABLE_LENGTH,
  },
);
const { updates, bufferSize, tableLength } = numbers;

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const where = { lamella: await lamellaOf(world), pes: numPes };
const total = updates * numPes;

for (const variant of variants) {
  await VARIANTS[variant]({
    world,
    bufferSize,
    tableLength,
    indicesBelow: (length) => randomIndices(updates, length, myPe),
    async measure({ name = variant, run, sum, scaled }) {
      const seconds = await timedRuns(world, iterations, { run });
      if (myPe === 0) {
        const found = await sum();
        if (found !== total * iterations) {
          throw new Error(`histo ${name}: the table holds ${found}, not ${total * iterations}`);
        }
        const finding = { program: "histo", variant: name, figures: {}, updates: total, scaled };
        console.log(reportLine(finding, seconds, where));
        if (metric) printMetric("histogram", total * 1e-6 / steadySeconds(seconds), "M/s");
      }
      await world.asyncBarrier();
    },
  });
}
