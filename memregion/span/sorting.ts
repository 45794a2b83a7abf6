/**
 * Lists of indices by the part that has their elements. What is done for each item stands in plain
 * loops: a call for each would take several times as long.
 *
 * @module
 */

import type { Distribution } from "../../internal/distribution.ts";

type Indices = Uint32Array | Float64Array;

/** A list whose items are in the order of their parts. */
export interface SortedIndices {
  /** The indices; those of a part stay in their order. */
  readonly indices: Indices;
  /** The place of each in the list. */
  readonly items: Uint32Array;
  /** Where those of each part begin, and where those of the last one end. */
  readonly starts: Uint32Array;
}

/**
 * @param indices A list of indices.
 * @param length How many elements there are.
 * @returns The place of the first that is no index of an element; -1 if all are.
 */
export function firstBeyond(indices: Indices, length: number): number {
  for (let i = 0; i < indices.length; i++) if (indices[i]! >= length) return i;
  return -1;
}

/**
 * @param distribution Which part has an element.
 * @param all A list of indices, all of which are in range.
 * @returns The list, sorted.
 */
export function sortByPart(distribution: Distribution, all: Indices): SortedIndices {
  const { parts } = distribution;
  const owners = ownersOf(distribution, all);
  const ends = new Uint32Array(parts + 1);
  for (let i = 0; i < owners.length; i++) ends[owners[i]! + 1]!++;
  for (let part = 0; part < parts; part++) ends[part + 1]! += ends[part]!;
  const starts = ends.slice();
  const indexClass = distribution.length <= 2 ** 32 ? Uint32Array : Float64Array;
  const indices = new indexClass(all.length);
  const items = new Uint32Array(all.length);
  for (let i = 0; i < owners.length; i++) {
    const at = ends[owners[i]!]!++;
    indices[at] = all[i]!;
    items[at] = i;
  }
  return { indices, items, starts };
}

/** The part that has each element, as `partOf` of the distribution says. */
function ownersOf(distribution: Distribution, all: Indices): Uint16Array | Uint32Array {
  const { block, edge, extras, first, kind, longBlock, parts } = distribution;
  const owners = new (parts <= 2 ** 16 ? Uint16Array : Uint32Array)(all.length);
  if (kind === "block") {
    for (let i = 0; i < all.length; i++) {
      const g = all[i]! + first;
      owners[i] = g < edge ? g / longBlock : extras + Math.floor((g - edge) / block);
    }
  } else if ((parts & (parts - 1)) === 0 && first + distribution.length <= 2 ** 32) {
    // A division takes longer than all else.
    for (let i = 0; i < all.length; i++) owners[i] = (all[i]! + first) & (parts - 1);
  } else for (let i = 0; i < all.length; i++) owners[i] = (all[i]! + first) % parts;
  return owners;
}
