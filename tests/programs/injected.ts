/**
 * PEs go through phases of work, of collectives and of an end that each comes to at another time;
 * PE 0 says when a phase begins, and of the end by the clock, too. Somebody from outside may end it
 * at any moment.
 */

import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";

const WORK_MS = 600;
const ROUNDS = 40;
const PAUSE_MS = 10;
const END_MS = 150;

const Echo = am("Echo", { value: u32 }, (self) => self.value);

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function begin(phase: string): void {
  if (world.myPe === 0) console.log(`now ${phase}`);
}

await using world = await new LamellarWorldBuilder().build();
const region = await world.allocSharedMemRegion("u32", 1024);
const other = (world.myPe + 1) % world.numPes;
world.barrier();
begin("work");
const end = performance.now() + WORK_MS;
for (let value = 0; performance.now() < end; value++) {
  await region.put(other, value % 1024, [value]);
  if (await world.execAmPe(other, Echo({ value })) !== value) throw new Error("wrong echo");
}
await world.asyncBarrier();
begin("collectives");
for (let round = 0; round < ROUNDS; round++) {
  if (round % 2 === 0) world.barrier();
  else await world.asyncBarrier();
  if (world.myPe === 0) await pause(PAUSE_MS);
}
begin(`end at ${Date.now()}`);
await pause(END_MS * world.myPe);
console.log(`done PE ${world.myPe}`);
