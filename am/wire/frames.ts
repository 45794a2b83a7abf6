/**
 * The frames AMs travel in. Each is a multiple of 8 bytes long and starts with four 32-bit words:
 * its length, its kind with a detail in the upper 24 bits, a sequence number, and the length of the
 * payload, which follows.
 *
 * Requests from one PE to another are numbered without gaps. A handler that returns nothing needs
 * no answer of its own: `done` says that all requests up to a number are over, but for those that a
 * `deferred` named. Every other ending has a frame with the request's number.
 *
 * @module
 */

import { PAYLOAD_BYTES_MAX } from "../../internal/limits.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";

/** Bytes of the head of a frame. */
export const HEAD_BYTES = 16;

/** Bytes of the id of a team, a double in front of a payload: what follows stays aligned. */
export const TEAM_BYTES = 8;

/** Of kinds that carry work: it is a closure, not an AM. */
export const CLOSURE = 0x40;
/** Of requests: the id of a team is in front of the payload, because they were launched in one. */
export const IN_TEAM = 0x80;

/** Kinds of frames, in the lower 8 bits of the second word. */
export const FRAME = {
  /** Runs an AM; the detail is its id. */
  request: 1,
  /** Runs a closure; the payload is its captures, the detail the number of its source. */
  closure: 1 | CLOSURE,
  /** Runs an AM that was launched in a team other than the world's. */
  teamRequest: 1 | IN_TEAM,
  /** Runs a closure that was launched in a team other than the world's. */
  teamClosure: 1 | CLOSURE | IN_TEAM,
  /** Tells the source of closures; the detail is its number. */
  source: 2,
  /** All requests up to this number are over. */
  done: 3,
  /** This request is going on and will have an answer of its own. */
  deferred: 4,
  /** The result of a request; the detail is a form of `FORM`. */
  result: 5,
  /** The handler threw; the payload is the error. */
  error: 6,
  /** The handler returned an AM to run at the origin; the detail is its id. */
  returnAm: 7,
  /** The handler returned a closure to run at the origin. */
  returnClosure: 7 | CLOSURE,
  /** A part of a frame that is longer than a frame may be; the detail is 1 for the last part. */
  part: 8,
  /** A message of a collective of a team, whose id is in front; it has no number and no answer. */
  collective: 9,
  /** Asks what a team is, whose id is the payload: a request in it came, and it is not known. */
  teamQuery: 10,
  /** Says it: the id of the team, and its description, which is empty if it is not known. */
  teamReply: 11,
  /** A message of a layer above; the detail says whose. It has no number and no answer. */
  service: 12,
} as const;

/** How a result is written. */
export const FORM = {
  undefined: 0,
  number: 1,
  true: 2,
  false: 3,
  null: 4,
  /** By the value codec. */
  value: 5,
  /** By the schema the AM declared. */
  schema: 6,
} as const;

/**
 * @param payloadBytes Bytes of the payload, with the id of a team in front of it.
 * @returns Bytes of the frame.
 */
export function frameBytes(payloadBytes: number): number {
  return (HEAD_BYTES + payloadBytes + 7) & ~7;
}

/**
 * Refuses a frame that is longer than any may be.
 *
 * @param bytes Its length.
 * @throws {RangeError} If it is.
 */
export function checkLength(bytes: number): void {
  if (bytes <= PAYLOAD_BYTES_MAX) return;
  throw new RangeError(
    `Cannot send a message of ${bytes} bytes: the limit is ${PAYLOAD_BYTES_MAX} bytes`,
  );
}

/**
 * Writes the head of a frame, but not its number: it is taken once the payload is written.
 *
 * @param views The memory.
 * @param at Where the frame begins.
 * @param kind The kind of frame.
 * @param detail What belongs to the kind.
 * @param payloadBytes Bytes of the payload, with the id of a team in front of it.
 * @returns Where the payload goes.
 */
export function writeHead(
  views: MemoryViews,
  at: number,
  kind: number,
  detail: number,
  payloadBytes: number,
): number {
  const word = at >>> 2;
  const words = views.i32;
  words[word] = frameBytes(payloadBytes);
  words[word + 1] = kind | (detail << 8);
  words[word + 3] = payloadBytes;
  return at + HEAD_BYTES;
}

/**
 * Makes a request one of a team, whose id goes in front of the payload that its head told.
 *
 * @param views The memory.
 * @param at Where the frame begins.
 * @param team The id of the team.
 * @returns Where the rest of the payload goes.
 */
export function enterTeam(views: MemoryViews, at: number, team: number): number {
  views.i32[(at >>> 2) + 1]! |= IN_TEAM;
  views.f64[(at + HEAD_BYTES) >>> 3] = team;
  return at + HEAD_BYTES + TEAM_BYTES;
}

/**
 * Writes the number of a frame: of the request that it is or answers, or 0.
 *
 * @param views The memory.
 * @param at Where the frame begins.
 * @param number The number.
 */
export function writeNumber(views: MemoryViews, at: number, number: number): void {
  views.i32[(at >>> 2) + 2] = number;
}
