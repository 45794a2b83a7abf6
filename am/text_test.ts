import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../internal/errors.ts";
import { readText, textBytes, writeText } from "./text.ts";

const memory = new Uint8Array(new SharedArrayBuffer(200_000));

function roundTrip(text: string): number {
  const bytes = textBytes(text);
  memory.fill(0xee, 0, bytes + 16);
  assertEquals(writeText(text, memory, 8, 8 + bytes), bytes);
  assertEquals(memory[7], 0xee);
  assertEquals(memory[8 + bytes], 0xee);
  assertEquals(readText(memory, 8, bytes), text);
  return bytes;
}

Deno.test("Text keeps every kind of string, short and long", () => {
  const samples = [
    "",
    "a",
    "é",
    "€",
    "😀",
    "\0",
    "\ufeff",
    "\ud800",
    "\udc00",
    "\udc00\ud800",
    "a\ud83d",
  ];
  for (const sample of samples) {
    for (const times of [1, 5, 39, 40, 41, 299, 300, 301, 9000]) {
      roundTrip(sample.repeat(times));
      roundTrip(`${sample.repeat(times)}x`);
      roundTrip(`x${sample.repeat(times)}`);
    }
  }
});

Deno.test("Text is UTF-8 where a string is well-formed", () => {
  for (const text of ["grüße 😀", "grüße 😀 ".repeat(50)]) {
    const bytes = textBytes(text);
    writeText(text, memory, 0, bytes);
    assertEquals(memory.slice(0, bytes), new TextEncoder().encode(text));
  }
});

Deno.test("Text keeps every code unit", () => {
  let text = "";
  for (let unit = 0; unit <= 0xffff; unit++) text += String.fromCharCode(unit);
  for (let i = 0; i < text.length; i += 100) roundTrip(text.slice(i, i + 100));
});

Deno.test("readText() refuses bytes that are not UTF-8", () => {
  const wrong = [[0x80], [0xc0, 0x80], [0xc3], [0xe2, 0x82], [0xe0, 0x80, 0x80], [
    0xf0,
    0x9f,
    0x98,
  ]];
  wrong.push([0xf5, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf0, 0x80, 0x80, 0x80], [0xff]);
  for (const bytes of wrong) {
    for (const padding of [0, 400]) {
      memory.fill(0x61, 0, padding);
      memory.set(bytes, padding);
      const error = assertThrows(() => readText(memory, 0, padding + bytes.length), ProtocolError);
      assertEquals((error as Error).message.startsWith("Cannot read a string: byte "), true);
    }
  }
});
