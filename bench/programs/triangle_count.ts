/**
 * triangle_count: counts the triangles of a Kronecker graph whose nodes belong to PEs in turn.
 *
 *     deno run -A scripts/launch.ts -n 2 bench/programs/triangle_count.ts [scale] [buffer size]
 *         [launch threads] [--variants a,b] [--iterations N]
 *
 * Each PE keeps the smaller neighbours of its nodes in a Darc, and sends the list of each node to
 * all PEs; a PE that has a node of the list compares it with the list of that node. `am` sends an
 * AM a list, `buffered_am` one for several lists, as many as fit into a buffer of numbers.
 *
 * The graph has 2^scale nodes and 16 times as many edges, made by a generator as that of Graph500;
 * the original reads one of scale 18 from a file. Scale 14 takes about a second. PE 0 compares the
 * result with a serial count of the same graph.
 *
 * @module
 */
import { am, Darc, darc, LamellarWorldBuilder, u32Array } from "../../mod.ts";
import { BUFFER_SIZE, LAUNCH_THREADS, readArguments } from "./arguments.ts";
import {
  countTriangles,
  kronecker,
  SCALE_MAX,
  type SmallerNeighbours,
  smallerNeighbours,
  trianglesOf,
} from "./graph.ts";
import { lamellaOf, reportLine, timedRuns } from "./report.ts";

const SCALE = { words: "scale", byDefault: 14, max: SCALE_MAX };
const ORIGINAL_SCALE = 18;
const SEED = 1;
const VARIANTS = ["am", "buffered_am"] as const;

/** What a PE has of the graph. */
interface Part {
  readonly neighbours: SmallerNeighbours;
  /** Triangles that were found here. */
  triangles: number;
}

const Compare = am("triangles.Compare", { part: darc<Part>(), list: u32Array }, (self) => {
  const part = self.part.value;
  part.triangles += trianglesOf(part.neighbours, self.list);
});
/** Several lists, each behind its length. */
const CompareAll = am("triangles.CompareAll", { part: darc<Part>(), lists: u32Array }, (self) => {
  const part = self.part.value;
  const { lists } = self;
  for (let from = 0; from < lists.length;) {
    const to = from + 1 + lists[from]!;
    part.triangles += trianglesOf(part.neighbours, lists, from + 1, to);
    from = to;
  }
});

const { numbers, variants, iterations } = readArguments(Deno.args, VARIANTS, {
  scale: SCALE,
  bufferSize: BUFFER_SIZE,
  launchThreads: LAUNCH_THREADS,
});
const { scale, bufferSize } = numbers;

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const where = { lamella: await lamellaOf(world), pes: numPes };
const nodes = 2 ** scale;
const ends = kronecker(scale, SEED);
const neighbours = smallerNeighbours(ends, nodes, myPe, numPes);
using part = await Darc.create<Part>(world, { neighbours, triangles: 0 });

function eachList(send: (from: number, to: number) => void): void {
  const { starts } = neighbours;
  for (let i = 0; i + 1 < starts.length; i++) {
    if (starts[i]! < starts[i + 1]!) send(starts[i]!, starts[i + 1]!);
  }
}

function oneByOne(): void {
  eachList((from, to) => {
    world.execAmAll(Compare({ part, list: neighbours.lists.subarray(from, to) }));
  });
}

function buffered(): void {
  const longest = 1 + nodes;
  const buffer = new Uint32Array(bufferSize + longest);
  let length = 0;
  const flush = () => {
    if (length > 0) world.execAmAll(CompareAll({ part, lists: buffer.slice(0, length) }));
    length = 0;
  };
  eachList((from, to) => {
    buffer[length] = to - from;
    buffer.set(neighbours.lists.subarray(from, to), length + 1);
    length += 1 + to - from;
    if (length >= bufferSize) flush();
  });
  flush();
}

const edges = await world.allReduce(neighbours.lists.length, "sum");
const expected = myPe === 0 ? countTriangles(smallerNeighbours(ends, nodes)) : 0;
for (const variant of variants) {
  let triangles = 0;
  const seconds = await timedRuns(world, iterations, {
    prepare: () => {
      part.value.triangles = 0;
    },
    run: async () => {
      if (variant === "am") oneByOne();
      else buffered();
      await world.awaitAll();
      await world.asyncBarrier();
      triangles = await world.allReduce(part.value.triangles, "sum");
    },
  });
  if (myPe !== 0) continue;
  if (triangles !== expected) {
    throw new Error(`triangle_count ${variant}: it found ${triangles} triangles, not ${expected}`);
  }
  const scaled = scale < ORIGINAL_SCALE
    ? `scale ${scale}, originally ${ORIGINAL_SCALE}`
    : undefined;
  const figures = { scale, nodes, edges, triangles };
  console.log(
    reportLine({ program: "triangle_count", variant, figures, scaled }, seconds, where),
  );
}
