/**
 * index_gather: random reads of a table that is spread cyclically over all PEs.
 *
 *     deno run -A scripts/launch.ts -n 2 bench/programs/index_gather.ts [reads a PE] [buffer size]
 *         [launch threads] [--variants a,b] [--iterations N] [--table-length N]
 *
 * | variant           | a read                                                                 |
 * | ----------------- | ---------------------------------------------------------------------- |
 * | `am`              | an AM, and its value the answer; at most a buffer of them under way    |
 * | `buffered_am`     | an index in an AM with a buffer of them, and a value in its answer     |
 * | `atomic_array`    | an index in a call of `batchLoad` of an AtomicArray                    |
 * | `read_only_array` | the same of a ReadOnlyArray                                            |
 *
 * The table has 10^6 elements a PE, and element i holds i: each value that comes back is checked.
 *
 * @module
 */
import {
  am,
  LamellarWorldBuilder,
  type ReadableArray,
  u32,
  u32Array,
  UnsafeArray,
} from "../../mod.ts";
import { printMetric } from "../measure.ts";
import { randomIndices } from "../random.ts";
import { BUFFER_SIZE, LAUNCH_THREADS, readArguments, TABLE_LENGTH, UPDATES } from "./arguments.ts";
import { lamellaOf, reportLine, steadySeconds, timedRuns } from "./report.ts";

/** Indices at a time: V8 compiles what is called often better than one long loop. */
const PIECE = 4096;
const VARIANTS = ["am", "buffered_am", "atomic_array", "read_only_array"] as const;
type Variant = typeof VARIANTS[number];

/** The table of the variants with AMs. */
let table = new Uint32Array(0);

const Read = am("gather.Read", { index: u32 }, (self) => table[self.index]!, { returns: u32 });
const ReadAll = am("gather.ReadAll", { indices: u32Array }, ({ indices }) => {
  const values = new Uint32Array(indices.length);
  for (let i = 0; i < indices.length; i++) values[i] = table[indices[i]!]!;
  return values;
}, { returns: u32Array });

const { numbers, variants, iterations, metric } = readArguments(Deno.args, VARIANTS, {
  reads: { ...UPDATES, words: "reads" },
  bufferSize: BUFFER_SIZE,
  launchThreads: LAUNCH_THREADS,
  tableLength: TABLE_LENGTH,
});
const { reads, bufferSize, tableLength } = numbers;

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const where = { lamella: await lamellaOf(world), pes: numPes };
const total = reads * numPes;
const indices = randomIndices(reads, tableLength * numPes, myPe);
const target = new Float64Array(reads);

async function oneByOne(): Promise<void> {
  for (let from = 0; from < reads; from += bufferSize) {
    const answers = Array.from(
      indices.subarray(from, from + bufferSize),
      (index) => world.execAmPe(index % numPes, Read({ index: Math.floor(index / numPes) })),
    );
    target.set(await Promise.all(answers), from);
  }
}

/** Sorts some of the indices, and where their values go, into the buffers of their PEs. */
function distribute(
  from: number,
  to: number,
  buffers: readonly Uint32Array[],
  places: readonly Uint32Array[],
  lengths: Uint32Array,
  flush: (pe: number) => void,
): void {
  for (let i = from; i < to; i++) {
    const index = indices[i]!;
    const pe = index % numPes;
    const at = lengths[pe]!++;
    buffers[pe]![at] = Math.floor(index / numPes);
    places[pe]![at] = i;
    if (at + 1 === bufferSize) flush(pe);
  }
}

async function buffered(): Promise<void> {
  const buffers = Array.from({ length: numPes }, () => new Uint32Array(bufferSize));
  const places = Array.from({ length: numPes }, () => new Uint32Array(bufferSize));
  const lengths = new Uint32Array(numPes);
  const answered: PromiseLike<void>[] = [];
  const flush = (pe: number) => {
    const length = lengths[pe]!;
    lengths[pe] = 0;
    if (length === 0) return;
    // What is sent is a copy: a PE's AMs to itself skip serialisation and would see later reads.
    const wanted = places[pe]!.slice(0, length);
    const answer = world.execAmPe(pe, ReadAll({ indices: buffers[pe]!.slice(0, length) }));
    answered.push(answer.then((values) => store(values, wanted)));
  };
  for (let from = 0; from < reads; from += PIECE) {
    distribute(from, Math.min(from + PIECE, reads), buffers, places, lengths, flush);
  }
  for (let pe = 0; pe < numPes; pe++) flush(pe);
  await Promise.all(answered);
}

function store(values: ArrayLike<number>, wanted: Uint32Array): void {
  for (let i = 0; i < wanted.length; i++) target[wanted[i]!] = values[i]!;
}

/** Reads as often as is asked, checks what came each time, and reports. */
async function measure(variant: Variant, read: () => Promise<void>): Promise<void> {
  const check = () => {
    const wrong = target.findIndex((value, i) => value !== indices[i]);
    if (wrong < 0) return;
    throw new Error(
      `index_gather ${variant}: PE ${myPe} read ${target[wrong]} at ${indices[wrong]}`,
    );
  };
  let started = false;
  const prepare = () => {
    if (started) check();
    started = true;
    target.fill(-1);
  };
  const seconds = await timedRuns(world, iterations, { prepare, run: read });
  check();
  // Every PE has checked its values before the line says so.
  await world.asyncBarrier();
  if (myPe !== 0) return;
  const finding = { program: "index_gather", variant, figures: {}, updates: total };
  console.log(reportLine(finding, seconds, where));
  if (metric) printMetric("gather", total * 1e-6 / steadySeconds(seconds), "M/s");
}

/** Element i of the whole table holds i, and lives on PE i % numPes at i / numPes. */
async function measureAms(variant: Variant, read: () => Promise<void>): Promise<void> {
  table = Uint32Array.from({ length: tableLength }, (_, i) => i * numPes + myPe);
  await measure(variant, read);
  table = new Uint32Array(0);
}

async function measureArray(variant: Variant): Promise<void> {
  const building = await UnsafeArray.create(world, "u64", tableLength * numPes, "cyclic");
  const mine = building.localAsMutSlice();
  for (let i = 0; i < mine.length; i++) mine[i] = BigInt(i * numPes + myPe);
  using array: ReadableArray<"u64"> = variant === "atomic_array"
    ? await building.intoAtomic()
    : await building.intoReadOnly();
  await measure(variant, async () => void await array.batchLoad(indices, target));
}

for (const variant of variants) {
  if (variant === "am") await measureAms(variant, oneByOne);
  else if (variant === "buffered_am") await measureAms(variant, buffered);
  else await measureArray(variant);
}
