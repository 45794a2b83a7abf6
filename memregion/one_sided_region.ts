/**
 * One-sided regions: memory of one PE that others reach by its handle.
 *
 * @module
 */

import type { ElementType, ElementValue } from "./element_types.ts";
import { settled } from "./handle.ts";
import { MEMORY } from "./region_memory.ts";
import { OneSidedRma } from "./one_sided_rma.ts";

/**
 * Memory of one PE, its owner, made by `allocOneSidedMemRegion` without the others. Its handle
 * travels in active messages; whoever has it reads and writes the memory.
 *
 * When the owner disposes it, the memory is free at once, and every later use on any PE is a
 * `ClosedError`; the owner has to know that nobody is using it at that moment. Disposing a
 * sub-region, or the handle on another PE, only closes that handle.
 */
export class OneSidedMemoryRegion<E extends ElementType> extends OneSidedRma<E> {
  /** The PE that has the memory. */
  get owner(): number {
    return this[MEMORY].allocation.firstPe;
  }

  /** Whether the data is on this PE. */
  get dataLocal(): boolean {
    return this[MEMORY].localPart >= 0;
  }

  /**
   * Reads an element.
   *
   * @param index Index of the element.
   * @returns Its value.
   */
  at(index: number): ElementValue<E> {
    const memory = this[MEMORY];
    return settled(memory.access.read(memory, 0, index, true));
  }

  /**
   * A range, sharing the memory.
   *
   * @param start Index of its first element.
   * @param end Index after its last; the end of the region if left out.
   * @returns The range as a region.
   * @throws {RangeError} If it is no range of this region.
   */
  subRegion(start: number, end: number = this.length): OneSidedMemoryRegion<E> {
    return new OneSidedMemoryRegion(this.services, this[MEMORY].subRange(start, end));
  }

  /** Gives the handle up; the one that allocation gave frees the memory. */
  dispose(): void {
    this[MEMORY].release();
  }
}
