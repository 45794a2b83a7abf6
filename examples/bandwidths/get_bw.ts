/**
 * Bandwidth of gets from a shared memory region.
 *
 *     deno task run:local -n 2 examples/bandwidths/get_bw.ts 1048576 67108864
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
region.asMutSlice().fill(world.myPe + 1);

let data = new Uint8Array(0);
await measure(world, limits, {
  prepare: (bytes) => void (data = new Uint8Array(bytes)),
  start: () => region.getUnmanaged(1, 0, data),
  finish: () => world.awaitAll(),
  check: (bytes) => {
    if (world.myPe === 0 && !(data.length === bytes && data.every((byte) => byte === 2))) {
      throw new Error(`PE 0 did not get ${bytes} bytes of PE 1`);
    }
  },
});
if (world.myPe === 0) console.log("PE 0 got what PE 1 has");
