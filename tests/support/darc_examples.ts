/**
 * The examples of Darcs, and what they have to write.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { each, type Example } from "./example_tools.ts";

/** The examples. */
export const DARC_EXAMPLES: readonly Example[] = [
  {
    name: "darcs/darc.ts",
    pes: [2, 3, 4],
    check: ({ sorted }, pes) => {
      const half = Math.ceil(pes / 2);
      assertEquals(sorted, [
        `PE 0 of the team counted to ${100 + half}`,
        `every PE counted to ${3 * pes}: true`,
        `on PE ${pes - 1}, which is not a member: IdError`,
      ]);
    },
  },
  {
    name: "darcs/string_darc.ts",
    check: ({ sorted }, pes) => {
      const changed = (pe: number): string => pe === pes - 1 ? ", changed by PE 0" : "";
      assertEquals(sorted, each(pes, (pe) => `Text of PE ${pe}${changed(pe)}`));
    },
  },
  {
    name: "misc/dist_hashmap.ts",
    check: ({ lines }, pes) => {
      const value = pes * (pes + 1) / 2;
      const pattern = new RegExp(`^1000 keys, each with the value ${value}; PEs hold ([\\d, ]+)$`);
      const sizes = pattern.exec(lines[0]!)![1]!.split(", ").map(Number);
      assertEquals([sizes.length, sizes.reduce((sum, size) => sum + size, 0)], [pes, 1000]);
    },
  },
  {
    name: "darcs/stress.ts",
    check: ({ lines }, pes) => {
      assertMatch(lines[0]!, new RegExp(`^${781 * pes} handlers with two Darcs each, `));
      assertEquals(lines.slice(1), ["all instances were freed"]);
    },
  },
  {
    name: "darcs/collective_write.ts",
    check: ({ sorted }, pes) => {
      const column = (pe: number): string => each(pes, (other) => 10 * other + pe).join(" ");
      assertEquals(sorted, each(pes, (pe) => `PE ${pe} reads ${column(pe)}`));
    },
  },
];
