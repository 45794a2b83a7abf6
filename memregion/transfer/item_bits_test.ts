import { assertEquals } from "@std/assert";
import { MEMORY_TYPES, type TypedArrayLike } from "../../internal/elements.ts";
import { equalTurns, gatherItems, scatterItems, writeTurns } from "./item_bits.ts";

for (const { type, arrayClass, bytes } of MEMORY_TYPES) {
  Deno.test(`Items of ${type} are gathered and scattered with all their bits`, () => {
    const buffer = new SharedArrayBuffer(bytes * 21);
    const all = new Uint8Array(buffer);
    all.forEach((_, i) => all[i] = i * 41);
    // What may be a NaN with bits that no constant has.
    all.fill(0xff, bytes * 3, bytes * 5);
    const from = new arrayClass(buffer, bytes, 20) as TypedArrayLike<unknown>;
    const items = Uint32Array.of(19, 2, 3, 2, 0, 7);
    const bitsAt = (array: TypedArrayLike<unknown>, item: number): number[] => {
      const at = array.byteOffset + item * bytes;
      return [...new Uint8Array(array.buffer).slice(at, at + bytes)];
    };
    const out = new arrayClass(items.length) as TypedArrayLike<unknown>;
    gatherItems(out, from, items, bytes);
    items.forEach((item, i) => assertEquals(bitsAt(out, i), bitsAt(from, item)));
    const into = new arrayClass(21) as TypedArrayLike<unknown>;
    scatterItems(into.subarray(1, 21), items, out, bytes);
    for (let item = 0; item < 20; item++) {
      const expected = items.includes(item) ? bitsAt(from, item) : new Array(bytes).fill(0);
      assertEquals(bitsAt(into, item + 1), expected);
    }
    gatherItems(out.subarray(0, 0), from, items.subarray(0, 0), bytes);
  });

  Deno.test(`Pairs of ${type} are made, gathered and compared with all their bits`, () => {
    const make = (length: number, first: number): TypedArrayLike<unknown> => {
      const buffer = new ArrayBuffer(bytes * length);
      new Uint8Array(buffer).forEach((_, i, all) => all[i] = first + i * 37);
      return new arrayClass(buffer, 0, length) as TypedArrayLike<unknown>;
    };
    const bitsOf = (array: TypedArrayLike<unknown>): Uint8Array =>
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const [expected, one] = [make(5, 3), make(1, 9)];
    const pairs = new arrayClass(10) as TypedArrayLike<unknown>;
    writeTurns(pairs, 0, expected, bytes);
    writeTurns(pairs, 1, one, bytes);
    for (let i = 0; i < 5; i++) {
      const item = expected.subarray(i, i + 1);
      assertEquals(bitsOf(pairs.subarray(2 * i, 2 * i + 1)), bitsOf(item));
      assertEquals(bitsOf(pairs.subarray(2 * i + 1, 2 * i + 2)), bitsOf(one));
    }
    const out = new arrayClass(4) as TypedArrayLike<unknown>;
    gatherItems(out, pairs, Uint32Array.of(4, 1), 2 * bytes);
    assertEquals(bitsOf(out.subarray(0, 2)), bitsOf(pairs.subarray(8, 10)));
    assertEquals(bitsOf(out.subarray(2, 4)), bitsOf(pairs.subarray(2, 4)));
    const found = expected.subarray(0, 5);
    const bits = bitsOf(found);
    bits[3 * bytes] = bits[3 * bytes]! ^ 1;
    assertEquals(equalTurns(found, pairs, bytes), Uint8Array.of(1, 1, 1, 0, 1));
    assertEquals(equalTurns(found, pairs.subarray(0, 2), bytes), Uint8Array.of(1, 0, 0, 0, 0));
  });
}
