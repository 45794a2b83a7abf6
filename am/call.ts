/**
 * An active message with its payload, and what the runtime knows of it.
 *
 * @module
 */

import type { Codec } from "./codec.ts";

declare const RESULT: unique symbol;

/** An active message with its payload, ready to be launched. */
export class AmCall<T> {
  /** Only there for the type checker. */
  declare readonly [RESULT]: T;
  /** What it runs. */
  readonly definition: AmDefinition;
  /** Its payload. */
  readonly self: unknown;

  /**
   * Calls come from what `am` and `localAm` return.
   *
   * @internal
   * @param definition What it runs.
   * @param self Its payload.
   */
  constructor(definition: AmDefinition, self: unknown) {
    this.definition = definition;
    this.self = self;
  }
}

/** What the runtime knows of an active message. */
export interface AmDefinition {
  /** What PEs know it by. */
  readonly name: string;
  /** Gets the payload and the context of handlers. */
  readonly handler: (self: unknown, context: unknown) => unknown;
  /** How the payload travels; undefined for local AMs, which do not. */
  readonly codec: Codec<unknown> | undefined;
  /** How the result travels, if that was declared. */
  readonly returns: Codec<unknown> | undefined;
  /** Index in the sorted list of names, once a world is built; -1 before. */
  id: number;
}
