/**
 * Lamellar for Deno: an asynchronous tasking and PGAS runtime. A fixed set of processing elements
 * (PEs) runs one program; they send each other active messages, which run code where the data is,
 * and read and write each other's memory regions.
 *
 * ```ts
 * import { am, LamellarWorldBuilder, u32 } from "./mod.ts";
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
  type AmDefinition,
  AmHandle,
  type AmOptions,
  type AmResult,
  type AmType,
  type Blockable,
  type Captures,
  type Closure,
  type ClosureResult,
  type Codec,
  type HandlerTeam,
  type HandlerWorld,
  type LamellarEnv,
  type LaunchOptions,
  localAm,
  MultiAmHandle,
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
export * from "./internal/errors.ts";
export { CollectiveHandle } from "./lamellae/mod.ts";
export type { MemoryViews } from "./internal/memory_views.ts";
export { VERSION } from "./internal/version.ts";
export {
  type AllocationResult,
  type BulkSource,
  type CompareExchangeResult,
  type Comparison,
  type ElementArray,
  type ElementType,
  type ElementTypes,
  type ElementValue,
  type GetTarget,
  type IndexSource,
  type IntegerSource,
  type IntegerValue,
  type LamellarMemoryRegion,
  MemNotLocalError,
  MemoryRegion,
  type OneSidedAtomics,
  OneSidedMemoryRegion,
  type OneSidedRma,
  type PutSource,
  type RegionBatches,
  type RegionSignal,
  RmaHandle,
  type SharedAtomics,
  SharedMemoryRegion,
  type SharedRma,
  WaitHandle,
  type WaitOptions,
} from "./memregion/mod.ts";
export {
  type Backend,
  BarrierHandle,
  BlockedArch,
  IdError,
  type LamellarArch,
  LamellarSubteam,
  LamellarTask,
  LamellarTeam,
  LamellarWorld,
  LamellarWorldBuilder,
  type Messaging,
  StridedArch,
  WorldTeam,
} from "./world/mod.ts";
