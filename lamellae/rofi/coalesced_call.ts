/**
 * Transfers of one PE that wait to go out in one call: where many small ones are under way, most of
 * their time is that of calls and messages, which those of one call share.
 *
 * They wait until there is no room for more, or the PE looks at the network. The progress thread
 * makes the call for a PE that does neither, so a lock guards them.
 *
 * @module
 */

import { FI } from "../../ffi/mod.ts";
import { COALESCED, COALESCED_MAX, THREAD, threadOf } from "./network_layout.ts";
import type { Port } from "./port.ts";
import { QUIET, TOLD, TOLD_OF_ARRIVAL, TransferCall } from "./transfer_call.ts";

/** Most bytes of a call: the first transfer of one is over with the last. */
const CALL_BYTES_MAX = 2 ** 20;
/** Longest transfer that waits for others: longer ones gain nothing. */
const BYTES_MAX = CALL_BYTES_MAX / 2;

/** The waiting transfers of a PE, as one of the threads of its process sees them. */
export class CoalescedCall {
  readonly #port: Port;
  readonly #words: Int32Array;
  readonly #lock: number;
  readonly #count: number;
  readonly #write: number;
  readonly #rank: number;
  readonly #call: TransferCall;
  /** Most bytes of a transfer that may wait; 0 if that is of no use with this provider. */
  readonly bytesMax: number;
  /** How many one call takes. */
  readonly piecesMax: number;
  readonly #putBytesMax: number;
  readonly #getBytesMax: number;
  /** Of those that wait; only their PE asks. */
  #bytes = 0;

  /**
   * @param port The network of the calling thread.
   * @param thread The PE, by its place in the process.
   */
  constructor(port: Port, thread: number) {
    const { fabric } = port.start;
    const at = threadOf(port.net, thread) + THREAD.coalesced;
    this.#port = port;
    this.#words = port.views.i32;
    this.#lock = at + COALESCED.lock;
    this.#count = at + COALESCED.count;
    this.#write = (at + COALESCED.write) >>> 2;
    this.#rank = (at + COALESCED.rank) >>> 2;
    this.#call = new TransferCall(port, at + COALESCED.call, COALESCED_MAX);
    this.piecesMax = Math.min(COALESCED_MAX, fabric.transferPiecesMax);
    this.#getBytesMax = Math.min(CALL_BYTES_MAX, fabric.transferBytesMax);
    this.#putBytesMax = Math.min(this.#getBytesMax, fabric.orderedPutBytesMax);
    // Within a host calls take little, and transfers may be over with them.
    const useful = this.piecesMax > 1 && !fabric.oneHost;
    this.bytesMax = useful ? Math.min(BYTES_MAX, this.#getBytesMax) : 0;
  }

  /**
   * Makes it ready; to be called by the PE, before it adds anything.
   *
   * @returns This.
   */
  prepare(): this {
    this.#call.prepare();
    return this;
  }

  /** Whether none waits. */
  get isEmpty(): boolean {
    return this.#port.kernels.load32(this.#count) === 0;
  }

  /**
   * Adds a transfer. Completions name the record of the first one.
   *
   * @param write Whether it is a put.
   * @param rank The other process.
   * @param record The address of its record.
   * @param address The address of the bytes here.
   * @param far The address there, as remote memory access names it.
   * @param bytes How many, at most {@linkcode bytesMax}.
   * @returns How many wait now; 0 if it cannot join them, or another thread makes the call.
   */
  add(
    write: boolean,
    rank: number,
    record: number,
    address: number,
    far: number,
    bytes: number,
  ): number {
    const { kernels } = this.#port;
    if (!this.#take()) return 0;
    const words = this.#words;
    let count = words[this.#count >>> 2]!;
    if (count === 0) {
      this.#bytes = 0;
      words[this.#write] = write ? 1 : 0;
      words[this.#rank] = rank;
      this.#call.describe(rank, record, address, far, bytes);
    }
    const room = (write ? this.#putBytesMax : this.#getBytesMax) - this.#bytes;
    const joins = words[this.#write] === (write ? 1 : 0) && words[this.#rank] === rank &&
      count < this.piecesMax && bytes <= room;
    if (joins) {
      if (count > 0) this.#call.describePiece(count, rank, address, far, bytes);
      this.#bytes += bytes;
      kernels.store32(this.#count, ++count);
    }
    this.#leave();
    return joins ? count : 0;
  }

  /**
   * Makes the call, unless none waits. If it fails for good, the job does.
   *
   * @param asks Whether puts are to ask for word of their arrival.
   * @returns How many went out, or an error below zero, `-FI.FI_EAGAIN` if they still wait.
   */
  flush(asks: boolean): number {
    if (this.isEmpty) return 0;
    if (!this.#take()) return -FI.FI_EAGAIN;
    const words = this.#words;
    const count = words[this.#count >>> 2]!;
    const rank = words[this.#rank]!;
    let code = 0;
    if (count > 0) {
      const write = words[this.#write] !== 0;
      this.#call.count(count);
      code = this.#call.make(write, write ? asks ? TOLD_OF_ARRIVAL : QUIET : TOLD);
      // They stay after another error: the job is about to fail for it, and none has gone out.
      if (code >= 0) this.#port.kernels.store32(this.#count, 0);
    }
    this.#leave();
    if (code < 0 && code !== -FI.FI_EAGAIN) this.#port.breakWith(rank, -code);
    if (code < 0) return code;
    if (count > 0) this.#port.wake(rank);
    return count;
  }

  #take(): boolean {
    return this.#port.kernels.cas32(this.#lock, 0, 1) === 0;
  }

  #leave(): void {
    this.#port.kernels.store32(this.#lock, 0);
  }
}
