/**
 * The messages about Darcs as bytes: the id of the team and the number of the Darc, six 32-bit
 * words, and a text.
 *
 * @module
 */

import { ProtocolError } from "../internal/errors.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import type { LockMessage } from "./global_lock.ts";
import type { LockMode } from "./lock_queue.ts";

/** Which Darc a message is about. */
export interface DarcId {
  /** Id of its team, `WORLD_ID` for the world. */
  readonly teamId: number;
  /** Its number among those of the team. */
  readonly number: number;
}

/** What a message says. */
export type DarcMessage =
  /** So many handles have arrived. */
  | { readonly kind: "acknowledge"; readonly count: number }
  /** Nobody holds it any more. */
  | { readonly kind: "freed" }
  /** Asks how many handles the PE has. */
  | { readonly kind: "askHeld" }
  /** Says how many, and where they were made if that is known. */
  | { readonly kind: "held"; readonly count: number; readonly origins: string }
  | LockMessage;

/** Their numbers on the wire are their places. */
const KINDS = [
  "acknowledge",
  "freed",
  "askHeld",
  "held",
  "ask",
  "try",
  "leave",
  "watch",
  "grant",
  "deny",
  "tell",
] as const satisfies readonly DarcMessage["kind"][];

const MODES: readonly LockMode[] = ["read", "write"];
const ID_BYTES = 16;
const HEAD_BYTES = 40;

/** Longest text of a message, in bytes. */
const TEXT_BYTES_MAX = 2000;

/**
 * Encodes a message.
 *
 * @param id The Darc.
 * @param message The message.
 * @returns Its bytes.
 */
export function encodeMessage(id: DarcId, message: DarcMessage): Uint8Array {
  const text = message.kind === "held"
    ? new TextEncoder().encode(message.origins).subarray(0, TEXT_BYTES_MAX)
    : undefined;
  const buffer = new ArrayBuffer(HEAD_BYTES + (text?.length ?? 0));
  new Float64Array(buffer, 0, 2).set([id.teamId, id.number]);
  new Int32Array(buffer, ID_BYTES, 6).set(wordsOf(message));
  const bytes = new Uint8Array(buffer);
  if (text) bytes.set(text, HEAD_BYTES);
  return bytes;
}

/** The number of the kind, and up to five more. */
function wordsOf(message: DarcMessage): number[] {
  const kind = KINDS.indexOf(message.kind);
  switch (message.kind) {
    case "acknowledge":
    case "held":
      return [kind, message.count];
    case "freed":
    case "askHeld":
      return [kind];
    case "ask":
    case "try":
      return [kind, message.ticket, MODES.indexOf(message.mode)];
    case "tell": {
      const { count, heldMs, mode, pe, ticket } = message;
      return [kind, ticket, MODES.indexOf(mode), pe, count, Math.min(heldMs, 2 ** 31 - 1)];
    }
    default:
      return [kind, message.ticket];
  }
}

/**
 * Reads a message.
 *
 * @param views The memory that holds it.
 * @param at Its address, a multiple of 8.
 * @param bytes Its length.
 * @returns The Darc and the message.
 * @throws {ProtocolError} If it is none.
 */
export function readMessage(
  views: MemoryViews,
  at: number,
  bytes: number,
): { readonly id: DarcId; readonly message: DarcMessage } {
  if (bytes < HEAD_BYTES) throw new ProtocolError(`a message about a Darc of ${bytes} bytes`);
  const [teamId, number] = [views.f64[at >>> 3]!, views.f64[(at >>> 3) + 1]!];
  const words = views.i32.slice((at + ID_BYTES) >>> 2, (at + HEAD_BYTES) >>> 2);
  const [code, first, second, third, fourth, fifth] = words;
  const kind = KINDS[code!];
  const mode = MODES[second!];
  const id = { teamId, number };
  const ticket = first!;
  switch (kind) {
    case "acknowledge":
      return { id, message: { kind, count: first! } };
    case "held": {
      const origins = new TextDecoder().decode(views.u8.slice(at + HEAD_BYTES, at + bytes));
      return { id, message: { kind, count: first!, origins } };
    }
    case "freed":
    case "askHeld":
      return { id, message: { kind } };
    case "ask":
    case "try":
      if (mode) return { id, message: { kind, ticket, mode } };
      break;
    case "tell":
      if (!mode) break;
      return { id, message: { kind, ticket, mode, pe: third!, count: fourth!, heldMs: fifth! } };
    case "leave":
    case "watch":
    case "grant":
    case "deny":
      return { id, message: { kind, ticket } };
  }
  throw new ProtocolError(`a message of kind ${code} about a Darc`);
}
