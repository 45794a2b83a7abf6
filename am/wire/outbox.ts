/**
 * Sending frames: straight into the ring where there is room, with frames for one destination
 * published together.
 *
 * Where the ring is full, frames go to a backlog that moves as room appears. A program waits until
 * it is empty, making progress meanwhile; a handler never waits, nor does a client. So a PE that
 * waits for room drains his own rings, and full rings cannot deadlock. Frames longer than a ring
 * takes travel in parts.
 * What a PE sends itself goes to a queue of its own (`own_frames.ts`), which is never full.
 *
 * Handlers run at the end of a send only, never between `begin` and `end`: a payload is what it was
 * when it was launched.
 *
 * A program that sends much takes a step of the engine now and then: of two that send each other
 * much, one would else serve the other until its own rings fill, and the other never.
 *
 * @module
 */

import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import { type Lamella, type Progress, WAIT_FOR } from "../../lamellae/mod.ts";
import { Backlog } from "./backlog.ts";
import { Chunks } from "./chunks.ts";
import { type Codec, type FoundHandle, payloadChanged } from "../codec.ts";
import {
  type Belonging,
  checkLength,
  FRAME,
  frameBytes,
  HEAD_BYTES,
  idBytesOf,
  writeHead,
  writeIds,
  writeNumber,
} from "./frames.ts";
import { OwnFrames } from "./own_frames.ts";
import type { WholeFrame } from "./whole_frames.ts";

/** Bytes of the whole in front of each part of a long frame. */
const TOTAL_BYTES = 8;

/** Longest frame that is copied word by word: for more a call is quicker. */
const COPY_LOOP_BYTES_MAX = 256;

/** Writes the payload of a frame to an address, a multiple of 8. */
export type PayloadWriter = (views: MemoryViews, at: number) => void;

/** What is known of one destination. */
interface Destination {
  /** Bytes committed and not published. */
  unpublished: number;
  readonly backlog: Backlog;
  /** The program is sending a long frame: what handlers send meanwhile stays behind it. */
  sending: boolean;
}

/** Sends frames to all PEs. */
export class Outbox {
  readonly #lamella: Lamella;
  readonly #pe: number;
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
  readonly #chunks = new Chunks();
  /** What this PE sends itself. */
  readonly own: OwnFrames;
  /** Where the frame is for which `begin` made room. */
  views: MemoryViews;
  /** Where it begins there, how long it is, and which PE gets it. */
  #at = 0;
  #bytes = 0;
  #to = 0;
  /** The handles that its payload holds. */
  readonly #found: FoundHandle[] = [];
  /** Whether a payload is being encoded into it. */
  #encoding = false;

