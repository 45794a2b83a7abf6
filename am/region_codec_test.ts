import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { ProtocolError } from "../internal/errors.ts";
import { memoryViews } from "../internal/memory_views.ts";
import { type OneSidedMemoryRegion, SharedMemoryRegion } from "../memregion/mod.ts";
import { Pes } from "../memregion/pes_test.ts";
import { MsgpackCodec, prepareMsgpack } from "./msgpack/msgpack_codec.ts";
import { oneSided, region } from "./region_codec.ts";
import { array, optional, u8 } from "./schema/schema.ts";
import { schemaCodec } from "./schema/schema_codec.ts";

await prepareMsgpack();
const views = memoryViews(new SharedArrayBuffer(4096));

Deno.test("Regions travel in schemas, as what they are on the PE that reads", () => {
  using pes = new Pes(2);
  const [here, there] = pes.allocShared("f64", 8);
  const own = pes.all[0]!.regions.allocOneSided("u8", 4);
  const codec = schemaCodec({
    byte: u8,
    all: region("f64"),
    own: oneSided("u8"),
    parts: array(region("f64")),
    more: optional(oneSided("u8")),
  });
  const value = { byte: 1, all: here!, own, parts: [here!.subRegion(2, 4)], more: undefined };
  const bytes = codec.size(value);
  assertEquals(codec.write(value, views, 8, bytes), bytes);
  const read = codec.read(views, 8, bytes, { regions: pes.all[1]!.regions });
  assertInstanceOf(read.all, SharedMemoryRegion);
  const all: SharedMemoryRegion<"f64"> = read.all;
  const handle: OneSidedMemoryRegion<"u8"> = read.own;
  assert(all.equals(there));
  handle.put(1, 7);
  read.parts[0]!.put(0, 0, 0.5);
  assertEquals([own.at(1), here!.at(2), handle.owner, read.more], [7, 0.5, 0, undefined]);
});

Deno.test("A schema refuses regions of another kind or element type, on both sides", () => {
  using pes = new Pes(1);
  const [shared] = pes.allocShared("f64", 8);
  const own = pes.all[0]!.regions.allocOneSided("u64", 1);
  const write = (like: Parameters<typeof schemaCodec>[0], value: unknown): number => {
    const codec = schemaCodec({ it: like });
    const bytes = codec.size({ it: value } as never);
    return codec.write({ it: value } as never, views, 8, bytes);
  };
  assertThrows(() => write(region("f32"), shared), TypeError, 'Field "it" must be');
  assertThrows(() => write(oneSided("f64"), shared), TypeError, 'Field "it" must be');
  assertThrows(() => write(region("u64"), own), TypeError, 'Field "it" must be');
  const bytes = write(oneSided("u64"), own);
  const codec = schemaCodec({ it: oneSided("i64") });
  const context = { regions: pes.all[0]!.regions };
  assertThrows(
    () => codec.read(views, 8, bytes, context),
    ProtocolError,
    "oneSided<i64> holds a region of u64",
  );
});

Deno.test("Regions travel inside MessagePack payloads", () => {
  using pes = new Pes(2);
  const [here, there] = pes.allocShared("u32", 8);
  const own = pes.all[0]!.regions.allocOneSided("bigi64", 4);
  const codec = new MsgpackCodec();
  const value = { list: [here!, { deep: new Map([["own", own]]) }], part: own.subRegion(1, 2) };
  const bytes = codec.size(value);
  codec.write(value, views, 16, bytes);
  const context = { regions: pes.all[1]!.regions };
  const read = codec.read(views, 16, bytes, context) as typeof value;
  assert(there!.equals(read.list[0]));
  read.part.put(0, -3n);
  const { deep } = read.list[1] as { deep: Map<string, OneSidedMemoryRegion<"bigi64">> };
  assertEquals(deep.get("own")!.at(1), -3n);
});

Deno.test("A MessagePack payload with a region cut short is refused", () => {
  using pes = new Pes(1);
  const [shared] = pes.allocShared("u8", 1);
  const codec = new MsgpackCodec();
  const bytes = codec.encode(shared).slice();
  const context = { regions: pes.all[0]!.regions };
  assert(shared!.equals(codec.decode(bytes, context)));
  const short = new Uint8Array([0xd8, bytes[2]!, ...bytes.slice(3, 19)]);
  assertThrows(() => codec.decode(short, context), ProtocolError, "16 bytes are not a region");
});
