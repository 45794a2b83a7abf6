/**
 * histo: random increments of a table that is spread cyclically over all PEs, by active messages.
 *
 *     deno run -A scripts/launch.ts -n 2 bench/programs/histo.ts [updates a PE] [buffer size]
 *
 * Variants: `am` sends one AM an update, `buffered` collects indices for each destination and sends
 * them as MessagePack, `typed` sends them as a typed array that a schema describes. Each variant is
 * checked: the sum over all tables is the number of updates. `--variants am,typed` picks some.
 *
 * @module
 */
import { am, type AmCall, LamellarWorldBuilder, u32, u32Array } from "../../mod.ts";
import { printMetric } from "../measure.ts";
import { randomIndices } from "../random.ts";
import { readArguments } from "./arguments.ts";
import { reportLine, steadyRate } from "./report.ts";

const TABLE_LENGTH = 1_000_000;
/** Indices at a time: V8 compiles what is called often better than one long loop. */
const PIECE = 4096;
const VARIANTS = ["am", "buffered", "typed"] as const;

const table = new Float64Array(TABLE_LENGTH);

const Increment = am("histo.Increment", { index: u32 }, (self) => {
  table[self.index]!++;
});
const IncrementList = am("histo.IncrementList", (self: { indices: number[] }) => {
  for (const index of self.indices) table[index]!++;
});
const IncrementTyped = am("histo.IncrementTyped", { indices: u32Array }, (self) => {
  const { indices } = self;
  for (let i = 0; i < indices.length; i++) table[indices[i]!]!++;
});
const Sum = am("histo.Sum", {}, () => table.reduce((sum, value) => sum + value, 0));

const { updates, bufferSize, variants, metric } = readArguments(Deno.args, VARIANTS);

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const indices = randomIndices(updates, TABLE_LENGTH * numPes, myPe);

function oneByOne(): void {
  for (const index of indices) {
    world.execAmPe(index % numPes, Increment({ index: Math.floor(index / numPes) }));
  }
}

/** Sorts some of the indices into the buffers of their PEs. */
function distribute<B extends number[] | Uint32Array>(
  some: Uint32Array,
  buffers: readonly B[],
  lengths: Uint32Array,
  flush: (pe: number) => void,
): void {
  for (let i = 0; i < some.length; i++) {
    const index = some[i]!;
    const pe = index % numPes;
    buffers[pe]![lengths[pe]!++] = Math.floor(index / numPes);
    if (lengths[pe] === bufferSize) flush(pe);
  }
}

function byDestination<B extends number[] | Uint32Array>(
  buffers: readonly B[],
  send: (indices: B) => AmCall<void>,
  cut: (buffer: B, length: number) => B,
): void {
  const lengths = new Uint32Array(numPes);
  const flush = (pe: number) => {
    if (lengths[pe]! > 0) world.execAmPe(pe, send(cut(buffers[pe]!, lengths[pe]!)));
    lengths[pe] = 0;
  };
  for (let from = 0; from < updates; from += PIECE) {
    distribute(indices.subarray(from, from + PIECE), buffers, lengths, flush);
  }
  for (let pe = 0; pe < numPes; pe++) flush(pe);
}

function launch(variant: typeof VARIANTS[number]): void {
  if (variant === "am") return oneByOne();
  // What is sent is a copy: a PE's AMs to itself skip serialisation and would see later updates.
  if (variant === "buffered") {
    const buffers = Array.from({ length: numPes }, (): number[] => []);
    return byDestination(
      buffers,
      (list) => IncrementList({ indices: list }),
      (buffer, length) => buffer.slice(0, length),
    );
  }
  const buffers = Array.from({ length: numPes }, () => new Uint32Array(bufferSize));
  byDestination(
    buffers,
    (list) => IncrementTyped({ indices: list }),
    (buffer, length) => buffer.slice(0, length),
  );
}

let expected = 0;
const rates: number[] = [];
for (const variant of variants) {
  await world.asyncBarrier();
  const start = performance.now();
  launch(variant);
  await world.awaitAll();
  await world.asyncBarrier();
  const seconds = (performance.now() - start) / 1000;
  expected += updates * numPes;
  if (myPe === 0) {
    const sums = await world.execAmAll(Sum({}));
    const sum = sums.reduce((total, value) => total + value, 0);
    if (sum !== expected) {
      throw new Error(`histo ${variant}: the tables hold ${sum} updates, not ${expected}`);
    }
    rates.push((updates * numPes * 1e-6) / seconds);
    console.log(reportLine("histo", variant, updates * numPes, seconds));
  }
  await world.asyncBarrier();
}
if (metric && myPe === 0) printMetric("histogram", steadyRate(rates), "M/s");
