/**
 * Memory regions: memory that every PE reads and writes directly, without the help of the PE that
 * has it. A shared region has a part on every PE, a one-sided one belongs to the PE that allocated
 * it and is reached by its handle.
 *
 * Guarantees: every operation checks element type, range and life of the region before it changes
 * anything; a put is visible at its target, and to whatever handles an active message sent
 * afterwards, once its handle is complete; atomic operations are ordered, everything else is not;
 * no wait outlives a failure of the job.
 *
 * ```ts
 * import { LamellarWorldBuilder } from "../mod.ts";
 *
 * await using world = await new LamellarWorldBuilder().build();
 * const region = await world.allocSharedMemRegion("f64", 1024);
 * const next = (world.myPe + 1) % world.numPes;
 * await region.put(next, 0, new Float64Array([1, 2, 3]));
 * await region.fetchAdd(next, 3, 0.5);
 * world.barrier();
 * console.log(region.asSlice().subarray(0, 4));
 * ```
 *
 * @module
 */

export type {
  ElementArray,
  ElementType,
  ElementTypes,
  ElementValue,
  IntegerValue,
} from "./element_types.ts";
export { RmaHandle } from "./handle.ts";
export { OneSidedAtomics } from "./one_sided_atomics.ts";
export { OneSidedMemoryRegion } from "./one_sided_region.ts";
export { OneSidedRma } from "./one_sided_rma.ts";
export { MemNotLocalError } from "./refusals.ts";
export {
  type BulkSource,
  type CompareExchangeResult,
  type GetTarget,
  type IndexSource,
  type IntegerSource,
  MemoryRegion,
  type PutSource,
  type RegionSignal,
} from "./region.ts";
export { RegionBatches } from "./region_batches.ts";
export { SharedAtomics } from "./shared_atomics.ts";
export { SharedMemoryRegion } from "./shared_region.ts";
export { SharedRma } from "./shared_rma.ts";
export { type AllocationResult, type LamellarMemoryRegion, RegionSpace } from "./space.ts";
export { type Comparison, WaitHandle, type WaitOptions } from "./waits.ts";
export { encodeOneSided, encodeShared, ONE_SIDED_NUMBERS, SHARED_NUMBERS } from "./wire.ts";
