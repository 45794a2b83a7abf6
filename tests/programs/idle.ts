/**
 * All PEs idle for the given seconds in the way of the first argument. PE 0 tells how much of a
 * core the whole process took meanwhile, in percent.
 */

import process from "node:process";
import { LamellarWorldBuilder } from "../../mod.ts";

const [how, seconds] = [Deno.args[0], Number(Deno.args[1])];
await using world = await new LamellarWorldBuilder().build();
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

world.barrier();
if (how === "timer" || world.myPe === 0) {
  // Compilers and collectors are still busy with the start.
  await sleep(500);
  const before = process.cpuUsage();
  await sleep(seconds * 1000);
  const { user, system } = process.cpuUsage(before);
  if (world.myPe === 0) console.log(`${((user + system) / seconds / 1e4).toFixed(2)} %`);
}
if (how === "async-barrier") await world.asyncBarrier();
else world.barrier();
