/**
 * Buffers for frames that are not in a ring.
 *
 * @module
 */

import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";

/** Smallest buffer in bytes, and the size of those that are kept for the next use. */
const CHUNK_BYTES = 64 * 1024;
/** Most buffers that are kept. */
const KEPT = 16;

/** A buffer of frames, one after the other. */
export interface Chunk {
  readonly views: MemoryViews;
  /** Where the first frame begins. */
  start: number;
  /** Where the last one ends. */
  end: number;
}

/** Buffers that are used again. */
export class Chunks {
  readonly #kept: Chunk[] = [];

  /**
   * @param bytes Bytes of its first frame.
   * @returns An empty buffer with room for it.
   */
  take(bytes: number): Chunk {
    const kept = bytes <= CHUNK_BYTES ? this.#kept.pop() : undefined;
    if (kept) return kept;
    const views = memoryViews(new ArrayBuffer(Math.max(bytes, CHUNK_BYTES)));
    return { views, start: 0, end: 0 };
  }

  /**
   * Takes back a buffer that is not used any more.
   *
   * @param chunk The buffer.
   */
  give(chunk: Chunk): void {
    if (chunk.views.u8.length > CHUNK_BYTES || this.#kept.length >= KEPT) return;
    chunk.start = chunk.end = 0;
    this.#kept.push(chunk);
  }
}
