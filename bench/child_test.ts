import { assertEquals, assertStringIncludes } from "@std/assert";
import { runChild } from "./child.ts";

const deno = (code: string) => [Deno.execPath(), "eval", code];

Deno.test("runChild() collects what a child prints", async () => {
  const child = await runChild(deno("console.log('hello')"), ".", 30_000);
  assertEquals([child.success, child.stdout, child.problem], [true, "hello\n", ""]);
});

Deno.test("runChild() says how a child failed, with what it said", async () => {
  const child = await runChild(deno("console.error('no disk'); Deno.exit(3)"), ".", 30_000);
  assertEquals(child.success, false);
  assertStringIncludes(child.problem, "it exited with code 3");
  assertStringIncludes(child.problem, "no disk");
});

Deno.test("runChild() ends a child that outlives its limit", async () => {
  const child = await runChild(deno("setInterval(() => {}, 1000)"), ".", 500);
  assertEquals([child.success, child.problem], [false, "it took longer than 0.5 s"]);
});

Deno.test("runChild() names a program that is not installed", async () => {
  const child = await runChild(["no-such-program-here"], ".", 500);
  assertEquals([child.success, child.problem], [false, "no-such-program-here is not installed"]);
});
