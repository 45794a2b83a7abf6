/**
 * The examples of collectives, and what they have to write.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";

/** What an example wrote. */
interface Output {
  readonly lines: readonly string[];
  readonly text: string;
}

/** The examples. */
export const COLLECTIVE_EXAMPLES = [
  {
    name: "collectives/conjugate_gradient.ts",
    args: ["32", "12"],
    check({ text }: Output, pes: number): void {
      assertStringIncludes(text, `a grid of ${12 * pes} x 32`);
      assert(/^the largest error is \d\.\de-\d+, on PE \d$/m.test(text), text);
    },
  },
  {
    name: "collectives/coll_latency.ts",
    args: ["4096", "20"],
    check({ lines }: Output): void {
      const rows = lines.filter((line) => /^ *\d[\d. ]*$/.test(line));
      assertEquals(rows.map((line) => Number(line.trim().split(/ +/)[0])), [8, 64, 512, 4096]);
    },
  },
];
