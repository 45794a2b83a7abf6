import { assertEquals } from "@std/assert";
import { isBackground } from "./standard_input.ts";

Deno.test("isBackground() compares the process group with that of the terminal", () => {
  assertEquals(isBackground("7 (deno) R 1 7 5 34816 7 4194304 0"), false);
  assertEquals(isBackground("7 (deno) R 1 7 5 34816 5 4194304 0"), true);
  assertEquals(isBackground("7 (a) 1 (b) S 1 7 5 34816 5 4194304 0"), true);
  // No terminal.
  assertEquals(isBackground("7 (deno) R 1 7 5 0 -1 4194304 0"), false);
});
