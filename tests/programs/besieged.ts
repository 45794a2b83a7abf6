/**
 * Works with active messages, puts, gets, atomics and barriers until a file appears, and looks in
 * each round whether all is as it has to be: nobody else may change anything.
 */

import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";

const [stop = "", limit] = Deno.args;
const ELEMENTS = 1024;
const KEPT = ELEMENTS / 2;
/** Whoever would make the file may have been killed. */
const LIMIT_MS = Number(limit);
const [COUNTER, OVER] = [ELEMENTS, ELEMENTS + 1];

const Sum = am("Sum", { value: u32 }, (self, { currentPe }) => self.value + currentPe);

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`${what} is not as it was`);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
console.log(`pid ${Deno.pid} PE ${myPe}`);
using region = await world.allocSharedMemRegion("u32", ELEMENTS + 2);
const own = region.asSlice();
for (let i = 0; i < KEPT; i++) own[i] = 1_000_000 * myPe + i;
const next = (myPe + 1) % numPes;
await world.asyncBarrier();

let rounds = 0;
const end = performance.now() + LIMIT_MS;
for (let over = false; !over; rounds++) {
  const values = await Promise.all(
    Array.from({ length: 20 }, (_, i) => world.execAmPe((myPe + i) % numPes, Sum({ value: i }))),
  );
  check(values.every((value, i) => value === i + (myPe + i) % numPes), "a result");
  const sent = new Uint32Array(KEPT).fill(rounds + myPe);
  await region.put(next, KEPT, sent);
  check((await region.get(next, KEPT, KEPT)).every((value) => value === rounds + myPe), "a put");
  const kept = await region.get(next, 0, KEPT);
  check(kept.every((value, i) => value === 1_000_000 * next + i), "the memory");
  await region.fetchAdd(0, COUNTER, 1);
  if (myPe === 0) await region.putAll(OVER, [exists(stop) || performance.now() > end ? 1 : 0]);
  await world.asyncBarrier();
  over = own[OVER] === 1;
  if (myPe === 0) check(own[COUNTER] === numPes * (rounds + 1), "a counter");
  if (rounds === 20) console.log(`PE ${myPe} is at work`);
  await world.asyncBarrier();
}
console.log(`PE ${myPe} is unharmed`);
