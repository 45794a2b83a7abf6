/**
 * How kernels see the lists of a batch: those that are in the memory of the process are used where
 * they are, others pass through the staging area of this PE, a block at a time.
 *
 * @module
 */

import type { TypedArrayLike } from "../../internal/elements.ts";
import { writeAddress } from "../../internal/kernels_spread.ts";
import { LANE_ITEM_BYTES, laneItems, lanePlace } from "../../internal/staging.ts";
import type { Lamella } from "../../lamellae/mod.ts";
import type { IndexList } from "./index_list.ts";
import type { IndexBlock } from "./partition.ts";

/** A list as a kernel sees it. */
export interface Lane {
  /** Address of the first item, -1 if a block has to be staged. */
  readonly at: number;
  /** Bytes from one item to the next. */
  readonly step: number;
  /** Where a staged block is. */
  readonly area: number;
  /** Moves a block to or from the staging area. */
  readonly stage: (from: number, count: number) => void;
}

/** Where blocks are staged, by what they hold. */
const LANE = { indices: 0, values: 1, results: 2 } as const;

const NOWHERE = (): void => {};

/** A list that an operation does not have. */
export const NO_LANE: Lane = { at: 0, step: 0, area: 0, stage: NOWHERE };

/** The lanes of a PE. */
export class Lanes {
  readonly #lamella: Lamella;

  /**
   * @param lamella The provider.
   */
  constructor(lamella: Lamella) {
    this.#lamella = lamella;
  }

  /**
   * @param list A list of indices.
   * @returns It, as kernels see it.
   */
  indices({ array }: IndexList): Lane {
    if (!(array instanceof Float64Array)) {
      return this.#input(array, LANE.indices, array.BYTES_PER_ELEMENT);
    }
    const area = this.areaOf("indices");
    const words = this.#lamella.views.u32;
    const stage = (from: number, count: number): void => {
      for (let i = 0; i < count; i++) {
        writeAddress(words, area + i * LANE_ITEM_BYTES, array[from + i]!);
      }
    };
    return { at: -1, step: LANE_ITEM_BYTES, area, stage };
  }

  /**
   * @param array Elements that a batch takes.
   * @param step Bytes of those of one item.
   * @returns They, as kernels see them.
   */
  values(array: TypedArrayLike<unknown>, step: number): Lane {
    return this.#input(array as unknown as ArrayBufferView, LANE.values, step);
  }

  #input(array: ArrayBufferView, lane: number, step: number): Lane {
    const { buffer, u8 } = this.#lamella.views;
    if (array.buffer === buffer) return { at: array.byteOffset, step, area: 0, stage: NOWHERE };
    const area = this.#areaAt(lane);
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const stage = (from: number, count: number): void => {
      u8.set(bytes.subarray(from * step, (from + count) * step), area);
    };
    return { at: -1, step, area, stage };
  }

  /**
   * @param array Gets what a batch reads; `stage` takes it from the staging area.
   * @param step Bytes of an element.
   * @returns It, as kernels see it.
   */
  results(array: TypedArrayLike<unknown>, step: number): Lane {
    const { buffer, u8 } = this.#lamella.views;
    if (array.buffer === buffer) return { at: array.byteOffset, step, area: 0, stage: NOWHERE };
    const area = this.areaOf("results");
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const stage = (from: number, count: number): void => {
      bytes.set(u8.subarray(area, area + count * step), from * step);
    };
    return { at: -1, step, area, stage };
  }

  /**
   * @param lane What it holds.
   * @returns The address of its staging area, for as many items as `laneItems` says.
   */
  areaOf(lane: keyof typeof LANE): number {
    return this.#areaAt(LANE[lane]);
  }

  #areaAt(lane: number): number {
    const { numPes, staging } = this.#lamella;
    return staging + lanePlace(numPes, lane);
  }
}

/**
 * Items that a kernel can be given at once.
 *
 * @param lanes The lists.
 * @returns How many.
 */
export function blockOf(...lanes: readonly Lane[]): number {
  return Math.min(...lanes.map(({ at, step }) => at < 0 ? laneItems(step) : ITEMS_MAX));
}

/** Items of one kernel call at most. */
const ITEMS_MAX = 2 ** 30;

/**
 * @param lane A list.
 * @param from The place of an item in it.
 * @returns Where a kernel finds the items of the block that begins there.
 */
export function placeOf({ area, at, step }: Lane, from: number): number {
  return at < 0 ? area : at + from * step;
}

/**
 * Writes indices as kernels take them.
 *
 * @param words 32-bit view of the memory.
 * @param at Where to, a multiple of 8.
 * @param indices The indices.
 * @returns Bytes of each.
 */
export function writeIndices(words: Uint32Array, at: number, indices: IndexBlock): 4 | 8 {
  if (indices instanceof Uint32Array) {
    words.set(indices, at / 4);
    return 4;
  }
  indices.forEach((index, i) => writeAddress(words, at + 8 * i, index));
  return 8;
}
