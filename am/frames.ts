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

/** Bytes of the head of a frame. */
export const HEAD_BYTES = 16;

/** Bytes of the id of a team, a double in front of a payload: what follows stays aligned. */
export const TEAM_BYTES = 8;

/** Kinds of frames, in the lower 8 bits of the second word. */
export const FRAME = {
  /** Runs an AM; the detail is its id. */
  request: 1,
  /** Runs a closure; the payload is its captures, the detail the number of its source. */
  closure: 2,
  /** Tells the source of closures; the detail is its number. */
  source: 3,
  /** All requests up to this number are over. */
  done: 4,
  /** This request is going on and will have an answer of its own. */
  deferred: 5,
  /** The result of a request; the detail is a form of `FORM`. */
  result: 6,
  /** The handler threw; the payload is the error. */
  error: 7,
  /** The handler returned an AM to run at the origin; the detail is its id. */
  returnAm: 8,
  /** The handler returned a closure to run at the origin. */
  returnClosure: 9,
  /** A part of a frame that is longer than a frame may be; the detail is 1 for the last part. */
  part: 10,
  /** As `request`, launched in a team other than the world's, whose id is in front. */
  teamRequest: 11,
  /** As `closure`, launched in a team other than the world's, whose id is in front. */
  teamClosure: 12,
  /** A message of a collective of a team, whose id is in front; it has no number and no answer. */
  collective: 13,
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
 * @param payloadBytes Bytes of the payload.
 * @returns Bytes of the frame.
 */
export function frameBytes(payloadBytes: number): number {
  return (HEAD_BYTES + payloadBytes + 7) & ~7;
}
