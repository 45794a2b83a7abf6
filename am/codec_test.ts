import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../internal/errors.ts";
import { memoryViews } from "../internal/memory_views.ts";
import { EncodedCodec, PAYLOAD_BYTES_MAX } from "./codec.ts";

/** One byte a value, and a count of the encodings. */
class ByteCodec extends EncodedCodec<number> {
  override readonly layout: string = "byte";
  encodings = 0;

  override encode(value: number): Uint8Array {
    this.encodings += 1;
    if (value < 0) throw new RangeError("negative");
    return new Uint8Array([value]);
  }

  override decode(bytes: Uint8Array): number {
    return bytes[0]!;
  }
}

const views = memoryViews(new SharedArrayBuffer(64));

Deno.test("EncodedCodec encodes once for size() and write(), and keeps nothing then", () => {
  const codec = new ByteCodec();
  assertEquals(codec.size(7), 1);
  assertEquals([codec.write(7, views, 0, 1), codec.encodings], [1, 1]);
  assertEquals([codec.write(7, views, 8, 1), codec.encodings], [1, 2]);
  assertEquals([codec.read(views, 0, 1), codec.read(views, 8, 1)], [7, 7]);
});

Deno.test("EncodedCodec never writes the bytes of another value", () => {
  const codec = new ByteCodec();
  codec.size(7);
  codec.write(8, views, 0, 1);
  assertEquals(codec.read(views, 0, 1), 8);
  assertThrows(() => codec.size(-1), RangeError);
  codec.write(8, views, 8, 1);
  assertEquals([codec.read(views, 8, 1), codec.encodings], [8, 4]);
});

Deno.test("EncodedCodec refuses too large payloads and reads that leave the memory", () => {
  class Large extends ByteCodec {
    override encode(): Uint8Array {
      return { length: PAYLOAD_BYTES_MAX + 1 } as Uint8Array;
    }
  }
  assertThrows(() => new Large().size(1), RangeError, "the limit is 2147483647 bytes");
  for (const [at, bytes] of [[60, 5], [-8, 4], [0, -1], [0, NaN]] as const) {
    assertThrows(() => new ByteCodec().read(views, at, bytes), ProtocolError);
  }
});
