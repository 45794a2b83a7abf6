/**
 * The examples of arrays, and what they have to write.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

/** What an example wrote. */
interface Output {
  readonly lines: readonly string[];
  readonly text: string;
}

/** The examples. */
export const ARRAY_EXAMPLES = [
  {
    name: "hello_world/hello_world_array.ts",
    check({ lines }: Output, pes: number): void {
      const expected = Array.from({ length: pes }, (_, pe) => {
        const values = [3 * pe, 3 * pe + 1, 3 * pe + 2].map((index) => index * pes);
        return `hello from elements ${3 * pe} to ${3 * pe + 2} on PE ${pe}: ${values}`;
      });
      assertEquals(lines.toSorted(), expected.sort());
    },
  },
  {
    name: "arrays/array_ops.ts",
    check({ lines }: Output): void {
      const types = ["AtomicArray", "LocalLockArray", "GlobalLockArray", "UnsafeArray"];
      assertEquals(lines, types.map((type) => `${type}: 949 results of each PE are right`));
    },
  },
  {
    name: "arrays/array_put_get.ts",
    check({ lines }: Output): void {
      const row = "0 1 2 100 101 102 103 7 8 10 10 10 10 10 10 15 16 17 18 7";
      assertEquals(lines, [`block: ${row}`, `cyclic: ${row}`, "all puts and gets are right"]);
    },
  },
  {
    name: "arrays/array_am.ts",
    args: ["40"],
    check({ text }: Output, pes: number): void {
      assertStringIncludes(text, `${40 * pes} visits: `);
      assertStringIncludes(text, "each PE was marked by the one before");
    },
  },
  {
    name: "arrays/array_batch_add.ts",
    args: ["5000", "20000"],
    check({ lines }: Output, pes: number): void {
      const sums = lines.map((line) => Number(/sum (\d+)$/.exec(line)?.[1]));
      assertEquals(sums, [1, 2, 3, 4].map((times) => times * 20_000 * pes));
    },
  },
  {
    name: "arrays/atomic_compare_exchange.ts",
    args: ["200"],
    check({ lines }: Output): void {
      assertEquals(lines.at(-1), "every ticket was sold once");
      assertEquals(lines.length, 3);
    },
  },
  {
    name: "arrays/dist_array_reduce.ts",
    check({ lines, text }: Output): void {
      assertEquals(lines.length, 14);
      assertStringIncludes(text, "block: product of the first ten: -3628800");
      assertStringIncludes(text, "cyclic: of the greatest magnitude: -20");
    },
  },
  {
    name: "arrays/array_first_last_global_indices.ts",
    check({ lines, text }: Output): void {
      assertEquals(lines.at(-1), "every element is where the queries say");
      assertMatch(text, /^cyclic, 2: PE 0 0 to /m);
    },
  },
  {
    name: "arrays/generic_array.ts",
    check({ lines }: Output, pes: number): void {
      assertEquals(lines, [`from 20 to ${20 + pes} degrees, from -${pes}000000 to 0`]);
    },
  },
  {
    name: "arrays/global_lock_array.ts",
    args: ["5"],
    check({ lines }: Output, pes: number): void {
      assertEquals(lines, [
        `${5 * pes} writes, none of which saw half of another`,
        `${pes} readers held the lock together`,
        "an addition waited for the guard",
      ]);
    },
  },
  {
    name: "arrays/histo.ts",
    args: ["10000", "20000"],
    check({ lines }: Output, pes: number): void {
      assertMatch(
        lines[0]!,
        new RegExp(`^${20_000 * pes} counts in 10000 elements, at most \\d+$`),
      );
    },
  },
];
