/**
 * The receive buffers of a process: posted once, and again as soon as each has been handled, in the
 * order in which messages were sent. A long message may complete after those that follow it, but
 * buffers are filled in the order in which they were posted.
 *
 * @module
 */

import { FABRIC, type FabricCalls, FI } from "../../ffi/mod.ts";
import type { CallMemory } from "./call_memory.ts";
import { KIND_MASK, MAGIC, WORD } from "./message.ts";
import {
  CONTROL,
  MESSAGE_HEADER_BYTES,
  RECEIVE_CALL_BYTES,
  RECORD,
  RECORD_BYTES,
  RECORD_KIND,
} from "./network_layout.ts";
import { Strangers } from "./strangers.ts";

/** The receive buffers, as one thread posts them. */
export class Receives {
  readonly #memory: CallMemory;
  readonly #calls: FabricCalls;
  readonly #pointers: bigint[] = [];
  readonly #words: Int32Array;
  readonly #cursor: number;
  readonly #tokenLow: number;
  readonly #tokenHigh: number;
  readonly #strangers: Strangers;

  /**
   * @param memory Writes the arguments.
   * @param calls The calls.
   */
  constructor(memory: CallMemory, calls: FabricCalls) {
    this.#memory = memory;
    this.#calls = calls;
    const { net, rank, tokens } = memory.start;
    this.#words = memory.views.i32;
    this.#cursor = (net.control + CONTROL.cursor) >>> 2;
    this.#tokenLow = tokens[2 * rank]!;
    this.#tokenHigh = tokens[2 * rank + 1]!;
    this.#strangers = new Strangers(memory.views, net);
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

  #recordOf(receive: number): number {
    return (this.#memory.start.net.records + receive * RECORD_BYTES) >>> 2;
  }

  /**
   * Takes note that a buffer has been filled.
   *
   * @param receive Its number.
   * @param bytes Bytes of the message.
   * @param error With which error it came, a positive errno; 0 if with none.
   */
  fill(receive: number, bytes: number, error: number): void {
    const words = this.#words;
    const record = this.#recordOf(receive);
    words[record + RECORD.bytes / 4] = error === 0 ? bytes : 0;
    words[record + RECORD.error / 4] = error;
    words[record + RECORD.pending / 4] = 1;
  }

  /**
   * Takes the next message in order. Until `pass`, nothing that comes meanwhile is taken.
   *
   * @returns The number of its buffer, -1 if it has not come yet.
   */
  take(): number {
    const receive = this.#words[this.#cursor]!;
    const arrived = this.#recordOf(receive) + RECORD.pending / 4;
    if (this.#words[arrived] === 0) return -1;
    this.#words[arrived] = 0;
    return receive;
  }

  /**
   * Lets the message after one be the next.
   *
   * @param receive The buffer of that one.
   */
  pass(receive: number): void {
    this.#words[this.#cursor] = receive + 1 === this.#memory.start.net.receives ? 0 : receive + 1;
  }

  /**
   * @param receive A buffer.
   * @returns Bytes of its message behind the header.
   */
  payloadBytes(receive: number): number {
    return this.#words[this.#recordOf(receive) + RECORD.bytes / 4]! - MESSAGE_HEADER_BYTES;
  }

  /**
   * Tells messages of this job from others, which a stranger can send: they must not end the job.
   * What is too long or breaks off is among them, for a peer's would fail at the peer, too.
   *
   * @param receive A buffer.
   * @returns The kind of its message, or -1 if it is not of this job; it is counted then.
   */
  kindOf(receive: number): number {
    const words = this.#words;
    const at = this.bufferOf(receive) >>> 2;
    const payload = this.payloadBytes(receive);
    const known = payload >= 0 && words[at + WORD.token] === this.#tokenLow &&
      words[at + WORD.token + 1] === this.#tokenHigh;
    const kind = words[at + WORD.kind]!;
    if (known && (kind & ~KIND_MASK) === MAGIC) return kind & KIND_MASK;
    const error = words[this.#recordOf(receive) + RECORD.error / 4]!;
    this.#strangers.note(payload + MESSAGE_HEADER_BYTES, error);
    return -1;
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
