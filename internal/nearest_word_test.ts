import { assertEquals } from "@std/assert";
import { nearestWord } from "./nearest_word.ts";

Deno.test("nearestWord() finds the word with the fewest letters to change", () => {
  const known = ["--processes", "--pes", "--hosts"];
  assertEquals(nearestWord("--proceses", known, 3), "--processes");
  assertEquals(nearestWord("--host", known, 2), "--hosts");
  assertEquals(nearestWord("--pes", known, 0), "--pes");
});

Deno.test("nearestWord() does not guess where too much differs", () => {
  assertEquals(nearestWord("--processors", ["--processes"], 1), undefined);
  assertEquals(nearestWord("--x", [], 9), undefined);
});
