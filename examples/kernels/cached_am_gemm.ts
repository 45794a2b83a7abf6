/**
 * Multiplies two matrices in blocks, as am_gemm does, but each PE fetches each block of the right
 * factor once: it fetches column after column, and keeps a column while all its rows of blocks use
 * it.
 *
 *     deno task run:local -n 2 examples/kernels/cached_am_gemm.ts 512 64
 *
 * Arguments: size of the matrices and of the blocks.
 *
 * @module
 */

import { am, f64, f64Array, LamellarWorldBuilder, u32 } from "../../mod.ts";
import { pes } from "../table.ts";
import { fingerprint, makeBlock, multiplyAdd, problemOf, serialFingerprint } from "./matrix.ts";

const problem = problemOf(Deno.args);
const { size, block, blocks } = problem;

/** The rows of blocks of the right factor that this PE owns. */
const owned = new Map<number, Float64Array[]>();

const Fetch = am("Fetch", { row: u32, column: u32 }, ({ row, column }) => {
  return owned.get(row)![column]!;
}, { returns: f64Array });

const total = { print: 0, fetched: 0 };
const Report = am("Report", { print: f64, fetched: u32 }, (self) => {
  total.print += self.print;
  total.fetched += self.fetched;
});

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const left = new Map<number, Float64Array[]>();
for (let row = myPe; row < blocks; row += numPes) {
  owned.set(row, Array.from({ length: blocks }, (_, column) => makeBlock(problem, 1, row, column)));
  left.set(row, Array.from({ length: blocks }, (_, k) => makeBlock(problem, 0, row, k)));
}
await world.asyncBarrier();

/** Launches the messages for a column of blocks. */
function fetchColumn(column: number): PromiseLike<Float64Array[]> {
  const handles = Array.from(
    { length: blocks },
    (_, row) => world.execAmPe(row % numPes, Fetch({ row, column })),
  );
  return Promise.all(handles);
}

const start = performance.now();
let print = 0;
let fetched = 0;
let next = fetchColumn(0);
for (let column = 0; column < blocks; column++) {
  const right = await next;
  fetched += blocks;
  // The next column travels while the PE works on this one.
  if (column + 1 < blocks) next = fetchColumn(column + 1);
  for (const [row, factors] of left) {
    const product = new Float64Array(block * block);
    for (const [k, factor] of factors.entries()) multiplyAdd(product, factor, right[k]!, block);
    print += fingerprint(product, row, column);
  }
}
await world.execAmPe(0, Report({ print, fetched }));
await world.asyncBarrier();

if (myPe === 0) {
  const seconds = (performance.now() - start) / 1000;
  const begin = performance.now();
  const right = total.print === serialFingerprint(problem);
  const alone = (performance.now() - begin) / 1000;
  const speed = (seconds: number): string => (2 * size ** 3 / seconds / 1e9).toFixed(2);
  console.log(
    `${size} x ${size}: ${speed(seconds)} GFLOP/s on ${pes(numPes)}, ` +
      `${speed(alone)} GFLOP/s serially, ${total.fetched} blocks fetched`,
  );
  console.log(right ? "the product is right" : "the product is wrong");
}
