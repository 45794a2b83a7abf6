import { assertEquals, assertThrows } from "@std/assert";
import { bitNames, ipText } from "./fabric_info.ts";
import { baseAddress, cString, pointerOf, textAt, viewAt, wordAt } from "./native.ts";

Deno.test("addresses of views and buffers count from the same base, shared or not", () => {
  for (const buffer of [new ArrayBuffer(64), new SharedArrayBuffer(64)]) {
    const base = baseAddress(buffer);
    assertEquals(pointerOf(new Uint8Array(buffer as ArrayBuffer, 24)), base + 24n);
    new DataView(buffer).setBigUint64(8, 77n, true);
    assertEquals(wordAt(base + 8n), 77n);
    viewAt(base, 64).setUint8(63, 9);
    assertEquals(new Uint8Array(buffer)[63], 9);
  }
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
  const before = baseAddress(memory.buffer);
  memory.grow(2);
  assertEquals(baseAddress(memory.buffer), before);
});

Deno.test("what has no address is refused", () => {
  assertThrows(() => baseAddress(new ArrayBuffer(0)), RangeError, "view of 0 bytes");
  assertThrows(() => pointerOf(new Uint8Array(8).subarray(8)), RangeError, "view of 0 bytes");
  assertThrows(() => wordAt(0n), TypeError, "at address 0");
  assertThrows(() => viewAt(0n, 8), TypeError, "at address 0");
});

Deno.test("texts go to C and back", () => {
  const text = cString("tcp;ofi_rxm é");
  assertEquals(text.at(-1), 0);
  assertEquals(textAt(pointerOf(text)), "tcp;ofi_rxm é");
  assertEquals(textAt(0n), "");
});

Deno.test("ipText() reads addresses of both families and nothing else", () => {
  const four = new DataView(new ArrayBuffer(16));
  four.setUint16(0, 2, true);
  [10, 1, 2, 3].forEach((byte, index) => four.setUint8(4 + index, byte));
  assertEquals(ipText(four), "10.1.2.3");
  const six = new DataView(new ArrayBuffer(28));
  six.setUint16(0, 10, true);
  six.setUint16(8, 0xfe80);
  six.setUint16(22, 0x1f);
  assertEquals(ipText(six), "fe80:0:0:0:0:0:0:1f");
  assertEquals(ipText(new DataView(six.buffer, 0, 16)), "");
  assertEquals(ipText(new DataView(new ArrayBuffer(16))), "");
});

Deno.test("bitNames() names the bits that are set and shows the rest", () => {
  assertEquals(bitNames(5n, { one: 1, two: 2, four: 4n }), ["one", "four"]);
  assertEquals(bitNames(25n, { one: 1 }), ["one", "0x18"]);
  assertEquals(bitNames(0n, { one: 1 }), []);
});
