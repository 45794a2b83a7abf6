import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { DeadlockError, PeFailedError } from "../../internal/errors.ts";
import { FAILURE_TEXT_BYTES } from "../../internal/limits.ts";
import { localPes } from "../pes_test.ts";
import { failureText, isFailing, readFailure, STUCK, writeFailure } from "./failure_record.ts";
import { HEADER } from "./layout.ts";

Deno.test("Only the first failure is recorded, and it wakes every PE and the supervisor", () => {
  const { layout, pes } = localPes(3);
  const { views } = pes[0]!.lamella;
  const seen = pes.map(({ lamella }) => lamella.events());
  assert(!isFailing(views));
  assert(writeFailure(layout, views, 2, 7, "PE 2 failed: ä"));
  assert(!writeFailure(layout, views, 0, 9, "too late"));
  assert(isFailing(views));
  assertEquals(readFailure(views), { pe: 2, exitCode: 7, far: false, text: "PE 2 failed: ä" });
  pes.forEach(({ lamella }, pe) => assert(lamella.events() !== seen[pe], `PE ${pe} was not woken`));
  assertEquals(views.i32[HEADER.bell / 4], 1);
});

Deno.test("A failure of nobody has PE -1, and a long text is cut", () => {
  const { layout, pes } = localPes(1);
  const { views } = pes[0]!.lamella;
  writeFailure(layout, views, -1, 1, "x".repeat(FAILURE_TEXT_BYTES + 5));
  const { pe, text } = readFailure(views);
  assertEquals([pe, text.length], [-1, FAILURE_TEXT_BYTES]);
  assertEquals(pes[0]!.lamella.failure()?.pe, undefined);
});

Deno.test("Who waits learns whether a PE failed or the job is stuck", () => {
  for (const pe of [0, -1, STUCK]) {
    const { layout, pes } = localPes(1);
    const { lamella } = pes[0]!;
    writeFailure(layout, lamella.views, pe, 1, "why");
    const failure = lamella.failure()!;
    assertInstanceOf(failure, pe === STUCK ? DeadlockError : PeFailedError);
    assertEquals([failure.message, failure.pe], ["why", pe < 0 ? undefined : pe]);
    // Who does not catch it adds nothing to the text.
    assertEquals(failureText(0, failure), "why");
  }
});
