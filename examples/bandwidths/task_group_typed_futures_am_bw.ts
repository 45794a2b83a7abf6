/**
 * Bandwidth of groups of active messages of one type, which carry their bytes with them.
 *
 *     deno task run:local -n 2 examples/bandwidths/task_group_typed_futures_am_bw.ts 4096 1048576
 *
 * Arguments: the largest transfer, and what each size moves, in bytes.
 *
 * @module
 */

import { am, LamellarWorldBuilder, typedAmGroup, u8Array } from "../../mod.ts";
import { limitsOf, measure } from "./protocol.ts";

const received = { bytes: 0, last: 0 };
const Carry = am("Carry", { data: u8Array }, (self) => {
  received.bytes += self.data.length;
  received.last = self.data.length;
});

const limits = limitsOf(Deno.args);
await using world = await new LamellarWorldBuilder().build();

let group = typedAmGroup(Carry, world);
let data = new Uint8Array(0);
await measure(world, limits, {
  prepare: (bytes) => {
    data = new Uint8Array(bytes).fill(1);
    group = typedAmGroup(Carry, world);
  },
  start: () => group.addAmPe(1, Carry({ data })),
  finish: async () => void await group.exec(),
  check: (bytes) => {
    if (world.myPe === 1 && received.last !== bytes) {
      throw new Error(`PE 1 received ${received.last} bytes instead of ${bytes}`);
    }
  },
});
if (world.myPe === 1) console.log(`PE 1 received ${received.bytes} bytes`);
