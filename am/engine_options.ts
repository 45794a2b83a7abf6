/**
 * What the engine of AMs is built from.
 *
 * @module
 */

import type { Progress } from "../lamellae/mod.ts";
import type { AmDefinition } from "./call.ts";
import type { AmContext } from "./context.ts";
import type { MakeFinishContext } from "./finish/finishes.ts";
import type { TeamHost } from "./team_work.ts";

/** The ids of AMs for a client, whose own definitions have none: it learns them from PEs. */
export interface AmNumbers {
  /** The id of an AM; below 0 if no PE has it. */
  idOf(definition: AmDefinition): number;
  /** The AM of an id. */
  definitionOf(id: number): AmDefinition;
}

/** What the engine is built from. */
export interface EngineOptions {
  readonly progress: Progress;
  /** Bytes gathered for a destination before they are published. */
  readonly thresholdBytes: number;
  readonly closuresAllowed: boolean;
  readonly definitions: readonly AmDefinition[];
  /** The ids of AMs, for a client. */
  readonly numbers?: AmNumbers;
  readonly context: AmContext;
  /** Who knows the teams other than the world's. */
  readonly teams?: TeamHost;
  /** Makes what handlers get in a finish. */
  readonly makeFinishContext: MakeFinishContext;
  /** Handed to codecs: what a handle on the wire belongs to. */
  readonly decodeContext: unknown;
}
