/**
 * Lists of indices, as batched operations take them.
 *
 * @module
 */

import { unchecked } from "../../internal/checked_slice.ts";
import type { TypedArrayLike } from "../../internal/elements.ts";
import type { IndexBlock } from "./partition.ts";
import { checkEmpty, type Described, labelOf } from "../memory/refusals.ts";
import { type RegionMemory, regionOf } from "../memory/region_memory.ts";

/** A list of indices; their range has not been checked. */
export interface IndexList {
  /** The indices, up to the first thing that is not one. */
  readonly array: Uint32Array | BigUint64Array | Float64Array;
  /** How many things the list has. */
  readonly count: number;
  /** The first thing that is not an index, if there is one. */
  readonly bad: unknown;
}

/**
 * Takes a list of indices.
 *
 * @param memory The region they point into.
 * @param op What the user called.
 * @param indices What was given.
 * @returns The list: the array itself, the data of a region, or a copy where each item has to be
 * looked at, since an accessor may give something else at a second look.
 * @throws {TypeError} If it is not a list of indices.
 */
export function indexList(memory: Described, op: string, indices: unknown): IndexList {
  const region = regionOf(indices);
  const list = region ? region.slice(op) : unchecked(indices);
  if (Array.isArray(list)) return checkedList(list);
  if (list instanceof Float64Array) {
    if (list.length === 0) checkEmpty(memory, op, list as unknown as TypedArrayLike<unknown>);
    return checkedList(list);
  }
  if (list instanceof Uint32Array || list instanceof BigUint64Array) {
    if (list.length === 0) checkEmpty(memory, op, list as unknown as TypedArrayLike<unknown>);
    return { array: list, count: list.length, bad: undefined };
  }
  throw new TypeError(
    `Cannot ${op} in ${labelOf(memory)}: indices must be a Uint32Array, a Float64Array, a ` +
      "BigUint64Array, a region of such, or a list of numbers",
  );
}

/** Looks at each item once. */
function checkedList(list: ArrayLike<unknown>): IndexList {
  const { length } = list;
  const narrow = new Uint32Array(length);
  let wide: Float64Array | undefined;
  for (let i = 0; i < length; i++) {
    const index = list[i];
    if (typeof index === "number" && index >>> 0 === index) {
      if (wide) wide[i] = index;
      else narrow[i] = index;
    } else if (isIndex(index)) {
      if (!wide) (wide = new Float64Array(length)).set(narrow.subarray(0, i));
      wide[i] = index;
    } else {
      return { array: (wide ?? narrow).subarray(0, i), count: length, bad: index };
    }
  }
  return { array: wide ?? narrow, count: length, bad: undefined };
}

/**
 * Indices of a part of a list, as a typed array of numbers.
 *
 * @param list The list.
 * @param from The place of the first one.
 * @param end The place behind the last one.
 * @returns The indices.
 */
export function indexBlock({ array }: IndexList, from: number, end: number): IndexBlock {
  const block = array.subarray(from, end);
  return block instanceof BigUint64Array ? Float64Array.from(block, Number) : block;
}

function isIndex(index: unknown): index is number {
  return Number.isSafeInteger(index) && (index as number) >= 0;
}

/**
 * Makes the error of the first item of a list that no element has.
 *
 * @param memory The region.
 * @param op What the user called.
 * @param list The list.
 * @param item The place of the item in it.
 * @returns The error.
 */
export function badIndex<V>(
  memory: RegionMemory<V>,
  op: string,
  list: IndexList,
  item: number,
): RangeError {
  const { length } = memory;
  const where = (index: unknown): string => `at index ${index} (item ${item})`;
  if (item >= list.array.length) {
    return new RangeError(
      `Cannot ${op} in ${labelOf(memory)} ${where(String(list.bad))}: ` +
        "an index must be an integer of at least 0",
    );
  }
  if (memory.shape !== undefined) {
    const count = memory.shape.distribution.length;
    return new RangeError(
      `Cannot ${op} ${where(list.array[item])} in ${labelOf(memory)}: the array has ${count} ` +
        `element${count === 1 ? "" : "s"}`,
    );
  }
  const parts = memory.allocation.addresses.length;
  const size = parts === 1 ? `${length} elements` : `${length} elements on each of ${parts} PEs`;
  return new RangeError(
    `Cannot ${op} ${where(list.array[item])} in ${labelOf(memory)}: the region has ${size}`,
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

/**
 * Keeps what is read apart from what is written: a batch reads its lists while it fills its target.
 *
 * @param list A list of indices or values, as the user gave it.
 * @param target What is filled.
 * @returns The list, or a copy if it shares memory with the target.
 */
export function apartFrom(list: unknown, target: unknown): unknown {
  const [from, to] = [arrayBehind(list), arrayBehind(target)];
  if (!from || !to || from.buffer !== to.buffer) return list;
  const touch = from.byteOffset < to.byteOffset + to.byteLength &&
    to.byteOffset < from.byteOffset + from.byteLength;
  return touch ? from.slice() : list;
}

function arrayBehind(listed: unknown): Uint8Array | undefined {
  const given = unchecked(listed);
  if (ArrayBuffer.isView(given)) return given instanceof DataView ? undefined : given as Uint8Array;
  const region = regionOf(given);
  if (!region || region.localPart < 0) return undefined;
  const { allocation, localPart } = region;
  return allocation.closed || !allocation.isCurrent(localPart)
    ? undefined
    : region.slice("") as unknown as Uint8Array;
}
