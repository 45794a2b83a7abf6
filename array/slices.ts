/**
 * The elements of this PE as typed arrays over the memory.
 *
 * @module
 */

import { checkedSlice } from "../internal/checked_slice.ts";
import type { Reference } from "../darc/mod.ts";
import type { AnyElement, ElementSlice, Span } from "../memregion/mod.ts";
import { countedBy, type LamellarArray, openOf, spanOf } from "./base.ts";

/**
 * The elements of an array that this PE has.
 *
 * @param array The array.
 * @param op What the user called.
 * @returns A typed array over the memory.
 * @throws {ClosedError} If the array was disposed of or converted.
 */
export function sliceOf<E extends AnyElement>(
  array: LamellarArray<E>,
  op: string,
): ElementSlice<E> {
  openOf(array, op);
  return handedOut(spanOf(array), op, () => countedBy(array));
}

/**
 * Elements that this PE has, as programs get them.
 *
 * @param span The elements.
 * @param op What the user called.
 * @param reference What keeps them as they are, whenever they are used.
 * @returns A typed array over the memory, checked at each use if the user wants that.
 */
export function handedOut<E extends AnyElement>(
  span: Span<E>,
  op: string,
  reference: () => Reference,
): ElementSlice<E> {
  const slice = span.local(op);
  if (!reference().record.core.config.checkSlices) return slice;
  return checkedSlice(
    slice as never,
    (wanted) => void reference().check(op, wanted),
  ) as ElementSlice<E>;
}

/**
 * Cuts a slice into chunks of neighbours.
 *
 * @param op What the user called.
 * @param size Elements of each chunk; the last may have fewer.
 * @param all Gives the slice.
 * @returns The chunks.
 * @throws {RangeError} If the size is not an integer of at least 1.
 */
export function chunksOf<E extends AnyElement>(
  op: string,
  size: number,
  all: () => ElementSlice<E>,
): ElementSlice<E>[] {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(`Cannot call ${op} for ${String(size)} elements: at least 1 is needed`);
  }
  const slice = all();
  return Array.from(
    { length: Math.ceil(slice.length / size) },
    (_, i) => slice.subarray(i * size, (i + 1) * size) as ElementSlice<E>,
  );
}
