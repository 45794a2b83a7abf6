/** All PEs go on for ever in the way of the first argument, until a signal ends them. */

import { LamellarWorldBuilder } from "../../mod.ts";

await using world = await new LamellarWorldBuilder().build();
world.barrier();
if (world.myPe === 0) console.log("all here");
if (Deno.args[0] === "spin") {
  for (;;);
} else if (Deno.args[0] === "barrier") {
  if (world.myPe > 0) world.barrier();
  await new Promise((resolve) => setTimeout(resolve, 600_000));
} else {
  await new Promise((resolve) => setTimeout(resolve, 600_000));
}
