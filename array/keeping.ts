/**
 * Collectives over the elements of an array, which keep the array until they are over.
 *
 * @module
 */

import { spaceOf } from "../darc/mod.ts";
import type { CollectiveHandle } from "../lamellae/mod.ts";
import type { AnyElement, Span } from "../memregion/mod.ts";
import { countedBy, type LamellarArray, openOf, spanOf } from "./base.ts";

/**
 * Calls a collective.
 *
 * @param array The array.
 * @param op What the user called.
 * @param call Calls it, over these elements.
 * @returns The handle of the collective.
 * @throws {ClosedError} If the array was disposed of or converted.
 */
export function keeping<E extends AnyElement, T>(
  array: LamellarArray<E>,
  op: string,
  call: (span: Span<E>) => CollectiveHandle<T>,
): CollectiveHandle<T> {
  openOf(array, op);
  const { record } = countedBy(array);
  const kept = spaceOf(record.core).take(record, op);
  const over = (): void => kept.giveBack("it is over");
  try {
    return call(spanOf(array)).eagerly(over);
  } catch (error) {
    over();
    throw error;
  }
}
