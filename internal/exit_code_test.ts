import { assertEquals } from "@std/assert";
import { exitStatus } from "./exit_code.ts";

Deno.test("exitStatus() is what the system keeps, and never 0 for what is not", () => {
  const table: readonly (readonly [unknown, number])[] = [
    [0, 0],
    [-0, 0],
    ["0", 0],
    [1, 1],
    [255, 255],
    [256, 1],
    [257, 1],
    [258, 2],
    [-1, 255],
    [-256, 1],
    [2 ** 31, 1],
    [2 ** 32, 1],
    [2 ** 32 + 3, 3],
    [1e300, 1],
    [1.5, 1],
    [0.5, 1],
    [NaN, 1],
    [Infinity, 1],
    ["3", 3],
    ["x", 1],
    [true, 1],
  ];
  for (const [asked, expected] of table) assertEquals(exitStatus(asked), expected, String(asked));
});
