/** Payloads that are not the same at a second look: getters, Proxies and buffers that change. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { RemoteError } from "../internal/errors.ts";
import { memoryViews } from "../internal/memory_views.ts";
import type { Codec } from "./codec.ts";
import { MsgpackCodec } from "./msgpack/msgpack_codec.ts";
import { enginePes, type TestAm } from "./pes_test.ts";
import * as s from "./schema/schema.ts";
import { schemaCodec } from "./schema/schema_codec.ts";

/** A property that gives one value at the first look and another one at each look after it. */
function changing(first: unknown, then: unknown): { readonly it: unknown } {
  let looks = 0;
  return {
    get it() {
      return looks++ === 0 ? first : then;
    },
  };
}

/** A buffer that changes when another field is looked at for the second time. */
function beside(bytes: number, change: (buffer: ArrayBuffer) => void): Record<string, unknown> {
  const buffer = new ArrayBuffer(bytes, { maxByteLength: 4096 });
  let looks = 0;
  return {
    get before() {
      if (looks++ === 1) change(buffer);
      return "";
    },
    it: new Uint8Array(buffer),
  };
}

/** An array whose length is told differently from look to look. */
function listOf(...lengths: unknown[]): unknown {
  const target: number[] = Array(4).fill(7);
  return new Proxy(target, {
    get: (list, key) =>
      key === "length" ? lengths.length > 1 ? lengths.shift() : lengths[0] : Reflect.get(list, key),
  });
}

class Boastful extends Float64Array {
  override get length(): number {
    return 1;
  }
}

const long = "x".repeat(700);
const wide = "é\ud800".repeat(100);
const record = { name: "", data: new Uint8Array(0) };

/** What a schema describes, and values that need more room when they are written. */
const GROWING: Record<string, { like: s.SchemaLike; make: () => unknown }> = {
  "a list of numbers": { like: s.array(s.u16), make: () => changing([1], Array(300).fill(1)) },
  "a list of one more": { like: s.array(s.f64), make: () => changing([1], [1, 2]) },
  "a list of strings": { like: s.array(s.str), make: () => changing(["a"], ["a", long]) },
  "a list of records": {
    like: s.array({ name: s.str, data: s.bytes }),
    make: () => changing([record], Array(40).fill(record)),
  },
  "a field of a record": {
    like: s.array({ it: s.bytes }),
    make: () => ({ it: [changing(new Uint8Array(1), new Uint8Array(500))] }),
  },
  "a list in a list": { like: s.array(s.array(s.u8)), make: () => changing([[1]], [[1], [1, 2]]) },
  "an optional": { like: s.optional(s.str), make: () => changing(undefined, "x") },
  "a tuple": { like: s.tuple(s.u8, s.str), make: () => changing([1, "x"], [1, long]) },
  "a short text": { like: s.str, make: () => changing("ab", "abc") },
  "a long text": { like: s.str, make: () => changing("x".repeat(50), long) },
  "a text of as many units": { like: s.str, make: () => changing("xyz", "xéz") },
  "a long text of as many units": {
    like: s.str,
    make: () => changing("x".repeat(60), "x".repeat(59) + "€"),
  },
  "a text of pairs": { like: s.str, make: () => changing("abcd", "ab😀😀") },
  "a text with lone surrogates": { like: s.str, make: () => changing("x".repeat(200), wide) },
  "a typed array": { like: s.bytes, make: () => changing(new Uint8Array(3), new Uint8Array(4)) },
  "a long typed array": {
    like: s.f64Array,
    make: () => changing(new Float64Array(20), new Float64Array(90)),
  },
  "a typed array of BigInts": {
    like: s.bigu64Array,
    make: () => changing(new BigUint64Array(1), new BigUint64Array(2)),
  },
  "a buffer that grows": {
    like: s.bytes,
    make: () => beside(10, (buffer) => buffer.resize(1000)),
  },
  "a Proxy of a list": { like: s.array(s.u8), make: () => ({ it: listOf(1, 4) }) },
};

