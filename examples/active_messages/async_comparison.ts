/**
 * What it costs to block in a handler: a PE is one thread, so handlers that block run one after the
 * other, while those that await go on together.
 *
 *     deno task run:local -n 2 examples/active_messages/async_comparison.ts 8 20
 *
 * Arguments: the number of messages, and how many milliseconds each takes.
 *
 * @module
 */

import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";

const BlockingSleep = am("BlockingSleep", { ms: u32 }, (self) => {
  const end = performance.now() + self.ms;
  while (performance.now() < end);
});

const AsyncSleep = am("AsyncSleep", { ms: u32 }, async (self) => {
  await new Promise((resolve) => setTimeout(resolve, self.ms));
});

const [count = 8, ms = 20] = Deno.args.map(Number);

await using world = await new LamellarWorldBuilder().build();

async function measure(name: string, sleep: typeof BlockingSleep): Promise<number> {
  const start = performance.now();
  const target = world.numPes - 1;
  await Promise.all(Array.from({ length: count }, () => world.execAmPe(target, sleep({ ms }))));
  const took = performance.now() - start;
  console.log(`${name}: ${count} messages of ${ms} ms took ${took.toFixed(0)} ms`);
  return took;
}

if (world.myPe === 0) {
  const blocking = await measure("blocking", BlockingSleep);
  const awaiting = await measure("awaiting", AsyncSleep);
  console.log(blocking >= count * ms ? "blocking ones ran one by one" : "blocking ones overlapped");
  console.log(awaiting < blocking ? "awaiting ones were faster" : "awaiting ones were slower");
}
