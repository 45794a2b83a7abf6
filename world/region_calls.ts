/**
 * The memory regions of a world or a team.
 *
 * @module
 */

import type { CollectiveHandle } from "../lamellae/mod.ts";
import type {
  AllocationResult,
  ElementType,
  ElementTypeLike,
  OneSidedMemoryRegion,
  SharedMemoryRegion,
} from "../memregion/mod.ts";
import { CollectiveCalls } from "./collective_calls.ts";

/**
 * Allocating memory regions, for all PEs of the world or of a team.
 *
 * @category Memory regions
 */
export abstract class RegionCalls extends CollectiveCalls {
  /**
   * Allocates a memory region with a part on every PE of the world or the team. Collective: all of
   * these PEs call it with the same arguments. The region can use the memory of regions that all
   * PEs disposed of before they called it. Operations on a team's region number the PEs as the team
   * does. A PE outside the team can use the region too, if an AM brings it there.
   *
   * A region declared with `const` lasts until the world is closed. With `using`, this PE disposes
   * of the region at the end of the scope, while other PEs may still be using it. They can reach
   * this PE's part as long as they have not disposed of the region themselves, but an AM that
   * brings the region here then fails with a `ClosedError`. End such a scope with `await
   * world.asyncBarrier()`, or that of the team.
   *
   * @param type The element type, such as `"f64"`, or the schema of that name.
   * @param length Number of elements on each PE, all 0 at first.
   * @returns A handle for the region: await it or block on it. It fails on every PE with an
   * `OutOfMemoryError` if one of them has no room.
   * @throws {RangeError} If the length is not an integer of at least 1.
   * @throws {IdError} If this PE is not a member of the team.
   */
  allocSharedMemRegion<E extends ElementType>(
    type: ElementTypeLike<E>,
    length: number,
  ): CollectiveHandle<SharedMemoryRegion<E>> {
    return this.core.regions.allocShared(
      type,
      length,
      this.collectiveGroup("allocSharedMemRegion"),
    );
  }

  /**
   * Like `allocSharedMemRegion`, but gives a result that tells whether there was room.
   *
   * @param type The element type, such as `"f64"`, or the schema of that name.
   * @param length Number of elements on each PE, all 0 at first.
   * @returns A handle for the result.
   */
  tryAllocSharedMemRegion<E extends ElementType>(
    type: ElementTypeLike<E>,
    length: number,
  ): CollectiveHandle<AllocationResult<SharedMemoryRegion<E>>> {
    return this.core.regions.tryAllocShared(
      type,
      length,
      this.collectiveGroup("tryAllocSharedMemRegion"),
    );
  }

  /**
   * Allocates a memory region on this PE only. Its handle can travel in AMs, and every PE that has
   * the handle can read and write the memory.
   *
   * @param type The element type, such as `"f64"`, or the schema of that name.
   * @param length Number of elements, all 0 at first.
   * @returns The region.
   * @throws {OutOfMemoryError} If this PE has no room.
   * @throws {RangeError} If the length is not an integer of at least 1.
   */
  allocOneSidedMemRegion<E extends ElementType>(
    type: ElementTypeLike<E>,
    length: number,
  ): OneSidedMemoryRegion<E> {
    this.checkOpen("allocOneSidedMemRegion");
    return this.core.regions.allocOneSided(type, length);
  }

  /**
   * Like `allocOneSidedMemRegion`, but gives a result that tells whether there was room.
   *
   * @param type The element type, such as `"f64"`, or the schema of that name.
   * @param length Number of elements, all 0 at first.
   * @returns The result.
   */
  tryAllocOneSidedMemRegion<E extends ElementType>(
    type: ElementTypeLike<E>,
    length: number,
  ): AllocationResult<OneSidedMemoryRegion<E>> {
    this.checkOpen("tryAllocOneSidedMemRegion");
    return this.core.regions.tryAllocOneSided(type, length);
  }

  /**
   * Refuses what a closed world does not do.
   *
   * @ignore
   * @param op What the user called.
   * @throws {ClosedError} If the world is closed.
   */
  protected abstract checkOpen(op: string): void;
}
