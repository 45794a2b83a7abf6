/**
 * AMs of the tests of sessions: a module that PEs import.
 *
 * @module
 */

import { am, element, f64, f64Array, inTurn, u32 } from "../../mod.ts";

/** Adds one. */
export const Increment = am("Increment", { x: u32 }, ({ x }) => x + 1);

/** Adds up. */
export const Total = am("Total", { values: f64Array }, ({ values }) => {
  let total = 0;
  for (const value of values) total += value;
  return total;
});

/** Fails. */
export const Fail = am("Fail", {}, (): number => {
  throw new RangeError("no luck");
});

/** Takes its time. */
export const Later = am("Later", { ms: u32 }, async ({ ms }) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
});

/** Adds up a list. */
export const Sum = am("SumList", ({ values }: { values: number[] }) => {
  return values.reduce((sum, value) => sum + value, 0);
});

let runs = 0;

/** Counts how often it runs on a PE. */
export const Mark = am("Mark", {}, () => {
  runs++;
});

/** How often `Mark` and `Chain` have run. */
export const Runs = am("Runs", {}, () => runs);

/** Launches itself on every PE, so many times in turn. */
export const Chain = am("Chain", { depth: u32 }, ({ depth }, { world }): void => {
  runs++;
  if (depth > 0) world.execAmAll(Chain({ depth: depth - 1 }));
});

/** Adds up over all PEs, after a pause that differs from PE to PE. */
export const Together = am(
  "Together",
  { n: u32 },
  ({ n }, lamellar) =>
    inTurn(lamellar, async (world) => {
      await new Promise((resolve) => setTimeout(resolve, (n + world.myPe) % 3));
      return await world.allReduce(n, "sum");
    }),
);

/** Records. */
export const Mean = element("tests.Mean", { sum: f64, count: u32 }, {
  add: (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
});
