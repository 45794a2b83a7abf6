/**
 * Shipping AMs that no module of a session defines: the handler travels as a closure does, and the
 * payload as its capture.
 *
 * @module
 */

import { type AmContext, type AmDefinition, analyseClosure, type FoundHandle } from "../am/mod.ts";
import { memoryViews } from "../internal/memory_views.ts";

/** An AM as it is shipped. */
export interface Shipped {
  readonly handler: (self: unknown, context: AmContext) => unknown;
  readonly payload: unknown;
}

/**
 * Makes of an AM what can be launched as a closure.
 *
 * @param definition The AM.
 * @param payload Its payload.
 * @param decodeContext What handles in the payload belong to.
 * @returns The handler and its payload; undefined if the AM does not travel at all.
 * @throws {TypeError} If the handler uses what its source does not carry, or the payload is not as
 * its schema says.
 * @throws {RangeError} If a field of the payload is out of range.
 */
export function ship(
  definition: AmDefinition,
  payload: unknown,
  decodeContext: unknown,
): Shipped | undefined {
  const { codec, handler, name } = definition;
  if (!codec) return undefined;
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
  const copy = found.length > 0 ? payload : codec.read(views, 0, written, decodeContext);
  return { handler: handler as Shipped["handler"], payload: copy };
}
