// Random updates of a table over all PEs that tell what they found, or random writes to it, as a
// program does them without regions: sorted by PE into typed arrays that AMs bring there.
// typed_buffers.ts fetch-add|scatter [items of an AM] [seconds]
import { am, f64Array, LamellarWorldBuilder, u32Array } from "../../mod.ts";
import { printMetric } from "../measure.ts";
import { randomIndices } from "../random.ts";
import { calibratedTogether } from "./together.ts";

/** Elements of each PE, and items that each sends in a run. */
const LENGTH = 1 << 20;
/** Items at a time: V8 compiles what is called often better than one long loop. */
const PIECE = 4096;

const table = new Float64Array(LENGTH);

const FetchAdd = am("bench.FetchAdd", { places: u32Array }, ({ places }) => {
  const found = new Float64Array(places.length);
  for (let i = 0; i < places.length; i++) found[i] = table[places[i]!]!++;
  return found;
}, { returns: f64Array });
const Scatter = am(
  "bench.Scatter",
  { places: u32Array, values: f64Array },
  ({ places, values }) => {
    for (let i = 0; i < places.length; i++) table[places[i]!] = values[i]!;
  },
);
const Sum = am("bench.Sum", {}, () => table.reduce((sum, value) => sum + value, 0));

const [operation = "fetch-add", itemsText = "8192", seconds = "0.3"] = Deno.args;
const bufferItems = Number(itemsText);

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const indices = randomIndices(LENGTH, LENGTH * numPes, myPe);
// What is written to an element is its index.
const values = Float64Array.from(indices);

/** Items for one PE that wait to be sent. */
class Bucket {
  readonly places: Uint32Array = new Uint32Array(bufferItems);
  readonly values: Float64Array = new Float64Array(bufferItems);
  /** Where they are in the list. */
  readonly items: Uint32Array = new Uint32Array(bufferItems);
  length = 0;
}

// What is sent is a copy: the buffers are filled again before it has been handled.
function flush(pe: number, bucket: Bucket, answers: PromiseLike<void>[]): void {
  const { length } = bucket;
  bucket.length = 0;
  if (length === 0) return;
  const places = bucket.places.slice(0, length);
  if (operation === "scatter") {
    world.execAmPe(pe, Scatter({ places, values: bucket.values.slice(0, length) }));
    return;
  }
  const items = bucket.items.slice(0, length);
  const answer = world.execAmPe(pe, FetchAdd({ places }));
  answers.push(answer.then((found) => {
    for (let i = 0; i < items.length; i++) values[items[i]!] = found[i]!;
  }));
}

function sort(from: number, to: number, buckets: Bucket[], answers: PromiseLike<void>[]): void {
  for (let item = from; item < to; item++) {
    const index = indices[item]!;
    const pe = Math.floor(index / LENGTH);
    const bucket = buckets[pe]!;
    const at = bucket.length++;
    bucket.places[at] = index - pe * LENGTH;
    bucket.values[at] = values[item]!;
    bucket.items[at] = item;
    if (bucket.length === bufferItems) flush(pe, bucket, answers);
  }
}

async function work(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const buckets = Array.from({ length: numPes }, () => new Bucket());
    const answers: PromiseLike<void>[] = [];
    for (let from = 0; from < LENGTH; from += PIECE) sort(from, from + PIECE, buckets, answers);
    buckets.forEach((bucket, pe) => flush(pe, bucket, answers));
    await Promise.all(answers);
    await world.awaitAll();
  }
}

async function check(total: number): Promise<void> {
  if (operation === "fetch-add") {
    const sums = await world.execAmAll(Sum({}));
    const sum = sums.reduce((all, value) => all + value, 0);
    if (sum !== total * LENGTH * numPes) throw new Error("The table lost updates");
    return;
  }
  for (let pe = 0; pe < numPes; pe++) {
    for (const index of randomIndices(LENGTH, LENGTH * numPes, pe)) {
      const value = table[index - myPe * LENGTH] ?? index;
      if (value !== index) throw new Error(`Element ${index} holds ${value}`);
    }
  }
}

const { each, total } = await calibratedTogether(world, work, Number(seconds));
await check(total);
if (myPe === 0) printMetric(operation, (LENGTH * numPes * 1e-6) / each, "M/s");
await world.asyncBarrier();
