/**
 * What is done with the elements of a span that a part has, counted from the first of them.
 *
 * @module
 */

import type { RegionMemory, Rest } from "../memory/region_memory.ts";
import { refuseValue } from "../memory/refusals.ts";
import { type DoAt, now } from "./pieces.ts";
import { refuseOffset } from "./refusals.ts";
import { Rests } from "./rests.ts";

/** Elements that a fill copies at once: they stay in a cache. */
const FILL_ITEMS = 4096;

/**
 * Where elements of a part are.
 *
 * @param memory The memory of the span.
 * @param op What the user called.
 * @param part The part.
 * @param offset Index of the first one among those of the part in this range.
 * @param count How many.
 * @returns Their place.
 * @throws {RangeError} If the part has not so many.
 */
export function placeIn<V>(
  memory: RegionMemory<V>,
  op: string,
  part: number,
  offset: number,
  count: number,
): number {
  const { distribution } = memory;
  if (!Number.isInteger(part) || part < 0 || part >= distribution.parts) {
    memory.refuse(op, part, 0, 0);
  }
  const { place, count: most } = distribution.inPart(part);
  const fits = Number.isSafeInteger(offset) && offset >= 0 && offset + count <= most;
  if (!fits) refuseOffset(memory, op, { part, offset, count, most });
  return place + offset;
}

/**
 * Copies to elements that a part has.
 *
 * @param memory The memory of the span.
 * @param op What the user called.
 * @param part The part.
 * @param offset Index of the first one among those of the part in this range.
 * @param source What to copy.
 * @returns What is left of it.
 */
export function putIn<V>(
  memory: RegionMemory<V>,
  op: string,
  part: number,
  offset: number,
  source: unknown,
): Rest {
  const place = placeIn(memory, op, part, offset, countOf(source));
  return memory.access.put(memory, part, place, source);
}

/**
 * Copies the same to elements that each part has.
 *
 * @param memory The memory of the span.
 * @param offset Index of the first one among those of each part in this range.
 * @param source What to copy.
 * @param doAt Does it at each part: at once, if left out.
 * @returns What is left of it.
 */
export function putEverywhere<V>(
  memory: RegionMemory<V>,
  offset: number,
  source: unknown,
  doAt: DoAt = now,
): Rest {
  const { parts } = memory.distribution;
  const count = countOf(source);
  for (let part = 0; part < parts; part++) placeIn(memory, "putAll", part, offset, count);
  const rests = new Rests(memory.space);
  for (let part = 0; part < parts; part++) {
    rests.add(doAt(part, () => putIn(memory, "putAll", part, offset, source)));
  }
  return rests.sealed();
}

/**
 * Gives all elements a value.
 *
 * @param memory The memory of the span.
 * @param value The value.
 * @param doAt Does it at each part: at once, if left out.
 * @returns What is left of it.
 */
export function fill<V>(memory: RegionMemory<V>, value: V, doAt: DoAt = now): Rest {
  const { access, distribution } = memory;
  if (!access.accepts(value)) refuseValue(memory, "fill", value);
  const rests = new Rests(memory.space);
  const most = Math.min(FILL_ITEMS, distribution.longestPart);
  const values = access.far.newArray(most);
  (values as unknown as unknown[]).fill(access.far.elementOf(value));
  const fillPart = (part: number): Rest => {
    const { place, count } = distribution.inPart(part);
    const pieces = new Rests(memory.space);
    for (let done = 0; done < count; done += most) {
      const some = count - done < most ? values.subarray(0, count - done) : values;
      pieces.add(access.put(memory, part, place + done, some));
    }
    return pieces.sealed();
  };
  for (let part = 0; part < distribution.parts; part++) {
    rests.add(doAt(part, () => fillPart(part)));
  }
  return rests.sealed();
}

/**
 * @param source A source or a target.
 * @returns How many elements it has: one if it is a value, none if it is nothing of either.
 */
export function countOf(source: unknown): number {
  if (typeof source !== "object" || source === null) return 1;
  const { length } = source as Partial<ArrayLike<unknown>>;
  return typeof length === "number" ? length : 0;
}
