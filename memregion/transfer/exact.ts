/**
 * 64-bit integers as numbers: the elements of `u64` and `i64` in copies, where memory holds them as
 * they are. They are read and written in halves, because BigInts are slow to make.
 *
 * @module
 */

import type { ElementInfo, TypedArrayLike } from "../../internal/elements.ts";

/** What the high half counts. */
const HIGH = 2 ** 32;

/**
 * Reads integers as numbers.
 *
 * @param info `u64` or `i64`.
 * @param source The integers.
 * @param target Gets the numbers, NaN for an integer that no number holds exactly.
 * @returns The place of the first integer that no number holds exactly; -1 if there is none.
 */
export function toNumbers(
  info: ElementInfo,
  source: TypedArrayLike<unknown>,
  target: Float64Array,
): number {
  const { buffer, byteOffset, length } = source;
  const low = new Uint32Array(buffer, byteOffset, 2 * length);
  const high = info.memory === "u64" ? low : new Int32Array(buffer, byteOffset, 2 * length);
  let inexact = -1;
  for (let i = 0; i < length; i++) {
    const value = high[2 * i + 1]! * HIGH + low[2 * i]!;
    if (Number.isSafeInteger(value)) target[i] = value;
    else {
      target[i] = NaN;
      if (inexact < 0) inexact = i;
    }
  }
  return inexact;
}

/**
 * Writes numbers as integers.
 *
 * @param info `u64` or `i64`.
 * @param source The numbers.
 * @param target Gets the integers.
 * @returns The place of the first number that is not a value of the type, where it ends; -1 if
 * there is none.
 */
export function fromNumbers(
  info: ElementInfo,
  source: Float64Array,
  target: TypedArrayLike<unknown>,
): number {
  const min = info.min as number;
  const words = new Uint32Array(target.buffer, target.byteOffset, 2 * target.length);
  for (let i = 0; i < target.length; i++) {
    const value = source[i]!;
    if (!Number.isSafeInteger(value) || value < min) return i;
    words[2 * i] = value;
    words[2 * i + 1] = Math.floor(value / HIGH);
  }
  return -1;
}
