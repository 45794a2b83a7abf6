/**
 * Arrays: elements that are distributed over the PEs of a team and used by one index.
 *
 * Guarantees: an operation on an element happens on the memory of its PE, wherever it was called;
 * nothing is read or written beyond an array, or after it was disposed of or converted; a
 * conversion is over only when no PE can use the array as what it was; no wait outlives a failure
 * of the job.
 *
 * @module
 */

export {
  AtomicArray,
  GlobalLockArray,
  LocalLockArray,
  ReadOnlyArray,
  UnsafeArray,
} from "./arrays.ts";
export { checkDistribution, type ElementPlace, LamellarArray, type ReadonlySlice } from "./base.ts";
export {
  arrayClassOf,
  atomicArray,
  globalLockArray,
  localLockArray,
  readOnlyArray,
  receiveArray,
  sendArray,
  unsafeArray,
} from "./codec.ts";
export { ARRAY_KINDS, type ArrayKind, checkLength } from "./create.ts";
export { AtomicLocalData } from "./local_data.ts";
export { ArrayGuard, ArrayReadGuard, ArrayWriteGuard } from "./lock_guards.ts";
export { LockableArray } from "./locked_array.ts";
export {
  type ArrayIndices,
  type ArraySource,
  type ArrayTarget,
  type ArrayValues,
  ReadableArray,
} from "./readable_array.ts";
export { element, type RecordOps, recordTypeNamed, recordTypeOf } from "./record/record_type.ts";
export { type Reducer, reduction } from "./reduction.ts";
export { UnlockedArray, UnlockedReadArray } from "./unlocked_arrays.ts";
export { WritableArray } from "./writable_array.ts";
