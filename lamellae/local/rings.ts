/**
 * The two ends of a ring of frames: its producer writes and counts up the tail, its consumer reads
 * and counts up the head. Both count bytes, wrapping at 32 bits. A frame is in one piece: where one
 * does not fit before the end of the ring, a length of 0 is written there, and it goes to the
 * beginning.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";
import type { CoreKernels, Kernels } from "../../internal/kernels.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import type { FrameSink } from "../lamella.ts";
import { type Layout, RING, ringHeaderOf, ringOf } from "./layout.ts";

/** How something is announced to a PE, so that it wakes up: by kernels, or from outside. */
export type Waker = Pick<CoreKernels, "publish" | "release" | "wake" | "barrierSignal">;

/** The PE at the other end of a ring, as far as it has to be woken. */
export interface Partner {
  readonly waker: Waker;
  /** Where its bell is. */
  readonly bell: number;
}

/** The end of a ring that a PE writes. */
export class OutRing {
  readonly #waker: Waker;
  readonly #bell: number;
  readonly #kernels: Kernels;
  readonly #words: Int32Array;
  readonly #bytes: number;
  readonly #base: number;
  readonly #tailAt: number;
  readonly #headAt: number;
  readonly #wantAt: number;
  #tail = 0;
  /** As last read. */
  #head = 0;

  /**
   * @param layout Where everything is.
   * @param views The memory.
   * @param kernels Kernels over it.
   * @param pe The PE that writes.
   * @param target The near PE that reads.
   * @param partner How that is woken.
   */
  constructor(
    layout: Layout,
    views: MemoryViews,
    kernels: Kernels,
    pe: number,
    target: number,
    partner: Partner,
  ) {
    const header = ringHeaderOf(layout, target, pe);
    this.#waker = partner.waker;
    this.#bell = partner.bell;
    this.#kernels = kernels;
    this.#words = views.i32;
    this.#bytes = layout.ringBytes;
    this.#base = ringOf(layout, target, pe);
    this.#tailAt = header + RING.tail;
    this.#headAt = header + RING.head;
    this.#wantAt = header + RING.want;
  }

  /**
   * Makes room for a frame.
   *
   * @param bytes Its length, a multiple of 8.
   * @returns Where to write it, or -1 if there is no room now.
   */
  reserve(bytes: number): number {
    const size = this.#bytes;
    const position = this.#tail & (size - 1);
    const left = size - position;
    const need = bytes > left ? bytes + left : bytes;
    if (size - ((this.#tail - this.#head) | 0) < need) {
      this.#head = this.#kernels.load32(this.#headAt);
      if (size - ((this.#tail - this.#head) | 0) < need) return -1;
    }
    if (bytes <= left) return this.#base + position;
    this.#words[(this.#base + position) >>> 2] = 0;
    this.#tail = (this.#tail + left) | 0;
    return this.#base;
  }

  /**
   * Adds the frame written at the last reserved place.
   *
   * @param bytes Its length.
   */
  commit(bytes: number): void {
    this.#tail = (this.#tail + bytes) | 0;
  }

  /** Lets the consumer see all committed frames. */
  publish(): void {
    this.#waker.publish(this.#tailAt, this.#tail, this.#bell);
  }

  /** Asks to be woken once there is more room. */
  wantRoom(): void {
    this.#kernels.store32(this.#wantAt, 1);
  }
}

/** The end of a ring that a PE reads. */
export class InRing {
  /** How far it has been read. */
  head = 0;
  readonly #source: number;
  readonly #waker: Waker;
  readonly #bell: number;
  readonly #views: MemoryViews;
  readonly #bytes: number;
  readonly #base: number;
  readonly #tailIndex: number;
  readonly #headAt: number;
  readonly #wantAt: number;

  /**
   * @param layout Where everything is.
   * @param views The memory.
   * @param pe The PE that reads.
   * @param source The PE that writes.
   * @param partner How that is woken, or any PE here if it is not near: it leaves no wish for that.
   */
  constructor(
    layout: Layout,
    views: MemoryViews,
    pe: number,
    source: number,
    partner: Partner,
  ) {
    const header = ringHeaderOf(layout, pe, source);
    this.#source = source;
    this.#waker = partner.waker;
    this.#bell = partner.bell;
    this.#views = views;
    this.#bytes = layout.ringBytes;
    this.#base = ringOf(layout, pe, source);
    this.#tailIndex = (header + RING.tail) >>> 2;
    this.#headAt = header + RING.head;
    this.#wantAt = header + RING.want;
  }

  /**
   * Hands frames to the sink, up to the end of the ring at most.
   *
   * @param sink Handles them.
   * @returns How many bytes were handled.
   */
  consume(sink: FrameSink): number {
    const before = this.head;
    const views = this.#views;
    const tail = views.i32[this.#tailIndex]!;
    const position = before & (this.#bytes - 1);
    const left = this.#bytes - position;
    const filled = (tail - before) | 0;
    if (filled < 0 || filled > this.#bytes) throw this.#corrupt(filled);
    const start = this.#base + position;
    const end = start + Math.min(filled, left);
    const stop = sink(this.#source, views, start, end);
    const padded = stop < end && views.i32[stop >>> 2] === 0;
    this.head = (before + (padded ? left : stop - start)) | 0;
    this.#waker.release(this.#headAt, this.head, this.#wantAt, this.#bell);
    return (this.head - before) | 0;
  }

  #corrupt(filled: number): ProtocolError {
    return new ProtocolError(
      `Cannot read the ring from PE ${this.#source}: it claims ${filled} bytes of ${this.#bytes}`,
      { pe: this.#source, op: "poll" },
    );
  }
}
