import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../internal/errors.ts";
import { memoryViews } from "../../internal/memory_views.ts";
import { StdMsgpackCodec } from "./std_msgpack_codec.ts";

Deno.test("StdMsgpackCodec carries what @std/msgpack knows through shared memory", () => {
  const codec = new StdMsgpackCodec();
  const views = memoryViews(new SharedArrayBuffer(1024));
  const value = {
    none: null,
    yes: true,
    numbers: [0, -1, 1.5, 2 ** 40, NaN],
    big: -(2n ** 63n),
    text: "grüße",
    bytes: new Uint8Array([1, 2, 3]),
  };
  const size = codec.size(value);
  assertEquals(codec.write(value, views, 16, size), size);
  const read = codec.read(views, 16, size) as typeof value;
  assertEquals(read, value);
  views.u8.fill(0);
  assertEquals(read.bytes, new Uint8Array([1, 2, 3]));
});

Deno.test("StdMsgpackCodec refuses what @std/msgpack cannot carry", () => {
  const codec = new StdMsgpackCodec();
  for (const value of [undefined, new Map(), new Date(), () => 1]) {
    assertThrows(() => codec.size(value as never), TypeError, "Cannot send a value");
  }
});

Deno.test("StdMsgpackCodec answers wrong bytes with a ProtocolError", () => {
  const codec = new StdMsgpackCodec();
  for (const bytes of [[], [0x92, 1], [0xdd, 0xff, 0xff, 0xff, 0xff], [1, 2], [0xd4, 1, 1]]) {
    assertThrows(() => codec.decode(new Uint8Array(bytes)), ProtocolError);
  }
});
