/**
 * Defining active messages: a name, the shape of the payload, and the handler that runs where the
 * message arrives.
 *
 * @module
 */

import type { AmContext } from "./context.ts";
import { AmCall, type AmDefinition } from "./call.ts";
import type { ClosureResult } from "./closure/value.ts";
import type { Codec } from "./codec.ts";
import { payloadCodec } from "./msgpack/value_codec.ts";
import { withoutMarks } from "./schema/constants.ts";
import { isTyped } from "../internal/program_kind.ts";
import { type Infer, isSchema, type SchemaFields, type SchemaLike } from "./schema/schema.ts";
import { schemaCodec } from "./schema/schema_codec.ts";

/** Runs on the target; `self` is the payload. */
export type AmHandler<A, R> = (self: A, lamellar: AmContext) => R;

/**
 * What a caller gets from a handler that returns `R`. If the handler returns an AM or a closure,
 * that runs at the origin, and the caller gets its value.
 *
 * @category Active messages
 */
export type AmResult<R> = [Awaited<R>] extends [never] ? never
  : Awaited<R> extends AmCall<infer T> ? T
  : ClosureResult<R>;

/**
 * A defined active message: call it with a payload to get a call that can be launched.
 *
 * @category Active messages
 */
export interface AmType<A, T> {
  (
    ...self: undefined extends A ? [self?: A] : Record<never, never> extends A ? [self?: A] : [A]
  ): AmCall<T>;
  /** The name under which it is registered. */
  readonly amName: string;
}

/**
 * Options of {@linkcode am}.
 *
 * @category Active messages
 */
export interface AmOptions {
  /** Schema of the result; without it, results of any type travel, a little slower. */
  returns?: SchemaLike;
  /** The codec for a payload without a schema, in place of the runtime's own. */
  codec?: Codec<unknown>;
}

const registry = new Map<string, AmDefinition>();
let sealed = false;

/**
 * Defines an active message whose payload follows a schema. This is the fastest kind.
 *
 * @category Active messages
 * @param name A name that no other AM has; it is the same on all PEs.
 * @param schema The fields of the payload.
 * @param handler Runs on the target; may be async. The caller gets what it returns; if it returns
 * an AM, that runs at the origin, and the caller gets its value.
 * @param options A schema of the result.
 * @returns The AM; call it with a payload to get a call that can be launched.
 * @throws {TypeError} If another AM has the name, or the world is built already.
 * @example
 * ```ts
 * import { am, f64 } from "../mod.ts";
 *
 * const Square = am("Square", { x: f64 }, (self) => self.x * self.x);
 * console.log(Square.amName, Square({ x: 3 }));
 * ```
 */
export function am<const S extends SchemaLike, R>(
  name: string,
  schema: S,
  handler: (self: Infer<S>, lamellar: AmContext) => R,
  options?: AmOptions,
): AmType<Infer<S>, AmResult<R>>;
/**
 * Defines an active message whose payload travels as MessagePack. It may be anything except
 * functions and class instances.
 *
 * @category Active messages
 * @param name A name that no other AM has; it is the same on all PEs.
 * @param handler Runs on the target; may be async.
 * @param options A schema of the result.
 * @returns The AM; call it with a payload to get a call that can be launched.
 * @throws {TypeError} If another AM has the name, or the world is built already.
 */
export function am<A, R>(
  name: string,
  handler: (self: A, lamellar: AmContext) => R,
  options?: AmOptions,
): AmType<A, AmResult<R>>;
/**
 * The implementation of both forms.
 *
 * @category Active messages
 */
export function am(
  name: string,
  second: SchemaLike | AmHandler<never, unknown>,
  third?: AmHandler<never, unknown> | AmOptions,
  fourth?: AmOptions,
): AmType<unknown, unknown> {
  const hasSchema = typeof second !== "function";
  const handler = (hasSchema ? third : second) as AmHandler<unknown, unknown>;
  const options = (hasSchema ? fourth : third) as AmOptions | undefined;
  if (typeof name !== "string" || name === "") {
    throw new TypeError("Cannot define an AM: it needs a name");
  }
  if (typeof handler !== "function") {
    throw new TypeError(`Cannot define AM "${name}": it needs a handler function`);
  }
  if (sealed) {
    throw new TypeError(
      `Cannot define AM "${name}": the world is built already; define AMs at the top level ` +
        "of a module",
    );
  }
  // Who types a definition again has changed it.
  if (registry.has(name) && !isTyped()) {
    throw new TypeError(`Cannot define AM "${name}": another AM has this name`);
  }
  const plain = hasSchema ? withoutMarks(second as SchemaLike) : undefined;
  const definition: AmDefinition = {
    name,
    handler: handler as AmDefinition["handler"],
    codec: hasSchema ? schemaCodec(plain ?? second as SchemaLike) : options?.codec ?? payloadCodec,
    returns: options?.returns === undefined ? undefined : schemaCodec(options.returns),
    fields: plain && second as SchemaFields,
    id: -1,
  };
  registry.set(name, definition);
  // Fields that may all be left out may be left out together.
  return amType(definition, typeof second === "object" && !isSchema(second) ? {} : undefined);
}

/**
 * Defines an active message that never leaves its PE, so its payload may be anything.
 *
 * @category Active messages
 * @param handler Runs on the PE that launches it; may be async.
 * @returns The AM; call it with a payload to get a call for `execAmLocal`.
 */
export function localAm<A, R>(
  handler: (self: A, lamellar: AmContext) => R,
): AmType<A, AmResult<R>> {
  if (typeof handler !== "function") {
    throw new TypeError("Cannot define a local AM: it needs a handler function");
  }
  const definition: AmDefinition = {
    name: handler.name || "a local AM",
    handler: handler as AmDefinition["handler"],
    codec: undefined,
    returns: undefined,
    fields: undefined,
    id: -1,
  };
  return amType(definition) as AmType<A, AmResult<R>>;
}

function amType(definition: AmDefinition, empty?: unknown): AmType<unknown, unknown> {
  const make = (self: unknown = empty): AmCall<unknown> => new AmCall(definition, self);
  return Object.defineProperties(make, {
    name: { value: definition.name },
    amName: { value: definition.name },
  }) as unknown as AmType<unknown, unknown>;
}

/**
 * @returns All AMs that are defined so far.
 */
export function definedAms(): AmDefinition[] {
  return [...registry.values()];
}

/**
 * Gives every AM its id. No more can be defined afterwards.
 *
 * @returns All AMs, by id: in the order of their names, which is the same on every PE.
 */
export function sealRegistry(): readonly AmDefinition[] {
  sealed = true;
  const all = [...registry.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  all.forEach((definition, id) => definition.id = id);
  return all;
}
