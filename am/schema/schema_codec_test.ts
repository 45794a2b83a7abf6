import { isDeepStrictEqual } from "node:util";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../internal/errors.ts";
import { ELEMENTS } from "../../internal/elements.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import type { Codec } from "../codec.ts";
import { generator } from "../random_test.ts";
import * as s from "./schema.ts";
import { schemaCodec } from "./schema_codec.ts";

const GUARD = 0xa5;
const views: MemoryViews = memoryViews(new SharedArrayBuffer(1 << 20));

/** Writes and reads a value; nothing around its bytes may change, and nothing may be aliased. */
function roundTrip<T>(codec: Codec<T>, value: T, at = 64): T {
  const size = codec.size(value);
  views.u8.fill(GUARD, at - 16, at + size + 16);
  assertEquals(codec.write(value, views, at, size), size);
  for (let i = 1; i <= 16; i++) {
    assertEquals(views.u8[at - i], GUARD);
    assertEquals(views.u8[at + size - 1 + i], GUARD);
  }
  const read = codec.read(views, at, size);
  views.u8.fill(0, at, at + size);
  return read;
}

function assertKept<T>(codec: Codec<T>, value: T): void {
  const read = roundTrip(codec, value);
  assert(isDeepStrictEqual(read, value), `${codec.layout}: ${Deno.inspect(read)}`);
}

