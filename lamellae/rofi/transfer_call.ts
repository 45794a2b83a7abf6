/**
 * The argument structures of a put or get: written once but for what changes from one call to the
 * next.
 *
 * @module
 */

import { FABRIC } from "../../ffi/mod.ts";
import { threadOf } from "./network_layout.ts";
import type { Port } from "./port.ts";

const { iovec, fi_rma_iov, fi_msg_rma } = FABRIC;

/** One set of the structures; it is free again when its call returns. */
export class TransferCall {
  readonly #port: Port;
  readonly #words: Int32Array;
  readonly #ep: bigint;
  readonly #at: number;
  readonly #pointer: bigint;
  readonly #near: number;
  readonly #far: number;
  /** Low and high half of the key of each process' memory. */
  readonly #keys: Int32Array;

  /**
   * @param port The network of the thread.
   * @param place Where in the area of the thread, one of `THREAD`.
   */
  constructor(port: Port, place: number) {
    const { start } = port;
    this.#port = port;
    this.#words = port.views.i32;
    this.#ep = start.fabric.ep;
    this.#at = threadOf(port.net, port.thread) + place;
    this.#pointer = port.pointer(this.#at);
    this.#near = this.#at + fi_msg_rma.bytes;
    this.#far = this.#near + iovec.bytes;
    this.#keys = new Int32Array(BigUint64Array.from(start.peers, ({ key }) => key).buffer);
    const desc = this.#far + fi_rma_iov.bytes;
    port.writePointer(this.#at + fi_msg_rma.msg_iov, this.#near);
    port.writePointer(this.#at + fi_msg_rma.desc, desc);
    port.write64(this.#at + fi_msg_rma.iov_count, 1);
    port.writePointer(this.#at + fi_msg_rma.rma_iov, this.#far);
    port.write64(this.#at + fi_msg_rma.rma_iov_count, 1);
    port.write64(this.#at + fi_msg_rma.data, 0);
    port.writeBig(desc, start.fabric.desc);
  }

  /**
   * Writes what changes.
   *
   * @param rank The other process.
   * @param record The address of the record that completions are to name.
   * @param address The address of the bytes here.
   * @param far The address there, as remote memory access names it.
   * @param bytes How many.
   */
  describe(rank: number, record: number, address: number, far: number, bytes: number): void {
    const port = this.#port;
    port.write64(this.#near + iovec.iov_base, address);
    port.write64(this.#near + iovec.iov_len, bytes);
    port.write64(this.#far + fi_rma_iov.addr, far);
    port.write64(this.#far + fi_rma_iov.len, bytes);
    const key = (this.#far + fi_rma_iov.key) >>> 2;
    this.#words[key] = this.#keys[2 * rank]!;
    this.#words[key + 1] = this.#keys[2 * rank + 1]!;
    port.writeAddress(this.#at + fi_msg_rma.addr, rank);
    port.writePointer(this.#at + fi_msg_rma.context, record);
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
