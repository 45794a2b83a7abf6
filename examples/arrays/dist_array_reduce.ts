/**
 * Reductions of arrays in blocks and cyclic: sums, products, extremes, one of our own by its name,
 * and a function. Any PE asks for itself.
 *
 *     deno task run:local -n 4 examples/arrays/dist_array_reduce.ts
 *
 * @module
 */

import { AtomicArray, LamellarWorldBuilder, reduction } from "../../mod.ts";

const MAX_MAGNITUDE = reduction(
  "max magnitude",
  (a: number, b: number) => Math.abs(b) > Math.abs(a) ? b : a,
);

await using world = await new LamellarWorldBuilder().build();

function check<T>(what: string, found: T, wanted: T): void {
  if (!Object.is(found, wanted)) throw new Error(`${what} is ${found}, not ${wanted}`);
  if (world.myPe === 0) console.log(`${what}: ${found}`);
}

for (const kind of ["block", "cyclic"] as const) {
  using array = await AtomicArray.create(world, "i32", 20, kind);
  if (world.myPe === 0) {
    await array.put(0, Int32Array.from({ length: 20 }, (_, i) => i % 2 === 0 ? i + 1 : -i - 1));
  }
  await world.asyncBarrier();
  check(`${kind}: sum`, await array.sum(), -10);
  check(`${kind}: product of the first ten`, await array.subArray(0, 10).prod(), -3_628_800);
  check(`${kind}: least`, array.min().block(), -20);
  check(`${kind}: greatest`, array.max().block(), 19);
  check(`${kind}: of the greatest magnitude`, await array.reduce(MAX_MAGNITUDE), -20);
  check(`${kind}: sum by a function`, await array.reduce((a, b) => a + b), -10);
  check(`${kind}: sum of nothing`, await array.subArray(5, 5).sum(), undefined);
  await world.asyncBarrier();
}
