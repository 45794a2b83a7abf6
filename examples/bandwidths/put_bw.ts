/**
 * Bandwidth of puts into a shared memory region.
 *
 *     deno task run:local -n 2 examples/bandwidths/put_bw.ts 1048576 67108864
 *
 * Arguments: the largest transfer, and what each size moves, in bytes.
 *
 * @module
 */

import { LamellarWorldBuilder } from "../../mod.ts";
import { limitsOf, measure } from "./protocol.ts";

const limits = limitsOf(Deno.args);
await using world = await new LamellarWorldBuilder().build();
using region = await world.allocSharedMemRegion("u8", limits.bytesMax);

let data = new Uint8Array(0);
await measure(world, limits, {
  prepare: (bytes) => void (data = new Uint8Array(bytes).fill(1 + Math.log2(bytes))),
  start: () => region.putUnmanaged(1, 0, data),
  finish: () => world.awaitAll(),
  check: (bytes) => {
    const wanted = 1 + Math.log2(bytes);
    if (world.myPe === 1 && !region.asSlice().subarray(0, bytes).every((byte) => byte === wanted)) {
      throw new Error(`PE 1 does not have ${bytes} bytes of ${wanted}`);
    }
  },
});
if (world.myPe === 1) console.log("PE 1 has what was put");
