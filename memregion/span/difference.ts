/**
 * Elements that are compared by their difference.
 *
 * @module
 */

import type { RegionMemory } from "../memory/region_memory.ts";
import { labelOf, refuseOperation, refuseValue } from "../memory/refusals.ts";

/**
 * Refuses what an exchange of elements by their difference does not take.
 *
 * @param memory The memory of the span.
 * @param op What the user called.
 * @param epsilon The difference below which elements are as expected.
 * @param values Values of the element type.
 * @throws {TypeError} If something is of another type, or elements are no numbers.
 * @throws {RangeError} If a value is out of range, or the difference is below 0 or NaN.
 */
export function checkDifference<V>(
  memory: RegionMemory<V>,
  op: string,
  epsilon: unknown,
  values: readonly unknown[],
): void {
  const { accepts, info } = memory.access;
  if (info.kind === "boolean") refuseOperation(memory, op, "numbers");
  for (const value of values) if (!accepts(value)) refuseValue(memory, op, value);
  const isBig = info.kind === "bigint";
  const isOfType = isBig ? typeof epsilon === "bigint" : typeof epsilon === "number";
  if (isOfType && (epsilon as number) >= 0) return;
  const text = `Cannot ${op} in ${labelOf(memory)} of ${info.type} by a difference of ${
    Deno.inspect(epsilon)
  }: it takes ${isBig ? "BigInts" : "numbers"} of at least 0`;
  throw isOfType ? new RangeError(text) : new TypeError(text);
}

/**
 * @param a A value of an element.
 * @param b Another of the same type.
 * @param epsilon A difference.
 * @returns Whether they differ by less; NaN differs from everything.
 */
export function isWithin(a: unknown, b: unknown, epsilon: unknown): boolean {
  if (typeof a !== "bigint") return Math.abs((a as number) - (b as number)) < (epsilon as number);
  const difference = a - (b as bigint);
  return (difference < 0n ? -difference : difference) < (epsilon as bigint);
}
