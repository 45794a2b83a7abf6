/**
 * Sending frames: straight into the ring where there is room, with frames for one destination
 * published together.
 *
 * Where the ring is full, the program waits, making progress meanwhile; a handler never waits: its
 * frames go to a backlog that moves as room appears. So whoever waits for room drains his own
 * rings, and full rings cannot deadlock. Frames longer than a ring takes travel in parts.
 *
 * A program that sends much takes a step of the engine now and then: of two that send each other
 * much, one would else serve the other until its own rings fill, and the other never.
 *
 * @module
 */

import { PAYLOAD_BYTES_MAX } from "../internal/limits.ts";
import { type MemoryViews, memoryViews } from "../internal/memory_views.ts";
import { type Lamella, type Progress, WAIT_FOR } from "../lamellae/mod.ts";
import { FRAME, HEAD_BYTES } from "./frames.ts";

/** Smallest buffer of a backlog in bytes. */
const CHUNK_BYTES = 64 * 1024;

/** A buffer of frames that found no room. */
interface Chunk {
  readonly views: MemoryViews;
  start: number;
  end: number;
}

/** What is known of one destination. */
interface Destination {
  /** Bytes committed and not published. */
  unpublished: number;
  readonly backlog: Chunk[];
  /** The program is sending a long frame: what handlers send meanwhile stays behind it. */
  sending: boolean;
}

/** Sends frames to all PEs. */
export class Outbox {
  readonly #lamella: Lamella;
  readonly #progress: Progress;
  readonly #destinations: Destination[];
  readonly #thresholdBytes: number;
  #dirty: number[] = [];
  #backlogs = 0;
  #streams = 0;
  /** Bytes sent since the engine made a step for it. */
  #unstepped = 0;
  /** A frame longer than a ring takes, until it is whole. */
  #large: MemoryViews | undefined;
  /** Where the frame that `begin` made room for lies. */
  views: MemoryViews;
  /**
   * Whether handlers ran before `begin` found room: they may have changed what is to be written, so
   * it has to be measured again.
   */
  waited = false;

  /**
   * @param progress The engine that waits for room.
   * @param thresholdBytes Bytes gathered for a destination before they are published.
   */
  constructor(progress: Progress, thresholdBytes: number) {
    this.#progress = progress;
    this.#lamella = progress.lamella;
    this.views = this.#lamella.views;
    // A ring that is published only when it is full would make both sides take turns.
    this.#thresholdBytes = Math.min(thresholdBytes, this.#lamella.frameBytesMax);
    this.#destinations = Array.from(
      { length: this.#lamella.numPes },
      () => ({ unpublished: 0, backlog: [], sending: false }),
    );
    progress.addPoller(() => {
      // A program may go on with other things than the runtime: what it sent leaves all the same.
      this.flush();
      return this.#backlogs > 0 ? this.#drainAll() : 0;
    });
  }

