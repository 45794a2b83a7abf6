import { assertEquals, assertRejects } from "@std/assert";
import { LamellarError } from "../../internal/errors.ts";
import { finishLeftovers } from "./leftovers.ts";

// A main thread receives no messages, so what is left is not told here, as by another Deno.
const none = () => false;

Deno.test("a program that has nothing left ends where Deno does not tell", async () => {
  await finishLeftovers(3, none);
});

Deno.test("what the program awaits is waited for, and what comes of it", async () => {
  const answers = [true, false, true, false, false];
  await finishLeftovers(3, () => answers.shift()!);
  assertEquals(answers, []);
});

Deno.test("what is dropped is said where Deno does not tell when it is over", async () => {
  const timer = setTimeout(() => {}, 60_000);
  try {
    await assertRejects(
      () => finishLeftovers(3, none),
      LamellarError,
      "The program ended before the work it began (timeout) was over, and this version of Deno " +
        "does not tell when that is: await it at the top level, or give it to world.spawn",
    );
  } finally {
    clearTimeout(timer);
  }
});

Deno.test("a timer that keeps nothing alive is not said to be dropped", async () => {
  const timer = setTimeout(() => {}, 60_000);
  Deno.unrefTimer(timer as unknown as number);
  try {
    await finishLeftovers(3, none);
  } finally {
    clearTimeout(timer);
  }
});
