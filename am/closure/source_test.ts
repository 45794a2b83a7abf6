import { runInNewContext } from "node:vm";
import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { CLOSURE_GLOBALS } from "./globals.ts";
import { hashSource } from "./identity.ts";
import { analyseClosure, compileClosure } from "./source.ts";

// Variables of this module, for the closures below to use without capturing them.
const table = [10, 20, 30];
const threshold = 2;
function helper(index: number): number {
  return table[index] ?? 0;
}

/** The function that a text gives, for what TypeScript does not let pass. */
function fromText(text: string): (...args: never[]) => unknown {
  const evaluate = eval;
  return evaluate(`(${text}\n)`);
}

/** What the function gives after a journey by source. */
// deno-lint-ignore ban-types -- as in analyseClosure()
function travel(fn: Function, ...args: unknown[]): unknown {
  return compileClosure(analyseClosure(fn).source)(...args);
}

// deno-lint-ignore ban-types -- as in analyseClosure()
function assertRefused(fn: Function, reason: string): void {
  const error = assertThrows(() => analyseClosure(fn), TypeError);
  assertEquals(error.message, `Cannot send the closure: ${reason}`);
}

/** Asserts that exactly these free variables are refused, in this order. */
function assertFree(text: string, ...names: string[]): void {
  const quoted = names.map((name) => `"${name}"`);
  const last = quoted.pop();
  const list = quoted.length > 0 ? `${quoted.join(", ")} and ${last}` : last;
  const rest = names.length > 1
    ? "which are neither captured nor global; pass them as captures"
    : "which is neither captured nor global; pass it as a capture";
  assertRefused(fromText(text), `it uses ${list}, ${rest}`);
}

/** Asserts that nothing in the function's text is refused. */
function assertSendable(text: string): void {
  analyseClosure(fromText(text));
}

// deno-lint-ignore ban-types -- any function is analysed
type AnyFunction = Function;

Deno.test("an arrow travels and gives what it gave at home", () => {
  assertEquals(travel((a: number, b: number) => a + b, 1, 2), 3);
});

Deno.test("a function expression travels", () => {
  assertEquals(
    travel(function (a: number) {
      return a * 2;
    }, 4),
    8,
  );
});

Deno.test("a declared function calls itself by its name after the journey", () => {
  function factorial(n: number): number {
    return n <= 1 ? 1 : n * factorial(n - 1);
  }
  assertEquals(travel(factorial, 5), 120);
});

Deno.test("an async arrow and an async function travel", async () => {
  assertEquals(await travel(async (a: Promise<number>) => await a + 1, Promise.resolve(1)), 2);
  async function twice(a: Promise<number>): Promise<number> {
    return await a * 2;
  }
  assertEquals(await travel(twice, Promise.resolve(4)), 8);
});

Deno.test("generators travel, synchronous or not", async () => {
  function* count(n: number): Generator<number> {
    for (let i = 0; i < n; i++) yield i;
  }
  assertEquals([...travel(count, 3) as Iterable<number>], [0, 1, 2]);
  async function* later(n: number): AsyncGenerator<number> {
    for (let i = 0; i < n; i++) yield await Promise.resolve(i);
  }
  assertEquals(await Array.fromAsync(travel(later, 2) as AsyncIterable<number>), [0, 1]);
});

Deno.test("methods travel under any kind of key", async () => {
  const key = "computed";
  const holder = {
    plain(a: number): number {
      return a + 1;
    },
    async later(a: number): Promise<number> {
      return await Promise.resolve(a + 2);
    },
    *each(a: number): Generator<number> {
      yield a;
    },
    [`${key}1`](a: number): number {
      return a + 3;
    },
    "a string"(a: number): number {
      return a + 4;
    },
    get(a: number): number {
      return a + 5;
    },
    async async(a: number): Promise<number> {
      return await Promise.resolve(a + 6);
    },
    function(a: number): number {
      return a + 7;
    },
  };
  class Holder {
    static #hidden(a: number): number {
      return a + 8;
    }
    static hidden(): (a: number) => number {
      return Holder.#hidden;
    }
    static constant(a: number): number {
      return a + 9;
    }
  }
  assertEquals(travel(holder.plain, 0), 1);
  assertEquals(await travel(holder.later, 0), 2);
  assertEquals([...travel(holder.each, 0) as Iterable<number>], [0]);
  assertEquals(travel(holder[`${key}1`]!, 0), 3);
  assertEquals(travel(holder["a string"], 0), 4);
  assertEquals(travel(holder.get, 0), 5);
  assertEquals(await travel(holder.async, 0), 6);
  assertEquals(travel(holder.function, 0), 7);
  assertEquals(travel(Holder.hidden(), 0), 8);
  assertEquals(travel(Holder.constant, 0), 9);
});

