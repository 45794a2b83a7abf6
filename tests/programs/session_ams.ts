/**
 * AMs of the tests of sessions: a module that PEs import.
 *
 * @module
 */

import { am, f64Array, u32 } from "../../mod.ts";

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
