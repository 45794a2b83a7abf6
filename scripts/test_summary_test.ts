import { assertEquals } from "@std/assert";
import { readSummary } from "./test_summary.ts";

Deno.test("readSummary() reads passed, failed and ignored tests", () => {
  assertEquals(readSummary("x ... ok (1ms)\n\nok | 12 passed (3 steps) | 0 failed (31ms)\n\n", 0), {
    passed: 12,
    failed: 0,
    ignored: 0,
  });
  assertEquals(
    readSummary("FAILED | 1 passed | 2 failed (4 steps) | 3 ignored | 4 filtered out (1s)", 1),
    { passed: 1, failed: 2, ignored: 3 },
  );
});

Deno.test("readSummary() takes the last summary, whatever a test printed before", () => {
  const output = "ok | 99 passed | 0 failed (1ms)\n... ok\nok | 2 passed | 0 failed (5ms)\n";
  assertEquals(readSummary(output, 0), { passed: 2, failed: 0, ignored: 0 });
});

Deno.test("readSummary() counts a bad end as a failure even when no test failed", () => {
  assertEquals(readSummary("error: Uncaught SyntaxError", 1).failed, 1);
  assertEquals(readSummary("", 0).failed, 1);
  assertEquals(readSummary("ok | 5 passed | 0 failed (5ms)\n", 1), {
    passed: 5,
    failed: 1,
    ignored: 0,
  });
  assertEquals(readSummary("\nended after 3 s: deno test\n", -1).failed, 1);
});
