/**
 * The receive buffers of a process: posted once, and again as soon as each has been handled.
 *
 * @module
 */

import { FABRIC, type FabricCalls, FI } from "../../ffi/mod.ts";
import type { CallMemory } from "./call_memory.ts";
import { RECEIVE_CALL_BYTES, RECORD, RECORD_BYTES, RECORD_KIND } from "./network_layout.ts";

/** The receive buffers, as one thread posts them. */
export class Receives {
  readonly #memory: CallMemory;
  readonly #calls: FabricCalls;
  readonly #pointers: bigint[] = [];

  /**
   * @param memory Writes the arguments.
   * @param calls The calls.
   */
  constructor(memory: CallMemory, calls: FabricCalls) {
    this.#memory = memory;
    this.#calls = calls;
    const { net } = memory.start;
    for (let i = 0; i < net.receives; i++) {
      this.#pointers.push(memory.pointer(net.receiveCalls + i * RECEIVE_CALL_BYTES));
    }
  }

  /**
   * @param receive The number of a buffer.
   * @returns Its byte address.
   */
  bufferOf(receive: number): number {
    const { net } = this.#memory.start;
    return net.receiveBuffers + receive * net.bufferBytes;
  }

  /**
   * Posts a buffer.
   *
   * @param receive Its number.
   * @returns What libfabric returned.
   */
  post(receive: number): number {
    const { ep } = this.#memory.start.fabric;
    return this.#calls.recvmsg(ep, this.#pointers[receive]!, FI.FI_COMPLETION);
  }

  /** Writes the arguments of every receive; called once, before any is posted. */
  prepare(): void {
    const memory = this.#memory;
    const { fabric, net } = memory.start;
    const { fi_msg: message, iovec } = FABRIC;
    for (let i = 0; i < net.receives; i++) {
      const call = net.receiveCalls + i * RECEIVE_CALL_BYTES;
      const vector = call + message.bytes;
      const desc = vector + iovec.bytes;
      const record = net.records + i * RECORD_BYTES;
      memory.views.i32[(record + RECORD.kind) >>> 2] = RECORD_KIND.receive;
      memory.writePointer(vector + iovec.iov_base, this.bufferOf(i));
      memory.write64(vector + iovec.iov_len, net.bufferBytes);
      memory.writePointer(call + message.msg_iov, vector);
      memory.writePointer(call + message.desc, desc);
      memory.write64(call + message.iov_count, 1);
      memory.writeBig(call + message.addr, FI.FI_ADDR_UNSPEC);
      memory.writePointer(call + message.context, record);
      memory.writeBig(desc, fabric.desc);
    }
  }
}