  /**
   * @param progress The engine that waits for room.
   * @param thresholdBytes Bytes gathered for a destination before they are published.
   */
  constructor(progress: Progress, thresholdBytes: number) {
    this.#progress = progress;
    this.#lamella = progress.lamella;
    this.#pe = this.#lamella.pe;
    this.views = this.#lamella.views;
    this.own = new OwnFrames(this.#chunks);
    // A ring that is published only when it is full would make both sides take turns.
    this.#thresholdBytes = Math.min(thresholdBytes, this.#lamella.frameBytesMax);
    this.#destinations = Array.from(
      { length: this.#lamella.numNodes },
      () => ({ unpublished: 0, backlog: new Backlog(this.#chunks), sending: false }),
    );
    progress.addPoller(() => {
      // A program may go on with other things than the runtime: what it sent leaves all the same.
      this.flush();
      return this.#backlogs > 0 ? this.#drainAll() : 0;
    });
  }

  /**
   * Makes room for a frame and writes its head but its number.
   *
   * @param pe The destination.
   * @param kind The kind of frame.
   * @param detail What belongs to the kind.
   * @param length Bytes of the payload.
   * @param work What a request is part of, besides the world.
   * @returns Where to write the payload in `views`.
   * @throws {RangeError} If the frame is longer than any may be.
   * @throws {TypeError} If a payload that is being encoded sends something.
   */
  begin(pe: number, kind: number, detail: number, length: number, work?: Belonging): number {
    const payload = work === undefined ? length : length + idBytesOf(work);
    const at = this.#reserve(pe, frameBytes(payload));
    const payloadAt = writeHead(this.views, at, kind, detail, payload);
    return work === undefined ? payloadAt : writeIds(this.views, at, work);
  }

  /**
   * Encodes a payload into the frame that was begun, and tells the handles in it. It may have
   * getters, which do anything.
   *
   * @param codec The codec, which was asked for the size.
   * @param value The payload.
   * @param at Where to write it in `views`.
   * @param length Its size.
   * @throws {TypeError} If it cannot be sent, or is not as long any more.
   */
  encode(codec: Codec<unknown>, value: unknown, at: number, length: number): void {
    this.#encoding = true;
    try {
      const found = this.#found;
      if (codec.write(value, this.views, at, length, found) !== length) throw payloadChanged();
      if (found.length > 0) tellSent(found.splice(0), this.#to, this.#lamella.session);
    } finally {
      this.#encoding = false;
    }
  }

  /**
   * Sends the frame written since `begin`, at the latest when the program awaits or blocks.
   * Handlers may run before it returns.
   *
   * @param number The number of the request that it is or answers, or 0.
   */
  end(number: number): void {
    writeNumber(this.views, this.#at, number);
    const pe = this.#to;
    const bytes = this.#bytes;
    this.#unstepped += bytes;
    if (this.views === this.#lamella.views) this.#endInRing(pe, bytes);
    else this.#endElsewhere(pe, bytes);
    if (this.#unstepped >= this.#lamella.frameBytesMax) this.#step();
  }

  #endElsewhere(pe: number, bytes: number): void {
    if (pe === this.#pe) {
      if (this.own.end(bytes)) this.#progress.kick();
    } else if (this.#large) {
      const large = this.#large;
      this.#large = undefined;
      this.#sendParts(pe, large, bytes);
    } else {
      this.#destinations[pe]!.backlog.end(bytes);
      if (!this.#progress.mayNotBlock) this.#waitForBacklog(pe);
    }
  }

  /**
   * Sends a frame whose payload a codec writes. Launches do the same by hand: a request gets its
   * number once its payload is written, so that there are no gaps.
   *
   * @param pe The destination.
   * @param kind The kind of frame.
   * @param detail What belongs to the kind.
   * @param number The number of the request that it answers.
   * @param codec The codec.
   * @param value The payload.
   * @throws {TypeError} If it cannot be sent.
   */
  send(
    pe: number,
    kind: number,
    detail: number,
    number: number,
    codec: Codec<unknown>,
    value: unknown,
  ): void {
    const length = codec.size(value);
    const at = this.begin(pe, kind, detail, length);
    this.encode(codec, value, at, length);
    this.end(number);
  }

  /**
   * Sends a frame without a payload.
   *
   * @param pe The destination.
   * @param kind The kind of frame.
   * @param detail What belongs to the kind.
   * @param number The number of the request that it answers.
   */
  sendHead(pe: number, kind: number, detail: number, number: number): void {
    this.begin(pe, kind, detail, 0);
    this.end(number);
  }

  /**
   * Sends a frame whose payload is bytes.
   *
   * @param pe The destination.
   * @param kind The kind of frame.
   * @param payload Its payload.
   * @param number The number of the request that it answers, if it has one.
   */
  sendBytes(pe: number, kind: number, payload: Uint8Array, number = 0): void {
    const at = this.begin(pe, kind, 0, payload.length);
    this.views.u8.set(payload, at);
    this.end(number);
  }

  /**
   * Sends a frame that has no number.
   *
   * @param pe The destination.
   * @param kind The kind of frame.
   * @param length Bytes of its payload.
   * @param write Writes it.
   */
  sendWritten(pe: number, kind: number, length: number, write: PayloadWriter): void {
    const at = this.begin(pe, kind, 0, length);
    write(this.views, at);
    this.end(0);
  }

  /**
   * Tells the handles in a frame that was written elsewhere, before it gets its number.
   *
   * @param pe The destination.
   * @param frame The frame.
   */
  tellCopy(pe: number, { found }: WholeFrame): void {
    if (found.length === 0) return;
    this.#encoding = true;
    try {
      tellSent(found, pe, this.#lamella.session);
    } finally {
      this.#encoding = false;
    }
  }

  /**
   * Sends a frame that was written elsewhere.
   *
   * @param pe The destination.
   * @param frame The frame; it may be used again once this returns.
   * @param number The number of the request that it is.
   */
  sendCopy(pe: number, frame: WholeFrame, number: number): void {
    const { bytes, views } = frame;
    writeNumber(views, 0, number);
    if (bytes > this.#lamella.frameBytesMax && pe !== this.#pe) {
      this.#unstepped += bytes;
      this.#sendParts(pe, views, bytes);
      return;
    }
    const at = this.#reserve(pe, bytes);
    if (bytes > COPY_LOOP_BYTES_MAX) this.views.u8.set(views.u8.subarray(0, bytes), at);
    else {
      const [to, from] = [this.views.i32, views.i32];
      for (let i = 0, k = at >>> 2; i < bytes >>> 2; i++) to[k + i] = from[i]!;
    }
    this.end(number);
  }

  /** Makes room for a frame in `views`, and remembers it for `end`; returns where. */
  #reserve(pe: number, bytes: number): number {
    let at = -1;
    if (this.#encoding) throw new TypeError("Cannot launch an AM while a payload is encoded");
    // One that was begun and never ended, because its payload could not be written, is void.
    this.#large = undefined;
    if (this.#found.length > 0) this.#found.length = 0;
    this.views = this.#lamella.views;
    if (pe === this.#pe) at = this.#beginOwn(bytes);
    else if (bytes > this.#lamella.frameBytesMax) at = this.#beginLarge(bytes);
    else {
      const destination = this.#destinations[pe]!;
      if (destination.backlog.isEmpty && !destination.sending) {
        at = this.#lamella.reserve(pe, bytes);
      }
      if (at < 0) at = this.#beginBacklog(pe, bytes);
    }
    this.#at = at;
    this.#bytes = bytes;
    this.#to = pe;
    return at;
  }

  #endInRing(pe: number, bytes: number): void {
    const destination = this.#destinations[pe]!;
    this.#lamella.commit(pe, bytes);
    if (destination.unpublished === 0) {
      this.#dirty.push(pe);
      this.#progress.kick();
    }
    destination.unpublished += bytes;
    if (destination.unpublished >= this.#thresholdBytes) this.#publish(pe, destination);
  }

  #beginOwn(bytes: number): number {
    checkLength(bytes);
    const at = this.own.begin(bytes);
    this.views = this.own.views;
    return at;
  }

  /** Lets handlers run, unless one does. */
  #step(): void {
    this.#unstepped = 0;
    if (!this.#progress.inHandler) this.#progress.step();
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

  /** The program goes on once what found no room has left. */
  #waitForBacklog(pe: number): void {
    const { backlog } = this.#destinations[pe]!;
    this.flush();
    this.#waitForRoom(pe, () => (this.#drain(pe), backlog.isEmpty ? 0 : -1));
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
    if (backlog.isEmpty) this.#backlogs++;
    const at = backlog.begin(bytes);
    this.views = backlog.views;
    return at;
  }

  #drainAll(): number {
    let drained = 0;
    for (let pe = 0; pe < this.#destinations.length; pe++) {
      const { backlog, sending } = this.#destinations[pe]!;
      if (backlog.isEmpty || sending) continue;
      let moved = this.#drain(pe);
      if (!backlog.isEmpty) {
        this.#lamella.wantRoom(pe);
        // Room may have appeared before the wish was seen.
        moved += this.#drain(pe);
      }
      if (moved > 0) drained++;
    }
    return drained;
  }

  /** Moves what goes of a backlog into the ring, and lets its PE see all of it; returns bytes. */
  #drain(pe: number): number {
    const destination = this.#destinations[pe]!;
    if (destination.backlog.isEmpty) return 0;
    const moved = destination.backlog.drain(this.#lamella, pe);
    if (destination.backlog.isEmpty) this.#backlogs--;
    this.#publish(pe, destination);
    return moved;
  }

  #beginLarge(bytes: number): number {
    checkLength(bytes);
    this.#large = memoryViews(new ArrayBuffer(bytes));
    this.views = this.#large;
    return 0;
  }

  #sendParts(pe: number, whole: MemoryViews, bytes: number): void {
    const destination = this.#destinations[pe]!;
    // The number of the frame is given: what waits already has to go first, and nothing that a
    // handler sends meanwhile may slip in between.
    const queued = this.#progress.mayNotBlock || destination.sending ||
      !destination.backlog.isEmpty;
    if (!queued) {
      this.flush();
      destination.sending = true;
    }
    try {
      const partMax = this.#lamella.frameBytesMax - HEAD_BYTES - TOTAL_BYTES;
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
    const payload = TOTAL_BYTES + part.length;
    const bytes = frameBytes(payload);
    const at = queued
      ? this.#beginBacklog(pe, bytes)
      : this.#waitForRoom(pe, () => this.#lamella.reserve(pe, bytes));
    const { views } = this;
    const totalAt = writeHead(views, at, FRAME.part, last ? 1 : 0, payload);
    writeNumber(views, at, stream);
    views.f64[totalAt / 8] = total;
    views.u8.set(part, totalAt + TOTAL_BYTES);
    if (queued) this.#destinations[pe]!.backlog.end(bytes);
    else {
      this.#lamella.commit(pe, bytes);
      this.#publish(pe, this.#destinations[pe]!);
    }
  }
}

/** Tells handles in a payload that it goes to a PE. They are told before the frame has a number. */
function tellSent(found: readonly FoundHandle[], pe: number, session: number): void {
  for (const { kind, handle } of found) kind.sentTo(handle, pe, session);
}
