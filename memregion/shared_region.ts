/**
 * Shared regions: memory that every PE has a part of.
 *
 * @module
 */

import type { ElementType, ElementValue } from "./element_types.ts";
import { settled } from "./handle.ts";
import { MEMORY } from "./region_memory.ts";
import { SharedRma } from "./shared_rma.ts";

/**
 * Memory of which every PE has a part of the same length, made by `allocSharedMemRegion`. Any PE
 * reads and writes any part, unsynchronised but for the atomic operations, of which the batched
 * ones take indices over all parts.
 *
 * The memory is used again once every PE has disposed its handle. A sub-region, and a handle that
 * came in an active message, shares the memory and does not keep it: disposing it only closes that
 * handle.
 */
export class SharedMemoryRegion<E extends ElementType> extends SharedRma<E> {
  /** Number of PEs that have a part: all of the world. */
  get numPes(): number {
    return this[MEMORY].space.lamella.numPes;
  }

  /**
   * Reads an element on this PE.
   *
   * @param index Index of the element.
   * @returns Its value.
   */
  at(index: number): ElementValue<E>;
  /**
   * Reads an element on any PE.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @returns Its value.
   */
  at(pe: number, index: number): ElementValue<E>;
  at(first: number, second?: number): ElementValue<E> {
    const memory = this[MEMORY];
    return settled(
      second === undefined
        ? memory.access.read(memory, memory.localPart, first, true)
        : memory.access.read(memory, first, second, true),
    );
  }

  /**
   * A range of every part, sharing the memory.
   *
   * @param start Index of its first element.
   * @param end Index after its last; the end of the region if left out.
   * @returns The range as a region.
   * @throws {RangeError} If it is no range of this region.
   */
  subRegion(start: number, end: number = this.length): SharedMemoryRegion<E> {
    return new SharedMemoryRegion(this.services, this[MEMORY].subRange(start, end));
  }

  /**
   * Gives the handle up. Where it is the one that allocation gave, this PE takes part no more, and
   * the memory is used again once all PEs have done so; no PE waits for that.
   */
  dispose(): void {
    this[MEMORY].release();
  }
}
