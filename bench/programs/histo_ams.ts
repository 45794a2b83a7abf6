/**
 * The variants of histo that send AMs.
 *
 * @module
 */
import {
  am,
  type AmCall,
  AtomicArray,
  type AtomicLocalData,
  Darc,
  darc as darcSchema,
  type LamellarWorld,
  u32,
  u32Array,
} from "../../mod.ts";

/** What a variant gets. */
export interface Histo {
  readonly world: LamellarWorld;
  readonly bufferSize: number;
  /** Elements of each PE in most tables. */
  readonly tableLength: number;
  /** The elements of a table of so many that this PE increments. */
  indicesBelow(length: number): Uint32Array;
  /** Runs, checks and reports the updates of this PE; collective. */
  measure(updates: Updates): Promise<void>;
}

/** The updates of a variant. */
export interface Updates {
  /** Where one variant has several. */
  readonly name?: string;
  readonly run: () => void | Promise<void>;
  /** The sum over the table; PE 0 calls it. */
  readonly sum: () => PromiseLike<number>;
  readonly scaled?: string;
}

/** Whether other PEs might change the table too. */
export type Safety = "safe" | "unsafe";

/** How much longer than the others the table of a Darc is. */
const DARC_TIMES = 10;
/** Indices at a time: V8 compiles what is called often better than one long loop. */
const PIECE = 4096;

let plain = new Float64Array(0);
let atomic: AtomicLocalData<"u64">;

const Increment = {
  safe: am("histo.IncrementSafe", { index: u32 }, (self) => atomic.at(self.index).add(1)),
  unsafe: am("histo.IncrementUnsafe", { index: u32 }, (self) => {
    plain[self.index]!++;
  }),
};
const IncrementAll = {
  safe: am("histo.IncrementAllSafe", { indices: u32Array }, ({ indices }) => {
    for (let i = 0; i < indices.length; i++) atomic.at(indices[i]!).add(1);
  }),
  unsafe: am("histo.IncrementAllUnsafe", { indices: u32Array }, ({ indices }) => {
    for (let i = 0; i < indices.length; i++) plain[indices[i]!]!++;
  }),
};
const IncrementInDarc = am(
  "histo.IncrementInDarc",
  { table: darcSchema<Float64Array>(), index: u32 },
  (self) => {
    self.table.value[self.index]!++;
  },
);
const Sum = am("histo.Sum", () => sumOf(plain));
const SumOfDarc = am(
  "histo.SumOfDarc",
  { table: darcSchema<Float64Array>() },
  (self) => sumOf(self.table.value),
);

function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** Makes the table of the AMs, has it used, and gives its memory back. */
async function withTable(
  { world, tableLength, measure }: Histo,
  safety: Safety,
  run: () => void,
): Promise<void> {
  if (safety === "unsafe") {
    plain = new Float64Array(tableLength);
    await measure({ run, sum: async () => sumOf(await world.execAmAll(Sum())) });
    plain = new Float64Array(0);
    return;
  }
  using table = await AtomicArray.create(world, "u64", tableLength * world.numPes, "cyclic");
  atomic = table.localData();
  await measure({ run, sum: async () => await table.sum() ?? 0 });
}

/** One AM an update. */
export async function oneByOne(histo: Histo, safety: Safety): Promise<void> {
  const { world } = histo;
  const { numPes } = world;
  const indices = histo.indicesBelow(histo.tableLength * numPes);
  const Am = Increment[safety];
  await withTable(histo, safety, () => {
    for (const index of indices) {
      world.execAmPe(index % numPes, Am({ index: Math.floor(index / numPes) }));
    }
  });
}

/** One AM a buffer of updates for the same PE. */
export async function buffered(histo: Histo, safety: Safety): Promise<void> {
  const indices = histo.indicesBelow(histo.tableLength * histo.world.numPes);
  const Am = IncrementAll[safety];
  await withTable(histo, safety, () => {
    byDestination(histo, indices, (some) => Am({ indices: some }));
  });
}

function byDestination(
  { world, bufferSize }: Histo,
  indices: Uint32Array,
  send: (indices: Uint32Array) => AmCall<void>,
): void {
  const { numPes } = world;
  const buffers = Array.from({ length: numPes }, () => new Uint32Array(bufferSize));
  const lengths = new Uint32Array(numPes);
  const flush = (pe: number) => {
    // What is sent is a copy: a PE's AMs to itself skip serialisation and would see later updates.
    if (lengths[pe]! > 0) world.execAmPe(pe, send(buffers[pe]!.slice(0, lengths[pe])));
    lengths[pe] = 0;
  };
  for (let from = 0; from < indices.length; from += PIECE) {
    distribute(indices.subarray(from, from + PIECE), buffers, lengths, flush);
  }
  for (let pe = 0; pe < numPes; pe++) flush(pe);
}

/** Sorts some of the indices into the buffers of their PEs. */
function distribute(
  indices: Uint32Array,
  buffers: readonly Uint32Array[],
  lengths: Uint32Array,
  flush: (pe: number) => void,
): void {
  const numPes = buffers.length;
  const bufferSize = buffers[0]!.length;
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    const pe = index % numPes;
    buffers[pe]![lengths[pe]!++] = Math.floor(index / numPes);
    if (lengths[pe] === bufferSize) flush(pe);
  }
}

/** One AM an update, which brings the table with it. */
export async function darc({ world, tableLength, indicesBelow, measure }: Histo): Promise<void> {
  const { numPes } = world;
  const length = tableLength * DARC_TIMES;
  const indices = indicesBelow(length * numPes);
  using table = await Darc.create(world, new Float64Array(length));
  await measure({
    run: () => {
      for (const index of indices) {
        const place = Math.floor(index / numPes);
        world.execAmPe(index % numPes, IncrementInDarc({ table, index: place }));
      }
    },
    sum: async () => sumOf(await world.execAmAll(SumOfDarc({ table }))),
  });
}
