/**
 * Random launches, right and wrong ones, and what becomes of them, as text: it must not depend on
 * where they run, nor on how many PEs there are.
 *
 * @module
 */

import {
  am,
  array,
  f32,
  f64,
  i16,
  type LamellarWorld,
  localAm,
  optional,
  str,
  u32,
  u8,
} from "../../mod.ts";

type Random = () => number;

const SCHEMA = { a: u8, b: f32, c: i16, n: optional(f64), text: str, list: array(u32) };

class Point {
  constructor(readonly x = 1) {}
}

const change = (value: unknown): void => {
  if (Array.isArray(value)) value.push("changed");
  else if (value instanceof Map) value.set("changed", 1);
  else if (ArrayBuffer.isView(value) && value.byteLength > 0) {
    new Uint8Array(value.buffer, value.byteOffset)[0]! ^= 0x55;
  } else if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    (value as { changed?: boolean }).changed = true;
  }
};

/** What handlers throw. */
const THROWN: readonly (() => unknown)[] = [
  () => new RangeError("out of range \ud800"),
  () => new TypeError("outer", { cause: new SyntaxError("inner", { cause: "text" }) }),
  () => new AggregateError([new Error("one"), 2, new RangeError("three")], "several"),
  () => Object.assign(new Error("named"), { name: "OwnError" }),
  () => "a text",
  () => undefined,
  () => ({ a: [1, 2] }),
  () => Object.defineProperty(new Error("x"), "message", { get: () => reject() }),
  () => new Proxy(new Error("behind"), { getPrototypeOf: () => reject(), get: () => reject() }),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  () => ({ toString: reject, [Symbol.for("Deno.customInspect")]: reject }),
  () => {
    const error = new Error("circular");
    error.cause = error;
    return error;
  },
];

function reject(): never {
  throw new Error("no");
}

/** What handlers return that is no plain value. */
const RETURNED: readonly (() => unknown)[] = [
  () => Object.defineProperty({}, "then", { get: reject }),
  () => ({ then: (done: (n: number) => void) => done(5) }),
  () => ({ then: reject }),
  () => () => 1,
  () => new Proxy({}, { getPrototypeOf: reject }),
  () => new Point(),
  () => Symbol("s"),
  () => Promise.resolve(new Map([[1, { a: new Set([-0, NaN]) }]])),
  () => Promise.reject(new URIError("later")),
  () => Echo({ value: [1, 2] }),
  () => local(3),
  () => Promise.resolve(Fields({ a: 300, b: 0, c: 0, text: "", list: [] })),
];

const local = localAm((n: number) => n);
const Fields = am("random.Fields", SCHEMA, (self) => {
  self.list.push(7);
  return self;
});
const Checked = am("random.Checked", { value: f64 }, (self) => ({ v: self.value }), {
  returns: { v: u8 },
});
const Echo = am("random.Echo", (self: { value: unknown }) => {
  change(self.value);
  return self.value;
});
const Later = am("random.Later", async (self: { value: unknown }) => {
  await undefined;
  return [self.value];
});
const Throw = am("random.Throw", { which: u8, late: u8 }, (self) => {
  const thrown = THROWN[self.which]!();
  if (self.late === 1) return Promise.reject(thrown);
  throw thrown;
});
const Return = am("random.Return", { which: u8 }, (self): unknown => RETURNED[self.which]!());
const AtOrigin = am(
  "random.AtOrigin",
  (self: { value: unknown }, { onReturn }) => onReturn((value: unknown) => [value], [self.value]),
);
const Data = am(
  "random.Data",
  (self: { value: unknown }, { closure }) => closure((value: unknown) => [value], [self.value]),
);

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

/** Any value, some of which cannot be sent. */
function valueOf(random: Random, depth = 0): unknown {
  const inner = (): unknown => depth > 2 ? random() : valueOf(random, depth + 1);
  return pick<() => unknown>(random, [
    () => Math.floor(random() * 1000),
    () => pick(random, [-0, NaN, Infinity, 2 ** 53, -1.5, undefined, null, true, false]),
    () => pick(random, ["", "short \udfff", "\ufeff" + "long ".repeat(60), "\ud83d".repeat(70)]),
    () => pick(random, [0n, -(2n ** 63n), 2n ** 200n]),
    () => new Date(pick(random, [0, 1e12 + 1, NaN])),
    () => new Map([[inner(), inner()]]),
    () => new Set([inner(), "a"]),
    () => new Float64Array([random(), -0, NaN]).subarray(1),
    () => new Uint8Array(Math.floor(random() * 300)).fill(random() * 256),
    () => new BigInt64Array([1n, -1n]).buffer,
    () => [inner(), inner(), inner()],
    () => ({ a: inner(), b: inner() }),
    () => pick(random, THROWN.slice(0, 4))(),
    () => random() < 0.5 ? () => 1 : Symbol("s"),
    () => new Point(),
    () => {
      const list: unknown[] = [1];
      list.push(list);
      return random() < 0.3 ? list : 0;
    },
  ])();
}

