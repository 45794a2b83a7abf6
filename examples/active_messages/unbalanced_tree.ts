/**
 * Counts the nodes of a tree that nobody knows before it is searched: how many children a node has
 * follows from a hash. Each node is a message that launches those of its children on other PEs, and
 * `finish` says when the last one is over. Compares the count with that of a plain recursion.
 *
 *     deno task run:local -n 4 examples/active_messages/unbalanced_tree.ts 12
 *
 * @module
 */

import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";

const depthMax = parseInt(Deno.args[0] ?? "12");
let nodes = 0;

/** Mixes the bits of a number. */
function hash(n: number): number {
  const mixed = Math.imul(n ^ (n >>> 16), 0x45d9f3b);
  return (Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b) ^ (mixed >>> 13)) >>> 0;
}

/** The hashes of the children of a node: up to four, most often one or two. */
function childrenOf(node: number, depth: number): number[] {
  const count = depth >= depthMax ? 0 : [0, 1, 1, 2, 2, 3, 4, 4][node & 7]!;
  return Array.from({ length: count }, (_, i) => hash(node + 1 + i));
}

const Visit = am("Visit", { node: u32, depth: u32 }, (self, lamellar) => {
  nodes++;
  for (const node of childrenOf(self.node, self.depth)) {
    const pe = (node >>> 3) % lamellar.numPes;
    lamellar.world.execAmPe(pe, Visit({ node, depth: self.depth + 1 }));
  }
});

function countHere(node: number, depth: number): number {
  return childrenOf(node, depth).reduce((sum, child) => sum + countHere(child, depth + 1), 1);
}

await using world = await new LamellarWorldBuilder().build();
const root = 3;

if (world.myPe === 0) {
  const start = performance.now();
  await world.finish((scope) => {
    scope.execAmPe(world.numPes - 1, Visit({ node: root, depth: 0 }));
  });
  const ms = performance.now() - start;
  console.log(`the search took ${ms.toFixed(1)} ms`);
}
await world.asyncBarrier();
const counted = await world.gather(nodes, { root: 0 });
if (world.myPe === 0) {
  const total = counted!.reduce((sum, one) => sum + one, 0);
  const expected = countHere(root, 0);
  console.log(`${total} nodes, of which each PE visited ${counted!.join(", ")}`);
  console.log(total === expected ? "as a plain recursion counts" : `wrong: there are ${expected}`);
  if (total !== expected) Deno.exit(1);
}
