/**
 * Elements that a PE gives to a collective, or gets from one: a typed array, or a region's part on
 * this PE.
 *
 * @module
 */

import { unchecked } from "../../internal/checked_slice.ts";
import {
  type ElementInfo,
  ELEMENTS,
  type TypedArrayClass,
  type TypedArrayLike,
} from "../../internal/elements.ts";
import { isGone, lengthGetter } from "../../internal/typed_arrays.ts";
import type { Allocation } from "../memory/allocation.ts";
import { regionOf } from "../memory/region_memory.ts";
import { toNumbers } from "../transfer/exact.ts";

/** Elements in memory, as they are there. */
export interface Elements {
  readonly info: ElementInfo;
  /** How many. */
  readonly length: number;
  readonly bytes: Uint8Array;
  /** Whether it is a single value, not an array of one. */
  readonly single?: boolean;
  /** What they are a part of, if they are in a region. */
  readonly allocation?: Allocation | undefined;
}

/** The element type of each class of typed arrays. */
const BY_CLASS: ReadonlyMap<unknown, ElementInfo> = new Map(
  ELEMENTS.filter(({ kind }) => kind !== "exact" && kind !== "boolean").map((info) => [
    info.arrayClass,
    info,
  ]),
);

/**
 * @param value Anything.
 * @param op What the user called.
 * @returns The elements, if it is a typed array of an element type or a region.
 * @throws {TypeError} If the array has no memory any more.
 * @throws {MemNotLocalError} If the region has no memory on this PE.
 * @throws {ClosedError} If the region was disposed.
 */
export function elementsOf(given: unknown, op: string): Elements | undefined {
  const value = unchecked(given);
  const region = regionOf<unknown>(value);
  if (region) {
    const { access, allocation } = region;
    return { ...elementsIn(access.info, region.slice(op)), allocation };
  }
  if (!ArrayBuffer.isView(value)) return undefined;
  const info = BY_CLASS.get(Object.getPrototypeOf(value).constructor);
  if (!info) return undefined;
  const array = value as unknown as TypedArrayLike<unknown>;
  if (lengthGetter.call(array) === 0 && isGone(value)) {
    throw new TypeError(`Cannot call ${op}: the buffer of the array was transferred`);
  }
  return elementsIn(info, array);
}

function elementsIn(info: ElementInfo, array: TypedArrayLike<unknown>): Elements {
  const { buffer, byteOffset, byteLength } = array;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return { info, length: byteLength / info.bytes, bytes };
}

/**
 * @param elements Elements.
 * @returns How messages call what they are.
 */
export function shapeOf({ info, length, single = false }: Elements): string {
  return single ? info.type : `${info.type}[${length}]`;
}

/**
 * @param elements Elements.
 * @param start Index of the first.
 * @param count How many.
 * @returns A range of them.
 */
export function rangeOf(
  { info, bytes, allocation }: Elements,
  start: number,
  count: number,
): Elements {
  const from = start * info.bytes;
  const range = bytes.subarray(from, from + count * info.bytes);
  return { info, length: count, bytes: range, allocation };
}

/**
 * @param info An element type.
 * @param length How many.
 * @returns New elements, all 0.
 */
export function newElements(info: ElementInfo, length: number): Elements {
  return elementsIn(info, newMemory(info, length));
}

function newMemory(info: ElementInfo, length: number): TypedArrayLike<unknown> {
  const arrayClass = info.arrayClass as TypedArrayClass<unknown>;
  return new arrayClass(length);
}

/**
 * Elements as programs get copies of them.
 *
 * @param elements Elements; they become part of the result.
 * @returns A typed array; numbers for `u64` and `i64`.
 * @throws {RangeError} If no number holds a 64-bit integer exactly.
 */
export function copyOf({ info, length, bytes }: Elements): TypedArrayLike<unknown> {
  const arrayClass = info.arrayClass as TypedArrayClass<unknown>;
  const array = new arrayClass(bytes.buffer, bytes.byteOffset, length);
  if (info.kind !== "exact") return array;
  const numbers = new Float64Array(length);
  const inexact = toNumbers(info, array, numbers);
  if (inexact < 0) return numbers;
  throw new RangeError(
    `Cannot give element ${inexact} as a number: ${array[inexact]} is beyond what a number holds ` +
      `exactly; use big${info.type}`,
  );
}

/**
 * Whether two ranges share memory.
 *
 * @param a One.
 * @param b The other.
 * @returns Whether a byte belongs to both.
 */
export function overlap(a: Uint8Array, b: Uint8Array): boolean {
  return a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.length &&
    b.byteOffset < a.byteOffset + a.length;
}
