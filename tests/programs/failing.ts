/** PE 2 fails in the way of the first argument while the others do what the second says. */

import process from "node:process";
import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";

const Forever = am("Forever", { from: u32 }, () => new Promise<void>(() => {}));
// What a handler refers to could still be settled.
am("Settles", { from: u32 }, () => never.resolve());
const Throws = am("Throws", { from: u32 }, () => {
  throw new Error("thrown by the handler");
});

const forever = (): Promise<never> => new Promise(() => {});
/** The module refers to this promise, so that something could settle it. */
const never: PromiseWithResolvers<void> = Promise.withResolvers();

function spinFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

const WAYS: Record<string, () => unknown> = {
  throws: () => {
    throw new Error("thrown at top level", { cause: new RangeError("the reason below") });
  },
  "throws-text": () => {
    // deno-lint-ignore no-throw-literal -- programs may
    throw "only a text";
  },
  rejects: () => Promise.reject(new TypeError("rejected at top level")),
  timer: () => {
    setTimeout(() => {
      throw new Error("thrown in a timer");
    });
    return forever();
  },
  unhandled: () => {
    Promise.reject(new Error("nobody handles this"));
    return forever();
  },
  "exit-0": () => Deno.exit(0),
  "exit-3": () => Deno.exit(3),
  "process-exit": () => process.exit(5),
  "process-exit-code": () => {
    process.exitCode = 6;
    process.exit();
  },
  close: () => self.close(),
  handler: () => world.execAmPe(0, Throws({ from: 2 })),
  "ignored-handler": () => {
    world.execAmPe(0, Throws({ from: 2 }));
  },
  forever: () => never.promise,
  spins: () => {
    for (;;);
  },
};

const OTHERS: Record<string, () => unknown> = {
  barrier: () => world.barrier(),
  "async-barrier": () => world.asyncBarrier(),
  block: () => world.execAmPe((world.myPe + 1) % 2, Forever({ from: world.myPe })).block(),
  await: () => world.execAmPe((world.myPe + 1) % 2, Forever({ from: world.myPe })),
  compute: () => spinFor(8000),
  timer: () => new Promise((resolve) => setTimeout(resolve, 8000)),
  end: () => {},
};

await using world = await new LamellarWorldBuilder().build();
world.barrier();
if (world.myPe === 2) {
  console.log(`failing at ${Date.now()}`);
  await WAYS[Deno.args[0]!]!();
} else {
  await OTHERS[Deno.args[1]!]!();
}
