/**
 * Every PE greets every PE: an active message says where it comes from and runs on all PEs.
 *
 *     deno task run:local -n 4 examples/hello_world/hello_world_am.ts
 *
 * @module
 */

import { am, LamellarWorldBuilder, str, u32 } from "../../mod.ts";

const HelloWorld = am("HelloWorld", { from: u32, host: str }, (self, lamellar) => {
  console.log(
    `PE ${lamellar.currentPe} of ${lamellar.numPes}: hello from PE ${self.from} on ${self.host}`,
  );
});

await using world = await new LamellarWorldBuilder().build();
await world.execAmAll(HelloWorld({ from: world.myPe, host: Deno.hostname() }));
