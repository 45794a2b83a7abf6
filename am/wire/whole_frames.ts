/**
 * Frames that go to several PEs: written once, copied to each of them.
 *
 * @module
 */

import type { MemoryViews } from "../../internal/memory_views.ts";
import { type Codec, type FoundHandle, payloadChanged } from "../codec.ts";
import { type Chunk, Chunks } from "./chunks.ts";
import {
  type Belonging,
  checkLength,
  frameBytes,
  idBytesOf,
  writeHead,
  writeIds,
} from "./frames.ts";

/** A frame in a buffer of its own, at address 0, that lacks its number. */
export interface WholeFrame {
  readonly views: MemoryViews;
  /** Its length. */
  readonly bytes: number;
  /** The handles that its payload holds. */
  readonly found: readonly FoundHandle[];
  readonly chunk: Chunk;
}

/** Buffers of such frames. Handlers may launch while one is sent, so there can be several. */
export class WholeFrames {
  readonly #chunks = new Chunks();

  /**
   * Writes a frame.
   *
   * @param kind The kind of request.
   * @param detail What belongs to the kind.
   * @param work What it is part of, besides the world.
   * @param codec The codec of the payload.
   * @param value The payload.
   * @returns The frame; it has to be given back.
   * @throws {RangeError} If the frame is longer than any may be.
   * @throws {TypeError} If the payload cannot be sent.
   */
  write<T>(
    kind: number,
    detail: number,
    work: Belonging | undefined,
    codec: Codec<T>,
    value: T,
  ): WholeFrame {
    const length = codec.size(value);
    const payload = work === undefined ? length : length + idBytesOf(work);
    const bytes = frameBytes(payload);
    checkLength(bytes);
    const chunk = this.#chunks.take(bytes);
    const { views } = chunk;
    const found: FoundHandle[] = [];
    let at = writeHead(views, 0, kind, detail, payload);
    if (work !== undefined) at = writeIds(views, 0, work);
    try {
      if (codec.write(value, views, at, length, found) !== length) throw payloadChanged();
    } catch (error) {
      this.#chunks.give(chunk);
      throw error;
    }
    return { views, bytes, found, chunk };
  }

  /**
   * @param frame The frame, which is not needed any more.
   */
  giveBack(frame: WholeFrame): void {
    this.#chunks.give(frame.chunk);
  }
}
