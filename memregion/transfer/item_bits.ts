/**
 * Copies items between arrays by a list of their places, as bits: BigInts are slow to make, and NaN
 * keeps its bits this way. An item is an element or a pair of elements.
 *
 * @module
 */

import type { TypedArrayLike } from "../../internal/elements.ts";

type Bits = Uint8Array | Uint16Array | Uint32Array;

/** An array as integers: items of 4 bytes and more are words of 4 bytes. */
function bitsOf(array: TypedArrayLike<unknown>, itemBytes: number): Bits {
  const { buffer, byteLength, byteOffset } = array;
  if (itemBytes === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  if (itemBytes === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}

/** How many integers an item is. */
function wordsOf(itemBytes: number): number {
  return Math.ceil(itemBytes / 4);
}

/**
 * Gathers items of an array.
 *
 * @param out Gets them one after the other.
 * @param from Where they are.
 * @param items Their places there.
 * @param itemBytes Bytes of an item: 1, 2, or a multiple of 4.
 */
export function gatherItems(
  out: TypedArrayLike<unknown>,
  from: TypedArrayLike<unknown>,
  items: Uint32Array,
  itemBytes: number,
): void {
  if (items.length === 0) return;
  const [to, source] = [bitsOf(out, itemBytes), bitsOf(from, itemBytes)];
  const words = wordsOf(itemBytes);
  if (words === 1) {
    for (let i = 0; i < items.length; i++) to[i] = source[items[i]!]!;
  } else if (words === 2) {
    for (let i = 0; i < items.length; i++) {
      const at = 2 * items[i]!;
      to[2 * i] = source[at]!;
      to[2 * i + 1] = source[at + 1]!;
    }
  } else {
    for (let i = 0; i < items.length; i++) {
      const at = words * items[i]!;
      for (let word = 0; word < words; word++) to[words * i + word] = source[at + word]!;
    }
  }
}

/**
 * Scatters items into an array.
 *
 * @param into Where they go.
 * @param items Their places there.
 * @param from They, one after the other.
 * @param itemBytes Bytes of an item: 1, 2, 4 or 8.
 */
export function scatterItems(
  into: TypedArrayLike<unknown>,
  items: Uint32Array,
  from: TypedArrayLike<unknown>,
  itemBytes: number,
): void {
  if (items.length === 0) return;
  const [to, source] = [bitsOf(into, itemBytes), bitsOf(from, itemBytes)];
  if (wordsOf(itemBytes) === 1) {
    for (let i = 0; i < items.length; i++) to[items[i]!] = source[i]!;
    return;
  }
  for (let i = 0; i < items.length; i++) {
    const at = 2 * items[i]!;
    to[at] = source[2 * i]!;
    to[at + 1] = source[2 * i + 1]!;
  }
}

/**
 * Writes elements into an array of pairs.
 *
 * @param pairs The pairs, one after the other.
 * @param turn Which of the two: 0 or 1.
 * @param from The elements, or one for all.
 * @param bytes Bytes of an element: 1, 2, 4 or 8.
 */
export function writeTurns(
  pairs: TypedArrayLike<unknown>,
  turn: 0 | 1,
  from: TypedArrayLike<unknown>,
  bytes: number,
): void {
  const [to, source] = [bitsOf(pairs, bytes), bitsOf(from, bytes)];
  const words = wordsOf(bytes);
  const step = from.length === 1 ? 0 : words;
  for (let i = 0; i < pairs.length / 2; i++) {
    for (let word = 0; word < words; word++) {
      to[(2 * i + turn) * words + word] = source[i * step + word]!;
    }
  }
}

/**
 * Compares elements with the first of each pair, as bits.
 *
 * @param elements The elements.
 * @param pairs The pairs, or one for all.
 * @param bytes Bytes of an element: 1, 2, 4 or 8.
 * @returns 1 for each element that is equal, 0 for each other.
 */
export function equalTurns(
  elements: TypedArrayLike<unknown>,
  pairs: TypedArrayLike<unknown>,
  bytes: number,
): Uint8Array {
  const [found, expected] = [bitsOf(elements, bytes), bitsOf(pairs, bytes)];
  const words = wordsOf(bytes);
  const step = pairs.length === 2 ? 0 : 2 * words;
  return Uint8Array.from({ length: elements.length }, (_, i) => {
    for (let word = 0; word < words; word++) {
      if (found[i * words + word] !== expected[i * step + word]) return 0;
    }
    return 1;
  });
}
