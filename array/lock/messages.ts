/**
 * The messages about locks of arrays: the id of the team and the number of the array, and four
 * 32-bit words.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import type { LockMode } from "./shared_lock.ts";

/** What a message is about. */
export interface LockMessage {
  /** Id of the team of the array, `WORLD_ID` for the world. */
  readonly teamId: number;
  /** The number of the array among what the team counts. */
  readonly number: number;
  /**
   * Asks for the lock of the receiver's part; grants it; gives it back, or up; says that this has
   * been done.
   */
  readonly kind: "ask" | "grant" | "leave" | "left";
  /** The number of the claim, by which its PE knows it. */
  readonly ticket: number;
  readonly mode: LockMode;
}

/** Their numbers on the wire are their places. */
const KINDS = ["ask", "grant", "leave", "left"] as const satisfies readonly LockMessage["kind"][];
const MODES: readonly LockMode[] = ["read", "write"];

/** Bytes of a message. */
export const MESSAGE_BYTES = 32;
const WORDS_AT = 16;

/**
 * Writes a message.
 *
 * @param views The memory to write to.
 * @param at Its address, a multiple of 8.
 * @param message The message.
 */
export function writeMessage(views: MemoryViews, at: number, message: LockMessage): void {
  views.f64[at >>> 3] = message.teamId;
  views.f64[(at >>> 3) + 1] = message.number;
  const word = (at + WORDS_AT) >>> 2;
  views.i32[word] = KINDS.indexOf(message.kind);
  views.i32[word + 1] = message.ticket;
  views.i32[word + 2] = MODES.indexOf(message.mode);
  views.i32[word + 3] = 0;
}

/**
 * Reads a message.
 *
 * @param views The memory that holds it.
 * @param at Its address, a multiple of 8.
 * @param bytes Its length.
 * @returns The message.
 * @throws {ProtocolError} If it is none.
 */
export function readMessage(views: MemoryViews, at: number, bytes: number): LockMessage {
  const word = (at + WORDS_AT) >>> 2;
  const kind = KINDS[views.i32[word]!];
  const mode = MODES[views.i32[word + 2]!];
  if (bytes !== MESSAGE_BYTES || kind === undefined || mode === undefined) {
    throw new ProtocolError(`a message about a lock of ${bytes} bytes`);
  }
  const [teamId = 0, number = 0] = views.f64.subarray(at >>> 3, (at >>> 3) + 2);
  return { teamId, number, kind, ticket: views.i32[word + 1]!, mode };
}
