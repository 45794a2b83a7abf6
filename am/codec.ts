/**
 * What a payload codec is: how the value of an active message becomes bytes in a ring and a value
 * again.
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

/** Turns values of one type into bytes and back. */
export interface Codec<T> {
  /** `"schema"` or `"msgpack"` and what the bytes look like; PEs compare it when they start. */
  readonly layout: string;
  /**
   * Says how many bytes {@linkcode Codec.write} will produce. What the size does not depend on may
   * be left to `write()` to check.
   *
   * @param value The value to be written next.
   * @returns The exact number of bytes.
   * @throws {TypeError} If the value or a part of it has a type the codec cannot carry.
   * @throws {RangeError} If a number does not fit its field or the payload is too large.
   */
  size(value: T): number;
  /**
   * Writes a value into memory. It follows {@linkcode Codec.size} of the same value with nothing in
   * between, and may be repeated at other addresses as long as the value stays unchanged. It may
   * throw what `size()` may throw, after having written some of the bytes: publish them only once
   * it has returned.
   *
   * @param value The value whose size was asked.
   * @param views The memory to write to.
   * @param at The byte address to write at, a multiple of 8.
   * @returns The number of bytes written, the same that `size()` gave.
   */
  write(value: T, views: MemoryViews, at: number): number;
  /**
   * Reads one value that takes up exactly the bytes given.
   *
   * @param views The memory to read from.
   * @param at The byte address of the value, a multiple of 8.
   * @param bytes How many bytes the value has.
   * @param context Handed to the `read` and `decode` functions of extensions: what a handle from
   * the wire belongs to.
   * @returns The value, which shares no memory with the views.
   * @throws {ProtocolError} If the bytes do not follow the layout.
   */
  read(views: MemoryViews, at: number, bytes: number, context?: unknown): T;
}

/**
 * Base of the codecs that learn the size of a value only by encoding it: keeps the bytes from
 * `size()` for `write()`, so that nothing is encoded twice.
 */
export abstract class EncodedCodec<T> implements Codec<T> {
  /** What the bytes look like; PEs compare it when they start. */
  abstract readonly layout: string;
  #value: T | undefined;
  #bytes: Uint8Array | undefined;

  /**
   * Encodes a value.
   *
   * @param value The value to encode.
   * @returns The bytes, valid until the next call: they may lie in a buffer that is used again.
   * @throws {TypeError} If the value or a part of it has a type the codec cannot carry.
   */
  abstract encode(value: T): Uint8Array;

  /**
   * Decodes bytes that may lie in shared memory.
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
    const bytes = this.encode(value);
    if (bytes.length > PAYLOAD_BYTES_MAX) {
      throw new RangeError(
        `Cannot send a payload of ${bytes.length} bytes: the limit is ${PAYLOAD_BYTES_MAX} bytes`,
      );
    }
    this.#value = value;
    this.#bytes = bytes;
    return bytes.length;
  }

  /**
   * Writes the bytes that {@linkcode EncodedCodec.size} kept.
   *
   * @param value The value whose size was asked.
   * @param views The memory to write to.
   * @param at The byte address to write at.
   * @returns How many bytes were written.
   */
  write(value: T, views: MemoryViews, at: number): number {
    if (this.#bytes === undefined || !Object.is(this.#value, value)) this.size(value);
    const bytes = this.#bytes!;
    views.u8.set(bytes, at);
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
