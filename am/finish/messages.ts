/**
 * The messages about a finish: its id, what they say, and what belongs to that.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";

/** What a message says. */
export const SAYS = {
  /** The PE that sends it has joined the tree, below the one that gets it. */
  joined: 1,
  /** It has left, and these errors happened in the meantime. */
  left: 2,
  /** Nothing more may be launched, for this reason. */
  stop: 3,
} as const;

const HEAD_BYTES = 16;

/** A message. */
export interface FinishMessage {
  /** The id of the finish. */
  readonly id: number;
  /** One of `SAYS`. */
  readonly says: number;
  /** The errors or the reason. */
  readonly rest: Uint8Array;
}

/**
 * @param message A message.
 * @returns How many bytes it takes.
 */
export function messageBytes({ rest }: FinishMessage): number {
  return HEAD_BYTES + rest.length;
}

/**
 * Writes a message.
 *
 * @param views The memory.
 * @param at Where, a multiple of 8.
 * @param message The message.
 */
export function writeMessage(views: MemoryViews, at: number, message: FinishMessage): void {
  views.f64[at >>> 3] = message.id;
  views.f64[(at >>> 3) + 1] = message.says;
  views.u8.set(message.rest, at + HEAD_BYTES);
}

/**
 * Reads a message.
 *
 * @param views The memory.
 * @param at Where, a multiple of 8.
 * @param bytes Its length.
 * @returns The message.
 * @throws {ProtocolError} If it is too short.
 */
export function readMessage(views: MemoryViews, at: number, bytes: number): FinishMessage {
  if (bytes < HEAD_BYTES) throw new ProtocolError(`a message of ${bytes} bytes about a finish`);
  const id = views.f64[at >>> 3]!;
  const says = views.f64[(at >>> 3) + 1]!;
  return { id, says, rest: views.u8.slice(at + HEAD_BYTES, at + bytes) };
}

/** More ids than a program can use up. */
const NUMBERS = 2 ** 40;

/**
 * @param root The PE that called a finish.
 * @param number Which of its finishes it is, from 1.
 * @returns The id, an integer that a double holds exactly.
 */
export function finishId(root: number, number: number): number {
  return root * NUMBERS + number;
}

/**
 * @param id The id of a finish.
 * @returns The PE that called it; -1 if it is no such id.
 */
export function rootOf(id: number): number {
  return Number.isSafeInteger(id) && id > 0 ? Math.floor(id / NUMBERS) : -1;
}
