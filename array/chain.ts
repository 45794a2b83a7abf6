/**
 * Operations on arrays that are made of others, one after the other.
 *
 * @module
 */

import type { Handle } from "../lamellae/mod.ts";
import type { AnyElement } from "../memregion/mod.ts";
import { countedBy, type LamellarArray, spanOf } from "./base.ts";
import { ArrayWork, type WorkStep } from "./work.ts";

/** What follows what: each `yield` gives a handle and gets what comes of it. */
export type Chain<T> = Generator<Handle<unknown>, T, never>;

/**
 * Does one thing after the other; what can be done at once is done before this returns.
 *
 * @param array The array that it is for, which lasts as long.
 * @param op What the user called.
 * @param chain What is done.
 * @param over Called when it is over, or has failed.
 * @returns A handle for the result.
 */
export function chained<E extends AnyElement, T>(
  array: LamellarArray<E>,
  op: string,
  chain: Chain<T>,
  over: () => void = () => {},
): Handle<T> {
  const steps: WorkStep[] = [];
  let result: T;
  const goOn = (value?: unknown): void => {
    const next = chain.next(value as never);
    if (next.done) result = next.value;
    else {
      const handle = next.value as Handle<unknown>;
      steps.push({ part: undefined, run: () => handle, done: goOn });
    }
  };
  try {
    goOn();
  } catch (error) {
    over();
    throw error;
  }
  const call = { op, mode: "write" as const, steps, give: (): T => result, over };
  const work = new ArrayWork<T>(countedBy(array).record, undefined, call);
  return work.start((value) => spanOf(array).given(value));
}
