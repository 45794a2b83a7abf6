import { assertEquals, assertThrows } from "@std/assert";
import { withTable } from "./check_docs.ts";

const TABLE = "| name | takes |\n|---|---|\n| long name | a |";
const ALIGNED = [
  "| name      | takes |",
  "| --------- | ----- |",
  "| long name | a     |",
].join("\n");

Deno.test("withTable() replaces what stands between the markers and nothing else", () => {
  const text = "before\n<!-- generated: x -->\nold\n<!-- end -->\nafter\n<!-- end -->\n";
  const once = withTable(text, "x", TABLE);
  assertEquals(
    once,
    `before\n<!-- generated: x -->\n\n${ALIGNED}\n\n<!-- end -->\nafter\n<!-- end -->\n`,
  );
  assertEquals(withTable(once, "x", TABLE), once);
});

Deno.test("withTable() refuses a document without its markers", () => {
  for (
    const text of [
      "",
      "<!-- generated: y -->\n<!-- end -->",
      "<!-- generated: x -->\n",
      "<!-- generated: x -->\n<!-- end -->\n<!-- generated: x -->\n<!-- end -->\n",
    ]
  ) {
    assertThrows(() => withTable(text, "x", "t"), Error, "Cannot find one table between");
  }
});
