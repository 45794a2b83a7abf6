/**
 * One thread's access to the network of its process: sends messages, and reads the completion
 * queue.
 *
 * @module
 */

import { FABRIC, type FabricCalls, FI } from "../../ffi/mod.ts";
import type { Kernels } from "../../internal/kernels.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { CompletionQueue } from "./completion_queue.ts";
import { MAGIC, MESSAGE, WORD } from "./message.ts";
import {
  firstRecordOf,
  injectedRecordOf,
  MESSAGE_HEADER_BYTES,
  RECORD,
  RECORD_KIND,
  slotOf,
  spareRecordOf,
  THREAD,
  threadOf,
} from "./network_layout.ts";
import { type NetworkStart, rankOf } from "./network_start.ts";

/** One thread's access to the network. */
export class Port extends CompletionQueue {
  readonly #words: Int32Array;
  readonly #ep: bigint;
  readonly #message: number;
  readonly #messagePointer: bigint;
  readonly #shortage: (() => void)[] = [];
  #nextSlot = 0;

  /**
   * @param start The network of the process.
   * @param thread This thread.
   * @param kernels Kernels over the memory.
   * @param views The memory.
   * @param calls The calls of libfabric; by default those of the endpoint.
   */
  constructor(
    start: NetworkStart,
    thread: number,
    kernels: Kernels,
    views: MemoryViews,
    calls?: FabricCalls,
  ) {
    super(start, thread, kernels, views, calls);
    this.#words = views.i32;
    this.#ep = start.fabric.ep;
    this.#message = threadOf(start.net, thread) + THREAD.message;
    this.#messagePointer = this.pointer(this.#message);
    this.#prepareMessage();
  }