  /**
   * Makes room for a frame and writes its length.
   *
   * @param pe The destination.
   * @param bytes The length of the frame, a multiple of 8.
   * @returns Where to write it in `views`.
   * @throws {RangeError} If the frame is longer than any may be.
   */
  begin(pe: number, bytes: number): number {
    let at = -1;
    // One that was begun and never ended, because its payload could not be written, is void.
    this.#large = undefined;
    const stepped = this.#unstepped >= this.#lamella.frameBytesMax && this.#step();
    this.views = this.#lamella.views;
    this.waited = stepped;
    if (bytes > this.#lamella.frameBytesMax) at = this.#beginLarge(bytes);
    else {
      const destination = this.#destinations[pe]!;
      if (destination.backlog.length === 0 && !destination.sending) {
        at = this.#lamella.reserve(pe, bytes);
      }
      if (at < 0) at = this.#beginFull(pe, bytes);
    }
    this.views.i32[at >>> 2] = bytes;
    return at;
  }

  /** Lets handlers run, unless one does; returns whether any did. */
  #step(): boolean {
    this.#unstepped = 0;
    if (this.#progress.inHandler) return false;
    return this.#progress.step() > 0;
  }

  /**
   * Sends the frame written since `begin`, at the latest when the program awaits or blocks.
   *
   * @param pe The destination.
   * @param bytes The length of the frame.
   */
  end(pe: number, bytes: number): void {
    if (this.#large) {
      const large = this.#large;
      this.#large = undefined;
      this.#unstepped += bytes;
      this.#sendParts(pe, large, bytes);
      return;
    }
    const destination = this.#destinations[pe]!;
    this.#unstepped += bytes;
    if (this.views !== this.#lamella.views) {
      destination.backlog.at(-1)!.end += bytes;
      return;
    }
    this.#lamella.commit(pe, bytes);
    if (destination.unpublished === 0) {
      this.#dirty.push(pe);
      this.#progress.kick();
    }
    destination.unpublished += bytes;
    if (destination.unpublished >= this.#thresholdBytes) this.#publish(pe, destination);
  }

  /** Lets every destination see what was sent to it. */
  flush(): void {
    const dirty = this.#dirty;
    if (dirty.length === 0) return;
    for (let i = 0; i < dirty.length; i++) {
      const pe = dirty[i]!;
      const destination = this.#destinations[pe]!;
      if (destination.unpublished > 0) this.#publish(pe, destination);
    }
    dirty.length = 0;
  }

  #publish(pe: number, destination: Destination): void {
    destination.unpublished = 0;
    this.#lamella.publish(pe);
  }

  /** The ring is full, or older frames wait. */
  #beginFull(pe: number, bytes: number): number {
    if (this.#progress.inHandler) return this.#beginBacklog(pe, bytes);
    this.flush();
    const at = this.#waitForRoom(pe, () => this.#drain(pe) ? this.#lamella.reserve(pe, bytes) : -1);
    // Handlers that sent something meanwhile have reset it.
    this.waited = true;
    return at;
  }

  /** Blocks until `reserve` finds room; returns where. */
  #waitForRoom(pe: number, reserve: () => number): number {
    let at = -1;
    const found = (): boolean => (at = reserve()) >= 0;
    this.#progress.block(
      () => {
        if (found()) return true;
        this.#lamella.wantRoom(pe);
        // Room may have appeared before the wish was seen.
        return found();
      },
      "a send",
      { kind: WAIT_FOR.room, pe },
    );
    this.views = this.#lamella.views;
    return at;
  }

  #beginBacklog(pe: number, bytes: number): number {
    const { backlog } = this.#destinations[pe]!;
    let chunk = backlog.at(-1);
    if (!chunk || chunk.end + bytes > chunk.views.u8.length) {
      const size = Math.max(bytes, CHUNK_BYTES);
      chunk = { views: memoryViews(new ArrayBuffer(size)), start: 0, end: 0 };
      if (backlog.length === 0) this.#backlogs++;
      backlog.push(chunk);
    }
    this.views = chunk.views;
    return chunk.end;
  }

  #drainAll(): number {
    let moved = 0;
    for (let pe = 0; pe < this.#destinations.length; pe++) {
      const { backlog } = this.#destinations[pe]!;
      if (backlog.length === 0 || this.#destinations[pe]!.sending) continue;
      const before = backlog.length + backlog[0]!.start;
      if (!this.#drain(pe)) {
        this.#lamella.wantRoom(pe);
        this.#drain(pe);
      }
      if (backlog.length === 0 || backlog.length + backlog[0]!.start !== before) {
        this.#publish(pe, this.#destinations[pe]!);
        moved++;
      }
    }
    return moved;
  }

  /** Moves the backlog of one destination into its ring; returns whether all of it went. */
  #drain(pe: number): boolean {
    const { backlog } = this.#destinations[pe]!;
    for (let chunk = backlog[0]; chunk; chunk = backlog[0]) {
      while (chunk.start < chunk.end) {
        const bytes = chunk.views.i32[chunk.start >>> 2]!;
        const at = this.#lamella.reserve(pe, bytes);
        if (at < 0) {
          this.#publish(pe, this.#destinations[pe]!);
          return false;
        }
        const frame = chunk.views.u8.subarray(chunk.start, chunk.start + bytes);
        this.#lamella.views.u8.set(frame, at);
        this.#lamella.commit(pe, bytes);
        this.#destinations[pe]!.unpublished += bytes;
        chunk.start += bytes;
      }
      backlog.shift();
      if (backlog.length === 0) {
        this.#backlogs--;
        this.#publish(pe, this.#destinations[pe]!);
      }
    }
    return true;
  }

  #beginLarge(bytes: number): number {
    if (bytes > PAYLOAD_BYTES_MAX) {
      throw new RangeError(
        `Cannot send a message of ${bytes} bytes: the limit is ${PAYLOAD_BYTES_MAX} bytes`,
      );
    }
    this.#large = memoryViews(new ArrayBuffer(bytes));
    this.views = this.#large;
    return 0;
  }

  #sendParts(pe: number, whole: MemoryViews, bytes: number): void {
    const destination = this.#destinations[pe]!;
    // The number of the frame is given: what waits already has to go first, and nothing that a
    // handler sends meanwhile may slip in between.
    const queued = this.#progress.inHandler || destination.sending ||
      destination.backlog.length > 0;
    if (!queued) {
      this.flush();
      destination.sending = true;
    }
    try {
      const partMax = this.#lamella.frameBytesMax - HEAD_BYTES - 8;
      const stream = this.#streams = (this.#streams + 1) | 0;
      for (let sent = 0; sent < bytes; sent += partMax) {
        const part = Math.min(partMax, bytes - sent);
        this.#sendPart(
          pe,
          queued,
          stream,
          whole.u8.subarray(sent, sent + part),
          bytes,
          sent + part === bytes,
        );
      }
    } finally {
      if (!queued) destination.sending = false;
    }
  }

  #sendPart(
    pe: number,
    queued: boolean,
    stream: number,
    part: Uint8Array,
    total: number,
    last: boolean,
  ): void {
    const bytes = (HEAD_BYTES + 8 + part.length + 7) & ~7;
    const at = queued
      ? this.#beginBacklog(pe, bytes)
      : this.#waitForRoom(pe, () => this.#lamella.reserve(pe, bytes));
    const { views } = this;
    views.i32[at >>> 2] = bytes;
    views.i32[(at >>> 2) + 1] = FRAME.part | (last ? 1 << 8 : 0);
    views.i32[(at >>> 2) + 2] = stream;
    views.i32[(at >>> 2) + 3] = part.length + 8;
    views.f64[(at + HEAD_BYTES) / 8] = total;
    views.u8.set(part, at + HEAD_BYTES + 8);
    if (queued) this.#destinations[pe]!.backlog.at(-1)!.end += bytes;
    else {
      this.#lamella.commit(pe, bytes);
      this.#publish(pe, this.#destinations[pe]!);
    }
  }
}
