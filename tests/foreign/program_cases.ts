/**
 * Tests of a user's own program, which build no world. The gate runs them beside the program in a
 * folder of its own; see `scripts/check_foreign.ts`.
 *
 * @module
 */

import { isSchema, LamellarWorldBuilder, VERSION } from "../../mod.ts";
import { Mark, numbers, weigh } from "./program.ts";

Deno.test("a user's function is tested without a world", () => {
  const light = { id: 1, at: [3, 4] as [number, number], mass: undefined };
  if (weigh({ ...light, kind: "planet", tags: [], fixed: false }) !== 5) throw new Error("5");
});

Deno.test("what the library exports can be looked at without a world", () => {
  if (!isSchema(numbers) || !/^\d+\./.test(VERSION)) throw new Error(VERSION);
  if (Mark.amName !== "Mark") throw new Error("Mark");
  try {
    new LamellarWorldBuilder().withNumPes(0);
  } catch (error) {
    if (error instanceof RangeError) return;
  }
  throw new Error("0 PEs were taken");
});
