/**
 * Puts into a shared memory region: PE 0 writes into the memory of every PE, without their help.
 *
 *     deno task run:local -n 4 examples/rdma/rdma_put.ts
 *
 * @module
 */

import { LamellarWorldBuilder } from "../../mod.ts";

const LENGTH = 10;

await using world = await new LamellarWorldBuilder().build();
using region = await world.allocSharedMemRegion("u32", LENGTH);

if (world.myPe === 0) {
  const data = Uint32Array.from({ length: LENGTH }, (_, i) => i + 1);
  for (let pe = 0; pe < world.numPes; pe++) {
    // The last element is put last: a PE that sees it sees the others too.
    await region.put(pe, 0, data.subarray(0, LENGTH - 1));
    await region.store(pe, LENGTH - 1, LENGTH);
  }
}
await region.waitUntil(LENGTH - 1, "==", LENGTH);
console.log(`PE ${world.myPe} after put: ${region.asSlice().join(" ")}`);
await world.asyncBarrier();

// The same for all PEs in one call, with a single value.
if (world.myPe === world.numPes - 1) {
  await region.putAll(2, new Uint32Array([70, 80, 90]));
  await region.put(0, 0, 1000);
}
await world.asyncBarrier();
console.log(`PE ${world.myPe} after putAll: ${region.asSlice().join(" ")}`);