Deno.test("a method's own name is a free variable in its body", () => {
  assertFree("{ fact(n) { return n < 2 ? 1 : n * fact(n - 1); } }.fact", "fact");
});

Deno.test("parameters may have defaults, patterns and a rest", () => {
  assertEquals(
    travel(
      (
        { a, b: { c = 3, ...others } = {} as { c?: number; d?: number } }: {
          a: number;
          b?: { c?: number; d?: number };
        },
        [d, , e = a + c]: number[],
        ...rest: number[]
      ) => [a, c, others, d, e, rest],
      { a: 1, b: { d: 9 } },
      [5, 6],
      7,
      8,
    ),
    [1, 3, { d: 9 }, 5, 4, [7, 8]],
  );
});

Deno.test("globals of every Worker need no capture", () => {
  assertSendable(
    `() => [Math.PI, console, Deno.pid, Atomics, structuredClone, undefined, NaN, Infinity,
      globalThis, performance, process, Buffer, setImmediate, Temporal, WebAssembly, GPUDevice]`,
  );
});

Deno.test("every name taken for global is one of the global object", () => {
  assertEquals([...CLOSURE_GLOBALS].filter((name) => !(name in globalThis)), []);
});

Deno.test("every global that the language itself has is taken for global", () => {
  // A new context has nothing but those, and a console.
  const names: string[] = runInNewContext("Object.getOwnPropertyNames(globalThis)");
  assertEquals(names.includes("Array"), true);
  // Copied, since it is an array of the other context.
  assertEquals([...names].filter((name) => !CLOSURE_GLOBALS.has(name)), []);
});

Deno.test("Worker names that programs use for themselves are refused", () => {
  assertFree("() => name", "name");
  assertFree("() => [toString, constructor, close]", "toString", "constructor", "close");
  assertFree("() => { postMessage(1); onmessage = null; }", "postMessage", "onmessage");
});

Deno.test("one free variable is refused by name", () => {
  assertRefused(
    (k: number) => k > threshold,
    `it uses "threshold", which is neither captured nor global; pass it as a capture`,
  );
});

Deno.test("two free variables are refused by name", () => {
  assertRefused(
    (k: number) => table[k]! + helper(k),
    `it uses "table" and "helper", which are neither captured nor global; pass them as captures`,
  );
});

Deno.test("an arrow that calls itself is refused by its name", () => {
  const fact: (n: number) => number = (n) => n < 2 ? 1 : n * fact(n - 1);
  assertRefused(fact, `it uses "fact", which is neither captured nor global; pass it as a capture`);
});

Deno.test("`arguments` belongs to a function and not to an arrow", () => {
  assertEquals(travel(fromText("function () { return arguments.length; }"), 1, 2, 3), 3);
  assertEquals(travel(fromText("function () { return (() => arguments[0])(); }"), 7), 7);
  const reason = `it uses "arguments" of a function around it; take rest parameters`;
  assertRefused(fromText("() => arguments[0]"), reason);
  assertRefused(fromText("() => () => arguments"), reason);
});

Deno.test("the closure's own `this` is refused", () => {
  const reason = `it uses "this", which is not sent; pass what it needs as captures`;
  assertRefused(fromText("() => this"), reason);
  assertRefused(fromText("function () { return this.x; }"), reason);
  assertRefused(fromText("function () { return () => this.x; }"), reason);
  assertRefused(fromText("{ m() { return this; } }.m"), reason);
  assertRefused(fromText("() => class { [this.key] = 1; }"), reason);
  assertRefused(fromText("() => class extends this.Base {}"), reason);
});

Deno.test("`super` and `new.target` of the surroundings are refused", () => {
  const superReason = `it uses "super", which is not sent; pass what it needs as captures`;
  assertRefused(fromText("{ m() { return super.m(); } }.m"), superReason);
  assertRefused(fromText("{ m() { return () => super.m(); } }.m()"), superReason);
  const arrow = fromText(
    "(() => { let f; class A extends Object { constructor() { f = () => super(); " +
      "super(); } } new A(); return f; })()",
  );
  assertRefused(arrow, superReason);
  const targetReason = `it uses "new.target", which is not sent; pass what it needs as captures`;
  assertRefused(fromText("function () { return new.target; }"), targetReason);
  assertRefused(fromText("(function () { return () => new.target; })()"), targetReason);
});

Deno.test("import.meta is refused", () => {
  assertRefused(
    () => import.meta.url,
    `it uses "import.meta", which is not sent; pass import.meta.url as a capture`,
  );
});

Deno.test("absolute imports travel", async () => {
  assertEquals(await travel(async () => (await import("node:path")).posix.sep), "/");
  for (const scheme of ["npm:a@1", "jsr:@a/b@1", "https://a.b/c.ts", "file:///a.ts", "data:,"]) {
    assertSendable(`() => import("${scheme}")`);
  }
  assertSendable('() => import(`node:fs`, { with: { type: "json" } })');
});

