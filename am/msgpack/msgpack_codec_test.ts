import { isDeepStrictEqual } from "node:util";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../internal/errors.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import { MsgpackCodec, registerExtension } from "./msgpack_codec.ts";
import { TYPED_ARRAYS } from "./types.ts";
import { generator } from "../random_test.ts";

const views: MemoryViews = memoryViews(new SharedArrayBuffer(1 << 20));
const codec = new MsgpackCodec();

function roundTrip(value: unknown, context?: unknown): unknown {
  const size = codec.size(value);
  assertEquals(codec.write(value, views, 64, size), size);
  const read = codec.read(views, 64, size, context);
  views.u8.fill(0xa5, 64, 64 + size);
  return read;
}

function assertKept(value: unknown, about = ""): void {
  const read = roundTrip(value);
  assert(
    isDeepStrictEqual(read, value),
    `${about}${Deno.inspect(value)} became ${Deno.inspect(read)}`,
  );
}

Deno.test("Primitives arrive as they were", () => {
  const numbers = [0, -0, 1, -1, 127, 128, 255, 65536, -32, -33, 2 ** 31, 2 ** 32, -(2 ** 31) - 1];
  numbers.push(
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    2 ** 60,
    0.1,
    NaN,
    Infinity,
    -Infinity,
  );
  for (const value of [undefined, null, true, false, "", "grüße 😀", ...numbers]) {
    assertKept(value);
    assertKept([value, { value }]);
  }
});

Deno.test("BigInts of any size stay BigInts, and numbers numbers", () => {
  for (const shift of [0n, 1n, 31n, 32n, 62n, 63n, 64n, 100n, 1000n]) {
    for (const add of [-1n, 0n, 1n]) {
      assertKept((1n << shift) + add);
      assertKept(-(1n << shift) + add);
    }
  }
  assertKept([1, 1n, 2 ** 53 - 1, 2n ** 53n - 1n]);
});

Deno.test("Strings keep byte-order marks and lone surrogates at every length", () => {
  for (const part of ["a", "€", "😀", "\ud800", "\udc00"]) {
    for (const times of [1, 24, 25, 49, 50, 51, 66, 67, 199, 200, 201, 5000]) {
      assertKept(part.repeat(times));
      assertKept(`\ufeff${part.repeat(times)}`);
    }
  }
});

Deno.test("Typed arrays of all kinds arrive as the same class in memory of their own", () => {
  for (const constructor of TYPED_ARRAYS) {
    for (const length of [0, 1, 2, 5, 1000]) {
      const value = new constructor(length);
      for (let i = 0; i < length; i++) value[i] = (typeof value[0] === "bigint" ? 7n : 7) as never;
      const read = roundTrip({ value }) as { value: typeof value };
      assert(isDeepStrictEqual(read, { value }), `${constructor.name} ${length}`);
      assert(read.value.buffer instanceof ArrayBuffer);
      assertEquals(read.value.byteLength, read.value.buffer.byteLength);
    }
  }
  assertKept(new Uint8Array([1, 2, 3, 4, 5]).buffer);
  const shared = new Uint16Array(views.buffer as SharedArrayBuffer, 2, 3);
  assertEquals(roundTrip(shared.subarray(1)), new Uint16Array(shared.subarray(1)));
});

Deno.test("Dates, maps, sets and nested structures arrive as they were", () => {
  for (const time of [0, 1, -1, 1e12 + 1, -1e12 - 1, 8.64e15, -8.64e15]) {
    assertKept(new Date(time));
  }
  assert(Number.isNaN((roundTrip(new Date(NaN)) as Date).getTime()));
  assertKept(
    new Map<unknown, unknown>([["a", 1], [{ b: 2 }, [undefined, -0]], [3n, new Set([1])]]),
  );
  assertKept(new Set([new Set(), new Map(), "x"]));
  assertKept({ a: { b: [{ c: undefined }] }, "odd key": [[], {}], 7: null });
  assertKept(Array.from({ length: 70_000 }, (_, i) => i));
  assertKept(Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`key ${i}`, i])));
  assertEquals(roundTrip(Object.assign(Object.create(null), { a: 1 })), { a: 1 });
  // deno-lint-ignore no-sparse-arrays -- what becomes of a hole is the point
  assert(isDeepStrictEqual(roundTrip([1, , 3]), [1, undefined, 3]));
});

Deno.test("Errors keep class, name, message, stack and cause", () => {
  class Odd extends RangeError {
    override name = "Odd";
  }
  const errors = [new Error("a"), new TypeError("b", { cause: new Error("c") }), new Odd("d")];
  for (const error of errors) {
    const read = roundTrip(error) as Error;
    assert(read instanceof Error);
    assertEquals([read.name, read.message, read.stack], [error.name, error.message, error.stack]);
    assertEquals((read.cause as Error)?.message, (error.cause as Error)?.message);
    assertEquals(Object.keys(read), []);
  }
  assert(roundTrip(errors[1]) instanceof TypeError);
  assertEquals((roundTrip(new Error("x", { cause: "text" })) as Error).cause, "text");
  assertEquals("cause" in (roundTrip(new Error("x", { cause: () => 1 })) as Error), false);
});

