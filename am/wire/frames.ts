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

/** Bytes of an id in front of a payload, a double: what follows stays aligned. */
export const ID_BYTES = 8;

/** Of kinds that carry work: it is a closure, not an AM. */
export const CLOSURE = 0x40;
/** Of requests: the id of a team is in front of the payload, because they were launched in one. */
export const IN_TEAM = 0x80;
/** Of requests: the id of a finish is in front of all else, because they were launched in one. */
export const IN_FINISH = 0x20;
/** What is left of the kind of a request without these. */
export const KIND_MASK = 0x1f;

/** Kinds of frames, in the lower 8 bits of the second word. */
export const FRAME = {
  /** Runs an AM; the detail is its id. With `IN_TEAM` and `IN_FINISH`, also of closures. */
  request: 1,
  /** Runs a closure; the payload is its captures, the detail the number of its source. */
  closure: 1 | CLOSURE,
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

/** What a request is part of, besides the world. */
export interface Belonging {
  /** The team, as it is known on the wire; undefined for the world's. */
  readonly id: number | undefined;
  /** The finish, if it is in one. */
  readonly finish: { readonly id: number } | undefined;
}

/**
 * @param work What a request is part of.
 * @returns Bytes of the ids in front of its payload.
 */
export function idBytesOf(work: Belonging): number {
  return (work.id === undefined ? 0 : ID_BYTES) + (work.finish === undefined ? 0 : ID_BYTES);
}

/**
 * @param kind The kind of a request.
 * @returns Bytes of the ids in front of its payload.
 */
export function idBytes(kind: number): number {
  return ((kind & IN_TEAM) === 0 ? 0 : ID_BYTES) + ((kind & IN_FINISH) === 0 ? 0 : ID_BYTES);
}

/**
 * @param kind The kind of a request in a team, or of a message about one.
 * @param views The memory.
 * @param at Where the ids in front of its payload begin.
 * @param bytes Bytes of these and of the payload.
 * @returns The id of the team; NaN if there is no room for one.
 */
export function teamIdIn(kind: number, views: MemoryViews, at: number, bytes: number): number {
  const before = (kind & IN_FINISH) === 0 ? 0 : ID_BYTES;
  return bytes < before + ID_BYTES ? NaN : views.f64[(at + before) >>> 3]!;
}

/**
 * @param id What may be the id of a team.
 * @returns Whether it is: ids are hashes of 53 bits.
 */
export function isTeamId(id: number): boolean {
  return Number.isSafeInteger(id) && id >= 0;
}

/**
 * @param payloadBytes Bytes of the payload, with the ids in front of it.
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
 * @param payloadBytes Bytes of the payload, with the ids in front of it.
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
 * Writes what a request is part of, in front of the payload that its head told.
 *
 * @param views The memory.
 * @param at Where the frame begins.
 * @param work What it is part of.
 * @returns Where the rest of the payload goes.
 */
export function writeIds(views: MemoryViews, at: number, { finish, id }: Belonging): number {
  const word = (at >>> 2) + 1;
  let payload = at + HEAD_BYTES;
  if (finish !== undefined) {
    views.i32[word]! |= IN_FINISH;
    views.f64[payload >>> 3] = finish.id;
    payload += ID_BYTES;
  }
  if (id !== undefined) {
    views.i32[word]! |= IN_TEAM;
    views.f64[payload >>> 3] = id;
    payload += ID_BYTES;
  }
  return payload;
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
