/**
 * Frames for one PE that found no room in its ring.
 *
 * @module
 */

import type { MemoryViews } from "../../internal/memory_views.ts";
import type { Lamella } from "../../lamellae/mod.ts";
import type { Chunk, Chunks } from "./chunks.ts";

/** A queue of frames, which has always room. */
export class Backlog {
  readonly #pool: Chunks;
  readonly #chunks: Chunk[] = [];

  /**
   * @param pool Where buffers come from.
   */
  constructor(pool: Chunks) {
    this.#pool = pool;
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** Where the frame is for which `begin` made room. */
  get views(): MemoryViews {
    return this.#chunks.at(-1)!.views;
  }

  /**
   * Makes room for a frame. One that is never ended is void.
   *
   * @param bytes Its length, a multiple of 8.
   * @returns Where to write it in `views`.
   */
  begin(bytes: number): number {
    const last = this.#chunks.at(-1);
    if (last && last.end + bytes <= last.views.u8.length) return last.end;
    this.#chunks.push(this.#pool.take(bytes));
    return 0;
  }

  /**
   * Adds the frame that was written since `begin`.
   *
   * @param bytes Its length.
   */
  end(bytes: number): void {
    this.#chunks.at(-1)!.end += bytes;
  }

  /**
   * Moves frames into the ring, in their order, as long as there is room.
   *
   * @param lamella The provider.
   * @param pe The PE that gets them.
   * @returns Bytes moved; they are not published.
   */
  drain(lamella: Lamella, pe: number): number {
    let moved = 0;
    for (let chunk = this.#chunks[0]; chunk; chunk = this.#chunks[0]) {
      while (chunk.start < chunk.end) {
        const bytes = chunk.views.i32[chunk.start >>> 2]!;
        const at = lamella.reserve(pe, bytes);
        if (at < 0) return moved;
        lamella.views.u8.set(chunk.views.u8.subarray(chunk.start, chunk.start + bytes), at);
        lamella.commit(pe, bytes);
        chunk.start += bytes;
        moved += bytes;
      }
      this.#chunks.shift();
      this.#pool.give(chunk);
    }
    return moved;
  }
}