Deno.test("What cannot be sent is refused with its path", () => {
  class Foo {}
  const refused: [unknown, string][] = [
    [{ callback() {} }, 'Cannot send a function at "self.callback"'],
    [{ a: [0, { "b c": Symbol("x") }] }, 'Cannot send a symbol at "self.a[1]["b c"]"'],
    [new Foo(), 'Cannot send an instance of Foo at "self"'],
    [new Map([["k", [Promise.resolve()]]]), 'an instance of Promise at "self.get("k")[0]"'],
    [{ s: new Set([1, /x/]) }, 'an instance of RegExp at "self.s[1]"'],
    [[new DataView(new ArrayBuffer(1))], 'an instance of DataView at "self[0]"'],
    [{ m: new SharedArrayBuffer(1) }, 'an instance of SharedArrayBuffer at "self.m"'],
    [{ a: class {} }, 'Cannot send a function at "self.a"'],
    [JSON.parse('{"__proto__": 1}'), 'a property of this name at "self.__proto__"'],
    [{ ["\ud800".repeat(60)]: 1 }, "a property of this name"],
  ];
  for (const [value, text] of refused) assertThrows(() => codec.size(value), TypeError, text);
  assertThrows(() => new MsgpackCodec("result").size([() => 1]), TypeError, 'at "result[0]"');
});

Deno.test("Cyclic structures are refused with both ends of the cycle", () => {
  const cycle: Record<string, unknown> = { list: [1] };
  (cycle.list as unknown[]).push({ back: cycle });
  assertThrows(
    () => codec.size({ cycle }),
    TypeError,
    'Cannot send a cyclic structure: "self.cycle.list[1].back" is "self.cycle" again',
  );
  const map = new Map<string, unknown>();
  map.set("me", map);
  assertThrows(() => codec.size(map), TypeError, '"self.get("me")" is "self" again');
  const error = new Error("x");
  error.cause = error;
  assertThrows(() => codec.size(error), TypeError, '"self.cause" is "self" again');
  let deep: unknown = 1;
  for (let i = 0; i < 250; i++) deep = i % 2 === 0 ? [deep] : new Set([deep]);
  assertKept(deep);
  for (let i = 0; i < 10; i++) deep = [deep];
  assertThrows(() => codec.size(deep), RangeError, "nested more than 256 levels");
  const twice = { a: 1 };
  assertKept([twice, twice]);
});

class Handle {
  constructor(readonly id: number, readonly of: unknown = undefined) {}
}

Deno.test("Registered extensions carry objects of a class, with the context", () => {
  const inner = new MsgpackCodec();
  registerExtension({
    type: 100,
    match: (value) => value instanceof Handle,
    // Encodes by the same codec, as a closure does with what it captures.
    encode: (value) => codec.encode([(value as Handle).id, (value as Handle).of]),
    decode(bytes, context) {
      const [id, of] = inner.decode(bytes) as [number, unknown];
      return new Handle(id + (context as number), of);
    },
  });
  const value = { a: new Handle(1), b: [new Handle(2, new Map([[1, "x".repeat(3000)]])), "text"] };
  const read = roundTrip(value, 10) as typeof value;
  assert(isDeepStrictEqual(read, {
    a: new Handle(11),
    b: [new Handle(12, new Map([[1, "x".repeat(3000)]])), "text"],
  }));
  const again = { type: 100, match: () => false, encode: () => new Uint8Array(), decode: () => 1 };
  assertThrows(() => registerExtension(again), TypeError, "taken");
  for (const type of [-1, 31, 128, 32.5]) {
    assertThrows(() => registerExtension({ ...again, type }), RangeError);
  }
});

Deno.test("A value is encoded once for size() and the write that follows", () => {
  let encodings = 0;
  class Counted {}
  registerExtension({
    type: 101,
    match: (value) => value instanceof Counted,
    encode() {
      encodings += 1;
      return new Uint8Array([1]);
    },
    decode: (bytes) => bytes[0],
  });
  const value = { counted: new Counted() };
  const size = codec.size(value);
  codec.write(value, views, 0, size);
  assertEquals(encodings, 1);
  codec.write(value, views, 800, size);
  assertEquals(encodings, 2);
  assertEquals(codec.read(views, 800, size), { counted: 1 });
  assertEquals(codec.write("other", views, 0, 6), 6);
  assertEquals(codec.read(views, 0, 6), "other");
});

Deno.test("The codec works on after an error and after a large value", () => {
  const large = "x".repeat(3 << 20);
  assertEquals(codec.decode(codec.encode(large).slice()), large);
  assertThrows(() => codec.size([1, { a: () => 1 }]), TypeError);
  assertThrows(() => codec.decode(new Uint8Array([0x92, 1])), ProtocolError);
  assertKept([1, { a: 2 }]);
});

