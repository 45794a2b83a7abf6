/**
 * A world that runs no closures refuses them, and does everything else.
 *
 * @module
 */

import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { am, FeatureLevelError } from "../../../mod.ts";
import { type Case, errorOf, rightOf } from "../case.ts";

const Fine = am("forbidden.Fine", {}, (_self, lamellar) => lamellar.currentPe);
const Makes = am("forbidden.Makes", {}, (_self, lamellar) => lamellar.closure(() => 1, []));
const MakesAtOrigin = am(
  "forbidden.MakesAtOrigin",
  {},
  (_self, lamellar) => lamellar.onReturn(() => 1, []),
);

/** The cases of `withClosures(false)`. */
export const FORBIDDEN_CLOSURE_CASES: readonly Case[] = [
  {
    name: "execClosure is refused, and says how to allow it",
    async run(world) {
      const attempts = [
        () => world.execClosurePe(rightOf(world), () => 1, []),
        () => world.execClosurePe(world.myPe, () => 1, []),
        () => world.execClosureAll(() => 1, []),
        () => world.execClosureLocal(() => 1, []),
      ];
      for (const attempt of attempts) {
        const error = assertThrows(attempt, FeatureLevelError, "without closures");
        assertEquals(error.code, "ERR_FEATURE_LEVEL");
        assertStringIncludes(error.message, "LAMELLAR_CLOSURES=1");
      }
      assertEquals(await world.execAmPe(rightOf(world), Fine({})), rightOf(world));
    },
  },
  {
    name: "A handler cannot make a closure either",
    async run(world) {
      for (const call of [Makes({}), MakesAtOrigin({})]) {
        const error = await errorOf(() => world.execAmPe<unknown>(rightOf(world), call));
        assertInstanceOf(error, Error);
        assertStringIncludes(error.message, "closures");
      }
      assertEquals(await world.execAmPe(rightOf(world), Fine({})), rightOf(world));
    },
  },
];
