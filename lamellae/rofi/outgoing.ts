/**
 * Frames on their way to PEs of other processes. A batch is written straight into a send buffer and
 * lands in the ring that its target reads; the sender knows how much room that has from the heads
 * the target reports.
 *
 * @module
 */

import { MESSAGE } from "./message.ts";
import { rankOf } from "./network_start.ts";
import type { Port } from "./port.ts";

/** What a PE knows of a ring it fills from afar. */
interface FarRing {
  /** Counts bytes that have been sent, wrapping at 32 bits, as the target counts them. */
  tail: number;
  /** The send buffer that is being filled, -1 if none, and bytes in it. */
  slot: number;
  filled: number;
  /** Bytes at the end of the ring that the open batch passes over. */
  skip: number;
}

/** The frames a PE sends to other processes. */
export class Outgoing {
  readonly #port: Port;
  readonly #pe: number;
  readonly #size: number;
  readonly #batch: number;
  readonly #heads: number;
  /** By PE, once something was sent to it. */
  readonly #rings: (FarRing | undefined)[];
  /** The PE for which a frame is being written, -1 if none. */
  #writing = -1;

  /**
   * @param port The network of this PE's thread.
   * @param pe This PE.
   */
  constructor(port: Port, pe: number) {
    const { net, start } = port;
    this.#port = port;
    this.#pe = pe;
    this.#size = start.layout.ringBytes;
    this.#batch = net.batchBytes;
    this.#heads = net.heads + 4 * port.thread * net.numPes;
    this.#rings = Array.from({ length: net.numPes }, () => undefined);
    port.onShortage(() => this.#publishAll());
  }

  #ringOf(pe: number): FarRing {
    let ring = this.#rings[pe];
    if (!ring) {
      // Nothing is under way yet: what the target has read is all that was sent.
      const tail = this.#port.kernels.load32(this.#heads + 4 * pe);
      this.#rings[pe] = ring = { tail, slot: -1, filled: 0, skip: 0 };
    }
    return ring;
  }

  /**
   * Makes room for a frame.
   *
   * @param pe The target.
   * @param bytes Its length, at most a batch.
   * @returns Where to write it, or -1 if there is no room now.
   */
  reserve(pe: number, bytes: number): number {
    const ring = this.#ringOf(pe);
    this.#writing = -1;
    if (ring.slot >= 0 && !this.#fits(ring, bytes)) this.publish(pe);
    const place = ring.tail & (this.#size - 1);
    const left = this.#size - place;
    const skip = ring.slot >= 0 ? ring.skip : bytes > left ? left : 0;
    const head = this.#port.kernels.load32(this.#heads + 4 * pe);
    const used = (ring.tail - head) | 0;
    if (used + skip + ring.filled + bytes > this.#size) return -1;
    if (ring.slot < 0) {
      const slot = this.#open();
      if (slot < 0) return -1;
      ring.slot = slot;
      ring.skip = skip;
    }
    this.#writing = pe;
    return this.#port.payloadOf(ring.slot) + ring.filled;
  }

  /** Whether a frame fits into the open batch and what is left of the ring before its end. */
  #fits(ring: FarRing, bytes: number): boolean {
    const place = ring.skip > 0 ? 0 : ring.tail & (this.#size - 1);
    const filled = ring.filled + bytes;
    return filled <= this.#batch && filled <= this.#size - place;
  }

  /** Takes a send buffer; where there is none, batches that were begun are sent. */
  #open(): number {
    const slot = this.#port.tryAcquire();
    if (slot >= 0) return slot;
    this.#port.reclaim();
    this.#port.poll();
    return this.#port.tryAcquire();
  }

  /** Sends every batch but that in which a frame is being written. */
  #publishAll(): void {
    for (const pe of this.#rings.keys()) if (pe !== this.#writing) this.publish(pe);
  }

  /**
   * Adds the frame written at the last reserved place.
   *
   * @param pe The target.
   * @param bytes Its length.
   */
  commit(pe: number, bytes: number): void {
    this.#rings[pe]!.filled += bytes;
    this.#writing = -1;
  }

  /**
   * Sends what has been committed.
   *
   * @param pe The target.
   */
  publish(pe: number): void {
    const ring = this.#rings[pe];
    if (!ring || ring.slot < 0) return;
    const port = this.#port;
    const { filled, skip, slot, tail } = ring;
    ring.slot = -1;
    ring.filled = 0;
    ring.skip = 0;
    if (filled === 0) return port.release(slot);
    ring.tail = (tail + skip + filled) | 0;
    const rank = rankOf(port.start, pe);
    port.head(slot, MESSAGE.frames, this.#pe, pe, tail, skip);
    port.send(slot, rank, filled);
  }
}
