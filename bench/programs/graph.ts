/**
 * Kronecker graphs as Graph500 defines them, lists of smaller neighbours, and counting triangles.
 *
 * A random number is a hash of its place, so every PE, and every peer in another language, makes
 * the same graph without sending any of it. Nodes keep the numbers that the generator gives them
 * (Graph500 shuffles them): the nodes with the most neighbours have small numbers, which keeps the
 * lists of smaller neighbours short.
 *
 * @module
 */

/** Edges that are made for each node. */
export const EDGE_FACTOR = 16;
export const SCALE_MAX = 22;
/** Of 2^32: the quarters of the adjacency matrix get 57, 19, 19 and 5 of 100 edges. */
const [A, AB, ABC] = [2448131358, 3264175144, 4080218931] as const;

/** The smaller neighbours of some nodes: of every `pes`-th node, beginning with node `pe`. */
export interface SmallerNeighbours {
  readonly pe: number;
  readonly pes: number;
  /** Where the list of each of them starts in `lists`; one more number than nodes. */
  readonly starts: Uint32Array;
  /** The lists, one after the other, each sorted and without repetitions. */
  readonly lists: Uint32Array;
}

/** The finalizer of MurmurHash3 by Austin Appleby, in the public domain. */
function hash(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Makes the edges of a Kronecker graph, as the generator gives them: there are loops, and some
 * occur several times.
 *
 * @param scale the logarithm of the number of nodes, from 1 to 22
 * @param seed any integer; the same seed gives the same graph
 * @returns both ends of each edge, one edge after the other
 */
export function kronecker(scale: number, seed: number): Uint32Array {
  if (!Number.isInteger(scale) || scale < 1 || scale > SCALE_MAX) {
    throw new RangeError(`Cannot make a graph of scale ${scale}: give 1 to ${SCALE_MAX}`);
  }
  const ends = new Uint32Array(2 * EDGE_FACTOR * 2 ** scale);
  const offset = hash(seed);
  for (let edge = 0; edge < ends.length / 2; edge++) {
    let [row, column] = [0, 0];
    for (let bit = 0; bit < scale; bit++) {
      const random = hash((edge * scale + bit + offset) | 0);
      const down = random >= AB ? 1 : 0;
      const right = random >= ABC || (random >= A && random < AB) ? 1 : 0;
      row = row << 1 | down;
      column = column << 1 | right;
    }
    ends[2 * edge] = row;
    ends[2 * edge + 1] = column;
  }
  return ends;
}

/**
 * Lists the smaller neighbours of the nodes of one PE. Loops and repeated edges are left out.
 *
 * @param ends both ends of each edge
 * @param nodes how many nodes there are
 * @param pe whose nodes; nodes belong to PEs in turn
 * @param pes how many PEs there are
 */
export function smallerNeighbours(
  ends: Uint32Array,
  nodes: number,
  pe = 0,
  pes = 1,
): SmallerNeighbours {
  const mine = Math.ceil((nodes - pe) / pes);
  const starts = new Uint32Array(mine + 1);
  eachOf(ends, pe, pes, (node) => starts[node + 1]!++);
  for (let i = 0; i < mine; i++) starts[i + 1]! += starts[i]!;
  const lists = new Uint32Array(starts[mine]!);
  const next = starts.slice();
  eachOf(ends, pe, pes, (node, neighbour) => lists[next[node]!++] = neighbour);
  return { pe, pes, starts, lists: lists.subarray(0, deduplicate(starts, lists)) };
}

/** Calls for each edge that is no loop and whose larger end belongs to the PE. */
function eachOf(
  ends: Uint32Array,
  pe: number,
  pes: number,
  found: (node: number, neighbour: number) => void,
): void {
  for (let i = 0; i < ends.length; i += 2) {
    const larger = Math.max(ends[i]!, ends[i + 1]!);
    const smaller = Math.min(ends[i]!, ends[i + 1]!);
    if (larger !== smaller && larger % pes === pe) found(Math.floor(larger / pes), smaller);
  }
}

/** Sorts the lists and moves them together; returns how many numbers are left. */
function deduplicate(starts: Uint32Array, lists: Uint32Array): number {
  let kept = 0;
  for (let i = 0, from = 0; i + 1 < starts.length; i++) {
    const to = starts[i + 1]!;
    lists.subarray(from, to).sort();
    starts[i] = kept;
    for (let at = from; at < to; at++) {
      if (at === from || lists[at] !== lists[at - 1]) lists[kept++] = lists[at]!;
    }
    from = to;
  }
  starts[starts.length - 1] = kept;
  return kept;
}

/**
 * Counts the triangles that a node closes with two smaller neighbours, the larger of which belongs
 * to the PE of `graph`.
 *
 * @param graph the lists of the PE
 * @param list the smaller neighbours of the node: those from `from` up to, not including, `to`
 */
export function trianglesOf(
  graph: SmallerNeighbours,
  list: Uint32Array,
  from = 0,
  to: number = list.length,
): number {
  const { pe, pes, starts, lists } = graph;
  let triangles = 0;
  for (let at = from; at < to; at++) {
    const neighbour = list[at]!;
    if (neighbour % pes !== pe) continue;
    const node = Math.floor(neighbour / pes);
    triangles += common(list, from, at, lists, starts[node]!, starts[node + 1]!);
  }
  return triangles;
}

/** How many numbers two sorted pieces of lists have in common. */
function common(
  a: Uint32Array,
  aFrom: number,
  aTo: number,
  b: Uint32Array,
  bFrom: number,
  bTo: number,
): number {
  let count = 0;
  for (let i = aFrom, j = bFrom; i < aTo && j < bTo;) {
    const [x, y] = [a[i]!, b[j]!];
    if (x === y) count++;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return count;
}

/** Counts the triangles of a graph whose nodes all belong to one PE. */
export function countTriangles(graph: SmallerNeighbours): number {
  const { starts, lists } = graph;
  let triangles = 0;
  for (let i = 0; i + 1 < starts.length; i++) {
    triangles += trianglesOf(graph, lists, starts[i]!, starts[i + 1]!);
  }
  return triangles;
}
