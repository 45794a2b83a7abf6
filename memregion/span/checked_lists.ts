/**
 * The lists of a call, checked as a whole before anything is done, and their items by the part that
 * has their elements: for whoever does one part after the other.
 *
 * @module
 */

import type { TypedArrayLike } from "../../internal/elements.ts";
import type { RegionMemory } from "../memory/region_memory.ts";
import { operandsFor } from "../transfer/batch.ts";
import type { BatchCallName } from "../transfer/batch_call.ts";
import { badIndex, indexList } from "../transfer/index_list.ts";
import { gatherItems } from "../transfer/item_bits.ts";
import { collected, expanded } from "./lists.ts";
import { firstBeyond, sortByPart } from "./sorting.ts";

/** The items of one part. */
export interface PartItems {
  readonly part: number;
  /** Their indices in the span. */
  readonly indices: Uint32Array | Float64Array;
  /** Their places in the list. */
  readonly items: Uint32Array;
  /** For each list of operands: those of the items as memory has them, or the value for all. */
  readonly operands: readonly unknown[];
}

/** Lists of a call, all of whose items have been checked. */
export interface CheckedLists {
  /** The indices. */
  readonly indices: Uint32Array | Float64Array;
  /** For each list of operands: those of the items as memory has them, or the value for all. */
  readonly operands: readonly unknown[];
  /** The items of each part that has any; those of a part stay in their order. */
  readonly parts: () => PartItems[];
}

/**
 * Checks the lists of a call.
 *
 * @param memory The memory of the span.
 * @param name What the user called.
 * @param indices The list, or one index for all values.
 * @param lists The lists of operands: each a value for all, or one for each item.
 * @returns The lists.
 * @throws {RangeError} If an index is out of range, or lengths differ; nothing has been done.
 */
export function checkLists<V>(
  memory: RegionMemory<V>,
  name: BatchCallName,
  indices: unknown,
  lists: readonly unknown[],
): CheckedLists {
  const given = lists.map(collected);
  const list = indexList(memory, name, expanded(memory, name, collected(indices), given));
  const { length } = memory.distribution;
  const all = list.array instanceof BigUint64Array
    ? Float64Array.from(list.array, Number)
    : list.array;
  const bad = firstBeyond(all, length);
  if (bad >= 0 || all.length < list.count) {
    throw badIndex(memory, name, list, bad >= 0 ? bad : all.length);
  }
  const operands = given.map((one) => {
    const elements = operandsFor(memory, name, one, all.length);
    return typeof one === "object" && one !== null ? elements : one;
  });
  return { indices: all, operands, parts: () => sorted(memory, all, operands) };
}

function sorted<V>(
  { access: { far, info: { bytes } }, distribution }: RegionMemory<V>,
  all: Uint32Array | Float64Array,
  operands: readonly unknown[],
): PartItems[] {
  const { indices, items, starts } = sortByPart(distribution, all);
  const parts: PartItems[] = [];
  for (let part = 0; part < distribution.parts; part++) {
    const [from, to] = [starts[part]!, starts[part + 1]!];
    if (from === to) continue;
    const some = items.subarray(from, to);
    const own = operands.map((operand) => {
      if (typeof operand !== "object" || operand === null) return operand;
      const elements = far.newArray(to - from);
      gatherItems(elements, operand as TypedArrayLike<unknown>, some, bytes);
      return elements;
    });
    parts.push({ part, indices: indices.subarray(from, to), items: some, operands: own });
  }
  return parts;
}
