/**
 * A parallel map in a few lines: any function over a typed array, in slices on all PEs.
 *
 *     deno task run:local -n 4 examples/closures/closure_map.ts 1000000
 *
 * @module
 */

import { type LamellarWorld, LamellarWorldBuilder } from "../../mod.ts";
import { pes } from "../table.ts";

/** Applies a function to every element; it may use its parameter and globals. */
async function map(
  world: LamellarWorld,
  data: Float64Array,
  fn: (slice: Float64Array) => Float64Array,
): Promise<Float64Array> {
  const length = Math.ceil(data.length / world.numPes);
  const slices = Array.from({ length: world.numPes }, (_, pe) => {
    const slice = data.subarray(pe * length, (pe + 1) * length);
    return world.execClosurePe(pe, fn, [slice]);
  });
  const result = new Float64Array(data.length);
  for (const [pe, slice] of slices.entries()) result.set(await slice, pe * length);
  return result;
}

await using world = await new LamellarWorldBuilder().build();

if (world.myPe === 0) {
  const data = Float64Array.from({ length: Number(Deno.args[0] ?? 1_000_000) }, (_, i) => i);
  const start = performance.now();
  const roots = await map(world, data, (slice) => slice.map((x) => Math.sqrt(x)));
  const ms = performance.now() - start;
  const begin = performance.now();
  const serial = data.map((x) => Math.sqrt(x));
  const alone = performance.now() - begin;
  const wrong = roots.findIndex((root, i) => root !== serial[i]);
  console.log(wrong < 0 ? `${roots.length} roots are right` : `root ${wrong} is wrong`);
  console.log(`${ms.toFixed(1)} ms on ${pes(world.numPes)}, ${alone.toFixed(1)} ms serially`);
}
