/**
 * An active message that returns another one, which runs on the PE that launched the first.
 *
 *     deno task run:local -n 3 examples/active_messages/am_return_am.ts
 *
 * @module
 */

import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";

const Report = am("Report", { visited: u32 }, (self, lamellar) => {
  console.log(`PE ${lamellar.currentPe}: back from PE ${self.visited}`);
});

const Visit = am("Visit", {}, (_self, lamellar) => Report({ visited: lamellar.currentPe }));

await using world = await new LamellarWorldBuilder().build();
await world.execAmPe((world.myPe + 1) % world.numPes, Visit({}));
await world.asyncBarrier();
if (world.myPe === 0) await world.execAmAll(Visit({}));
