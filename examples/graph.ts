/**
 * Graphs for the examples: edge lists as GraphChallenge publishes them, Kronecker graphs, and
 * counting triangles in one thread.
 *
 * @module
 */

/**
 * Undirected edges as pairs of vertices from 0; both ends of edge `i` are at `2 * i` and `2 * i +
 * 1`.
 */
export interface Edges {
  /** Number of vertices. */
  readonly vertices: number;
  /**
   * The ends of all edges. An edge may occur several times, in either direction, or be a loop.
   */
  readonly ends: Uint32Array;
}

/**
 * Reads an edge list: one line per edge, with two vertices, numbered from 1 and separated by a tab
 * or spaces, and perhaps a weight. Empty lines and lines that begin with # or % are skipped.
 *
 * @param text The list.
 * @returns The edges.
 * @throws {SyntaxError} If a line is not an edge.
 */
export function parseEdges(text: string): Edges {
  const ends: number[] = [];
  let vertices = 0;
  for (const [i, line] of text.split("\n").entries()) {
    const fields = line.trim().split(/\s+/);
    if (fields[0] === "" || /^[#%]/.test(fields[0]!)) continue;
    const [a, b] = fields.map(Number);
    if (!isVertex(a) || !isVertex(b)) {
      throw new SyntaxError(`Cannot read line ${i + 1} as an edge: ${JSON.stringify(line)}`);
    }
    vertices = Math.max(vertices, a, b);
    ends.push(a - 1, b - 1);
  }
  return { vertices, ends: Uint32Array.from(ends) };
}

function isVertex(value: number | undefined): value is number {
  return Number.isInteger(value) && value! >= 1 && value! <= 2 ** 32;
}

/**
 * Reads routes as "from,to,…" lines under a line of headings; the places become vertices.
 *
 * @param text The table.
 * @returns The edges.
 */
export function parseRoutes(text: string): Edges {
  const numbers = new Map<string, number>();
  const vertex = (name: string): number => {
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    return known;
  };
  const ends = text.trim().split("\n").slice(1)
    .flatMap((line) => line.split(",").slice(0, 2).map(vertex));
  return { vertices: numbers.size, ends: Uint32Array.from(ends) };
}

/**
 * Makes a Kronecker graph with the parameters of Graph500: 2^scale vertices and 16 times as many
 * edges.
 *
 * @param scale Logarithm of the number of vertices.
 * @param seed Of the random numbers; the same seed gives the same graph.
 * @returns The edges.
 * @throws {RangeError} If the scale is not an integer from 1 to 24.
 */
export function kronecker(scale: number, seed: number): Edges {
  if (!Number.isInteger(scale) || scale < 1 || scale > 24) {
    throw new RangeError(`Cannot make a Kronecker graph of scale ${scale}: it must be 1 to 24`);
  }
  const random = xorshift(seed);
  const ends = new Uint32Array(2 * 16 * 2 ** scale);
  for (let i = 0; i < ends.length; i += 2) {
    for (let bit = 0; bit < scale; bit++) {
      // The quarters of the adjacency matrix have 57, 19, 19 and 5 of 100 edges.
      const quarter = random();
      const down = quarter >= 0.76 ? 1 : 0;
      const right = quarter >= 0.95 || (quarter >= 0.57 && quarter < 0.76) ? 1 : 0;
      ends[i] = ends[i]! << 1 | down;
      ends[i + 1] = ends[i + 1]! << 1 | right;
    }
  }
  return { vertices: 2 ** scale, ends };
}

/** Marsaglia's xorshift with 32 bits. */
function xorshift(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/**
 * The neighbours of each vertex that come after it, sorted. Every edge is listed once, at its
 * smaller end.
 *
 * @param edges The edges.
 * @param wanted Tells of which vertices the neighbours are wanted; of all if left out.
 * @returns The lists, by vertex; those not wanted are missing.
 */
export function laterNeighbours(
  { ends }: Edges,
  wanted: (vertex: number) => boolean = () => true,
): Map<number, Uint32Array> {
  const sets = new Map<number, Set<number>>();
  for (let i = 0; i < ends.length; i += 2) {
    const low = Math.min(ends[i]!, ends[i + 1]!);
    const high = Math.max(ends[i]!, ends[i + 1]!);
    if (low === high || !wanted(low)) continue;
    const set = sets.get(low);
    if (set) set.add(high);
    else sets.set(low, new Set([high]));
  }
  return new Map(
    Array.from(sets, ([vertex, set]) => [vertex, Uint32Array.from(set).sort()] as const),
  );
}

/**
 * Counts the numbers that two sorted lists have in common.
 *
 * @param a One list.
 * @param b The other list.
 * @returns How many numbers are in both.
 */
export function countCommon(a: Uint32Array, b: Uint32Array): number {
  let common = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [x, y] = [a[i]!, b[j]!];
    if (x === y) common++;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return common;
}

/**
 * Counts triangles in one thread.
 *
 * @param edges The edges.
 * @returns How many triangles the graph has.
 */
export function countSerially(edges: Edges): number {
  const later = laterNeighbours(edges);
  let triangles = 0;
  for (const list of later.values()) {
    for (const vertex of list) {
      const others = later.get(vertex);
      if (others) triangles += countCommon(list, others);
    }
  }
  return triangles;
}
