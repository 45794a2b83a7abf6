import { assertEquals, assertThrows } from "@std/assert";
import { countTriangles, EDGE_FACTOR, kronecker, smallerNeighbours, trianglesOf } from "./graph.ts";

/** Every pair of five nodes, some twice, and loops: ten triangles. */
const COMPLETE = Uint32Array.of(
  ...[0, 1, 0, 2, 0, 3, 0, 4, 1, 2, 1, 3, 1, 4, 2, 3, 2, 4, 3, 4],
  ...[1, 0, 4, 2, 2, 4, 3, 3, 0, 0],
);

/** The list of each node of a PE. */
function listsOf(ends: Uint32Array, nodes: number, pe: number, pes: number): number[][] {
  const { starts, lists } = smallerNeighbours(ends, nodes, pe, pes);
  return Array.from(starts.subarray(1), (to, i) => [...lists.subarray(starts[i], to)]);
}

/** Counts triangles in the slow way: each pair of edges that meet, and the edge between. */
function countByPairs(ends: Uint32Array): number {
  const sets = new Map<number, Set<number>>();
  for (let i = 0; i < ends.length; i += 2) {
    const [a, b] = [ends[i]!, ends[i + 1]!];
    if (a !== b) {
      sets.set(Math.max(a, b), (sets.get(Math.max(a, b)) ?? new Set()).add(Math.min(a, b)));
    }
  }
  let triangles = 0;
  for (const smaller of sets.values()) {
    for (const middle of smaller) {
      for (const least of smaller) if (sets.get(middle)?.has(least)) triangles++;
    }
  }
  return triangles;
}

Deno.test("kronecker() makes 16 edges a node, the same ones for the same seed", () => {
  const ends = kronecker(10, 1);
  assertEquals(ends.length, 2 * EDGE_FACTOR * 1024);
  assertEquals(ends, kronecker(10, 1));
  assertEquals(ends.every((end) => end < 1024), true);
  const other = kronecker(10, 2);
  const same = ends.filter((end, i) => end === other[i]).length;
  assertEquals(same < ends.length / 4, true);
});

Deno.test("kronecker() gives the quarters of the matrix 57, 19, 19 and 5 of 100 edges", () => {
  const ends = kronecker(16, 1);
  for (const bit of [0, 7, 15]) {
    const quarters = [0, 0, 0, 0];
    for (let i = 0; i < ends.length; i += 2) {
      quarters[(ends[i]! >> bit & 1) * 2 + (ends[i + 1]! >> bit & 1)]!++;
    }
    const percent = quarters.map((count) => Math.round(count * 200 / ends.length));
    assertEquals(percent, [57, 19, 19, 5], `bit ${bit}`);
  }
});

Deno.test("kronecker() refuses scales that are not from 1 to 22", () => {
  for (const scale of [0, 23, 1.5, NaN]) assertThrows(() => kronecker(scale, 1), RangeError);
});

Deno.test("smallerNeighbours() sorts the lists, without loops and repetitions", () => {
  assertEquals(listsOf(COMPLETE, 5, 0, 1), [[], [0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]);
});

Deno.test("smallerNeighbours() deals the nodes out to the PEs in turn", () => {
  assertEquals(listsOf(COMPLETE, 5, 0, 2), [[], [0, 1], [0, 1, 2, 3]]);
  assertEquals(listsOf(COMPLETE, 5, 1, 2), [[0], [0, 1, 2]]);
});

Deno.test("countTriangles() finds the triangles of known graphs", () => {
  assertEquals(countTriangles(smallerNeighbours(COMPLETE, 5)), 10);
  const square = Uint32Array.of(0, 1, 1, 2, 2, 3, 3, 0);
  assertEquals(countTriangles(smallerNeighbours(square, 4)), 0);
  const crossed = Uint32Array.of(...square, 2, 0);
  assertEquals(countTriangles(smallerNeighbours(crossed, 4)), 2);
  const ends = kronecker(9, 3);
  assertEquals(countTriangles(smallerNeighbours(ends, 512)), countByPairs(ends));
});

Deno.test("trianglesOf() of all PEs together finds what one alone does", () => {
  const [ends, nodes, pes] = [kronecker(8, 1), 256, 3];
  const { starts, lists } = smallerNeighbours(ends, nodes);
  let triangles = 0;
  for (let pe = 0; pe < pes; pe++) {
    const part = smallerNeighbours(ends, nodes, pe, pes);
    for (let i = 0; i < nodes; i++) {
      triangles += trianglesOf(part, lists.subarray(starts[i], starts[i + 1]));
    }
  }
  assertEquals(triangles, countTriangles(smallerNeighbours(ends, nodes)));
});

Deno.test("the graphs stay what they are, since peers in other languages make the same", () => {
  const all = smallerNeighbours(kronecker(12, 1), 4096);
  assertEquals([all.lists.length, countTriangles(all)], [48_410, 484_497]);
});
