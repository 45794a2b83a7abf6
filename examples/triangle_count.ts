/**
 * Counts the triangles of a graph. Vertices belong to PEs in turn. The PE that owns a vertex sends
 * the list of its later neighbours to every PE that owns one of them, which compares it with the
 * lists of these neighbours.
 *
 *     deno task run:local -n 4 examples/triangle_count.ts
 *     deno task run:local -n 4 examples/triangle_count.ts EDGES
 *     deno task run:local -n 4 examples/triangle_count.ts --airports
 *     deno task run:local -n 4 examples/triangle_count.ts --kronecker 14
 *
 * EDGES is an edge list as GraphChallenge publishes them: on each line two vertices, numbered from
 * 1 and separated by a tab, and perhaps a weight. `--airports` takes the routes between airports in
 * the package vega-datasets, and `--kronecker SCALE` makes a graph of 2^SCALE vertices. Without
 * arguments, the scale is 12. PE 0 compares the result with a serial count.
 *
 * @module
 */

import { am, f64, LamellarWorldBuilder, u32Array } from "../mod.ts";
import {
  countCommon,
  countSerially,
  type Edges,
  kronecker,
  laterNeighbours,
  parseEdges,
  parseRoutes,
} from "./graph.ts";
import { pes } from "./table.ts";
import { readDataset } from "./vega.ts";

/** The scale of the graph that is made without arguments. */
const SCALE = 12;

async function readGraph([first, second]: readonly string[]): Promise<Edges> {
  if (first === "--airports") return parseRoutes(await readDataset("flights-airport.csv"));
  if (first === "--kronecker") return kronecker(Number(second), 1);
  if (first === undefined) return kronecker(SCALE, 1);
  if (first.startsWith("-")) {
    throw new TypeError(
      `Cannot count triangles of ${first}: name EDGES, --airports or --kronecker`,
    );
  }
  return parseEdges(await Deno.readTextFile(first));
}

/** The later neighbours of the vertices of this PE. */
let later = new Map<number, Uint32Array>();
let triangles = 0;

const Compare = am("Compare", { list: u32Array }, ({ list }, lamellar) => {
  for (const vertex of list) {
    if (vertex % lamellar.numPes !== lamellar.currentPe) continue;
    const others = later.get(vertex);
    if (others) triangles += countCommon(list, others);
  }
});
const Triangles = am("Triangles", {}, () => triangles, { returns: f64 });

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const edges = await readGraph(Deno.args);
later = laterNeighbours(edges, (vertex) => vertex % numPes === myPe);
await world.asyncBarrier();

const start = performance.now();
let messages = 0;
for (const list of later.values()) {
  // A vertex with a single later neighbour does not begin a triangle.
  if (list.length < 2) continue;
  for (const pe of new Set(list.map((vertex) => vertex % numPes))) {
    world.execAmPe(pe, Compare({ list }));
    messages++;
  }
}
await world.awaitAll();
await world.asyncBarrier();
const seconds = (performance.now() - start) / 1000;

if (myPe === 0) {
  const total = (await world.execAmAll(Triangles({}))).reduce((sum, n) => sum + n);
  console.log(`${edges.vertices} vertices, ${edges.ends.length / 2} edges: ${total} triangles`);
  console.log(`counted on ${pes(numPes)} in ${seconds.toFixed(3)} s, ${messages} messages by PE 0`);
  const begin = performance.now();
  const serial = countSerially(edges);
  const alone = ((performance.now() - begin) / 1000).toFixed(3);
  const verdict = serial === total ? "agrees" : `finds ${serial}`;
  console.log(`the serial count ${verdict}, ${alone} s`);
}
