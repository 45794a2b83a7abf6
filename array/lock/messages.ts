/**
 * The messages about locks of arrays: the id of the team and the number of the array, four 32-bit
 * words, and for an operation what it is or what came of it.
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
   * been done. Or has the receiver do an operation while it holds the lock; gives what came of it;
   * says why it failed.
   */
  readonly kind: "ask" | "grant" | "leave" | "left" | "call" | "result" | "failure";
  /** The number of the claim, by which its PE knows it. */
  readonly ticket: number;
  readonly mode: LockMode;
  /** What comes with it. */
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
}

/** Their numbers on the wire are their places. */
const KINDS = [
  "ask",
  "grant",
  "leave",
  "left",
  "call",
  "result",
  "failure",
] as const satisfies readonly LockMessage["kind"][];
const MODES: readonly LockMode[] = ["read", "write"];

/** Bytes of a message without a body. */
const HEAD_BYTES = 32;
const WORDS_AT = 16;

/**
 * @param message A message.
 * @returns Its bytes.
 */
export function messageBytes({ body }: LockMessage): number {
  return HEAD_BYTES + (body?.length ?? 0);
}

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
  if (message.body) views.u8.set(message.body, at + HEAD_BYTES);
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
  const hasBody = kind === "call" || kind === "result" || kind === "failure";
  const fits = hasBody ? bytes >= HEAD_BYTES : bytes === HEAD_BYTES;
  if (!fits || kind === undefined || mode === undefined) {
    throw new ProtocolError(`a message about a lock of ${bytes} bytes`);
  }
  const [teamId = 0, number = 0] = views.f64.subarray(at >>> 3, (at >>> 3) + 2);
  // A copy, since the memory belongs to others when the lock is there.
  const body = hasBody ? new Uint8Array(views.u8.subarray(at + HEAD_BYTES, at + bytes)) : undefined;
  return { teamId, number, kind, ticket: views.i32[word + 1]!, mode, body };
}
