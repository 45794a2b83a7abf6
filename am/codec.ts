/**
 * What a payload codec is: it turns the payload of an active message into bytes in a ring, and
 * back.
 *
 * A codec never lets a value read alias the memory it came from, never reads outside the bytes it
 * was given, and answers bytes that do not follow its layout with a {@linkcode ProtocolError} and
 * nothing else.
 *
 * @module
 */

import { ProtocolError } from "../internal/errors.ts";
import type { MemoryViews } from "../internal/memory_views.ts";

export type { MemoryViews };

/** Most bytes one payload may have; offsets inside a payload then stay 31-bit integers. */
export const PAYLOAD_BYTES_MAX = 0x7fff_ffff;

/**
 * A handle that a codec found in a payload. Encoding does not change the handle: the sender of the
 * payload tells it of each PE that the payload goes to, so that it counts each of them.
 *
 * @category Schemas
 */
export interface FoundHandle {
  /** The handle. */
  readonly handle: unknown;
  /** What is told of each PE. */
  readonly kind: {
    /**
     * A payload with the handle goes to a PE. It is called once for each, just before the payload
     * leaves; it must not throw, and it cannot send anything. `session` tells the sessions of a
     * process apart; it is 0 without one.
     */
    sentTo(handle: unknown, pe: number, session: number): void;
  };
}

/**
 * Turns values of one type into bytes and back.
 *
 * @category Schemas
 */
export interface Codec<T> {
  /** `"schema"` or `"msgpack"` and what the bytes look like; PEs compare it when they start. */
  readonly layout: string;
  /**
   * Says how many bytes {@linkcode Codec.write} will produce. It may leave to `write()` the checks
   * of what does not affect the size.
   *
   * @param value The value to be written next.
   * @returns The exact number of bytes.
   * @throws {TypeError} If the value or a part of it has a type the codec cannot carry.
   * @throws {RangeError} If a number does not fit its field or the payload is too large.
   */
  size(value: T): number;
  /**
   * Writes a value into memory. The runtime calls it after {@linkcode Codec.size} of the same
   * value. It may throw what `size()` may throw, after having written some of the bytes: they may
   * be published only once it has returned.
   *
   * A value may have getters, so it may be longer now than when `size()` saw it. The memory after
   * the room belongs to others: nothing may be written there, whatever the value gives.
   *
   * @param value The value that `size()` was given.
   * @param views The memory to write to.
   * @param at The byte address to write at, a multiple of 8.
   * @param room The number of bytes available, as `size()` returned it.
   * @param found Gets the handles in the value that must be told where it goes.
   * @returns The number of bytes written; fewer than `size()` gave if the value changed.
   * @throws {TypeError} If the value takes more room.
   */
  write(value: T, views: MemoryViews, at: number, room: number, found?: FoundHandle[]): number;
  /**
   * Reads one value that takes up exactly the bytes given.
   *
   * @param views The memory to read from.
   * @param at The byte address of the value, a multiple of 8.
   * @param bytes How many bytes the value has.
   * @param context Passed to the `read` and `decode` functions of extensions: what a handle from
   * the wire belongs to.
   * @returns The value, which shares no memory with the views.
   * @throws {ProtocolError} If the bytes do not follow the layout.
   */
  read(views: MemoryViews, at: number, bytes: number, context?: unknown): T;
}

/**
 * @returns The error for a payload that is not as long any more as when its size was asked.
 */
export function payloadChanged(): TypeError {
  return new TypeError("Cannot send the payload: it changed while it was encoded");
}

const NONE: readonly FoundHandle[] = [];

/**
 * Base of the codecs that learn the size of a value only by encoding it: keeps the bytes from
 * `size()` for `write()`, so that nothing is encoded twice, and forgets them then.
 *
 * @category Schemas
 */
export abstract class EncodedCodec<T> implements Codec<T> {
  /** What the bytes look like; PEs compare it when they start. */
  abstract readonly layout: string;
  #value: T | undefined;
  #bytes: Uint8Array | undefined;
  #found = NONE;

  /**
   * Encodes a value.
   *
   * @param value The value to encode.
   * @param found Gets the handles in the value that must be told where it goes.
   * @returns The bytes, valid until the next call: their buffer may be used again.
   * @throws {TypeError} If the value or a part of it has a type the codec cannot carry.
   */
  abstract encode(value: T, found: FoundHandle[]): Uint8Array;

  /**
   * Decodes bytes, which may be in shared memory.
   *
   * @param bytes The bytes of one value.
   * @param context Handed to extensions.
   * @returns The value, which shares no memory with the bytes.
   * @throws {ProtocolError} If the bytes do not follow the layout.
   */
  abstract decode(bytes: Uint8Array, context?: unknown): T;

  /**
   * Encodes a value and keeps the bytes for {@linkcode EncodedCodec.write}.
   *
   * @param value The value to be written next.
   * @returns How many bytes it has.
   */
  size(value: T): number {
    this.#bytes = undefined;
    const found: FoundHandle[] = [];
    const bytes = this.encode(value, found);
    if (bytes.length > PAYLOAD_BYTES_MAX) {
      throw new RangeError(
        `Cannot send a payload of ${bytes.length} bytes: the limit is ${PAYLOAD_BYTES_MAX} bytes`,
      );
    }
    this.#value = value;
    this.#bytes = bytes;
    this.#found = found;
    return bytes.length;
  }

  /**
   * Writes the bytes that {@linkcode EncodedCodec.size} kept.
   *
   * @param value The value that `size()` was given.
   * @param views The memory to write to.
   * @param at The byte address to write at.
   * @param room The bytes there are for it.
   * @param found Gets the handles in the value that must be told where it goes.
   * @returns How many bytes were written.
   * @throws {TypeError} If the value is another one and takes more room.
   */
  write(value: T, views: MemoryViews, at: number, room: number, found?: FoundHandle[]): number {
    if (this.#bytes === undefined || !Object.is(this.#value, value)) this.size(value);
    const bytes = this.#bytes!;
    if (bytes.length > room) throw payloadChanged();
    views.u8.set(bytes, at);
    if (found !== undefined && this.#found.length > 0) found.push(...this.#found);
    this.#value = undefined;
    this.#bytes = undefined;
    this.#found = NONE;
    return bytes.length;
  }

  /**
   * Reads one value.
   *
   * @param views The memory to read from.
   * @param at The byte address of the value.
   * @param bytes How many bytes it has.
   * @param context Handed to extensions.
   * @returns The value, which shares no memory with the views.
   * @throws {ProtocolError} If the bytes do not follow the layout.
   */
  read(views: MemoryViews, at: number, bytes: number, context?: unknown): T {
    const end = at + bytes;
    if (!(at >= 0 && bytes >= 0 && end <= views.u8.length)) {
      throw new ProtocolError(
        `Cannot read ${bytes} bytes at address ${at}: the memory has ${views.u8.length} bytes`,
      );
    }
    return this.decode(views.u8.subarray(at, end), context);
  }
}
