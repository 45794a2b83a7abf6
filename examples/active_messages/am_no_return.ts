/**
 * Active messages without a result: on this PE, on another, on all, and around a ring.
 *
 *     deno task run:local -n 3 examples/active_messages/am_no_return.ts
 *
 * @module
 */

import { am, LamellarWorldBuilder, str, u32 } from "../../mod.ts";

let received = 0;
const Note = am("Note", { from: u32, what: str }, (self, lamellar) => {
  received++;
  console.log(`PE ${lamellar.currentPe}: ${self.what} from PE ${self.from}`);
});

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;

if (myPe === 0) {
  await world.execAmLocal(Note({ from: myPe, what: "local" }));
  await world.execAmPe(numPes - 1, Note({ from: myPe, what: "remote" }));
  await world.execAmAll(Note({ from: myPe, what: "to all" }));
}
await world.asyncBarrier();

// The handles can be ignored: awaitAll covers all of them.
world.execAmPe((myPe + 1) % numPes, Note({ from: myPe, what: "ring" }));
await world.awaitAll();
await world.asyncBarrier();
console.log(`PE ${myPe} received ${received}`);