Deno.test("Malformed messages are refused", () => {
  const messages: Record<string, number[]> = {
    "nothing": [],
    "cut off": [0x92, 1],
    "left over": [1, 2],
    "an absurd array": [0xdd, 0xff, 0xff, 0xff, 0xff, 1],
    "an absurd map": [0xdf, 0x7f, 0xff, 0xff, 0xff, 1],
    "nested absurd arrays": Array.from({ length: 200 }, () => [0xdd, 0, 0, 1, 0]).flat(),
    "an absurd string": [0xdb, 0xff, 0xff, 0xff, 0xff, 1],
    "an absurd extension": [0xc9, 0xff, 0xff, 0xff, 0xff, 1],
    "a type not in use": [0xc1],
    "binary": [0xc4, 1, 1],
    "an extension nobody registered": [0xd4, 50, 1],
    "half an element": [0xd5, 8, 1, 1],
    "a BigInt with wrong digits": [0xc7, 9, 19, 0, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78, 0x78],
    "a BigInt without bytes": [0xc7, 0, 19],
    "a map with half an entry": [0xd5, 20, 0x91, 1],
    "a map that is no list": [0xd4, 20, 1],
    "an absurd array in a set": [0xc7, 5, 21, 0xdd, 0xff, 0xff, 0xff, 0xff],
    "an error of one part": [0xd5, 22, 0x91, 1],
    "a timestamp of 3 bytes": [0xc7, 3, 0xff, 1, 1, 1],
    "a key that is an array": [0x81, 0x90, 1],
    "a key __proto__": [0x81, 0xa9, ...new TextEncoder().encode("__proto__"), 1],
  };
  for (const [name, bytes] of Object.entries(messages)) {
    const error = assertThrows(() => codec.decode(new Uint8Array(bytes)), Error, "", name);
    assert(error instanceof ProtocolError, `${name}: ${error}`);
  }
  let nested = new Uint8Array([0x90]);
  for (let i = 0; i < 1000; i++) {
    const { length } = nested;
    const head = length < 256 ? [0xc7, length] : [0xc8, length >> 8, length & 255];
    nested = new Uint8Array([0x91, ...head, 21, ...nested]);
  }
  assertThrows(() => codec.decode(nested), ProtocolError, "levels deep");
  assertThrows(() => codec.read(views, (1 << 20) - 8, 16), ProtocolError, "Cannot read 16 bytes");
});

function randomValue(random: () => number, depth: number): unknown {
  const int = (n: number) => Math.floor(random() * n);
  const list = <T>(make: () => T) => Array.from({ length: int(6) }, make);
  const inner = () => randomValue(random, depth - 1);
  const text = () => String.fromCharCode(...list(() => int(65536))).repeat(int(40));
  const makers: (() => unknown)[] = [
    () => int(2) === 0 ? undefined : null,
    () => [0, -0, NaN, int(300), -int(2 ** 31), random() * 2 ** 60, random()][int(7)],
    () => (BigInt(int(2 ** 32)) << BigInt(int(100))) * (random() < 0.5 ? 1n : -1n),
    text,
    () => random() < 0.5,
    () => new TYPED_ARRAYS[int(TYPED_ARRAYS.length)]!(int(20)),
    () => new Date(int(2 ** 32) * 1000 - 2 ** 41),
  ];
  if (depth === 0) return makers[int(makers.length)]!();
  makers.push(
    () => list(inner),
    () => Object.fromEntries(list(() => [text().slice(0, 20), inner()])),
    () => new Map(list(() => [inner(), inner()])),
    () => new Set(list(inner)),
    () => new TypeError(text(), { cause: text() }),
  );
  return makers[int(makers.length)]!();
}

Deno.test("Random values arrive as they were", () => {
  const seed = Date.now() >>> 0;
  const random = generator(seed);
  for (let i = 0; i < 3000; i++) assertKept(randomValue(random, 3), `seed ${seed}: `);
});

Deno.test("Mutated messages give a ProtocolError or a value that can be sent again", () => {
  const seed = Date.now() >>> 0;
  const random = generator(seed);
  let refused = 0;
  for (let round = 0; round < 1000; round++) {
    const message = codec.encode(randomValue(random, 3)).slice();
    for (let i = 0; i < 20; i++) {
      const mutant = message.slice(0, random() < 0.3 ? random() * message.length : message.length);
      for (let k = Math.floor(random() * 4); k > 0; k--) {
        const within = random() < 0.5 ? 16 : mutant.length;
        mutant[Math.floor(random() * within)] = 0xc0 * Number(random() < 0.3) + random() * 64;
      }
      try {
        codec.encode(codec.decode(mutant));
      } catch (error) {
        refused += 1;
        assert(error instanceof ProtocolError, `seed ${seed}: ${error} for ${mutant}`);
      }
    }
  }
  assert(refused > 1000, `seed ${seed}: only ${refused} of 20000 mutations were refused`);
});
