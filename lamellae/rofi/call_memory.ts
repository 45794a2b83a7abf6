/**
 * Writes the argument structures of libfabric calls into the memory of the process, and knows
 * whether calls may be made. All is written in 32-bit halves: a 64-bit integer of JavaScript is an
 * object, and making one takes longer than the call.
 *
 * @module
 */

import type { MemoryViews } from "../../internal/memory_views.ts";
import { HEADER } from "../local/layout.ts";
import { CONTROL } from "./network_layout.ts";
import type { NetworkStart } from "./network_start.ts";

/** Writes what libfabric reads. */
export class CallMemory {
  readonly start: NetworkStart;
  readonly views: MemoryViews;
  readonly #words: Int32Array;
  /** Low and high half of the address of each process. */
  readonly #addresses: Int32Array;
  /** The index of a word that says whether calls may be made: not 0 if they may not. */
  #stop: number;

  /**
   * @param start The network of the process.
   * @param views The memory.
   */
  constructor(start: NetworkStart, views: MemoryViews) {
    this.start = start;
    this.views = views;
    this.#words = views.i32;
    this.#stop = (start.net.control + CONTROL.stop) >>> 2;
    this.#addresses = new Int32Array(
      BigUint64Array.from(start.peers, ({ address }) => address).buffer,
    );
  }

  /** Whether the network is being closed, or this thread is done: no call may be made any more. */
  get isClosed(): boolean {
    return this.#words[this.#stop] !== 0;
  }

  /**
   * Makes calls only under the lock of the queue, which the thread that closes the network keeps.
   */
  retire(): void {
    this.#stop = HEADER.magic >>> 2;
  }

  /**
   * @param at A place in the memory.
   * @returns Its address.
   */
  pointer(at: number): bigint {
    return BigInt(this.start.memoryAddress + at);
  }

  /**
   * @param at Where to write a 64-bit number.
   * @param value An integer from 0 to 2^53.
   */
  write64(at: number, value: number): void {
    this.#words[at >>> 2] = value | 0;
    this.#words[(at >>> 2) + 1] = (value / 2 ** 32) | 0;
  }

  /**
   * @param at Where to write an address.
   * @param place The place in the memory it is the address of.
   */
  writePointer(at: number, place: number): void {
    this.write64(at, this.start.memoryAddress + place);
  }

  /**
   * @param at Where to write a 64-bit number.
   * @param value The number.
   */
  writeBig(at: number, value: bigint): void {
    this.#words[at >>> 2] = Number(BigInt.asIntN(32, value));
    this.#words[(at >>> 2) + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }

  /**
   * Writes the address of a process, as calls need it.
   *
   * @param at Where to.
   * @param rank The process.
   */
  writeAddress(at: number, rank: number): void {
    this.#words[at >>> 2] = this.#addresses[2 * rank]!;
    this.#words[(at >>> 2) + 1] = this.#addresses[2 * rank + 1]!;
  }
}
