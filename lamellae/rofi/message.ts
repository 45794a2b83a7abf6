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
  wake: 7,
  /** A sign of life: the source is a process, `a` for how many ms nothing moved there. */
  beat: 8,
  /** The job fails: `a` the PE, `b` the exit code; the payload tells why. */
  fail: 9,
} as const;

/** Index of each word of the header. */
export const WORD = {
  /** What shows that the sender knows the secret of the job: the token of the target, 64 bits. */
  token: 0,
  /** {@linkcode MAGIC} and the kind of the message. */
  kind: 2,
  /** The source, and above it the target, 16 bits each. */
  ends: 3,
  a: 4,
  b: 5,
  c: 6,
  /** Bytes of the payload. */
  bytes: 7,
} as const;

/** High bits of the word of the kind; the last digit counts the versions of the protocol. */
export const MAGIC = 0x4c4d2000;

/** Mask of the kind in that word. */
export const KIND_MASK = 0xff;

/** Digits of the target above the source in {@linkcode WORD.ends}, and what takes the source. */
const TARGET_SHIFT = 16;
const SOURCE_MASK = 0xffff;

/**
 * @param source The sender.
 * @param target The PE it is for.
 * @returns The word that says so.
 */
export function endsOf(source: number, target: number): number {
  return (target << TARGET_SHIFT) | source;
}

/**
 * @param ends The word that says which PEs a message is from and for.
 * @returns The sender.
 */
export function sourceIn(ends: number): number {
  return ends & SOURCE_MASK;
}

/**
 * @param ends The word that says which PEs a message is from and for.
 * @returns The PE it is for.
 */
export function targetIn(ends: number): number {
  return ends >>> TARGET_SHIFT;
}

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
