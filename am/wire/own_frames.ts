/**
 * What a PE sends itself: the same frames as go to others, so that it finds what others find, in
 * buffers instead of a ring. There is always room, so that nobody waits for himself.
 *
 * @module
 */

import type { MemoryViews } from "../../internal/memory_views.ts";
import type { Chunk, Chunks } from "./chunks.ts";

/** Largest buffer that is filled again. */
const KEPT_BYTES_MAX = 1 << 20;

/** Handles frames; returns where the last one that it handled ends. */
export type OwnSink = (views: MemoryViews, at: number, end: number) => number;

/** A queue of frames. */
export class OwnFrames {
  readonly #pool: Chunks;
  #chunks: Chunk[] = [];
  /** Where new frames go: the last of these. */
  #last: Chunk;

  /**
   * @param pool Where buffers come from.
   */
  constructor(pool: Chunks) {
    this.#pool = pool;
    this.#last = pool.take(0);
    this.#chunks.push(this.#last);
  }

  /** Where the frame is for which `begin` made room. */
  get views(): MemoryViews {
    return this.#last.views;
  }

  /**
   * Makes room for a frame.
   *
   * @param bytes Its length, a multiple of 8.
   * @returns Where to write it in `views`.
   */
  begin(bytes: number): number {
    const { start, end, views } = this.#last;
    if (end + bytes <= views.u8.length) return end;
    // An empty buffer in front would hide what follows.
    if (start === end) this.#pool.give(this.#chunks.pop()!);
    this.#last = this.#pool.take(bytes);
    this.#chunks.push(this.#last);
    return 0;
  }

  /**
   * Adds the frame that was written since `begin`.
   *
   * @param bytes Its length.
   * @returns Whether the queue was empty.
   */
  end(bytes: number): boolean {
    const first = this.#chunks[0]!;
    const wasEmpty = first.start === first.end;
    this.#last.end += bytes;
    return wasEmpty;
  }

  /**
   * Handles what is there, and then the answers to it; what is launched in turn waits for the next
   * call, so that frames of others get their turn.
   *
   * @param sink Handles frames.
   * @returns Bytes handled, 0 if there was nothing.
   */
  poll(sink: OwnSink): number {
    let handled = 0;
    for (let turn = 0; turn < 2; turn++) {
      const chunk = this.#chunks[0]!;
      if (chunk.start === chunk.end) break;
      const at = sink(chunk.views, chunk.start, chunk.end);
      handled += at - chunk.start;
      chunk.start = at;
      if (at === chunk.end) this.#release(chunk);
    }
    return handled;
  }

  /** Everything in the first buffer was handled. */
  #release(chunk: Chunk): void {
    if (chunk === this.#last && chunk.views.u8.length <= KEPT_BYTES_MAX) {
      chunk.start = chunk.end = 0;
      return;
    }
    this.#chunks.shift();
    this.#pool.give(chunk);
    if (chunk !== this.#last) return;
    this.#last = this.#pool.take(0);
    this.#chunks.push(this.#last);
  }

  /** Forgets everything, when the job fails. */
  clear(): void {
    this.#last = this.#pool.take(0);
    this.#chunks = [this.#last];
  }
}
