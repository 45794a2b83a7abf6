/**
 * The argument structures of a put or get: written once but for what changes from one call to the
 * next.
 *
 * @module
 */

import { FABRIC, FI } from "../../ffi/mod.ts";
import type { Port } from "./port.ts";

const { iovec, fi_rma_iov, fi_msg_rma } = FABRIC;
const DESC_BYTES = 8;

/** How a transfer is told of: once it is over here, once it has arrived, or not at all. */
export const TOLD = FI.FI_COMPLETION;
export const TOLD_OF_ARRIVAL = FI.FI_COMPLETION | FI.FI_DELIVERY_COMPLETE;
export const QUIET = 0n;

/** One set of the structures; it is free again when its call returns. */
export class TransferCall {
  readonly #port: Port;
  readonly #words: Int32Array;
  readonly #ep: bigint;
  readonly #at: number;
  readonly #pointer: bigint;
  readonly #near: number;
  readonly #far: number;
  readonly #pieces: number;
  /** Low and high half of the key of each process' memory. */
  readonly #keys: Int32Array;

  /**
   * @param port The network of the thread.
   * @param at Where they are in the memory.
   * @param pieces Most pieces of one transfer.
   */
  constructor(port: Port, at: number, pieces = 1) {
    const { start } = port;
    this.#port = port;
    this.#words = port.views.i32;
    this.#ep = start.fabric.ep;
    this.#at = at;
    this.#pointer = port.pointer(at);
    this.#near = at + fi_msg_rma.bytes;
    this.#far = this.#near + pieces * iovec.bytes;
    this.#pieces = pieces;
    this.#keys = new Int32Array(BigUint64Array.from(start.peers, ({ key }) => key).buffer);
  }

  /**
   * Writes what never changes. Only one of the threads that make the call may do it.
   *
   * @returns This.
   */
  prepare(): this {
    const port = this.#port;
    const at = this.#at;
    const desc = this.#far + this.#pieces * fi_rma_iov.bytes;
    port.writePointer(at + fi_msg_rma.msg_iov, this.#near);
    port.writePointer(at + fi_msg_rma.desc, desc);
    port.writePointer(at + fi_msg_rma.rma_iov, this.#far);
    port.write64(at + fi_msg_rma.data, 0);
    for (let i = 0; i < this.#pieces; i++) {
      port.writeBig(desc + i * DESC_BYTES, port.start.fabric.desc);
    }
    this.count(1);
    return this;
  }

  /**
   * Writes what a transfer of one piece has of its own.
   *
   * @param rank The other process.
   * @param record The address of the record that completions are to name.
   * @param address The address of the bytes here.
   * @param far The address there, as remote memory access names it.
   * @param bytes How many.
   */
  describe(rank: number, record: number, address: number, far: number, bytes: number): void {
    const port = this.#port;
    port.writeAddress(this.#at + fi_msg_rma.addr, rank);
    port.writePointer(this.#at + fi_msg_rma.context, record);
    this.describePiece(0, rank, address, far, bytes);
  }

  /**
   * Writes one piece.
   *
   * @param piece Which.
   * @param rank The other process.
   * @param address The address of the bytes here.
   * @param far The address there.
   * @param bytes How many.
   */
  describePiece(piece: number, rank: number, address: number, far: number, bytes: number): void {
    const port = this.#port;
    const near = this.#near + piece * iovec.bytes;
    const there = this.#far + piece * fi_rma_iov.bytes;
    port.write64(near + iovec.iov_base, address);
    port.write64(near + iovec.iov_len, bytes);
    port.write64(there + fi_rma_iov.addr, far);
    port.write64(there + fi_rma_iov.len, bytes);
    const key = (there + fi_rma_iov.key) >>> 2;
    this.#words[key] = this.#keys[2 * rank]!;
    this.#words[key + 1] = this.#keys[2 * rank + 1]!;
  }

  /**
   * @param pieces How many pieces the next calls have; at first 1.
   */
  count(pieces: number): void {
    this.#port.write64(this.#at + fi_msg_rma.iov_count, pieces);
    this.#port.write64(this.#at + fi_msg_rma.rma_iov_count, pieces);
  }

  /**
   * Makes the call.
   *
   * @param write Whether it is a put.
   * @param flags How its end is told.
   * @returns Its result.
   */
  make(write: boolean, flags: bigint): number {
    const { calls } = this.#port;
    return write
      ? calls.writemsg(this.#ep, this.#pointer, flags)
      : calls.readmsg(this.#ep, this.#pointer, flags);
  }
}
