import {
  assertEquals,
  assertMatch,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { compileClosure } from "./compile.ts";
import { hashSource } from "./identity.ts";

Deno.test("compileClosure() gives the same function for the same source", () => {
  assertStrictEquals(compileClosure("(a)=>a"), compileClosure("(a)=>a"));
  assertNotStrictEquals(compileClosure("(a)=>a"), compileClosure("(b)=>b"));
});

Deno.test("compileClosure() runs in strict mode and sees nothing of its module", () => {
  assertThrows(() => compileClosure("() => { undeclared = 1; }")(), ReferenceError);
  assertEquals(compileClosure("function () { return this; }")(), undefined);
  assertEquals(
    compileClosure("() => typeof compiledSources + typeof text")(),
    "undefinedundefined",
  );
});

Deno.test("compileClosure() shows the closure by its hash in stack traces", () => {
  const source = '() => { throw new Error("inside"); }';
  const { hash } = hashSource(source);
  const error = assertThrows(() => compileClosure(source)(), Error, "inside");
  assertMatch(error.stack ?? "", new RegExp(`closure-${hash}\\b`));
});

Deno.test("compileClosure() refuses what is not the source of a function", () => {
  assertThrows(() => compileClosure("1 + 1"), TypeError, "its source gives number");
  assertThrows(() => compileClosure("(a =>"), SyntaxError);
});
