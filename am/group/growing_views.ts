/**
 * Memory that grows at its end, as codecs write to it.
 *
 * @module
 */

import { checkLength } from "../wire/frames.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import type { Codec, FoundHandle } from "../codec.ts";

const FIRST_BYTES = 4096;

/** Bytes that somebody gathers, with the handles in them, to send them as one payload. */
export class GrowingViews {
  /** The memory. */
  views: MemoryViews = memoryViews(new ArrayBuffer(FIRST_BYTES));
  /** Where the bytes end. */
  end = 0;
  /** The handles that have to be told where the bytes go. */
  readonly found: FoundHandle[] = [];

  /**
   * Makes room for bytes from `end` on, which stays as it is.
   *
   * @param bytes How many.
   * @returns Where they begin.
   * @throws {RangeError} If there would be more than a message may have.
   */
  reserve(bytes: number): number {
    const needed = this.end + bytes;
    if (needed > this.views.u8.length) this.#grow(needed);
    return this.end;
  }

  #grow(needed: number): void {
    checkLength(needed);
    const old = this.views.u8;
    const bytes = Math.max(padded(needed), 2 * old.length);
    this.views = memoryViews(new ArrayBuffer(bytes));
    this.views.u8.set(old.subarray(0, this.end));
  }

  /** Forgets everything, to be used again. */
  clear(): void {
    this.end = 0;
    this.found.length = 0;
  }
}

/**
 * Sends gathered bytes as a payload of their own.
 *
 * @param layout What the bytes look like.
 * @param read Reads them.
 * @returns The codec.
 */
export function codecOf(
  layout: string,
  read: Codec<unknown>["read"],
): Codec<unknown> {
  return {
    layout,
    size: (value) => (value as GrowingViews).end,
    write(value, to, at, _room, found) {
      const { end, views, found: handles } = value as GrowingViews;
      to.u8.set(views.u8.subarray(0, end), at);
      if (found !== undefined) { for (const handle of handles) found.push(handle); }
      return end;
    },
    read,
  };
}

/**
 * @param bytes A length.
 * @returns It with what is missing to a multiple of 8.
 */
export function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
