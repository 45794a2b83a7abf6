import { assertEquals } from "@std/assert";
import { atPercent } from "./measure.ts";

Deno.test("atPercent() gives the smallest value that so many percent do not exceed", () => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i);
  assertEquals(atPercent(values, 50), 100);
  assertEquals(atPercent(values, 99), 198);
  assertEquals(atPercent(values, 100), 200);
  assertEquals(atPercent([7], 1), 7);
});