Deno.test("Scalars keep the ends of their ranges", () => {
  const ranges: [s.Schema<number>, number, number][] = [
    [s.u8, 0, 255],
    [s.i8, -128, 127],
    [s.u16, 0, 65535],
    [s.i16, -32768, 32767],
    [s.u32, 0, 4294967295],
    [s.i32, -2147483648, 2147483647],
    [s.u64, 0, Number.MAX_SAFE_INTEGER],
    [s.i64, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ];
  for (const [schema, least, most] of ranges) {
    const codec = schemaCodec({ from: schema });
    for (const value of [least, most, 1, 0]) assertKept(codec, { from: value });
    const beyond = [least - 1, most + 1, 0.5, NaN, Infinity, 2 ** 53];
    for (const value of beyond) {
      const error = assertThrows(() => codec.write({ from: value }, views, 0, 64), RangeError);
      assert((error as Error).message.startsWith('Field "from" must be a'), String(error));
    }
    for (const value of ["1", 1n, null, undefined, {}, [1], Symbol("x")]) {
      assertThrows(() => codec.write({ from: value as never }, views, 0, 64), TypeError, "from");
    }
  }
});

Deno.test("Floats keep what their width can hold", () => {
  for (const value of [0, -0, 1.5, -Infinity, NaN, 2 ** 100]) {
    assertKept(schemaCodec(s.f64), value);
    assertKept(schemaCodec(s.f32), value);
  }
  assertKept(schemaCodec(s.f64), Number.MIN_VALUE);
  assertEquals(roundTrip(schemaCodec(s.f32), 0.1), Math.fround(0.1));
  assertThrows(
    () => schemaCodec(s.f64).write("1" as never, views, 0, 64),
    TypeError,
    "The payload",
  );
});

Deno.test("64-bit integers lie in memory as such", () => {
  schemaCodec(s.u64).write(2 ** 40 + 7, views, 64, 64);
  assertEquals(views.u64[8], 2n ** 40n + 7n);
  schemaCodec(s.i64).write(-(2 ** 40) - 7, views, 64, 64);
  assertEquals(views.i64[8], -(2n ** 40n) - 7n);
  for (const value of [0n, 1n, 2n ** 64n - 1n]) assertKept(schemaCodec(s.bigu64), value);
  for (const value of [-(2n ** 63n), -1n, 2n ** 63n - 1n]) assertKept(schemaCodec(s.bigi64), value);
  for (const value of [-1n, 2n ** 64n]) {
    assertThrows(() => schemaCodec(s.bigu64).write(value, views, 0, 64), RangeError);
  }
  assertThrows(() => schemaCodec(s.bigi64).write(2n ** 63n, views, 0, 64), RangeError);
  assertThrows(() => schemaCodec(s.bigi64).write(1 as never, views, 0, 64), TypeError);
});

Deno.test("An integer beyond the safe ones is refused when read", () => {
  views.i64[8] = 2n ** 53n;
  assertThrows(() => schemaCodec(s.u64).read(views, 64, 8), ProtocolError);
  assertThrows(() => schemaCodec(s.i64).read(views, 64, 8), ProtocolError);
  views.i64[8] = -(2n ** 53n);
  assertThrows(() => schemaCodec(s.i64).read(views, 64, 8), ProtocolError);
  views.i64[8] = -(2n ** 53n) + 1n;
  assertEquals(schemaCodec(s.i64).read(views, 64, 8), Number.MIN_SAFE_INTEGER);
});

Deno.test("Typed arrays of all kinds arrive as the same class, short and long", () => {
  const kinds = [
    [s.u8Array, Uint8Array],
    [s.i8Array, Int8Array],
    [s.u16Array, Uint16Array],
    [s.i16Array, Int16Array],
    [s.u32Array, Uint32Array],
    [s.i32Array, Int32Array],
    [s.f32Array, Float32Array],
    [s.f64Array, Float64Array],
    [s.bigu64Array, BigUint64Array],
    [s.bigi64Array, BigInt64Array],
  ] as const;
  for (const [schema, constructor] of kinds) {
    const codec = schemaCodec({ a: s.u8, v: schema as s.Schema<unknown>, w: s.str });
    for (const length of [0, 1, 15, 16, 17, 1000]) {
      const v = new constructor(length);
      for (let i = 0; i < v.byteLength; i++) new Uint8Array(v.buffer)[i] = i * 7 + 1;
      const read = roundTrip(codec, { a: 1, v, w: "x" }) as { v: typeof v };
      assertEquals(read.v.constructor, constructor);
      const { buffer, byteOffset, byteLength } = read.v;
      assertEquals(new Uint8Array(buffer, byteOffset, byteLength), new Uint8Array(v.buffer));
      assert(read.v.buffer instanceof ArrayBuffer);
    }
    assertThrows(() => codec.size({ a: 1, v: [1], w: "" }), TypeError, 'Field "v" must be a');
  }
});

Deno.test("Each element type has a schema of its name, and each class of typed arrays one", () => {
  const named = s as unknown as Record<string, s.Schema<unknown> | undefined>;
  for (const { arrayClass, kind, type } of ELEMENTS) {
    assertEquals(schemaCodec(named[type]!).layout, `schema ${type}`);
    const arrays = named[`${type}Array`];
    // Numbers of 64 bits and booleans come in arrays of other types.
    if (kind === "exact" || kind === "boolean") assertEquals(arrays, undefined);
    else assertKept(schemaCodec(arrays!), new arrayClass(3));
  }
});

Deno.test("Small arrays share buffers, but no memory; bytes have a buffer of their own", () => {
  const codec = schemaCodec({ a: s.u32Array, b: s.f64Array, raw: s.bytes });
  const views = memoryViews(new SharedArrayBuffer(4096));
  const kept = Array.from({ length: 500 }, (_, i) => {
    const value = {
      a: Uint32Array.from({ length: i % 40 }, (_, j) => i + j),
      b: Float64Array.from({ length: i % 70 }, (_, j) => i / (j + 1)),
      raw: Uint8Array.of(i),
    };
    const bytes = codec.write(value, views, 8, codec.size(value));
    return { value, read: codec.read(views, 8, bytes) };
  });
  for (const { value, read } of kept) {
    assertEquals(read, value);
    assertEquals(read.raw.buffer.byteLength, 1);
    read.a.fill(7);
    read.b.fill(7);
  }
  for (const { value, read } of kept) {
    assertEquals(read.a, new Uint32Array(value.a.length).fill(7));
    assertEquals(read.b.byteLength, value.b.byteLength);
  }
});

Deno.test("The name of an element type stands for its schema", () => {
  const byName = schemaCodec({ a: "u8", b: s.array("bigi64"), c: s.optional({ d: "bool" }) });
  const bySchema = schemaCodec({ a: s.u8, b: s.array(s.bigi64), c: s.optional({ d: s.bool }) });
  assertEquals(byName.layout, bySchema.layout);
  assertKept(byName, { a: 1, b: [-5n], c: { d: true } });
  assertKept(schemaCodec("f64"), 0.5);
});

Deno.test("Structures of every kind keep their values", () => {
  const codec = schemaCodec({
    a: s.u8,
    b: { c: s.f64, d: { "odd key": s.bool, 7: s.u16 } },
    e: s.array(s.array(s.u16)),
    f: s.optional(s.f64),
    g: s.optional({ h: s.str, i: s.array(s.f64) }),
    j: s.tuple(s.u8, s.str, s.tuple()),
    k: s.oneOf("red", "green"),
    l: s.array({ m: s.str, n: s.bytes, o: s.optional(s.u32) }),
    p: s.array({}),
    q: {},
  });
  const value: Parameters<typeof codec.size>[0] = {
    a: 1,
    b: { c: -0, d: { "odd key": true, 7: 9 } },
    e: [[], [1], [2, 3]],
    f: undefined,
    g: { h: "grüße", i: [0.5, NaN] },
    j: [2, "x", []],
    k: "green",
    l: [{ m: "", n: new Uint8Array(3), o: 5 }, { m: "\ud800", n: new Uint8Array(0), o: undefined }],
    p: [{}, {}],
    q: {},
  };
  assertKept(codec, value);
  assertKept(codec, { ...value, f: 0.5, g: undefined, e: [], l: [], p: [] });
  const short = roundTrip(schemaCodec({ a: s.optional(s.u8), b: s.u8 }), { b: 3 });
  assert(isDeepStrictEqual(short, { a: undefined, b: 3 }));
});

Deno.test("Errors name the field and what was given", () => {
  const codec = schemaCodec({ rows: s.array({ at: s.tuple(s.u8, s.i16) }), name: s.str });
  const text = (value: unknown) => {
    const write = () => {
      codec.size(value as never);
      codec.write(value as never, views, 0, 64);
    };
    const error = assertThrows(write) as Error;
    return `${error.name}: ${error.message}`;
  };
  const row = (...at: unknown[]) => ({ rows: [{ at: [1, 2] }, { at }], name: "" });
  assertEquals(text({ rows: [] }), 'TypeError: Field "name" must be a string, got undefined');
  assertEquals(text(null), "TypeError: The payload must be an object, got null");
  assertEquals(
    text(row(1, 40_000)),
    'RangeError: Field "rows[1].at[1]" must be an i16 (-32768 to 32767), got 40000',
  );
  assertEquals(
    text(row(1)),
    'TypeError: Field "rows[1].at" must be an array of length 2, got an array of length 1',
  );
  assertEquals(
    text({ rows: new Map(), name: "" }),
    'TypeError: Field "rows" must be an array, got an instance of Map',
  );
  const color = schemaCodec({ color: s.oneOf("red", "green") });
  assertThrows(
    () => color.write({ color: "blue" } as never, views, 0, 64),
    RangeError,
    'Field "color" must be one of "red", "green", got "blue"',
  );
});

Deno.test("A oneOf of many names keeps each", () => {
  const names = Array.from({ length: 300 }, (_, i) => `name ${i}`);
  const codec = schemaCodec(s.oneOf(...names));
  for (const name of names) assertKept(codec, name);
  assertEquals(codec.size(names[0]!), 2);
  assertThrows(() => codec.write("other", views, 0, 64), RangeError);
});

Deno.test("Extensions are written at aligned addresses and read with the context", () => {
  const Region = s.extension<{ id: number }>({
    name: "region",
    fixedBytes: 12,
    match: (value) => typeof value === "object" && value !== null && "id" in value,
    write(value, memory, at) {
      assertEquals(at % 8, 0);
      memory.u32[at / 4 + 2] = value.id;
    },
    read: (memory, at, context) => ({ id: memory.u32[at / 4 + 2]! + (context as number) }),
  });
  const codec = schemaCodec({ a: s.u8, r: Region, all: s.array(s.tuple(s.u8, Region)) });
  const value = { a: 1, r: { id: 5 }, all: [[1, { id: 6 }], [2, { id: 7 }]] as never };
  const size = codec.size(value);
  codec.write(value, views, 40, size);
  const read = codec.read(views, 40, size, 100);
  assertEquals(read, { a: 1, r: { id: 105 }, all: [[1, { id: 106 }], [2, { id: 107 }]] });
  assertThrows(
    () => codec.write({ ...value, r: 5 as never }, views, 40, 64),
    TypeError,
    'Field "r" must be a region, got 5',
  );
  assertEquals(
    codec.layout,
    'schema {a:u8,r:extension("region",12),all:array(' +
      'tuple(u8,extension("region",12)))}',
  );
});

Deno.test("Schemas that describe nothing are refused with the field", () => {
  const wrong = { a: { b: "u33" } } as never;
  assertThrows(
    () => schemaCodec(wrong),
    TypeError,
    'Cannot use field "a.b" as a schema: it is "u33", which is not an element type',
  );
  assertThrows(() => schemaCodec(JSON.parse('{"__proto__": {}}')), TypeError, "__proto__");
  assertThrows(() => s.oneOf(), TypeError);
  assertThrows(() => s.oneOf("a", "a"), RangeError);
  const cyclic: Record<string, never> = {};
  cyclic.a = cyclic as never;
  assertThrows(() => schemaCodec(cyclic), RangeError, "nested too deeply");
  const tooSmall = { name: "x", fixedBytes: 0, write() {}, read: () => 1 };
  assertThrows(() => s.extension(tooSmall), RangeError);
});

Deno.test("Names of fields never become code", () => {
  const name = '"]; throw new Error("code"); v["\u2028${1}`';
  assertKept(schemaCodec({ [name]: s.str, constructor: s.u8 }), { [name]: "x", constructor: 1 });
});

Deno.test("Lengths that the bytes cannot hold are refused before anything is reserved", () => {
  const codecs = [s.str, s.bytes, s.f64Array, s.array(s.f64), s.array({}), s.array(s.str)];
  for (const codec of codecs.map((schema) => schemaCodec(schema as s.Schema<unknown>))) {
    for (const length of [1, 4, 100, 0x7fff_ffff, 0xffff_ffff]) {
      views.u32[16] = length;
      assertThrows(() => codec.read(views, 64, 4), ProtocolError);
    }
    views.u32[16] = 0;
    assertThrows(() => codec.read(views, 64, 3), ProtocolError);
    assertThrows(() => codec.read(views, 64, 24), ProtocolError);
  }
});

interface Sample {
  readonly schema: s.SchemaLike;
  readonly make: () => unknown;
}

/** A random schema and what makes random values of it. */
function randomSchema(random: () => number, depth: number): Sample {
  const int = (n: number) => Math.floor(random() * n);
  const list = <T>(make: () => T) => Array.from({ length: int(5) }, make);
  const leaves: Sample[] = [
    { schema: s.u8, make: () => int(256) },
    { schema: s.i16, make: () => int(65536) - 32768 },
    { schema: s.u32, make: () => int(2 ** 32) },
    { schema: s.f64, make: () => random() - 0.5 },
    { schema: s.i64, make: () => Math.floor((random() - 0.5) * 2 ** 53) },
    { schema: s.bigu64, make: () => BigInt(int(2 ** 32)) << 31n },
    { schema: s.bool, make: () => random() < 0.5 },
    { schema: s.str, make: () => String.fromCharCode(...list(() => int(65536))).repeat(int(30)) },
    { schema: s.bytes, make: () => Uint8Array.from({ length: int(40) }, () => int(256)) },
    { schema: s.f64Array, make: () => Float64Array.from({ length: int(40) }, random) },
    { schema: s.oneOf("a", "b", "c"), make: () => "abc"[int(3)] },
  ];
  if (depth === 0 || random() < 0.4) return leaves[int(leaves.length)]!;
  const inner = list(() => randomSchema(random, depth - 1));
  const one = randomSchema(random, depth - 1);
  const nested: Sample[] = [
    { schema: s.array(one.schema), make: () => list(one.make) },
    {
      schema: s.optional(one.schema),
      make: () => random() < 0.5 ? undefined : one.make(),
    },
    { schema: s.tuple(...inner.map((x) => x.schema)), make: () => inner.map((x) => x.make()) },
    {
      schema: Object.fromEntries(inner.map((x, i) => [`f${i}`, x.schema])),
      make: () => Object.fromEntries(inner.map((x, i) => [`f${i}`, x.make()])),
    },
  ];
  return nested[int(nested.length)]!;
}

Deno.test("Random schemas keep random values at random addresses", () => {
  const seed = Date.now() >>> 0;
  const random = generator(seed);
  for (let round = 0; round < 500; round++) {
    const { schema, make } = randomSchema(random, 3);
    const codec = schemaCodec(schema) as Codec<unknown>;
    for (let i = 0; i < 3; i++) {
      const value = make();
      const read = roundTrip(codec, value, 64 + 8 * Math.floor(random() * 100));
      assert(
        isDeepStrictEqual(read, value),
        `seed ${seed}, ${codec.layout}: ${Deno.inspect(value)} became ${Deno.inspect(read)}`,
      );
    }
  }
});

Deno.test("Mutated payloads give a ProtocolError or a value that can be sent again", () => {
  const seed = Date.now() >>> 0;
  const random = generator(seed);
  let refused = 0;
  for (let round = 0; round < 400; round++) {
    const { schema, make } = randomSchema(random, 3);
    const codec = schemaCodec(schema) as Codec<unknown>;
    const value = make();
    const size = codec.size(value);
    for (let i = 0; i < 50; i++) {
      codec.write(value, views, 64, size);
      for (let k = Math.floor(random() * 4); k >= 0; k--) {
        const at = 64 + Math.floor(random() * Math.min(size, random() < 0.5 ? 32 : size));
        views.u8[at] = random() < 0.3 ? 255 : Math.floor(random() * 256);
      }
      const bytes = random() < 0.3 ? Math.floor(random() * (size + 20)) : size;
      try {
        codec.size(codec.read(views, 64, bytes));
      } catch (error) {
        refused += 1;
        assert(error instanceof ProtocolError, `seed ${seed}, ${codec.layout}: ${error}`);
      }
    }
  }
  assert(refused > 1000, `seed ${seed}: only ${refused} of 20000 mutations were refused`);
});
