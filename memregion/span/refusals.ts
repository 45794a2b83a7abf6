/**
 * The errors of spans: each says what the program tried where, and what is true instead.
 *
 * @module
 */

import { type Described, labelOf, operationOn, refuseClosed } from "../memory/refusals.ts";

/**
 * Refuses an index.
 *
 * @param span The span.
 * @param op What the user called.
 * @param index The index.
 * @param count How many elements there should be.
 */
export function refuseIndex(span: Described, op: string, index: unknown, count: number): never {
  const { allocation, shape } = span;
  if (allocation.closed || allocation.state.closed) refuseClosed(span, operationOn(span, op));
  const what = count === 1 ? "" : ` ${count} elements`;
  const head = `Cannot ${op}${what} at index ${String(index)} in ${labelOf(span)}: `;
  if (typeof index !== "number") throw new TypeError(`${head}the index must be a number`);
  if (!Number.isSafeInteger(index) || index < 0) {
    throw new RangeError(`${head}the index must be an integer of at least 0`);
  }
  throw new RangeError(`${head}the array has ${elements(shape!.distribution.length)}`);
}

/**
 * Refuses a number of elements.
 *
 * @param span The span.
 * @param op What the user called.
 * @param count The number.
 */
export function refuseCount(span: Described, op: string, count: unknown): never {
  throw new RangeError(
    `Cannot ${op} ${String(count)} elements in ${labelOf(span)}: ` +
      "the number must be an integer of at least 0",
  );
}

/** Elements of one part that are not there. */
export interface WrongOffset {
  readonly part: number;
  readonly offset: unknown;
  readonly count: number;
  /** How many the part has. */
  readonly most: number;
}

/**
 * Refuses elements of one part.
 *
 * @param span The span.
 * @param op What the user called.
 * @param wrong What was wanted.
 */
export function refuseOffset(
  span: Described,
  op: string,
  { part, offset, count, most }: WrongOffset,
): never {
  const text = `Cannot ${op} ${elements(count)} at offset ${String(offset)} of PE ${part} in ` +
    `${labelOf(span)}: PE ${part} has ${elements(most)} of it`;
  throw typeof offset === "number" ? new RangeError(text) : new TypeError(text);
}

/**
 * Refuses a range.
 *
 * @param label What it should be a range of.
 * @param length Elements of that.
 * @param begin Where it should begin.
 * @param end Where it should end.
 */
export function refuseRange(label: string, length: number, begin: unknown, end: unknown): never {
  const text = `Cannot make a sub-array from ${String(begin)} to ${String(end)} of ${label}: ` +
    `the array has ${elements(length)}`;
  throw typeof begin === "number" && typeof end === "number"
    ? new RangeError(text)
    : new TypeError(text);
}

function elements(count: number): string {
  return count === 1 ? "1 element" : `${count} elements`;
}
