/**
 * Shipping AMs that no module of a session defines: the handler travels as a closure does, and the
 * payload as its capture.
 *
 * @module
 */

import {
  type AmCall,
  type AmContext,
  analyseClosure,
  definitionOf,
  type FoundHandle,
  payloadOf,
} from "../am/mod.ts";
import { FeatureLevelError } from "../internal/errors.ts";
import { memoryViews } from "../internal/memory_views.ts";
import type { WorldCore } from "../world/mod.ts";
import type { SessionAms } from "./session_ams.ts";

/** An AM as it is shipped. */
export interface Shipped {
  readonly handler: (self: unknown, context: AmContext) => unknown;
  readonly payload: unknown;
}

/**
 * Makes of an AM what can be launched as a closure, if the PEs do not have it.
 *
 * @param call The AM with its payload.
 * @param ams The AMs of the PEs.
 * @param core The session's world.
 * @returns The handler and its payload; undefined if the AM is launched as it is.
 * @throws {TypeError} If the handler uses what its source does not carry, the payload is not as its
 * schema says, or the PEs have another AM of this name.
 * @throws {FeatureLevelError} If the PEs run no closures.
 * @throws {RangeError} If a field of the payload is out of range.
 */
export function ship(
  call: AmCall<unknown>,
  ams: SessionAms,
  { config, engine }: WorldCore,
): Shipped | undefined {
  const definition = definitionOf(call);
  if (!definition?.codec || ams.idOf(definition) >= 0) return undefined;
  const payload = payloadOf(call);
  const { codec, handler, name } = definition;
  if (ams.hasName(name)) {
    throw new TypeError(
      `Cannot launch AM "${name}": a module of the session defines it with another schema`,
    );
  }
  if (!config.closures) {
    throw new FeatureLevelError(
      `Cannot launch AM "${name}": no module of the session defines it, and it cannot be shipped ` +
        "as source, since the session runs no closures",
    );
  }
  try {
    analyseClosure(handler);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new TypeError(
      `Cannot ship AM "${name}", which no module of the session defines: ` +
        `${cause.message.replace(/^Cannot send the closure: /, "")}; or put the AM into a module ` +
        "and name that in the modules of startSession",
      { cause },
    );
  }
  const bytes = codec.size(payload);
  const views = memoryViews(new ArrayBuffer(Math.ceil(bytes / 8) * 8));
  const found: FoundHandle[] = [];
  const written = codec.write(payload, views, 0, bytes, found);
  // Handles that are counted must not be read here, too.
  const copy = found.length > 0 ? payload : codec.read(views, 0, written, engine.decodeContext);
  return { handler: handler as Shipped["handler"], payload: copy };
}
