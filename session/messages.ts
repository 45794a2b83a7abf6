/**
 * What PEs and the program that started them tell each other, besides AMs.
 *
 * @module
 */

import { sendService, SERVICE } from "../am/mod.ts";
import type { ArrayKind } from "../array/mod.ts";
import type { DistributionKind } from "../internal/distribution.ts";
import { ProtocolError } from "../internal/errors.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import type { WorldCore } from "../world/mod.ts";

/** What PEs are told when they are started. */
export interface Told {
  /** URLs of modules to import. */
  readonly modules: readonly string[];
}

/** A message of a PE. */
export type FromPe =
  /** Its world is built; PE 0 tells the names and layouts of all AMs, by id. */
  | { readonly kind: "ready"; readonly ams: readonly string[] }
  /** What was asked for is done. */
  | { readonly kind: "done"; readonly request: number; readonly numbers: readonly number[] }
  /** It could not be done. */
  | {
    readonly kind: "failed";
    readonly request: number;
    readonly error: ErrorText;
  };

/** A message to a PE. */
export type ToPe =
  /** Nothing follows: the program of the PE ends. */
  | { readonly kind: "close" }
  /** All PEs allocate a region together. */
  | {
    readonly kind: "allocate";
    readonly request: number;
    readonly type: string;
    readonly length: number;
  }
  /** All PEs make an array together. */
  | {
    readonly kind: "array";
    readonly request: number;
    readonly arrayKind: ArrayKind;
    /** The element type, or the name of records. */
    readonly type: string;
    readonly isRecords: boolean;
    readonly length: number;
    readonly distribution: DistributionKind;
  }
  /** All PEs give up what they made by a request. */
  | { readonly kind: "release"; readonly request: number };

/** An error, as text. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
  readonly pe: number | undefined;
}

/**
 * Sends a message.
 *
 * @param core The world.
 * @param node The PE or client that gets it.
 * @param message The message.
 */
export function sendMessage({ engine }: WorldCore, node: number, message: FromPe | ToPe): void {
  const text = new TextEncoder().encode(JSON.stringify(message));
  sendService(engine.outbox, node, SERVICE.sessions, text.length, ({ u8 }, at) => u8.set(text, at));
  engine.attend();
}

/**
 * Gets the messages of a session.
 *
 * @param core The world.
 * @param receive Gets each, and who sent it.
 */
export function onMessage<M extends FromPe | ToPe>(
  core: WorldCore,
  receive: (message: M, from: number) => void,
): void {
  const { numPes, pe } = core.lamella;
  core.engine.services.add(SERVICE.sessions, (from, views, at, bytes) => {
    // PEs obey the client only.
    if (pe < numPes && from < numPes) {
      throw new ProtocolError("a message of a session that no client sent");
    }
    receive(readMessage<M>(views, at, bytes), from);
  });
}

function readMessage<M>(views: MemoryViews, at: number, bytes: number): M {
  try {
    return JSON.parse(new TextDecoder().decode(views.u8.slice(at, at + bytes)));
  } catch (cause) {
    throw new ProtocolError("a message of a session that is not JSON", { cause });
  }
}
