/**
 * The last PE fails in the way of the first argument, while the others have operations of every
 * kind under way with it and say how each of them ended.
 */

import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";

const Forever = am("Forever", { from: u32 }, () => new Promise<void>(() => {}));
const Ready = am("Ready", { from: u32 }, () => {
  if (++ready === world.numPes - 1) allReady.resolve();
});
const Echo = am("Echo", { value: u32 }, (self) => self.value);

const WAYS: Record<string, () => unknown> = {
  throws: () => {
    throw new Error("thrown at top level");
  },
  "exit-3": () => Deno.exit(3),
  "exit-0": () => Deno.exit(0),
  spins: () => {
    for (;;);
  },
  // Somebody from outside sees to it.
  waits: () => new Promise(() => {}),
};

/** Runs an operation again and again until it fails, so that one is always under way. */
async function untilFailure(operation: () => PromiseLike<unknown>): Promise<never> {
  for (;;) await operation();
}

const allReady = Promise.withResolvers<void>();
let ready = 0;

await using world = await new LamellarWorldBuilder().build();
const region = await world.allocSharedMemRegion("f64", 4096);
const victim = world.numPes - 1;
const data = new Float64Array(1024);
world.barrier();
console.log(`pid ${Deno.pid} PE ${world.myPe}`);
world.barrier();
if (world.myPe === victim) {
  await allReady.promise;
  console.log(`failing at ${Date.now()}`);
  await WAYS[Deno.args[0]!]!();
} else {
  const operations: Record<string, () => PromiseLike<unknown>> = {
    // Where its memory is shared each of these is over at once.
    put: () => region.put(victim, 0, data),
    get: () => region.get(victim, 1024, data.slice()),
    add: () => region.fetchAdd(victim, 2048, 1),
    echo: () => world.execAmPe(victim, Echo({ value: 1 })),
    forever: () => world.execAmPe(victim, Forever({ from: world.myPe })),
    barrier: () => world.asyncBarrier(),
    finish: () =>
      world.finish((scope) => {
        scope.execAmPe(victim, Forever({ from: world.myPe }));
      }),
  };
  const ends = Object.entries(operations).map(async ([name, operation]) => {
    try {
      return await untilFailure(operation);
    } catch (error) {
      return `${name} ${(error as Error).name}`;
    }
  });
  world.execAmPe(victim, Ready({ from: world.myPe }));
  console.log(`PE ${world.myPe}: ${(await Promise.all(ends)).join(", ")}`);
}
