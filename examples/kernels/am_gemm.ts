/**
 * Multiplies two matrices in blocks. Rows of blocks belong to PEs in turn. A PE that computes a
 * block of the product fetches each block of the right factor from its owner by an active message,
 * every time it needs it.
 *
 *     deno task run:local -n 2 examples/kernels/am_gemm.ts 512 64
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
for (let row = myPe; row < blocks; row += numPes) {
  owned.set(row, Array.from({ length: blocks }, (_, column) => makeBlock(problem, 1, row, column)));
}
await world.asyncBarrier();

const start = performance.now();
let print = 0;
let fetched = 0;
for (let row = myPe; row < blocks; row += numPes) {
  const left = Array.from({ length: blocks }, (_, k) => makeBlock(problem, 0, row, k));
  for (let column = 0; column < blocks; column++) {
    // All are on their way before the first is needed.
    const right = left.map((_, k) => world.execAmPe(k % numPes, Fetch({ row: k, column })));
    fetched += blocks;
    const product = new Float64Array(block * block);
    for (const [k, handle] of right.entries()) multiplyAdd(product, left[k]!, await handle, block);
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