/** Values that need less room, or none that can be told. */
const OTHERS: Record<string, { like: s.SchemaLike; make: () => unknown }> = {
  "a list that shrinks": { like: s.array(s.u8), make: () => changing([1, 2], [1]) },
  "a text that shrinks": { like: s.str, make: () => changing(long, "") },
  "a buffer that shrinks": { like: s.bytes, make: () => beside(900, (buffer) => buffer.resize(9)) },
  "a buffer that is gone": {
    like: s.bytes,
    make: () => beside(900, (buffer) => void buffer.transfer()),
  },
  "a Proxy without a length": { like: s.array(s.u8), make: () => ({ it: listOf(NaN, 4) }) },
};

/** Fields that come before what changes are looked at before it. */
function schemaOf(like: s.SchemaLike): s.SchemaFields {
  return { before: s.optional(s.str), it: like };
}

const GUARD = 0xa5;

for (const [name, { like, make }] of Object.entries({ ...GROWING, ...OTHERS })) {
  Deno.test(`A codec writes nothing behind the room of ${name}`, () => {
    const codec = schemaCodec(schemaOf(like)) as Codec<unknown>;
    const views = memoryViews(new SharedArrayBuffer(8192));
    const value = make();
    const room = codec.size(value);
    views.u8.fill(GUARD);
    if (name in GROWING) {
      assertThrows(() => codec.write(value, views, 64, room), TypeError, "it changed while");
    } else {
      let written = -1;
      try {
        written = codec.write(value, views, 64, room);
      } catch (error) {
        assert(error instanceof TypeError, String(error));
      }
      assert(written !== room);
    }
    assert(views.u8.subarray(0, 64).every((byte) => byte === GUARD), "written in front");
    assert(views.u8.subarray(64 + room).every((byte) => byte === GUARD), "written behind");
  });

  Deno.test(`${name} that changes is refused wherever it goes, and leaves all others whole`, () => {
    const answer = { ...schemaOf(like) };
    const ams: Record<string, TestAm> = {
      Take: { schema: answer, handler: () => "taken" },
      Give: { schema: {}, returns: answer, handler: () => make() },
      GiveAm: { schema: {}, handler: () => pes.call("Take", make()) },
      Echo: { schema: { data: s.bytes }, returns: s.bytes, handler: (self) => self.data },
    };
    const pes = enginePes(ams, { ringBytes: 16_384 });
    const [a] = pes.engines;
    for (const pe of [0, 1]) {
      const launches = [
        () => a!.launch(pe, pes.call("Take", make())),
        () => a!.launchAll([pe], pes.call("Take", make()))[0]!,
        () => a!.launch(pe, pes.call("Give")),
        () => a!.launch(pe, pes.call("GiveAm")),
      ];
      for (const [way, launch] of launches.entries()) {
        const data = Uint8Array.from({ length: 200 }, (_, i) => i * 7 + way);
        const before = a!.launch(pe, pes.call("Echo", { data }));
        if (way < 2) assertThrows(launch, TypeError);
        else assertThrows(() => launch().block(), RemoteError);
        const after = a!.launch(pe, pes.call("Echo", { data }));
        assertEquals([before.block(), after.block()], [data, data], `way ${way}, PE ${pe}`);
      }
    }
    assertEquals(pes.engines.map((engine) => engine.outstanding), [0, 0]);
    pes.network.close();
  });
}

Deno.test("A typed array is as long as it is, whatever its class says", () => {
  const codec = schemaCodec({ it: s.f64Array });
  const views = memoryViews(new SharedArrayBuffer(1024));
  const it = new Boastful([1, 2, 3]);
  const bytes = codec.size({ it });
  assertEquals(codec.write({ it }, views, 0, bytes), bytes);
  assertEquals([...codec.read(views, 0, bytes).it], [1, 2, 3]);
});

