import { assertEquals } from "@std/assert";
import { GrowingBytes } from "./growing_bytes.ts";

Deno.test("GrowingBytes gives back what was added, once", () => {
  const bytes = new GrowingBytes();
  const expected: number[] = [];
  for (let i = 0; i < 500; i++) {
    const piece = Uint8Array.from({ length: i % 7 }, (_, j) => i + j);
    bytes.append(piece);
    expected.push(...piece);
    piece.fill(0);
  }
  assertEquals(bytes.length, expected.length);
  assertEquals([...bytes.take()], expected);
  assertEquals([bytes.length, bytes.take().length], [0, 0]);
  bytes.append(Uint8Array.of(5));
  assertEquals([...bytes.take()], [5]);
});
