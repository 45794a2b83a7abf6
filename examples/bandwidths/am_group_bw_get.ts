/**
 * Bandwidth of groups of active messages that carry a region: the target gets the bytes itself. The
 * region is the same for all, so it travels once with many of them.
 *
 *     deno task run:local -n 2 examples/bandwidths/am_group_bw_get.ts 1048576 67108864
 *
 * Arguments: the largest transfer, and what each size moves, in bytes.
 *
 * @module
 */

import {
  am,
  LamellarWorldBuilder,
  oneSided,
  staticField,
  typedAmGroup,
  u32,
  u8,
} from "../../mod.ts";
import { limitsOf, measure } from "./protocol.ts";

const limits = limitsOf(Deno.args);
const target = new Uint8Array(limits.bytesMax);
let received = 0;

const fields = { region: staticField(oneSided(u8)), bytes: u32 };
const Fetch = am("Fetch", fields, async (self) => {
  await self.region.get(0, target.subarray(0, self.bytes));
  received += self.bytes;
});

await using world = await new LamellarWorldBuilder().build();
using region = world.allocOneSidedMemRegion("u8", limits.bytesMax);

let group = typedAmGroup(Fetch, world);
await measure(world, limits, {
  countMax: 2 ** 14,
  prepare: (bytes) => {
    region.asMutSlice().fill(1 + Math.log2(bytes));
    group = typedAmGroup(Fetch, world);
  },
  start: (bytes) => group.addAmPe(1, Fetch({ region, bytes })),
  finish: async () => void await group.exec(),
  check: (bytes) => {
    const wanted = 1 + Math.log2(bytes);
    if (world.myPe === 1 && !target.subarray(0, bytes).every((byte) => byte === wanted)) {
      throw new Error(`PE 1 did not get ${bytes} bytes of ${wanted}`);
    }
  },
});
if (world.myPe === 1) console.log(`PE 1 received ${received} bytes`);
