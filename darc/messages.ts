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
const WORDS = 6;
/** Bytes of a message without its text. */
export const HEAD_BYTES: number = ID_BYTES + 4 * WORDS;

/** Longest text of a message, in bytes. */
const TEXT_BYTES_MAX = 2000;

/**
 * @param message A message.
 * @returns Its text as bytes; nothing if it has none.
 */
export function textOf(message: DarcMessage): Uint8Array {
  if (message.kind !== "held" || message.origins === "") return NO_TEXT;
  return new TextEncoder().encode(message.origins).subarray(0, TEXT_BYTES_MAX);
}

const NO_TEXT = new Uint8Array(0);

/**
 * Writes a message.
 *
 * @param views The memory to write to.
 * @param at Its address, a multiple of 8.
 * @param id The Darc.
 * @param message The message.
 * @param text What `textOf` gave.
 */
export function writeMessage(
  views: MemoryViews,
  at: number,
  id: DarcId,
  message: DarcMessage,
  text: Uint8Array,
): void {
  views.f64[at >>> 3] = id.teamId;
  views.f64[(at >>> 3) + 1] = id.number;
  const words = views.i32;
  const word = (at + ID_BYTES) >>> 2;
  words.fill(0, word, word + WORDS);
  words[word] = KINDS.indexOf(message.kind);
  switch (message.kind) {
    case "acknowledge":
    case "held":
      words[word + 1] = message.count;
      break;
    case "freed":
    case "askHeld":
      break;
    case "ask":
    case "try":
      words[word + 1] = message.ticket;
      words[word + 2] = MODES.indexOf(message.mode);
      break;
    case "tell":
      words[word + 1] = message.ticket;
      words[word + 2] = MODES.indexOf(message.mode);
      words[word + 3] = message.pe;
      words[word + 4] = message.count;
      words[word + 5] = Math.min(message.heldMs, 2 ** 31 - 1);
      break;
    default:
      words[word + 1] = message.ticket;
  }
  if (text.length > 0) views.u8.set(text, at + HEAD_BYTES);
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
  const words = views.i32;
  const word = (at + ID_BYTES) >>> 2;
  const code = words[word]!;
  const first = words[word + 1]!;
  const kind = KINDS[code];
  const mode = MODES[words[word + 2]!];
  const id = { teamId, number };
  const ticket = first;
  switch (kind) {
    case "acknowledge":
      return { id, message: { kind, count: first } };
    case "held": {
      const origins = new TextDecoder().decode(views.u8.slice(at + HEAD_BYTES, at + bytes));
      return { id, message: { kind, count: first, origins } };
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
      return {
        id,
        message: {
          kind,
          ticket,
          mode,
          pe: words[word + 3]!,
          count: words[word + 4]!,
          heldMs: words[word + 5]!,
        },
      };
    case "leave":
    case "watch":
    case "grant":
    case "deny":
      return { id, message: { kind, ticket } };
  }
  throw new ProtocolError(`a message of kind ${code} about a Darc`);
}
