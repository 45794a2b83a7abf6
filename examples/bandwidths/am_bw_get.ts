/**
 * Bandwidth of active messages that carry a region: the target gets the bytes itself.
 *
 *     deno task run:local -n 2 examples/bandwidths/am_bw_get.ts 1048576 67108864
 *
 * Arguments: the largest transfer, and what each size moves, in bytes.
 *
 * @module
 */

import { am, LamellarWorldBuilder, type OneSidedMemoryRegion } from "../../mod.ts";
import { limitsOf, measure } from "./protocol.ts";

const limits = limitsOf(Deno.args);
const target = new Uint8Array(limits.bytesMax);
let received = 0;

const Fetch = am("Fetch", async (self: { region: OneSidedMemoryRegion<"u8">; bytes: number }) => {
  await self.region.get(0, target.subarray(0, self.bytes));
  received += self.bytes;
});

await using world = await new LamellarWorldBuilder().build();
using region = world.allocOneSidedMemRegion("u8", limits.bytesMax);

await measure(world, limits, {
  // A message that carries a region takes a while, so this many of each size are enough.
  countMax: 2 ** 14,
  prepare: (bytes) => void region.asMutSlice().fill(1 + Math.log2(bytes)),
  start: (bytes) => void world.execAmPe(1, Fetch({ region, bytes })),
  finish: () => world.awaitAll(),
  check: (bytes) => {
    const wanted = 1 + Math.log2(bytes);
    if (world.myPe === 1 && !target.subarray(0, bytes).every((byte) => byte === wanted)) {
      throw new Error(`PE 1 did not get ${bytes} bytes of ${wanted}`);
    }
  },
});
if (world.myPe === 1) console.log(`PE 1 received ${received} bytes`);
