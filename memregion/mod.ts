/**
 * Memory regions: memory that every PE can read and write directly, without the help of the PE that
 * has it. A shared region has a part on every PE. A one-sided region belongs to the PE that
 * allocated it; others reach it by its handle.
 *
 * Guarantees: every operation checks the element type, the range and the liveness of the region
 * before it changes anything. Once its handle is done, a put is visible at its target and to the
 * handler of every active message sent afterwards. The atomic operations of a PE at one PE are
 * ordered; only `fence` and `quiet` of the world order anything else. No wait outlives a failure of
 * the job.
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
  AnyElement,
  BitsValue,
  ElementArray,
  ElementSlice,
  ElementType,
  ElementTypeLike,
  ElementTypes,
  ElementValue,
  IntegerValue,
  NumericValue,
  RecordElement,
  RecordSlice,
} from "../internal/elements.ts";
export {
  copyOf,
  type Elements,
  elementsOf,
  newElements,
  rangeOf,
  shapeOf,
} from "./collectives/elements.ts";
export {
  ElementCollectives,
  operationFor,
  type Target,
} from "./collectives/element_collectives.ts";
export { type InMemory, keepUsed } from "./collectives/keeping.ts";
export { RmaHandle } from "./transfer/handle.ts";
export { OneSidedMemoryRegion } from "./one_sided_region.ts";
export { MemNotLocalError } from "./memory/refusals.ts";
export {
  type BatchCompareExchangeResult,
  type BitsSource,
  type BulkSource,
  type CompareExchangeResult,
  type GetTarget,
  type IndexSource,
  type IntegerSource,
  MemoryRegion,
  type NumericSource,
  type PutSource,
  type RegionServices,
  type RegionSignal,
} from "./region.ts";
export { SharedMemoryRegion } from "./shared_region.ts";
export { isWithin } from "./span/difference.ts";
export { Span } from "./span/span.ts";
export type { SpanMaker } from "./placing.ts";
export type { PartCall, PartResult, SentCall } from "./span/part_calls.ts";
export { SpanTools } from "./span/tools.ts";
export type { RegionMemory } from "./memory/region_memory.ts";
export type { Target as CopyTarget } from "./transfer/copies.ts";
export { AtomicElement } from "./span/span_element.ts";
export { collected, type RunName } from "./span/lists.ts";
export type { RawElement, SpanReduction } from "./span/reduce.ts";
export { type CheckedLists, checkLists, type PartItems } from "./span/checked_lists.ts";
export type { AllocationResult, LamellarMemoryRegion } from "./allocation_result.ts";
export { RegionSpace } from "./space.ts";
export { WaitHandle } from "./waits/wait_handle.ts";
export type { Comparison } from "./waits/waits.ts";
export {
  encodeOneSided,
  encodeShared,
  encodeSpan,
  ONE_SIDED_NUMBERS,
  SHARED_NUMBERS,
} from "./wire.ts";
