/**
 * randperm: a random permutation, by throwing darts at a larger target.
 *
 *     deno run -A scripts/launch.ts -n 2 bench/programs/randperm.ts [numbers on all PEs]
 *         [target factor] [launch threads] [--iterations N]
 *
 * Each PE throws its share of the numbers at random places of an AtomicArray, target factor times
 * as long as there are numbers: a `batchCompareExchange` puts those into the array that meet a free
 * place, and the others are thrown again. What is there at last, without the free places, is the
 * permutation: an array that is made of what each PE has.
 *
 * PE 0 checks that the sum is n (n - 1) / 2, and that each number is there once.
 *
 * @module
 */
import { AtomicArray, LamellarWorldBuilder, UnsafeArray } from "../../mod.ts";
import { seededRandom } from "../random.ts";
import { LAUNCH_THREADS, readArguments } from "./arguments.ts";
import { lamellaOf, reportLine, timedRuns } from "./report.ts";

const { numbers, variants, iterations } = readArguments(Deno.args, ["compare_exchange"], {
  globalCount: { words: "numbers on all PEs", byDefault: 1000, max: 2 ** 32 - 1 },
  targetFactor: { words: "target factor", byDefault: 10 },
  launchThreads: LAUNCH_THREADS,
});
const { globalCount, targetFactor } = numbers;

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const where = { lamella: await lamellaOf(world), pes: numPes };
const random = seededRandom(myPe);
/** What a free place holds; a place is a u32, of which the permutation makes u64s to be added. */
const FREE = globalCount;

/** The numbers of this PE: all PEs have about as many. */
function ownShare(): Uint32Array {
  const first = Math.floor(globalCount * myPe / numPes);
  const end = Math.floor(globalCount * (myPe + 1) / numPes);
  return Uint32Array.from({ length: end - first }, (_, i) => first + i);
}

async function throwDarts(target: AtomicArray<"u32">): Promise<void> {
  for (let darts = ownShare(); darts.length > 0;) {
    const places = Uint32Array.from(darts, () => random(target.length));
    const { ok } = await target.batchCompareExchange(places, FREE, darts);
    darts = darts.filter((_, i) => ok[i] === 0);
  }
}

async function collect(target: AtomicArray<"u32">): Promise<UnsafeArray<"u64">> {
  const places = await target.getPe(myPe, 0, target.numElemsLocal);
  const kept = Float64Array.from(places.filter((value) => value !== FREE));
  return await UnsafeArray.from(world, "u64", kept, "block");
}

async function verify(permutation: UnsafeArray<"u64">): Promise<void> {
  const { length } = permutation;
  if (length !== globalCount) throw new Error(`randperm: there are ${length} numbers`);
  const sum = await permutation.sum();
  const expected = globalCount * (globalCount - 1) / 2;
  if (sum !== expected) throw new Error(`randperm: the sum is ${sum}, not ${expected}`);
  const sorted = (await permutation.get(0, length)).sort();
  const wrong = sorted.findIndex((value, i) => value !== i);
  if (wrong >= 0) throw new Error(`randperm: ${wrong} is not there, or more than once`);
}

for (const variant of variants) {
  using target = await AtomicArray.create(world, "u32", globalCount * targetFactor);
  let permutation: UnsafeArray<"u64"> | undefined;
  const seconds = await timedRuns(world, iterations, {
    prepare: async () => {
      permutation?.dispose();
      await target.putPe(myPe, 0, new Uint32Array(target.numElemsLocal).fill(FREE));
    },
    run: async () => {
      await throwDarts(target);
      await world.asyncBarrier();
      permutation = await collect(target);
    },
  });
  if (myPe === 0) {
    await verify(permutation!);
    const figures = { globalCount, targetFactor };
    console.log(reportLine({ program: "randperm", variant, figures }, seconds, where));
  }
  await world.asyncBarrier();
  permutation?.dispose();
}
