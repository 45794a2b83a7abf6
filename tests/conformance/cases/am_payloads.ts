/**
 * Payloads of active messages: every type of schema, every kind of MessagePack value, and what is
 * refused.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  am,
  array,
  bigi64,
  bigi64Array,
  bigu64,
  bigu64Array,
  bool,
  bytes,
  f32,
  f32Array,
  f64,
  f64Array,
  i16,
  i16Array,
  i32,
  i32Array,
  i64,
  i8,
  i8Array,
  type Infer,
  oneOf,
  optional,
  str,
  tuple,
  u16,
  u16Array,
  u32,
  u32Array,
  u64,
  u8,
  u8Array,
} from "../../../mod.ts";
import { type Case, rightOf, several } from "../case.ts";

const SCALARS = { u8, i8, u16, i16, u32, i32, f32, f64, u64, i64, bigu64, bigi64, bool };
const ARRAYS = {
  u8Array,
  i8Array,
  u16Array,
  i16Array,
  u32Array,
  i32Array,
  f32Array,
  f64Array,
  bigu64Array,
  bigi64Array,
  bytes,
};
const NESTED = {
  text: str,
  color: oneOf("red", "green", "blue"),
  pair: tuple(u8, str),
  points: array({ x: f64, y: f64, tag: optional(str) }),
  words: array(str),
  grid: array(array(i32)),
  inner: { deep: { flag: bool, n: u16 } },
  maybe: optional(f64),
  none: optional({ n: u8 }),
};

const Scalars = am("payload.Scalars", SCALARS, (self) => self, { returns: SCALARS });
const Arrays = am("payload.Arrays", ARRAYS, (self) => self, { returns: ARRAYS });
const Nested = am("payload.Nested", NESTED, (self) => self, { returns: NESTED });
const Number32 = am("payload.Number32", u32, (self) => self + 1);
const Nothing = am("payload.Nothing", (self: undefined) => self === undefined);
const Echo = am("payload.Echo", (self: { value: unknown }) => [self.value]);
const Kind = am(
  "payload.Kind",
  (self: { value: unknown }) => Object.prototype.toString.call(self.value),
);
const Small = am("payload.Small", { n: u8, name: str, list: array(i16) }, (self) => self.n);
const Late = am("payload.Late", { text: str, data: u8Array }, async (self, lamellar) => {
  // By the second look the ring has been written over many times.
  const before = [self.text, self.data.join()];
  for (let i = 0; i < 3; i++) await lamellar.world.execAmAll(Number32(i));
  return before[0] === self.text && before[1] === self.data.join();
});

const LOWEST: Infer<typeof SCALARS> = {
  u8: 0,
  i8: -128,
  u16: 0,
  i16: -32768,
  u32: 0,
  i32: -(2 ** 31),
  f32: -Infinity,
  f64: -Number.MAX_VALUE,
  u64: 0,
  i64: Number.MIN_SAFE_INTEGER,
  bigu64: 0n,
  bigi64: -(2n ** 63n),
  bool: false,
};
const HIGHEST: Infer<typeof SCALARS> = {
  u8: 255,
  i8: 127,
  u16: 65535,
  i16: 32767,
  u32: 2 ** 32 - 1,
  i32: 2 ** 31 - 1,
  f32: Math.fround(0.1),
  f64: Number.MIN_VALUE,
  u64: Number.MAX_SAFE_INTEGER,
  i64: Number.MAX_SAFE_INTEGER,
  bigu64: 2n ** 64n - 1n,
  bigi64: 2n ** 63n - 1n,
  bool: true,
};

function arraysOf(length: number): Infer<typeof ARRAYS> {
  const numbers = Array.from({ length }, (_, i) => i * 37 - 1000);
  const bigints = numbers.map((n) => BigInt(n) * 10n ** 15n);
  return {
    u8Array: Uint8Array.from(numbers),
    i8Array: Int8Array.from(numbers),
    u16Array: Uint16Array.from(numbers),
    i16Array: Int16Array.from(numbers),
    u32Array: Uint32Array.from(numbers),
    i32Array: Int32Array.from(numbers),
    f32Array: Float32Array.from(numbers, (n) => n / 3),
    f64Array: Float64Array.from(numbers, (n) => n / 3),
    bigu64Array: BigUint64Array.from(bigints),
    bigi64Array: BigInt64Array.from(bigints),
    bytes: Uint8Array.from(numbers),
  };
}

const VALUES: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  ...[0, -0, 1, -1, 127, 128, -33, 2 ** 31, -(2 ** 31), 2 ** 53, 0.1, NaN, Infinity, -Infinity],
  ...[0n, -1n, 2n ** 64n, -(2n ** 200n)],
  ...["", "a", "ß∂🦕", "\ud800", "\ufefftext", "x".repeat(300), "\0"],
  ...[[], [[]], [1, "two", [3n]], new Array(1000).fill(7)],
  ...[{}, { "": 1 }, { a: { b: { c: [{}] } } }, { length: 3, name: "n" }],
  new Date(1234567890123),
  new Map<unknown, unknown>([["k", 1], [{ key: "object" }, new Map([[1, 2]])]]),
  new Set<unknown>([1, "1", [1]]),
  new Uint8Array([1, 2]).buffer,
  ...[new Uint8Array([1]), new Int8Array([-1]), new Uint8ClampedArray([255])],
  ...[new Uint16Array([1]), new Int16Array([-1]), new Uint32Array([1]), new Int32Array([-1])],
  ...[new Float16Array([0.5]), new Float32Array([0.5]), new Float64Array([NaN])],
  ...[new BigUint64Array([1n]), new BigInt64Array([-1n]), new Float64Array(0)],
  { mixed: [new Float64Array([1]), { at: new Date(0), ids: new Set([1n]) }] },
];

/** The cases of rows AM-01 and AM-10 that concern payloads. */
export const AM_PAYLOAD_CASES: readonly Case[] = [
  {
    name: "Scalars of every schema type arrive as they were, at both ends of their range",
    async run(world) {
      for (const payload of [LOWEST, HIGHEST, { ...HIGHEST, f64: NaN, f32: -0 }]) {
        assertEquals(await world.execAmPe(rightOf(world), Scalars(payload)), payload);
      }
    },
  },
  {
    name: "Typed arrays of every schema type arrive as they were",
    async run(world) {
      for (const length of [0, 1, 7, 100]) {
        const payload = arraysOf(length);
        assertEquals(await world.execAmPe(rightOf(world), Arrays(payload)), payload);
      }
    },
  },
  {
    name: "Strings, lists, tuples, choices, optional and nested fields arrive as they were",
    async run(world) {
      const full: Infer<typeof NESTED> = {
        text: "grüße \ud800 🦕",
        color: "green",
        pair: [255, ""],
        points: [{ x: 1, y: -0, tag: undefined }, { x: NaN, y: 2, tag: "t" }],
        words: ["", "w".repeat(5000)],
        grid: [[], [1, 2], [-(2 ** 31)]],
        inner: { deep: { flag: true, n: 9 } },
        maybe: 0.5,
        none: { n: 1 },
      };
      const bare: Infer<typeof NESTED> = {
        text: "",
        color: "red",
        pair: [0, "p"],
        points: [],
        words: [],
        grid: [],
        inner: { deep: { flag: false, n: 0 } },
      };
      assertEquals(await world.execAmPe(rightOf(world), Nested(full)), full);
      // What was left out is there as undefined.
      const expected = { ...bare, maybe: undefined, none: undefined };
      const back = await world.execAmPe(rightOf(world), Nested(bare));
      assertEquals({ ...expected, ...back }, expected);
    },
  },
  {
    name: "A payload may be a single number, or nothing at all",
    async run(world) {
      assertEquals(await world.execAmPe(rightOf(world), Number32(41)), 42);
      assertEquals(await world.execAmPe(rightOf(world), Nothing()), true);
    },
  },
  {
    name: "MessagePack values of every kind arrive as they were",
    async run(world) {
      for (const value of VALUES) {
        assertEquals(await world.execAmPe(rightOf(world), Echo({ value })), [value]);
        const kind = Object.prototype.toString.call(value);
        assertEquals(await world.execAmPe(rightOf(world), Kind({ value })), kind);
      }
    },
  },
  {
    name: "An Error arrives as an Error of its name and message",
    async run(world) {
      const value = new RangeError("too far", { cause: new Error("inner") });
      const [back] = await world.execAmPe(rightOf(world), Echo({ value })) as [Error];
      assertInstanceOf(back, Error);
      assertEquals([back.name, back.message], ["RangeError", "too far"]);
      assertEquals((back.cause as Error).message, "inner");
    },
  },
  {
    name: "What arrives is whole after an await, while the rings are written over",
    async run(world) {
      const data = Uint8Array.from({ length: 2000 }, (_, i) => i);
      const handles = Array.from(
        { length: 100 },
        (_, i) => world.execAmPe(rightOf(world), Late({ text: `${i}`.repeat(50), data })),
      );
      assert((await Promise.all(handles)).every((same) => same));
    },
  },
  {
    name: "A field out of range or of a wrong type is refused by name, and nothing is sent",
    pes: several,
    async run(world) {
      const right = rightOf(world);
      const good = { n: 1, name: "a", list: [1] };
      const wrong: [unknown, typeof Error, string][] = [
        [{ ...good, n: 256 }, RangeError, '"n"'],
        [{ ...good, n: -1 }, RangeError, '"n"'],
        [{ ...good, n: 0.5 }, RangeError, '"n"'],
        [{ ...good, n: NaN }, RangeError, '"n"'],
        [{ ...good, n: "1" }, TypeError, '"n"'],
        [{ ...good, n: 1n }, TypeError, '"n"'],
        [{ ...good, name: 5 }, TypeError, '"name"'],
        [{ ...good, list: [1, 40_000] }, RangeError, "list"],
        [{ ...good, list: new Set([1]) }, TypeError, "list"],
        [{ name: "a", list: [] }, TypeError, '"n"'],
        [undefined, TypeError, ""],
        [null, TypeError, ""],
        [5, TypeError, ""],
      ];
      for (const [payload, kind, field] of wrong) {
        const error = assertThrows(
          () => world.execAmPe(right, Small(payload as typeof good)),
          kind,
        );
        assertStringIncludes(error.message, field);
        assertEquals(await world.execAmPe(right, Small(good)), 1);
      }
    },
  },
  {
    name: "What MessagePack cannot carry is refused with its path, and nothing is sent",
    pes: several,
    async run(world) {
      class Point {
        x = 1;
      }
      const circle: unknown[] = [];
      circle.push(circle);
      const wrong: [unknown, string][] = [
        [() => 1, "function"],
        [{ a: [0, { b: () => 1 }] }, "a[1].b"],
        [new Point(), "Point"],
        [Symbol("s"), "symbol"],
        [circle, "cyclic"],
        [Promise.resolve(1), "Promise"],
        [new WeakMap(), "WeakMap"],
      ];
      for (const [value, text] of wrong) {
        const error = assertThrows(
          () => world.execAmPe(rightOf(world), Echo({ value })),
          Error,
        );
        assertStringIncludes(error.message, text);
        assertEquals(await world.execAmPe(rightOf(world), Echo({ value: 1 })), [1]);
      }
    },
  },
];
