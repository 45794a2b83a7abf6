/**
 * Lamellar for Deno: an asynchronous tasking and PGAS runtime. A fixed set of processing elements
 * (PEs) runs one program; they send each other active messages, which run code where the data is,
 * and read and write each other's memory regions.
 *
 * ```ts
 * import { am, LamellarWorldBuilder, u32 } from "@lamellar/lamellar";
 *
 * const Hello = am("Hello", { from: u32 }, (self, lamellar) => {
 *   console.log(`hello from PE ${self.from} on PE ${lamellar.currentPe} of ${lamellar.numPes}`);
 *   return lamellar.currentPe;
 * });
 *
 * await using world = await new LamellarWorldBuilder().build();
 * const who = await world.execAmAll(Hello({ from: world.myPe }));
 * console.log(who.length === world.numPes);
 * ```
 *
 * @module
 */

export {
  type ActiveMessaging,
  am,
  AmCall,
  type AmContext,
  type AmGroupHandle,
  type AmGroupResult,
  type AmGroupResults,
  type AmHandle,
  type AmOptions,
  type AmResult,
  type AmType,
  type Blockable,
  type Captures,
  type Closure,
  type ClosureArguments,
  type ClosureCaptures,
  type ClosureResult,
  type Codec,
  type FoundHandle,
  type HandlerTeam,
  type HandlerWorld,
  type LamellarEnv,
  type LaunchOptions,
  localAm,
  type MultiAmHandle,
  oneSided,
  type OriginClosure,
  region,
  type RemoteMemoryRegion,
} from "./am/mod.ts";
export {
  array,
  bigi64,
  bigi64Array,
  bigu64,
  bigu64Array,
  bool,
  bytes,
  type ElementSchema,
  extension,
  f32,
  f32Array,
  f64,
  f64Array,
  i16,
  i16Array,
  i32,
  i32Array,
  i64,
  i8,
  i8Array,
  type Infer,
  type InferObject,
  type InferTuple,
  isSchema,
  oneOf,
  optional,
  type OptionalKeys,
  type OptionalSchema,
  type Schema,
  type SchemaExtension,
  type SchemaFields,
  type SchemaLike,
  staticField,
  str,
  tuple,
  u16,
  u16Array,
  u32,
  u32Array,
  u64,
  u8,
  u8Array,
} from "./am/mod.ts";
export {
  Darc,
  darc,
  type DarcBase,
  type DarcHandle,
  type DarcReadGuard,
  type DarcWriteGuard,
  GlobalRwDarc,
  globalRwDarc,
  LocalRwDarc,
  localRwDarc,
  type WeakDarc,
} from "./darc/mod.ts";
export * from "./internal/errors.ts";
export type { BarrierHandle, CollectiveHandle, Handle, WaitOptions } from "./lamellae/mod.ts";
export type { MemoryViews } from "./internal/memory_views.ts";
export { VERSION } from "./internal/version.ts";
export {
  type AllocationResult,
  type BatchCompareExchangeResult,
  type BitsSource,
  type BitsValue,
  type BulkSource,
  type CompareExchangeResult,
  type Comparison,
  type ElementArray,
  type ElementSlice,
  type ElementType,
  type ElementTypeLike,
  type ElementTypes,
  type ElementValue,
  type GetTarget,
  type IndexSource,
  type IntegerSource,
  type IntegerValue,
  type LamellarMemoryRegion,
  MemNotLocalError,
  MemoryRegion,
  type NumericSource,
  type NumericValue,
  OneSidedMemoryRegion,
  type PutSource,
  type RegionSignal,
  type RmaHandle,
  SharedMemoryRegion,
  type WaitHandle,
} from "./memregion/mod.ts";
export {
  AmGroup,
  type Backend,
  BlockedArch,
  type Collected,
  type CollectiveCalls,
  type Combine,
  type GridTeams,
  IdError,
  type IntoOptions,
  type LamellarArch,
  LamellarSubteam,
  type LamellarTask,
  LamellarTaskGroup,
  LamellarTeam,
  LamellarWorld,
  LamellarWorldBuilder,
  type Located,
  type LocatedEach,
  type LocatingName,
  type Messaging,
  type OperatorName,
  type Reducible,
  type ReducibleArray,
  type RootOptions,
  type SplitOptions,
  StridedArch,
  type TypedAmGroup,
  typedAmGroup,
  WorldTeam,
} from "./world/mod.ts";
