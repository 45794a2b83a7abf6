/**
 * Bandwidth of active messages that a task group launches, and that carry their bytes with them.
 *
 *     deno task run:local -n 2 examples/bandwidths/task_group_am_bw.ts 1048576 67108864
 *
 * Arguments: the largest transfer, and what each size moves, in bytes.
 *
 * @module
 */

import { am, LamellarTaskGroup, LamellarWorldBuilder, u8Array } from "../../mod.ts";
import { limitsOf, measure } from "./protocol.ts";

const received = { bytes: 0, last: 0 };
const Carry = am("Carry", { data: u8Array }, (self) => {
  received.bytes += self.data.length;
  received.last = self.data.length;
});

const limits = limitsOf(Deno.args);
await using world = await new LamellarWorldBuilder().build();

const group = new LamellarTaskGroup(world);
let data = new Uint8Array(0);
await measure(world, limits, {
  prepare: (bytes) => void (data = new Uint8Array(bytes).fill(1)),
  start: () => void group.execAmPe(1, Carry({ data })),
  finish: () => group.awaitAll(),
  check: (bytes) => {
    if (world.myPe === 1 && received.last !== bytes) {
      throw new Error(`PE 1 received ${received.last} bytes instead of ${bytes}`);
    }
  },
});
if (world.myPe === 1) console.log(`PE 1 received ${received.bytes} bytes`);
