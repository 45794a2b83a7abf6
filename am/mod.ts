/**
 * Active messages: code that runs where the data is. Registered ones are defined by name with
 * {@linkcode am}; the source of closures travels.
 *
 * Guarantees: each AM runs exactly once; the order of two AMs is not defined; a launch is under way
 * when it returns; a handler's error reaches the PE that launched it.
 *
 * @module
 */

export { AmCall, type AmDefinition, definitionOf, payloadOf } from "./call.ts";
export { analyseClosure, prepareClosureParser, wrapClosure } from "./closure/source.ts";
export {
  type Closure,
  type ClosureResult,
  closuresRefused,
  makeClosure,
  makeOriginClosure,
  type OriginClosure,
} from "./closure/value.ts";
export type { Codec, FoundHandle } from "./codec.ts";
export type {
  ActiveMessaging,
  AmContext,
  Blockable,
  Captures,
  ClosureArguments,
  ClosureCaptures,
  FinishOptions,
  HandlerTeam,
  HandlerWorld,
  LamellarEnv,
  RemoteMemoryRegion,
} from "./context.ts";
export {
  am,
  type AmOptions,
  type AmResult,
  type AmType,
  definedAms,
  localAm,
  sealRegistry,
} from "./definition.ts";
export { AmEngine } from "./engine.ts";
export type { AmNumbers } from "./engine_options.ts";
export type { Finish } from "./finish/finish.ts";
export type { Failures } from "./finish/finishes.ts";
export { AmCollector, type CollectorHost } from "./group/collector.ts";
export { AmGroupHandle, type AmGroupResult, AmGroupResults } from "./group/group_handle.ts";
export { AmHandle, checkLaunchOptions, type LaunchOptions, observed, outcomeOf } from "./handle.ts";
export {
  MsgpackCodec,
  type MsgpackExtension,
  prepareMsgpack,
  registerExtension,
} from "./msgpack/msgpack_codec.ts";
export { blockInOrder, MultiAmHandle } from "./multi_handle.ts";
export { oneSided, region } from "./region_codec.ts";
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
  str,
  tuple,
  u16,
  u16Array,
  u32,
  u32Array,
  u64,
  u8,
  u8Array,
} from "./schema/schema.ts";
export { constantsOf, staticField } from "./schema/constants.ts";
export { fixedBytesOf } from "./schema/fixed.ts";
export { schemaCodec } from "./schema/schema_codec.ts";
export { messageOf } from "./wire/thrown.ts";
export { sendCollective, sendService, SERVICE } from "./services.ts";
export { FinishWork, type TeamHost, TeamWork } from "./team_work.ts";
