/**
 * What a program leaves to the event loop when its module ends: a timer, a server, an async
 * function that nobody awaits. It goes on as in any Deno program, and the PE ends after it.
 *
 * @module
 */

import { activeResources, hasLiveWork } from "../../internal/engine_internals.ts";
import { LamellarError } from "../../internal/errors.ts";

/** Looks with a turn of the event loop between them, before there are pauses. */
const QUICK_LOOKS = 4;
/** Longest time between looks, in milliseconds. */
const LOOK_MS_MAX = 50;
/** Looks get rarer with the time that was waited: one part in this many. */
const LOOK_SHARE = 10;

/**
 * Waits until nothing is left to do that would keep a program alive.
 *
 * @param pe The PE, for messages.
 * @param awaits Tells whether the program awaits something that no operation of Deno stands for.
 * @throws {LamellarError} If something is left that this Deno does not tell the end of.
 */
export async function finishLeftovers(pe: number, awaits: () => boolean): Promise<void> {
  const isLeft = (): boolean => awaits() || hasLiveWork() === true;
  if (hasLiveWork() === undefined) await refuseLeftovers(pe);
  const began = performance.now();
  // What has just ended may be on its way to the code that awaits it: a turn later that has gone
  // on. Turns of the runtime itself count as left while they are under way.
  let quiet = isLeft() ? 0 : 1;
  for (let looks = 0; quiet < 2; looks++) {
    await (looks < QUICK_LOOKS ? turn() : pause(1 + (performance.now() - began) / LOOK_SHARE));
    quiet = isLeft() ? 0 : quiet + 1;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.min(ms, LOOK_MS_MAX));
    Deno.unrefTimer(timer as unknown as number);
  });
}

/** Where nobody tells when it is over, it cannot be waited for: dropping it has to be said. */
async function refuseLeftovers(pe: number): Promise<void> {
  const names = await activeResources();
  if (names && names.length > 0) throw dropped(pe, names);
}

/**
 * The error of a program that ends before what it began, where that cannot be waited for.
 *
 * @param pe The PE.
 * @param names What is under way.
 * @returns The error.
 */
export function dropped(pe: number, names: readonly string[]): LamellarError {
  const what = [...new Set(names)].map((name) => name.toLowerCase()).sort().join(", ");
  return new LamellarError(
    "ERR_DROPPED",
    `The program ended before the work it began (${what}) was over, and this version of Deno ` +
      "does not tell when that is: await it at the top level, or give it to world.spawn",
    { pe, op: "build" },
  );
}
