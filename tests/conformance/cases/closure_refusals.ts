/**
 * Closures that cannot travel are refused where they are launched, with the names of what stays
 * behind.
 *
 * @module
 */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Case, rightOf, several } from "../case.ts";

const outside = 5;
const other = { value: 1 };
function helper(n: number): number {
  return n + outside;
}

/** Something with an identity of its own. */
class Thing {
  #secret = outside;
  readonly reads = (): number => this.#secret;
  uses(): () => unknown {
    return () => this;
  }
}

/** The cases of what a closure may not use. */
export const CLOSURE_REFUSAL_CASES: readonly Case[] = [
  {
    name: "A closure that uses a variable it does not carry is refused with its name",
    async run(world) {
      const right = rightOf(world);
      const wrong: [() => unknown, string[]][] = [
        [() => outside, ['"outside"']],
        [() => helper(1) + other.value, ['"helper"', '"other"']],
        [() => () => [outside], ['"outside"']],
        [() => import("./world.ts"), ["./world.ts"]],
        [() => import.meta.url, ["import.meta"]],
        [new Thing().uses(), ['"this"']],
        [new Thing().reads, ['"this"', "#secret"]],
        [Math.max, ["native"]],
        [helper.bind(null, 1), ["bound"]],
        [Thing as unknown as () => unknown, ['class "Thing"']],
      ];
      for (const [fn, names] of wrong) {
        for (const pe of [right, world.myPe]) {
          const error = assertThrows(() => world.execClosurePe(pe, fn, []), TypeError);
          for (const name of names) assertStringIncludes(error.message, name);
        }
      }
      assertEquals(await world.execClosurePe(right, (n: number) => n + 1, [1]), 2);
    },
  },
  {
    name: "A closure on all PEs is refused as a whole",
    async run(world) {
      assertThrows(() => world.execClosureAll(() => outside, []), TypeError, '"outside"');
      assertThrows(() => world.execClosureLocal(() => outside, []), TypeError, '"outside"');
      await world.awaitAll();
    },
  },
  {
    name: "A capture that cannot travel is refused, and nothing is sent",
    pes: several,
    async run(world) {
      const right = rightOf(world);
      const wrong: [unknown, string][] = [[() => 1, "function"], [new Thing(), "Thing"]];
      for (const [capture, text] of wrong) {
        const error = assertThrows(
          () => world.execClosurePe(right, (value: unknown) => typeof value, [capture]),
          TypeError,
        );
        assertStringIncludes(error.message, text);
        assertStringIncludes(error.message, "captures[0]");
      }
      assertEquals(
        await world.execClosurePe(right, (value: unknown) => typeof value, [1]),
        "number",
      );
    },
  },
  {
    name: "Captures that are no list are refused",
    run(world) {
      const captures = 5 as unknown as [];
      assertThrows(
        () => world.execClosurePe(rightOf(world), () => 1, captures),
        TypeError,
        "array",
      );
    },
  },
  {
    name: "What is no function is refused",
    run(world) {
      for (const wrong of [undefined, "() => 1", {}, 5]) {
        assertThrows(
          () => world.execClosurePe(rightOf(world), wrong as unknown as () => number, []),
          TypeError,
          "not a function",
        );
      }
    },
  },
];
