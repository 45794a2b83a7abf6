/**
 * The messages between processes: a header of eight 32-bit words and a payload.
 *
 * @module
 */

/** What a message is about. */
export const MESSAGE = {
  /** Frames of AMs: `a` the position in the ring, `b` bytes skipped before them. */
  frames: 1,
  /** How far the source has read what the target sent it: `a` the position. */
  head: 2,
  /** Contributions to a collective: `b` its number. */
  exchange: 3,
  /** A signal of a collective: `a` the slot, `b` its number, `c` the tag. */
  signal: 4,
  /** A memory operation: `a` the record of the caller, `b` bytes of the reply, `c` generation. */
  operate: 5,
  /** Its reply: `a` and `c` as they came. */
  reply: 6,
  /** Wakes the target. */
  ring: 7,
  /** A sign of life: the source is a process, `a` for how many ms nothing moved there. */
  beat: 8,
  /** The job fails: `a` the PE, `b` the exit code; the payload tells why. */
  fail: 9,
} as const;

/** Index of each word of the header. */
export const WORD = {
  /** {@linkcode MAGIC} and the kind of the message. */
  kind: 0,
  /** Tells this job from others. */
  token: 1,
  source: 2,
  target: 3,
  a: 4,
  b: 5,
  c: 6,
  /** Bytes of the payload. */
  bytes: 7,
} as const;

/** High bits of the first word; the last digit counts the versions of the protocol. */
export const MAGIC = 0x4c4d1000;

/** Mask of the kind in the first word. */
export const KIND_MASK = 0xff;

/** Handles the messages that come. */
export interface ArrivalHandler {
  /**
   * Handles a message of this job. Its buffer is posted again as soon as this returns, so it has to
   * wait for nothing: two processes that wait for each other's buffers would do so for ever.
   *
   * @param kind One of `MESSAGE`, if it is sound.
   * @param header The byte address of the message.
   * @param bytes How many came behind the header.
   */
  handle(kind: number, header: number, bytes: number): void;
  /** Sends what messages that were handled ask for; may wait. */
  answer(): void;
}
