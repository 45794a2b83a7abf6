/**
 * An active message with its payload, and what the runtime knows of it.
 *
 * @module
 */

import type { Codec } from "./codec.ts";
import type { SchemaFields } from "./schema/schema.ts";

declare const RESULT: unique symbol;

/** What a call runs; undefined if that is not a call. */
export let definitionOf: (call: unknown) => AmDefinition | undefined;
/** The payload of a call. */
export let payloadOf: (call: AmCall<unknown>) => unknown;

/**
 * An active message with its payload, ready to be launched.
 *
 * @category Active messages
 */
export class AmCall<T> {
  /**
   * Only there for the type checker.
   *
   * @ignore
   */
  declare readonly [RESULT]: T;
  readonly #definition: AmDefinition;
  readonly #self: unknown;

  /**
   * Calls come from what `am` and `localAm` return.
   *
   * @ignore
   * @param definition What it runs.
   * @param self Its payload.
   */
  constructor(definition: AmDefinition, self: unknown) {
    this.#definition = definition;
    this.#self = self;
  }

  static {
    definitionOf = (call) =>
      typeof call === "object" && call !== null && #definition in call
        ? call.#definition
        : undefined;
    payloadOf = (call) => call.#self;
  }
}

/**
 * What the runtime knows of an active message.
 *
 * @category Active messages
 */
export interface AmDefinition {
  /** The name by which PEs know it. */
  readonly name: string;
  /** Gets the payload and the context of handlers. */
  readonly handler: (self: unknown, context: unknown) => unknown;
  /** How the payload travels; undefined for local AMs, which do not. */
  readonly codec: Codec<unknown> | undefined;
  /** How the result travels, if that was declared. */
  readonly returns: Codec<unknown> | undefined;
  /** The fields of the payload, if some are constant in a typed group. */
  readonly fields?: SchemaFields | undefined;
  /** Index in the sorted list of names, once a world is built; -1 before. */
  id: number;
}