Deno.test("relative, bare and blob imports are refused by specifier", () => {
  assertRefused(
    fromText('() => import("./x.ts")'),
    `it imports "./x.ts"; write an absolute specifier such as "npm:name"`,
  );
  assertRefused(
    fromText('() => [import("../x.ts"), import("@std/assert"), import(`blob:y`)]'),
    `it imports "../x.ts", "@std/assert" and "blob:y"; ` +
      `write an absolute specifier such as "npm:name"`,
  );
});

Deno.test("computed imports are refused", () => {
  const reason = "it imports a computed specifier; write the specifier as a literal";
  assertRefused(fromText("(path) => import(path)"), reason);
  assertRefused(fromText("(name) => import(`npm:${name}`)"), reason);
});

Deno.test("private names of a class around the closure are refused", () => {
  class Counter {
    #count = 1;
    static reader(): (counter: Counter) => number {
      return (counter) => counter.#count;
    }
    static tester(): (counter: object) => boolean {
      return (counter) => #count in counter;
    }
  }
  const reason = `it uses "#count" of a class around it; pass the values`;
  assertRefused(Counter.reader(), reason);
  assertRefused(Counter.tester(), reason);
});

Deno.test("native, bound and proxied functions are refused", () => {
  const reason =
    "it is native, bound or a proxy, so its source is not available; call it in a function";
  assertRefused(Math.max, reason);
  assertRefused(((a: number) => a).bind(null, 1), reason);
  assertRefused(new Proxy((a: number) => a, {}), reason);
  assertRefused(Array, reason);
});

Deno.test("a class is refused by name", () => {
  assertRefused(class Point {}, `it is the class "Point"; define the class inside a function`);
  assertRefused(
    fromText("class extends Array {}"),
    "it is an anonymous class; define the class inside a function",
  );
});

Deno.test("accessors are refused by name", () => {
  const holder = {
    get size() {
      return 1;
    },
    set size(value: number) {
      table[0] = value;
    },
  };
  const { get, set } = Object.getOwnPropertyDescriptor(holder, "size")!;
  assertRefused(get!, `it is the getter "size"; send a function that is called`);
  assertRefused(set!, `it is the setter "size"; send a function that is called`);
});

Deno.test("code that is not strict is refused", () => {
  const error = assertThrows(
    () => analyseClosure(fromText("function (o) { with (o) { return x; } }")),
    TypeError,
  );
  assertEquals(
    error.message,
    "Cannot send the closure: it does not parse as strict code: 'with' in strict mode",
  );
  assertInstanceOf(error.cause, SyntaxError);
});

Deno.test("what is no function at all is refused by its type", () => {
  assertRefused("x => x" as never, "it is of type string, not a function");
  assertRefused(undefined as never, "it is of type undefined, not a function");
});

Deno.test("several reasons are given together", () => {
  assertRefused(
    fromText("() => [this, table, arguments]"),
    `it uses "table", which is neither captured nor global; pass it as a capture; moreover, ` +
      `it uses "this", which is not sent; pass what it needs as captures; moreover, ` +
      `it uses "arguments" of a function around it; take rest parameters`,
  );
});

Deno.test("a program cannot disguise a closure by its own toString()", () => {
  const fn = Object.assign(() => table, { toString: () => "() => 1" });
  assertRefused(fn, `it uses "table", which is neither captured nor global; pass it as a capture`);
});

Deno.test("the id and the hash are those of the source", () => {
  const { source, contextAt, ...identity } = analyseClosure({ method() {} }.method);
  assertEquals(identity, hashSource(source));
  assertEquals(contextAt, -1);
});

Deno.test("the last parameter is for the context, but not with a default or the rest", () => {
  const functions: [AnyFunction, number][] = [
    [() => 1, -1],
    [(a: number) => a, 0],
    [(_a: number, { b }: { b: number }) => b, 1],
    [(a: number, b = 2) => a + b, -1],
    [(a: number, _b = 2, c: number) => a + c, 2],
    [(...list: number[]) => list, -1],
    [(_a: number, ...list: number[]) => list, -1],
    [
      {
        method(a: number, _b: number) {
          return a;
        },
      }.method,
      1,
    ],
  ];
  for (const [fn, contextAt] of functions) {
    assertEquals(analyseClosure(fn).contextAt, contextAt, `${fn}`);
  }
});

Deno.test("functions of the same text share one analysis", () => {
  const make = () => (a: number) => a + 1000;
  const first = make();
  assertStrictEquals(analyseClosure(first), analyseClosure(first));
  assertStrictEquals(analyseClosure(first), analyseClosure(make()));
});