function fieldsOf(random: Random): Parameters<typeof Fields>[0] {
  return {
    a: pick(random, [0, 255, 256, -1, 1.5]),
    b: pick(random, [0.1, 1e39, NaN, -0]),
    c: pick(random, [-32768, 32767, 32768]),
    n: pick(random, [undefined, 0.1]),
    text: pick(random, ["", "\ud800", "ä".repeat(200), 5 as unknown as string]),
    list: pick(random, [[], [1, 2, 3], [-1], Array.from({ length: 500 }, (_, i) => i)]),
  };
}

/** One launch, with what it was launched with. */
interface Launch {
  readonly payload: unknown;
  start(world: LamellarWorld, pe: number): PromiseLike<unknown>;
}

function launchOf(random: Random): Launch {
  const value = valueOf(random);
  const which = Math.floor(random() * THROWN.length);
  const late = random() < 0.5 ? 1 : 0;
  const returned = Math.floor(random() * RETURNED.length);
  const fields = fieldsOf(random);
  const number = pick(random, [0, 255, 256, 0.5, -1]);
  const calls = [
    () => Fields(fields),
    () => Checked({ value: number }),
    () => Echo({ value }),
    () => Later({ value }),
    () => Throw({ which, late }),
    () => Return({ which: returned }),
    () => AtOrigin({ value }),
    () => Data({ value }),
    () => local(1),
  ];
  const call = pick(random, [...calls, undefined]);
  if (call) {
    const payload = call === calls[0] ? fields : value;
    return { payload, start: (world, pe) => world.execAmPe<unknown>(pe, call()) };
  }
  const start = (world: LamellarWorld, pe: number): PromiseLike<unknown> =>
    world.execClosurePe(pe, (x: unknown, y = 2, ...rest: unknown[]) => {
      if (y === 3) throw new RangeError(`thrown ${rest.length} \udc00`);
      return [x, y, rest];
    }, pick(random, [[value], [value, 3], [value, 4, 5, value]]) as [unknown]);
  return { payload: value, start };
}

/** A text for a value, which tells apart what is not the same. */
export function describe(value: unknown, depth = 0): string {
  const inner = (one: unknown): string => describe(one, depth + 1);
  if (depth > 8) return "…";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `function giving ${inner(value())}`;
  if (typeof value !== "object" || value === null) return Deno.inspect(value);
  if (value instanceof Error) {
    const { name, cause } = value;
    // What is no error of its own may have the stack of one in its text.
    const message = value.message.replaceAll(/\n +at .*/g, "");
    const errors = value instanceof AggregateError ? value.errors.map(inner) : [];
    const kind = Object.prototype.toString.call(value);
    return `${kind}${name}(${JSON.stringify(message)}, ${cause ? inner(cause) : ""}, ${errors})`;
  }
  if (value instanceof Map) return `Map(${[...value].map(inner)})`;
  if (value instanceof Set) return `Set(${[...value].map(inner)})`;
  if (Array.isArray(value)) return `[${value.map(inner)}]`;
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    return Deno.inspect(value, { iterableLimit: 1000 });
  }
  const keys = Object.keys(value);
  return `{${keys.map((key) => `${key}: ${inner((value as Record<string, unknown>)[key])}`)}}`;
}

/**
 * Launches random AMs and closures on a PE, changes what they were launched with, and awaits them.
 *
 * @param world The world.
 * @param pe Where they run.
 * @param random The same numbers give the same launches.
 * @param count How many.
 * @returns What became of each, without the number of the PE.
 */
export async function outcomesOf(
  world: LamellarWorld,
  pe: number,
  random: Random,
  count: number,
): Promise<string[]> {
  const outcomes: string[] = [];
  for (let i = 0; i < count; i++) {
    const { payload, start } = launchOf(random);
    let outcome = "refused";
    try {
      const handle = start(world, pe);
      change(payload);
      outcome = "failed";
      outcome = `gave ${describe(await handle)}`;
    } catch (error) {
      outcome += ` ${describe(error)}`;
    }
    outcomes.push(outcome.replaceAll(/ PE \d+/g, " PE"));
  }
  return outcomes;
}
