/**
 * Sorts the items of a list of indices by the part that has their elements, in the order of the
 * list for each part.
 *
 * @module
 */

import type { Distribution } from "../../internal/distribution.ts";
import { isWide } from "../../lamellae/mod.ts";

/** Indices of a block of a list, whatever their range. */
export type IndexBlock = Uint32Array | Float64Array;

/** Items that all parts together have room for: most worlds have few, some have thousands. */
const ITEMS_MAX = 1 << 19;
const ITEMS_MIN = 64;

const NO_ITEMS = new Uint32Array(0);

/** Items of a list that wait to go to their parts. */
export class Partition {
  /** Items that a part has room for. */
  readonly room: number;
  readonly #distribution: Distribution;
  readonly #counts: Int32Array;
  /** By part: places in it, and the places of the items in the list. */
  readonly #places: IndexBlock;
  readonly #items: Uint32Array | undefined;
  /** By blocks: the first element of each part. */
  readonly #firsts: Float64Array;

  /**
   * @param distribution Which part has an element.
   * @param itemsMax Most items of a part at a time.
   * @param keepsItems Whether the places of items in the list are wanted.
   */
  constructor(distribution: Distribution, itemsMax: number, keepsItems = true) {
    const { block, extras, kind, longBlock, parts, whole } = distribution;
    const room = Math.min(itemsMax, Math.max(ITEMS_MIN, Math.floor(ITEMS_MAX / parts)));
    this.room = room;
    this.#distribution = distribution;
    this.#counts = new Int32Array(parts);
    const placeClass = isWide(kind === "cyclic" ? Math.ceil(whole / parts) : longBlock)
      ? Float64Array
      : Uint32Array;
    this.#places = new placeClass(parts * room);
    this.#items = keepsItems ? new Uint32Array(parts * room) : undefined;
    this.#firsts = Float64Array.from(
      { length: parts },
      (_, part) => part * block + Math.min(part, extras),
    );
  }

  /**
   * Adds a block of a list.
   *
   * @param indices Indices in the range of the distribution.
   * @param first The place of the first one in the list.
   * @param full Called when a part has no room left; has to `take` its items.
   * @returns How many were added: fewer than all if the next one is beyond the range.
   */
  add(indices: IndexBlock, first: number, full: (part: number) => void): number {
    const { block, edge, extras, first: begin, kind, length, longBlock, parts } =
      this.#distribution;
    const cyclic = kind === "cyclic";
    const counts = this.#counts;
    const places = this.#places;
    const items = this.#items;
    const firsts = this.#firsts;
    const { room } = this;
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i]!;
      if (index >= length) return i;
      // As `partOf` and `placeOf` say, written out: calls for each item take twice the time.
      const g = index + begin;
      const part = cyclic
        ? g % parts
        : g < edge
        ? Math.floor(g / longBlock)
        : extras + Math.floor((g - edge) / block);
      const count = counts[part]!;
      const at = part * room + count;
      places[at] = cyclic ? (g - part) / parts : g - firsts[part]!;
      if (items !== undefined) items[at] = first + i;
      counts[part] = count + 1;
      if (count + 1 === room) full(part);
    }
    return indices.length;
  }

  /**
   * Takes what waits for a part.
   *
   * @param part The part.
   * @returns Places in it, and those of the items in the list if they are kept: both are good until
   * the next block is added.
   */
  take(part: number): { readonly places: IndexBlock; readonly items: Uint32Array } {
    const begin = part * this.room;
    const end = begin + this.#counts[part]!;
    this.#counts[part] = 0;
    const items = this.#items?.subarray(begin, end) ?? NO_ITEMS;
    return { places: this.#places.subarray(begin, end), items };
  }

  /**
   * @param part A part.
   * @returns Whether anything waits for it.
   */
  waits(part: number): boolean {
    return this.#counts[part] !== 0;
  }
}
