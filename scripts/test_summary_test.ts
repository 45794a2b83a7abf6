import { assertEquals } from "@std/assert";
import { readErrors, readSummary } from "./test_summary.ts";

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

Deno.test("readErrors() takes the last section of errors, else the end of the output", () => {
  const section = (error: string): string =>
    `a ... FAILED\n\n ERRORS \n\n${error}\n\n FAILURES \n\na => ./a.ts\n\nFAILED | 0 passed\n`;
  assertEquals(
    readErrors(section("of a program that a test ran") + section("a: 1 is not 2")),
    "a: 1 is not 2",
  );
  assertEquals(readErrors("\nerror: Uncaught SyntaxError\n"), "error: Uncaught SyntaxError");
  assertEquals(readErrors(""), "");
});

Deno.test("readErrors() keeps the beginning and the end of long errors", () => {
  const errors = readErrors(`\n ERRORS \nfirst${"x".repeat(100_000)}last\n FAILURES \n`);
  assertEquals(errors.length < 7000, true);
  assertEquals([errors.startsWith("first"), errors.endsWith("last")], [true, true]);
});
