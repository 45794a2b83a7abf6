/**
 * index_gather: random reads of a table that is spread cyclically over all PEs, by active messages.
 *
 *     deno run -A scripts/launch.ts -n 2 bench/programs/index_gather.ts [reads a PE] [buffer size]
 *
 * Variants: `am` sends one AM a read, at most a buffer of them at once; `buffered` collects indices
 * for each destination and sends them, and the values, as MessagePack; `typed` sends both as typed
 * arrays that a schema describes. Each value that comes back is checked. `--variants am,typed`
 * picks some.
 *
 * @module
 */
import { am, LamellarWorldBuilder, u32, u32Array } from "../../mod.ts";
import { printMetric } from "../measure.ts";
import { randomIndices } from "../random.ts";
import { readArguments } from "./arguments.ts";
import { reportLine, steadyRate } from "./report.ts";

const TABLE_LENGTH = 1_000_000;
/** Indices at a time: V8 compiles what is called often better than one long loop. */
const PIECE = 4096;
const VARIANTS = ["am", "buffered", "typed"] as const;

const table = new Uint32Array(TABLE_LENGTH);

const Read = am("gather.Read", { index: u32 }, (self) => table[self.index]!, { returns: u32 });
const ReadList = am(
  "gather.ReadList",
  (self: { indices: number[] }) => self.indices.map((index) => table[index]!),
);
const ReadTyped = am("gather.ReadTyped", { indices: u32Array }, (self) => {
  const { indices } = self;
  const values = new Uint32Array(indices.length);
  for (let i = 0; i < indices.length; i++) values[i] = table[indices[i]!]!;
  return values;
}, { returns: u32Array });

const { updates, bufferSize, variants, metric } = readArguments(Deno.args, VARIANTS);

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
// Element i of the whole table holds i, and lives on PE i % numPes at i / numPes.
for (let i = 0; i < TABLE_LENGTH; i++) table[i] = i * numPes + myPe;
const indices = randomIndices(updates, TABLE_LENGTH * numPes, myPe);
const target = new Uint32Array(updates);

async function oneByOne(): Promise<void> {
  for (let from = 0; from < updates; from += bufferSize) {
    const window = indices.subarray(from, from + bufferSize);
    const reads = Array.from(
      window,
      (index) => world.execAmPe(index % numPes, Read({ index: Math.floor(index / numPes) })),
    );
    target.set(await Promise.all(reads), from);
  }
}

type Answer = PromiseLike<ArrayLike<number>>;

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

async function byDestination(ask: (pe: number, indices: Uint32Array) => Answer): Promise<void> {
  const buffers = Array.from({ length: numPes }, () => new Uint32Array(bufferSize));
  const places = Array.from({ length: numPes }, () => new Uint32Array(bufferSize));
  const lengths = new Uint32Array(numPes);
  const answered: Promise<void>[] = [];
  const flush = (pe: number) => {
    const length = lengths[pe]!;
    lengths[pe] = 0;
    if (length === 0) return;
    // What is sent is a copy: a PE's AMs to itself skip serialisation and would see later reads.
    const wanted = places[pe]!.slice(0, length);
    const answer = ask(pe, buffers[pe]!.slice(0, length));
    answered.push(answer.then((values) => store(values, wanted)) as Promise<void>);
  };
  for (let from = 0; from < updates; from += PIECE) {
    distribute(from, Math.min(from + PIECE, updates), buffers, places, lengths, flush);
  }
  for (let pe = 0; pe < numPes; pe++) flush(pe);
  await Promise.all(answered);
}

function store(values: ArrayLike<number>, wanted: Uint32Array): void {
  for (let i = 0; i < wanted.length; i++) target[wanted[i]!] = values[i]!;
}

function gather(variant: typeof VARIANTS[number]): Promise<void> {
  switch (variant) {
    case "am":
      return oneByOne();
    case "buffered":
      return byDestination((pe, list) =>
        world.execAmPe(pe, ReadList({ indices: Array.from(list) }))
      );
    case "typed":
      return byDestination((pe, list) => world.execAmPe(pe, ReadTyped({ indices: list })));
  }
}

const rates: number[] = [];
for (const variant of variants) {
  target.fill(0xffffffff);
  await world.asyncBarrier();
  const start = performance.now();
  await gather(variant);
  await world.asyncBarrier();
  const seconds = (performance.now() - start) / 1000;
  const wrong = target.findIndex((value, i) => value !== indices[i]);
  if (wrong >= 0) {
    throw new Error(
      `index_gather ${variant}: PE ${myPe} read ${target[wrong]} at ${indices[wrong]}`,
    );
  }
  // Every PE has checked its values before the first line says so.
  await world.asyncBarrier();
  rates.push((updates * numPes * 1e-6) / seconds);
  if (myPe === 0) console.log(reportLine("index_gather", variant, updates * numPes, seconds));
}
if (metric && myPe === 0) printMetric("gather", steadyRate(rates), "M/s");