  /** The structures of a send, but for what changes from one to the next. */
  #prepareMessage(): void {
    const { fi_msg: message, iovec } = FABRIC;
    const vector = this.#message + message.bytes;
    const desc = vector + iovec.bytes;
    this.writePointer(this.#message + message.msg_iov, vector);
    this.writePointer(this.#message + message.desc, desc);
    this.write64(this.#message + message.iov_count, 1);
    this.write64(this.#message + message.data, 0);
    this.writeBig(desc, this.start.fabric.desc);
    const injected = this.recordAt(injectedRecordOf(this.net));
    this.#words[(injected + RECORD.kind) >>> 2] = RECORD_KIND.injected;
  }

  /**
   * @param shortage Gives back what send buffers it can.
   */
  onShortage(shortage: () => void): void {
    this.#shortage.push(shortage);
  }

  /** Has those who keep send buffers give back what they can. */
  reclaim(): void {
    for (let i = 0; i < this.#shortage.length; i++) this.#shortage[i]!();
  }

  /** Most bytes of a payload. */
  get payloadBytesMax(): number {
    return this.net.bufferBytes - MESSAGE_HEADER_BYTES;
  }

  /**
   * @returns Whether something that a thread of this process sent or transfers is under way.
   */
  isBusy(): boolean {
    const end = spareRecordOf(this.net);
    for (let record = this.net.receives; record < end; record++) {
      if (this.#words[(this.recordAt(record) + RECORD.pending) >>> 2]! > 0) return true;
    }
    return false;
  }

  /**
   * Waits until everything this thread has sent has left.
   *
   * @param limitMs How long at most, in milliseconds.
   */
  flush(limitMs: number): void {
    const end = performance.now() + limitMs;
    const first = firstRecordOf(this.net, this.thread);
    for (let slot = 0; slot < this.net.slots && performance.now() < end;) {
      if (this.kernels.load32(this.recordAt(first + slot) + RECORD.pending) === 0) slot++;
      else this.poll();
    }
  }

  /**
   * Takes a send buffer, waiting for one if need be.
   *
   * @returns Its number.
   */
  acquire(): number {
    for (;;) {
      const slot = this.tryAcquire();
      if (slot >= 0) return slot;
      this.reclaim();
      this.wait("a send buffer");
    }
  }

  /**
   * Takes a send buffer.
   *
   * @returns Its number, or -1 if none is free now.
   */
  tryAcquire(): number {
    const { net } = this;
    const first = firstRecordOf(net, this.thread);
    for (let i = 0; i < net.slots; i++) {
      const slot = this.#nextSlot;
      this.#nextSlot = slot + 1 === net.slots ? 0 : slot + 1;
      const pending = this.recordAt(first + slot) + RECORD.pending;
      if (this.kernels.load32(pending) !== 0) continue;
      this.#words[pending >>> 2] = 1;
      return slot;
    }
    return -1;
  }

  /**
   * Gives a send buffer back that was not sent.
   *
   * @param slot The buffer.
   */
  release(slot: number): void {
    const record = this.recordAt(firstRecordOf(this.net, this.thread) + slot);
    this.kernels.store32(record + RECORD.pending, 0);
  }

  /**
   * @param slot A send buffer.
   * @returns The byte address of its payload.
   */
  payloadOf(slot: number): number {
    return slotOf(this.net, this.thread, slot) + MESSAGE_HEADER_BYTES;
  }

  /**
   * Sends a buffer; it is free again once it has left.
   *
   * @param slot The buffer, its payload written.
   * @param kind One of `MESSAGE`.
   * @param source The sender, as the target knows it.
   * @param target The PE it is for.
   * @param rank The process it is for.
   * @param bytes Bytes of the payload.
   * @param a First word of the header that is for the kind.
   * @param b Second.
   * @param c Third.
   * @param patient Whether to wait where there is no room for it, rather than to give it up.
   * @returns Whether it was sent.
   */
  send(
    slot: number,
    kind: number,
    source: number,
    target: number,
    rank: number,
    bytes: number,
    a = 0,
    b = 0,
    c = 0,
    patient = true,
  ): boolean {
    const words = this.#words;
    const buffer = slotOf(this.net, this.thread, slot);
    const at = buffer >>> 2;
    words[at + WORD.kind] = MAGIC | kind;
    words[at + WORD.token] = this.start.token;
    words[at + WORD.source] = source;
    words[at + WORD.target] = target;
    words[at + WORD.a] = a;
    words[at + WORD.b] = b;
    words[at + WORD.c] = c;
    words[at + WORD.bytes] = bytes;
    const total = MESSAGE_HEADER_BYTES + bytes;
    const record = this.recordAt(firstRecordOf(this.net, this.thread) + slot);
    // Signs of life and last words may get lost: whoever misses them notices.
    const sign = kind === MESSAGE.beat || kind === MESSAGE.fail;
    words[(record + RECORD.kind) >>> 2] = sign ? RECORD_KIND.sign : RECORD_KIND.send;
    words[(record + RECORD.owner) >>> 2] = this.thread;
    words[(record + RECORD.rank) >>> 2] = rank;
    const { fi_msg: message, iovec } = FABRIC;
    const vector = this.#message + message.bytes;
    const inject = total <= this.start.fabric.injectBytes;
    const flags = inject ? FI.FI_INJECT : FI.FI_COMPLETION;
    const shared = sign ? spareRecordOf(this.net) : injectedRecordOf(this.net);
    const context = inject ? this.recordAt(shared) : record;
    const write = (): number => {
      // Handling what arrives meanwhile sends too, through the same structure.
      this.writePointer(vector + iovec.iov_base, buffer);
      this.write64(vector + iovec.iov_len, total);
      this.writeAddress(this.#message + message.addr, rank);
      this.writePointer(this.#message + message.context, context);
      return this.calls.sendmsg(this.#ep, this.#messagePointer, flags);
    };
    if (!patient) {
      if (write() < 0) {
        this.release(slot);
        return false;
      }
    } else {
      try {
        this.retry("fi_sendmsg", write, rank);
      } catch (error) {
        this.release(slot);
        throw error;
      }
    }
    if (inject) this.#words[(record + RECORD.pending) >>> 2] = 0;
    this.wake(rank);
    return true;
  }

  /**
   * Sends a message without a payload.
   *
   * @param kind One of `MESSAGE`.
   * @param source The sender.
   * @param target The PE it is for.
   * @param a First word of the header that is for the kind.
   * @param b Second.
   * @param c Third.
   */
  sendSmall(kind: number, source: number, target: number, a = 0, b = 0, c = 0): void {
    this.send(this.acquire(), kind, source, target, rankOf(this.start, target), 0, a, b, c);
  }
}
