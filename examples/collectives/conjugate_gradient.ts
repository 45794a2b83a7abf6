/**
 * Solves a Poisson equation on a grid by conjugate gradients. Each PE has some rows of the grid. In
 * each iteration it gets one row from each neighbour, and two dot products go over all PEs: that is
 * all the communication there is, as in the benchmark HPCG.
 *
 *     deno task run:local -n 4 examples/collectives/conjugate_gradient.ts 128 64
 *
 * Arguments: columns of the grid, and rows of each PE.
 *
 * @module
 */

import { LamellarWorldBuilder } from "../../mod.ts";
import { pes } from "../table.ts";

const [columns = 128, rows = 64] = Deno.args.map(Number);
const TOLERANCE = 1e-9;

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const cells = rows * columns;
/** The direction of the search, which neighbours read. */
const direction = await world.allocSharedMemRegion("f64", cells);

/** The dot product of two vectors, of which each PE has a part. */
async function dot(x: Float64Array, y: Float64Array): Promise<number> {
  let mine = 0;
  for (let i = 0; i < x.length; i++) mine += x[i]! * y[i]!;
  return await world.allReduce(mine, "sum");
}

/** y = alpha x + beta y. */
function waxpby(alpha: number, x: Float64Array, beta: number, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) y[i] = alpha * x[i]! + beta * y[i]!;
}

const zeros = new Float64Array(columns);

/** A row of a neighbour: above the first PE and below the last there are zeros. */
async function edgeRow(pe: number, row: number): Promise<Float64Array> {
  if (pe < 0 || pe >= numPes) return zeros;
  return await direction.getBuffer(pe, row * columns, columns);
}

/** The product of the matrix and the direction: 4 on the diagonal, -1 for each neighbour. */
async function multiply(product: Float64Array): Promise<void> {
  await world.asyncBarrier();
  const [above, below] = await Promise.all([edgeRow(myPe - 1, rows - 1), edgeRow(myPe + 1, 0)]);
  const p = direction.asSlice();
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      const up = row > 0 ? p[i - columns]! : above[column]!;
      const down = row < rows - 1 ? p[i + columns]! : below[column]!;
      const left = column > 0 ? p[i - 1]! : 0;
      const right = column < columns - 1 ? p[i + 1]! : 0;
      product[i] = 4 * p[i]! - up - down - left - right;
    }
  }
  // Nobody changes the direction before its neighbours have read it.
  await world.asyncBarrier();
}

/** The solution is to be 1 everywhere. */
const expected = direction.asMutSlice().fill(1);
const right = new Float64Array(cells);
await multiply(right);

const x = new Float64Array(cells);
const residual = right.slice();
const product = new Float64Array(cells);
expected.set(residual);
const began = performance.now();
const first = await dot(residual, residual);
let squares = first;
let iterations = 0;
while (squares > TOLERANCE ** 2 * first && iterations < 10 * columns) {
  await multiply(product);
  const p = direction.asMutSlice();
  const alpha = squares / await dot(p, product);
  waxpby(alpha, p, 1, x);
  waxpby(-alpha, product, 1, residual);
  const before = squares;
  squares = await dot(residual, residual);
  waxpby(1, residual, squares / before, p);
  iterations++;
}
const ms = performance.now() - began;

const error = x.reduce((largest, value) => Math.max(largest, Math.abs(value - 1)), 0);
const { value, pe } = await world.allReduce(error, "maxLoc");
const flops = numPes * cells * iterations * (2 * 2 + 3 * 3 + 9);
if (myPe === 0) {
  console.log(`${pes(numPes)}: a grid of ${numPes * rows} x ${columns}`);
  console.log(`${iterations} iterations, ${(flops / ms / 1e6).toFixed(2)} GFLOPS`);
  console.log(`the largest error is ${value.toExponential(1)}, on PE ${pe}`);
}
if (!(value < 1e-6)) throw new Error("The solution is wrong");
