// These tests name the packages, so that `deno task test:jsr` holds the real ones to them as well.
import * as assert from "@std/assert";
import { parseArgs } from "@std/cli";
import { decode, encode } from "@std/msgpack";

/** Fails without the help of what is under test. */
function refuses(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    if (error instanceof assert.AssertionError) return error;
    throw error;
  }
  throw new Error(`${fn} did not refuse`);
}

Deno.test("assertEquals() compares nested values, typed arrays, maps, sets and NaN", () => {
  const value = (last: number): unknown => ({
    list: [1, NaN, 2n, undefined, null, "x"],
    map: new Map([["k", { deep: [last] }]]),
    set: new Set([1, 2]),
    floats: new Float64Array([0.5, last]),
    longs: new BigInt64Array([-1n]),
  });
  assert.assertEquals(value(1), value(1));
  assert.assertNotEquals(value(1), value(2));
  refuses(() => assert.assertEquals(value(1), value(2)));
  refuses(() => assert.assertNotEquals(value(1), value(1)));
  refuses(() => assert.assertEquals<unknown>(new Uint8Array(2), new Int8Array(2)));
  refuses(() => assert.assertEquals<unknown>(1, 1n));
  assert.assertEquals(0, -0);
});

Deno.test("assertEquals() says what differs, and the message it was given", () => {
  const error = refuses(() => assert.assertEquals([1, 2], [1, 3], "the list"));
  for (const part of ["Values are not equal", "the list", "2", "3"]) {
    assert.assertStringIncludes(error.message, part);
  }
});

Deno.test("assertThrows() and assertRejects() check the error and give it", async () => {
  const fail = (): never => {
    throw new RangeError("offset 9 is too large");
  };
  assert.assertEquals(assert.assertThrows(fail, RangeError, "offset 9").name, "RangeError");
  assert.assertInstanceOf(assert.assertThrows(fail), RangeError);
  refuses(() => assert.assertThrows(fail, TypeError));
  refuses(() => assert.assertThrows(fail, RangeError, "length"));
  refuses(() => assert.assertThrows(() => 1));
  const reject = (): Promise<never> => Promise.reject(new TypeError("no such PE"));
  assert.assertEquals((await assert.assertRejects(reject, TypeError, "PE")).message, "no such PE");
  for (
    const wrong of [
      () => assert.assertRejects(reject, RangeError),
      () => assert.assertRejects(reject, TypeError, "offset"),
      () => assert.assertRejects(() => Promise.resolve(1)),
      () => assert.assertRejects(fail as () => never),
    ]
  ) {
    const outcome = await wrong().then(() => undefined, (error: unknown) => error);
    assert.assertInstanceOf(outcome, assert.AssertionError);
  }
});

Deno.test("The other assertions hold where they should and refuse where they should", () => {
  const pairs: [() => unknown, () => unknown][] = [
    [() => assert.assert(1), () => assert.assert(0)],
    [() => assert.assertFalse(0), () => assert.assertFalse(1)],
    [() => assert.assertStrictEquals(NaN, NaN), () => assert.assertStrictEquals({}, {})],
    [() => assert.assertNotStrictEquals({}, {}), () => assert.assertNotStrictEquals(1, 1)],
    [() => assert.assertAlmostEquals(1, 1 + 1e-9), () => assert.assertAlmostEquals(1, 1.1)],
    [() => assert.assertAlmostEquals(1, 2, 1), () => assert.assertAlmostEquals(1, 2, 0.5)],
    [() => assert.assertGreater(2, 1), () => assert.assertGreater(1, 1)],
    [() => assert.assertGreaterOrEqual(1, 1), () => assert.assertGreaterOrEqual(0, 1)],
    [() => assert.assertLess(1, 2), () => assert.assertLess(1, 1)],
    [() => assert.assertLessOrEqual(1, 1), () => assert.assertLessOrEqual(2, 1)],
    [() => assert.assertExists(0), () => assert.assertExists(null)],
    [() => assert.assertInstanceOf([], Array), () => assert.assertInstanceOf({}, Array)],
    [() => assert.assertMatch("ab", /b/), () => assert.assertMatch("ab", /c/)],
    [() => assert.assertNotMatch("ab", /c/), () => assert.assertNotMatch("ab", /b/)],
    [() => assert.assertStringIncludes("ab", "b"), () => assert.assertStringIncludes("ab", "c")],
    [
      () => assert.assertArrayIncludes([1, [2]], [[2]]),
      () => assert.assertArrayIncludes([1], [2]),
    ],
    [
      () => assert.assertIsError(new TypeError("ab"), TypeError, /b/),
      () => assert.assertIsError("ab", TypeError),
    ],
  ];
  for (const [holds, fails] of pairs) {
    holds();
    refuses(fails);
  }
  refuses(() => assert.fail("x"));
  refuses(() => assert.unreachable());
});

Deno.test("parseArgs() reads flags, values, aliases and defaults", () => {
  const args = parseArgs(["-n", "4", "--label", "--no-color", "--name=007", "file", "12"], {
    boolean: ["label", "color", "quiet"],
    string: ["name"],
    negatable: ["color"],
    alias: { n: "pes" },
    default: { color: true, size: 3 },
  });
  assert.assertEquals({ ...args }, {
    _: ["file", 12],
    n: 4,
    pes: 4,
    label: true,
    color: false,
    quiet: false,
    name: "007",
    size: 3,
  });
});

Deno.test("parseArgs() reads numbers stuck to a letter, and several letters at once", () => {
  const args = parseArgs(["-n4", "-lv", "-s=2"], { boolean: ["l", "v"] });
  assert.assertEquals({ ...args }, { _: [], n: 4, l: true, v: true, s: 2 });
});

Deno.test("parseArgs() stops at the program, so that its arguments reach it untouched", () => {
  const args = parseArgs(["-n", "4", "app.ts", "--n", "5", "-x"], {
    stopEarly: true,
    string: ["_"],
  });
  assert.assertEquals({ ...args }, { _: ["app.ts", "--n", "5", "-x"], n: 4 });
});

Deno.test("parseArgs() collects values and keeps what follows two dashes apart", () => {
  const args = parseArgs(["--case", "a", "--case=b", "--", "--case", "c"], {
    string: ["case"],
    collect: ["case"],
    "--": true,
  });
  assert.assertEquals({ ...args }, { _: [], case: ["a", "b"], "--": ["--case", "c"] });
});

Deno.test("parseArgs() reports what was not declared and leaves it out if told so", () => {
  const unknown: string[] = [];
  const args = parseArgs(["--json", "--bad", "x"], {
    boolean: ["json"],
    string: ["_"],
    unknown: (arg, key) => key === undefined || unknown.push(arg) === 0,
  });
  assert.assertEquals(unknown, ["--bad"]);
  assert.assertEquals(args.json, true);
  assert.assertEquals("bad" in args, false);
});

Deno.test("encode() and decode() carry every kind of value", () => {
  const value = {
    list: [1, -2, 0.5, true, null, "text"],
    long: 2n ** 40n,
    bytes: new Uint8Array([1, 2]),
  };
  assert.assertEquals(decode(encode(value)), value);
  assert.assertEquals([...encode([1, "a"])], [0x92, 1, 0xa1, 0x61]);
});

Deno.test("decode() refuses extension types and bytes that end early", () => {
  for (const bytes of [[0xd4, 1, 0], [0x92, 1], []]) {
    let refused = false;
    try {
      decode(new Uint8Array(bytes));
    } catch {
      refused = true;
    }
    assert.assert(refused, `${bytes} was not refused`);
  }
});
