/**
 * Lists of indices, as batched operations take them.
 *
 * @module
 */

import { type Described, labelOf } from "./refusals.ts";
import { type RegionMemory, regionOf } from "./region_memory.ts";

/** A list of indices whose kind has been checked; its items have not. */
export type IndexList = Uint32Array | BigUint64Array | readonly unknown[];

/**
 * Checks the kind of a list of indices.
 *
 * @param memory The region they point into.
 * @param op What the user called.
 * @param indices What was given.
 * @returns The list, a view of its data if it is a region.
 * @throws {TypeError} If it is no list of indices.
 */
export function indexList(memory: Described, op: string, indices: unknown): IndexList {
  const region = regionOf(indices);
  const list = region ? region.slice(op) : indices;
  if (list instanceof Uint32Array || list instanceof BigUint64Array || Array.isArray(list)) {
    return list;
  }
  throw new TypeError(
    `Cannot ${op} in ${labelOf(memory)}: indices have to be a Uint32Array, a BigUint64Array, ` +
      "a region of u32 or u64, or a list of numbers",
  );
}

/**
 * Checks an index of a list of numbers, but not its range.
 *
 * @param memory The region it points into.
 * @param op What the user called.
 * @param index The index.
 * @param item Its place in the list.
 * @returns It.
 * @throws {RangeError} If it is no integer from 0.
 */
export function checkedIndex(
  memory: Described,
  op: string,
  index: unknown,
  item: number,
): number {
  if (Number.isSafeInteger(index) && (index as number) >= 0) return index as number;
  throw new RangeError(
    `Cannot ${op} in ${labelOf(memory)} at index ${String(index)} (item ${item}): ` +
      "an index has to be an integer from 0",
  );
}

/**
 * Makes the error of an index that no element has.
 *
 * @param memory The region.
 * @param op What the user called.
 * @param list The list.
 * @param item The place of the index in it.
 * @returns The error.
 */
export function indexOutOfRange<V>(
  memory: RegionMemory<V>,
  op: string,
  list: IndexList,
  item: number,
): RangeError {
  const { length } = memory;
  const parts = memory.allocation.addresses.length;
  const size = parts === 1 ? `${length} elements` : `${length} elements on each of ${parts} PEs`;
  return new RangeError(
    `Cannot ${op} at index ${list[item]} (item ${item}) in ${labelOf(memory)}: ` +
      `the region has ${size}`,
  );
}

/**
 * Refuses a list that does not fit the indices.
 *
 * @param memory The region.
 * @param op What the user called.
 * @param length Length of the list.
 * @param count Number of indices.
 * @throws {RangeError} If the two differ.
 */
export function checkLength(memory: Described, op: string, length: number, count: number): void {
  if (length === count) return;
  throw new RangeError(
    `Cannot ${op} in ${labelOf(memory)}: ${count} indices do not fit an array of ${length} ` +
      "elements",
  );
}
