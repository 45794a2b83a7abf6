/**
 * Putting together the frames that are longer than a ring takes.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";
import { PAYLOAD_BYTES_MAX } from "../../internal/limits.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import { HEAD_BYTES } from "./frames.ts";

/** Bytes of the length of the whole frame, in front of each part. */
const TOTAL_BYTES = 8;

/**
 * Bytes a frame gets at first; the buffer doubles as parts arrive, so that a claim alone reserves
 * little.
 */
const FIRST_BYTES = 1 << 20;

/** A frame of which parts have arrived. */
interface Stream {
  views: MemoryViews;
  filled: number;
  readonly total: number;
}

/** The frames in parts of one source. */
export class Parts {
  readonly #streams = new Map<number, Stream>();

  /**
   * Adds a part.
   *
   * @param number The frame it is part of.
   * @param last Whether it is the last part.
   * @param views The memory that holds it.
   * @param at Its address: the length of the whole frame in 8 bytes, then the part.
   * @param bytes Its length with these.
   * @returns The whole frame, at address 0, after the last part.
   * @throws {ProtocolError} If the lengths do not fit each other; the message says what was found.
   */
  add(
    number: number,
    last: boolean,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): MemoryViews | undefined {
    const total = views.f64[at / 8]!;
    const stream = this.#streams.get(number) ?? this.#begin(number, total);
    const part = bytes - TOTAL_BYTES;
    const { filled } = stream;
    if (part < 0 || filled + part > stream.total || total !== stream.total) {
      throw new ProtocolError(`a part of ${part} bytes after ${filled} of ${stream.total}`);
    }
    if (filled + part > stream.views.u8.length) grow(stream, filled + part);
    const from = at + TOTAL_BYTES;
    stream.views.u8.set(views.u8.subarray(from, from + part), filled);
    stream.filled += part;
    if (!last) return undefined;
    this.#streams.delete(number);
    if (stream.filled !== total || stream.views.i32[0] !== total) {
      throw new ProtocolError(`the last part after ${stream.filled} bytes of ${total}`);
    }
    return stream.views;
  }

  #begin(number: number, total: number): Stream {
    if (!(total >= HEAD_BYTES && total <= PAYLOAD_BYTES_MAX && total % 8 === 0)) {
      throw new ProtocolError(`a frame in parts of ${total} bytes`);
    }
    const views = memoryViews(new ArrayBuffer(Math.min(total, FIRST_BYTES)));
    const stream: Stream = { views, filled: 0, total };
    this.#streams.set(number, stream);
    return stream;
  }
}

/** Makes room for so many bytes, and for as many again. */
function grow(stream: Stream, bytes: number): void {
  const old = stream.views.u8;
  const size = Math.max(2 * old.length, Math.ceil(bytes / 8) * 8);
  stream.views = memoryViews(new ArrayBuffer(Math.min(stream.total, size)));
  stream.views.u8.set(old);
}
