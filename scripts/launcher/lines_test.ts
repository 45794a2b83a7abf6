import { assertEquals, assertRejects } from "@std/assert";
import { LineSplitter, readLines } from "./lines.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && new TextDecoder().decode(bytes);

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = encode(text);
  // One buffer for all, as a reader may use.
  const buffer = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    buffer.set(piece);
    yield await Promise.resolve(buffer.subarray(0, piece.length));
  }
}

Deno.test("LineSplitter gives whole lines and keeps the rest", () => {
  const splitter = new LineSplitter(100);
  assertEquals(decode(splitter.push(encode("a"))), undefined);
  assertEquals(decode(splitter.push(encode("b\nc\nd"))), "ab\nc\n");
  assertEquals(splitter.waiting, 1);
  assertEquals(decode(splitter.push(encode("\n"))), "d\n");
  assertEquals(splitter.take(), undefined);
});

Deno.test("LineSplitter gives a line that is too long in pieces", () => {
  const splitter = new LineSplitter(4);
  assertEquals(decode(splitter.push(encode("abcd"))), undefined);
  assertEquals(decode(splitter.push(encode("e"))), "abcde");
  assertEquals(decode(splitter.push(encode("f\n"))), "f\n");
});

Deno.test("readLines() gives the same lines however the bytes are cut", async () => {
  const text = "one\n\nzwölf €\nlast\ncut off";
  for (const size of [1, 2, 3, 7, 100]) {
    const lines = await Array.fromAsync(readLines(pieces(text, size), 20));
    assertEquals(lines, ["one", "", "zwölf €", "last"]);
  }
});

Deno.test("readLines() does not fill the memory with a line that never ends", async () => {
  await assertRejects(
    () => Array.fromAsync(readLines(pieces("x".repeat(1000), 10), 100)),
    RangeError,
    "Cannot read a line of more than 100 bytes",
  );
});
