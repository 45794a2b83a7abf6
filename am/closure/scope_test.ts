import { assert, assertEquals } from "@std/assert";
import { parseClosure } from "./parser.ts";
import { type ClosureUses, findClosureUses } from "./scope.ts";

function usesOf(text: string): ClosureUses {
  const parsed = parseClosure(text);
  assert(parsed.kind === "function");
  return findClosureUses(parsed.node);
}

/** Asserts that the function uses exactly these variables from outside, and nothing else. */
function assertFree(text: string, ...names: string[]): void {
  assertEquals(usesOf(text), {
    variables: new Set(names),
    contexts: new Set(),
    outerArguments: false,
    privateNames: new Set(),
    imports: new Set(),
    computedImport: false,
  });
}

Deno.test("each free variable is named once, in the order of its first use", () => {
  const { variables } = usesOf("() => { c(a); b[a] = c; return a; }");
  assertEquals([...variables], ["c", "a", "b"]);
});

Deno.test("an assignment to an undeclared variable is refused", () => {
  assertFree("() => { total = 1; }", "total");
  assertFree("() => { total++; }", "total");
  assertFree("() => { [first, ...others] = [1]; }", "first", "others");
  assertFree(
    "() => { ({ a: target, [key]: other = late } = {}); }",
    "target",
    "key",
    "other",
    "late",
  );
  assertFree("() => { for (i of []); for (j in {}); }", "i", "j");
});

Deno.test("property names, keys and labels are not variables", () => {
  assertFree("(o) => o.foo.bar?.baz + { qux: 1, 'quux': 2, corge() {}, get grault() {} }.qux");
  assertFree(
    "() => { outer: for (;;) { inner: while (true) { continue outer; break inner; } } }",
  );
  assertFree("({ outside: inside }) => inside");
  assertFree("() => class { field = 1; static other = 2; method() {} #hidden = 3 }");
});

Deno.test("computed keys and shorthand properties are variables", () => {
  assertFree("(o) => o[key]", "key");
  assertFree("() => ({ short })", "short");
  assertFree("() => ({ [key]: 1, [other]() {} })", "key", "other");
  assertFree("({ [key]: inside }) => inside", "key");
  assertFree("() => class { [key] = 1; static [other]() {} }", "key", "other");
});

Deno.test("templates, tags, spreads and optional calls use their variables", () => {
  assertFree("() => tag`text ${part} ${[...list]} ${maybe?.(1)}`", "tag", "part", "list", "maybe");
});

Deno.test("typeof alone does not use a variable", () => {
  assertFree("() => typeof undeclared");
  assertFree("() => typeof undeclared === 'object' && undeclared.x", "undeclared");
  assertFree("() => typeof undeclared.x", "undeclared");
});

Deno.test("nested functions see the variables around them and keep theirs", () => {
  assertFree(`(a) => { const b = 1; function inner(c) { return a + b + c + d; } var d = 2;
    return (e) => inner(e) + a; }`);
  assertFree(
    "() => { function inner(hidden) { return hidden; } return hidden + inner(1); }",
    "hidden",
  );
  assertFree("() => { (() => { var hidden = 1; })(); return hidden; }", "hidden");
});

Deno.test("a shadowed variable is free only outside of its shadow", () => {
  assertFree("(table) => { { let helper = 1; table(helper); } }");
  assertFree("(list) => { { let helper = 1; list(helper); } return helper; }", "helper");
  assertFree("() => { for (let i = 0; i < 1; i++); return i; }", "i");
  assertFree("() => { for (const k of []) { k; } return k; }", "k");
  assertFree("() => { try {} catch ({ message }) { message; } return message; }", "message");
  assertFree("(x) => { switch (x) { case 1: let y = 1; } return y; }", "y");
  assertFree("() => { { function inner() {} } return inner; }", "inner");
});

Deno.test("var belongs to the whole function, from whatever depth", () => {
  assertFree(
    "() => { a = 1; if (a) { for (var a of []) { try {} catch { var b; } } } return b; }",
  );
  assertFree("(x) => { switch (x) { default: label: { var deep = 1; } } return deep; }");
});

Deno.test("a default does not see the variables of the body", () => {
  assertFree("(a = late) => { var late = 1; return a + late; }", "late");
  assertFree("(a, b = a, c = () => b) => c");
});

Deno.test("a named function expression is known to itself alone", () => {
  assertFree("() => { const f = function inner() { return inner; }; return f; }");
  assertFree("() => { const f = function inner() {}; return [f, inner]; }", "inner");
});

Deno.test("a class is known by its name around it and inside", () => {
  assertFree("() => { class A { static make() { return new A(); } } return A; }");
  assertFree("() => (class B { static b = B; })");
  assertFree("() => { const A = class B {}; return [A, B]; }", "B");
  assertFree(
    "() => class extends Base { field = value; static { var inner = outer; inner; } }",
    "Base",
    "value",
    "outer",
  );
});

Deno.test("using and await using declare variables", () => {
  assertFree("async () => { using a = null; await using b = null; return [a, b]; }");
  assertFree("() => { { using a = null; } return a; }", "a");
});

Deno.test("`this` of a function or class inside the closure is its own", () => {
  assertFree("() => function () { return this; }");
  assertFree("() => ({ m() { return this; }, get g() { return () => this; } })");
  assertFree("() => class { a = this; static b = () => this; static { this.c = 1; } }");
});

Deno.test("`super` and `new.target` inside the closure are their own", () => {
  assertFree(
    "() => class A extends A { constructor() { super(); new.target; } m() { super.m; } }",
  );
  assertFree("() => ({ m() { return super.toString(); } })");
  assertFree("() => function () { return new.target; }");
});

Deno.test("`arguments` of a function inside the closure is its own", () => {
  assertFree("function () { return () => arguments; }");
  assertFree("() => function () { return arguments; }");
  assertFree("() => ({ m() { return arguments; } })");
});

Deno.test("private names of a class inside the closure are its own", () => {
  assertFree("() => class { #a = 1; static #b() {} m(o) { return [this.#a, #b in o]; } }");
  assertFree("() => class { #a = 1; inner = class { m(o) { return o.#a; } }; }");
});

Deno.test("private names are those of the class they stand in", () => {
  const { privateNames } = usesOf("(o) => [class { #a = 1; m() { return o.#b; } }, o.#a]");
  assertEquals([...privateNames], ["#b", "#a"]);
});

Deno.test("import specifiers are collected, and computed ones looked into", () => {
  const uses = usesOf('() => [import("a"), import(`b`), import(c, { with: { type: d } })]');
  assertEquals([...uses.imports], ["a", "b"]);
  assertEquals(uses.computedImport, true);
  assertEquals([...uses.variables], ["c", "d"]);
});