Deno.test("A typed array without memory is refused, not taken for an empty one", () => {
  const codec = schemaCodec({ rows: s.array({ it: s.u16Array }) });
  const it = new Uint16Array(4);
  it.buffer.transfer();
  const value = { rows: [{ it: new Uint16Array(0) }, { it }] };
  const views = memoryViews(new SharedArrayBuffer(1024));
  assertThrows(
    () => codec.write(value, views, 0, codec.size(value)),
    TypeError,
    'Field "rows[1].it" must be a Uint16Array, got one whose buffer was transferred or shrunk',
  );
  const msgpack = new MsgpackCodec();
  const text = 'Cannot send the Uint16Array whose buffer was transferred or shrunk at "self[0].it"';
  assertThrows(() => msgpack.size([{ it }]), TypeError, text);
  assertThrows(() => msgpack.size({ it: it.buffer }), TypeError, "the ArrayBuffer whose buffer");
});

Deno.test("MessagePack looks at everything once", () => {
  const codec = new MsgpackCodec();
  const views = memoryViews(new SharedArrayBuffer(8192));
  const travel = (value: unknown): unknown => {
    const bytes = codec.size(value);
    views.u8.fill(GUARD);
    assertEquals(codec.write(value, views, 64, bytes), bytes);
    assertEquals([views.u8[63], views.u8[64 + bytes]], [GUARD, GUARD]);
    return codec.read(views, 64, bytes);
  };
  // What the second look gives could not be sent, or not be read.
  const second = [Array(900).fill(1), long, () => 1, new Uint8Array(9), undefined, -0, wide, 5n];
  for (const then of second) {
    for (const first of [[1], "a", 7, null, { b: 1 }]) {
      assertEquals(travel(changing(first, then)), { it: first });
      assertEquals(travel([changing(first, then), new Map([[1, changing(first, then)]])]), [
        { it: first },
        new Map([[1, { it: first }]]),
      ]);
    }
  }
  // A getter that changes what was looked at before it.
  const list = [1, 2, 3];
  const meddling = [list, {
    get after() {
      list.push((() => 1) as never);
      return 1;
    },
  }];
  assertEquals(travel(meddling), [[1, 2, 3], { after: 1 }]);
});

Deno.test("MessagePack refuses arrays whose buffers change before they are copied", () => {
  const codec = new MsgpackCodec();
  const views = memoryViews(new SharedArrayBuffer(8192));
  const makers = [
    (buffer: ArrayBuffer) => buffer,
    (buffer: ArrayBuffer) => new Uint16Array(buffer),
  ];
  const changes: Record<string, (buffer: ArrayBuffer) => void> = {
    grow: (buffer) => buffer.resize(1000),
    shrink: (buffer) => buffer.resize(3),
    go: (buffer) => void buffer.transfer(),
  };
  for (const [name, change] of Object.entries(changes)) {
    for (const make of makers) {
      const buffer = new ArrayBuffer(8, { maxByteLength: 4096 });
      const value = [make(buffer), {
        get after() {
          change(buffer);
          return 1;
        },
      }];
      if (name === "grow") {
        const size = codec.size(value);
        codec.write(value, views, 0, size);
        const [array] = codec.read(views, 0, size) as [ArrayBuffer | Uint16Array];
        assertEquals(array.byteLength, 8);
      } else assertThrows(() => codec.size(value), TypeError, "it changed while it was encoded");
    }
  }
});

Deno.test("A codec of a program writes no other value behind the room of the first", () => {
  const codec = new MsgpackCodec();
  const views = memoryViews(new SharedArrayBuffer(1024));
  const room = codec.size("a");
  views.u8.fill(GUARD);
  assertThrows(() => codec.write("much longer", views, 0, room), TypeError, "it changed while");
  assert(views.u8.every((byte) => byte === GUARD));
});
