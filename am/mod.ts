/**
 * Active messages: code that runs where the data is. Registered ones are defined by name with
 * {@linkcode am}; closures travel by their source.
 *
 * Guarantees: each AM runs exactly once; nothing is promised about the order of two AMs; a launch
 * is under way when it returns; a handler's error reaches whoever launched it.
 *
 * @module
 */

export * from "./call.ts";
export * from "./closure_value.ts";
export { prepareClosureParser } from "./closure_source.ts";
export * from "./codec.ts";
export * from "./context.ts";
export * from "./definition.ts";
export * from "./engine.ts";
export * from "./handle.ts";
export { type MsgpackExtension, prepareMsgpack, registerExtension } from "./msgpack_codec.ts";
export { oneSided, region } from "./region_codec.ts";
export * from "./schema.ts";
export { type TeamHost, TeamWork } from "./team_work.ts";
