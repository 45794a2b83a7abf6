/**
 * Copies between arrays: elements go through the PE that asks, some at a time.
 *
 * @module
 */

import type { Handle } from "../lamellae/mod.ts";
import { spaceOf } from "../darc/mod.ts";
import type { AnyElement } from "../memregion/mod.ts";
import { countedBy, LamellarArray, openOf, spanOf } from "./base.ts";
import { type Chain, chained } from "./chain.ts";

/** Bytes that are copied at a time. */
const PIECE_BYTES = 2 ** 20;

/** Some elements of an array. */
export interface ArrayRange<E extends AnyElement> {
  readonly array: LamellarArray<E>;
  readonly index: number;
}

/**
 * @param given What a user gave as a source or a target.
 * @returns Whether it is an array.
 */
export function isArray<E extends AnyElement>(given: unknown): given is LamellarArray<E> {
  // Most are typed arrays, and `instanceof` looks at all of their prototypes.
  return typeof given === "object" && !ArrayBuffer.isView(given) && given instanceof LamellarArray;
}

/**
 * Copies elements of an array to another one, or to others of its own.
 *
 * @param op What the user called.
 * @param from Where they are.
 * @param into Where they go.
 * @param count How many.
 * @returns A handle, done when they are there.
 * @throws {TypeError} If the arrays differ in their element type.
 * @throws {RangeError} If one has not as many.
 */
export function copyArray<E extends AnyElement>(
  op: string,
  from: ArrayRange<E>,
  into: ArrayRange<E>,
  count: number,
): Handle<void> {
  if (!("fill" in into.array)) {
    throw new TypeError(`Cannot ${op} into ${into.array}: it is only read`);
  }
  const source = openOf(from.array, op);
  const target = openOf(into.array, op);
  if (from.array.type !== into.array.type) {
    throw new TypeError(
      `Cannot ${op} from ${from.array} into ${into.array}: their elements differ`,
    );
  }
  for (const { array, index } of [from, into]) spanOf(array).tools.checkRange(op, index, count);
  // Elements of the same array may be needed after they have been written.
  const isSame = countedBy(from.array).record === countedBy(into.array).record;
  const most = isSame ? count : Math.ceil(PIECE_BYTES / spanOf(from.array).info.bytes);
  function* pieces(): Chain<void> {
    for (let done = 0; done < count; done += most) {
      const some = Math.min(most, count - done);
      // As memory has them: no number holds some 64-bit integers.
      const values = spanOf(from.array).tools.newArray(some);
      yield source.getInto(from.index + done, values);
      yield target.put(into.index + done, values);
    }
  }
  const { record } = countedBy(from.array);
  const kept = spaceOf(record.core).take(record, op);
  return chained(into.array, op, pieces(), () => kept.giveBack("it is copied"));
}
