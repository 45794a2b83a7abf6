/** PE 1 fails, and PE 0 takes a while to clean up after it. */

import { LamellarWorldBuilder } from "../../mod.ts";

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

await using world = await new LamellarWorldBuilder().build();
await world.asyncBarrier();
if (world.myPe === 1) throw new Error("on purpose");
try {
  await world.asyncBarrier();
} catch {
  console.log("cleaning up");
  // The second pause begins only once the process goes on.
  await pause(100);
  await pause(100);
  console.log("cleaned up");
}
