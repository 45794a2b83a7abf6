/**
 * Copies of a range of a span, in pieces that lie in one part each. By blocks a piece is a row of
 * neighbours; cyclic, neighbours of a part stand in steps outside of it.
 *
 * @module
 */

import type { Distribution } from "../../internal/distribution.ts";
import type { TypedArrayLike } from "../../internal/elements.ts";
import type { RegionMemory, Rest } from "../memory/region_memory.ts";
import { finished, targetOf } from "../transfer/copies.ts";
import { getStrided, putStrided } from "../transfer/strided.ts";
import { elementsGiven } from "./lists.ts";
import { refuseIndex } from "./refusals.ts";
import { Rests } from "./rests.ts";

/** Does something at a part, now or later. */
export type DoAt = (part: number, run: () => Rest) => Rest;

/**
 * Does it at once.
 *
 * @param _part The part.
 * @param run Does it.
 * @returns What is left of it.
 */
export function now(_part: number, run: () => Rest): Rest {
  return run();
}

/** Some elements of a range that one part has, in a row. */
interface Piece {
  readonly part: number;
  /** Where they begin in the part. */
  readonly place: number;
  /** Where they begin in the range. */
  readonly from: number;
  readonly count: number;
}

/**
 * Finds out whether a copy is a single row, as most are: then it takes nothing of what follows.
 *
 * @param distribution The distribution of a span.
 * @param index Index of the first element; it is not checked.
 * @param array What is copied.
 * @returns The part in which all elements stand that go with a typed array; -1 if that is not one.
 */
function partOfRow(distribution: Distribution, index: number, array: unknown): number {
  if (!ArrayBuffer.isView(array) || !(index >= 0 && index < distribution.length)) return -1;
  if (!Number.isSafeInteger(index)) return -1;
  const part = distribution.partOf(index);
  const { length } = array as ArrayBufferView & { readonly length: number };
  return length <= distribution.rowFrom(index, part) ? part : -1;
}

/**
 * Puts elements to a range of a span.
 *
 * @param memory The memory of the span.
 * @param index Index of the first element.
 * @param source A typed array, a list of values, or a region's part on this PE.
 * @param doAt Does it at each part: at once, if left out.
 * @returns What is left of it.
 * @throws {RangeError} If they do not fit.
 */
export function putRange<V>(
  memory: RegionMemory<V>,
  index: number,
  source: object,
  doAt: DoAt = now,
): Rest {
  const row = doAt === now ? partOfRow(memory.distribution, index, source) : -1;
  if (row >= 0) {
    return memory.access.put(memory, row, memory.distribution.placeOf(index, row), source);
  }
  const array = elementsGiven(memory, "put", source);
  checkRange(memory, "put", index, array.length);
  const { parts } = memory.distribution;
  return inPieces(memory, index, array, ({ part, place, from, count }, step, some) => {
    return doAt(
      part,
      () =>
        step === 1
          ? memory.access.put(memory, part, place, some(from, count))
          : putStrided(memory, part, place, 1, array.subarray(from, array.length), parts, 1),
    );
  });
}

/**
 * Gets elements of a range of a span.
 *
 * @param memory The memory of the span.
 * @param index Index of the first element.
 * @param target A typed array, or a region whose part on this PE is filled.
 * @param doAt Does it at each part: at once, if left out.
 * @returns What is left of it.
 * @throws {RangeError} If there are not as many.
 */
export function getRange<V>(
  memory: RegionMemory<V>,
  index: number,
  target: unknown,
  doAt: DoAt = now,
): Rest {
  const row = doAt === now ? partOfRow(memory.distribution, index, target) : -1;
  if (row >= 0) {
    return memory.access.get(memory, row, memory.distribution.placeOf(index, row), target);
  }
  const { array, finish } = targetOf(memory, "get", target);
  checkRange(memory, "get", index, array.length);
  const { parts } = memory.distribution;
  const rest = inPieces(memory, index, array, ({ part, place, from, count }, step, some) => {
    return doAt(
      part,
      () =>
        step === 1
          ? memory.access.get(memory, part, place, some(from, count))
          : getStrided(memory, part, place, 1, array.subarray(from, array.length), parts, 1),
    );
  });
  return finished(memory, rest, finish);
}

/** Does something for each piece of a range. */
function inPieces<V>(
  memory: RegionMemory<V>,
  index: number,
  array: TypedArrayLike<unknown>,
  run: (
    piece: Piece,
    step: number,
    some: (from: number, count: number) => TypedArrayLike<unknown>,
  ) => Rest,
): Rest {
  const { length } = array;
  const some = (from: number, count: number): TypedArrayLike<unknown> =>
    count === length ? array : array.subarray(from, from + count);
  const { distribution } = memory;
  const step = distribution.kind === "cyclic" ? distribution.parts : 1;
  const rests = new Rests(memory.space);
  for (let from = 0; from < length;) {
    const part = distribution.partOf(index + from);
    const place = distribution.placeOf(index + from, part);
    if (step > 1) {
      rests.add(run({ part, place, from, count: Math.ceil((length - from) / step) }, step, some));
      if (++from === step) break;
    } else {
      const here = distribution.inPart(part);
      const count = Math.min(length - from, here.place + here.count - place);
      rests.add(run({ part, place, from, count }, 1, some));
      from += count;
    }
  }
  return rests.sealed();
}

/**
 * Refuses a range that a span does not have.
 *
 * @param memory The memory of the span.
 * @param op What the user called.
 * @param index Index of the first element.
 * @param count How many.
 * @throws {RangeError} If there are not as many.
 */
export function checkRange<V>(
  memory: RegionMemory<V>,
  op: string,
  index: number,
  count: number,
): void {
  const { length } = memory.distribution;
  if (Number.isSafeInteger(index) && index >= 0 && index + count <= length) return;
  refuseIndex(memory, op, index, count);
}
