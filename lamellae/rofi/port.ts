/**
 * One thread's access to the network of its process: reads the completion queue, which the threads
 * share under a lock, and sends messages.
 *
 * Whoever reads the queue handles what comes for all: it copies frames into the rings of their
 * targets, sets the flags of collectives, serves memory operations, and rings whom it concerns.
 * Nothing of this runs user code or waits for another PE, so any thread can do it for a PE that is
 * busy.
 *
 * @module
 */

import { FABRIC, type FabricCalls, fabricCalls, fabricError, FI } from "../../ffi/mod.ts";
import { type LamellarError, PeFailedError } from "../../internal/errors.ts";
import type { Kernels } from "../../internal/kernels.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { isFailing, readFailure } from "../local/failure_record.ts";
import { BLOCK, blockOf } from "../local/layout.ts";
import { CallMemory } from "./call_memory.ts";
import { KIND_MASK, MAGIC, WORD } from "./message.ts";
import {
  COMPLETION_BYTES,
  COMPLETIONS_MAX,
  CONTROL,
  firstRecordOf,
  MESSAGE_HEADER_BYTES,
  type NetworkLayout,
  RECORD,
  RECORD_BYTES,
  RECORD_KIND,
  slotOf,
  spareRecordOf,
  THREAD,
  threadOf,
} from "./network_layout.ts";
import { type NetworkStart, rankOf } from "./network_start.ts";
import { Receives } from "./receives.ts";

/** Handles a message whose header has been checked; returns nothing and waits for nobody. */
export type Arrival = (kind: number, header: number, bytes: number) => void;

/** What {@linkcode Port.poll} returns when another thread reads the queue. */
export const BUSY = -1;

/** One thread's access to the network. */
export class Port extends CallMemory {
  readonly net: NetworkLayout;
  readonly thread: number;
  readonly kernels: Kernels;
  readonly calls: FabricCalls;
  readonly #words: Int32Array;
  readonly #lock: number;
  readonly #ep: bigint;
  readonly #cq: bigint;
  readonly #completions: number;
  readonly #completionsPointer: bigint;
  readonly #message: number;
  readonly #messagePointer: bigint;
  readonly #receives: Receives;
  readonly #recordsLow: number;
  readonly #cursor: number;
  #locked = false;
  /** When the last words to the others have to be said, by `performance.now`; 0 in a sound job. */
  #deadline = 0;
  #arrival: Arrival = () => {};
  #shortage: () => void = () => {};
  #nextSlot = 0;

  /**
   * @param start The network of the process.
   * @param thread This thread.
   * @param kernels Kernels over the memory.
   * @param views The memory.
   */
  constructor(start: NetworkStart, thread: number, kernels: Kernels, views: MemoryViews) {
    super(start, views);
    this.net = start.net;
    this.thread = thread;
    this.kernels = kernels;
    const { provider } = start.fabric;
    this.calls = fabricCalls(start.fabric.ep, start.fabric.cq, { provider });
    this.#words = views.i32;
    this.#cursor = start.net.control + CONTROL.cursor;
    this.#lock = start.net.control + CONTROL.pollLock;
    this.#ep = start.fabric.ep;
    this.#cq = start.fabric.cq;
    const area = threadOf(start.net, thread);
    this.#completions = area + THREAD.completions;
    this.#completionsPointer = this.pointer(this.#completions);
    this.#message = area + THREAD.message;
    this.#messagePointer = this.pointer(this.#message);
    this.#recordsLow = (start.memoryAddress + start.net.records) % 2 ** 32 | 0;
    this.#receives = new Receives(this, this.calls);
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
  }

  /**
   * @param arrival Handles the messages that come.
   */
  onArrival(arrival: Arrival): void {
    this.#arrival = arrival;
  }

  /**
   * @param shortage Gives back what send buffers it can.
   */
  onShortage(shortage: () => void): void {
    this.#shortage = shortage;
  }

  /**
   * @param record The number of a record.
   * @returns Its byte address.
   */
  recordAt(record: number): number {
    return this.net.records + record * RECORD_BYTES;
  }

  /** Posts every receive buffer; called once, before anybody sends. */
  postReceives(): void {
    this.#receives.prepare();
    for (let i = 0; i < this.net.receives; i++) this.#post(i);
  }

  #post(receive: number): void {
    this.retry("fi_recvmsg", () => this.#receives.post(receive));
  }

  /**
   * Reads the completion queue and handles what came.
   *
   * @returns How much, or {@linkcode BUSY} if another thread is at it.
   */
  poll(): number {
    if (this.#locked) return this.#read();
    if (!this.take()) return BUSY;
    this.#words[(this.net.control + CONTROL.polls) >>> 2]!++;
    try {
      return this.#read() + this.#handleArrived();
    } finally {
      this.leave();
    }
  }

  /**
   * Takes the lock of the queue.
   *
   * @returns Whether it was free.
   */
  take(): boolean {
    if (this.kernels.cas32(this.#lock, 0, 1) !== 0) return false;
    this.#locked = true;
    return true;
  }

  /** Gives the lock of the queue back. */
  leave(): void {
    this.#locked = false;
    this.kernels.store32(this.#lock, 0);
  }

  /**
   * Sleeps until something completes, and handles it. The lock has to be taken.
   *
   * @param timeoutMs Longest sleep in milliseconds.
   * @returns How much was handled.
   */
  sleep(timeoutMs: number): number {
    const { calls } = this;
    const code = calls.cqSread(
      this.#cq,
      this.#completionsPointer,
      BigInt(COMPLETIONS_MAX),
      0n,
      timeoutMs,
    );
    return this.#completed(code) + this.#handleArrived();
  }

  /** As `poll`, with the lock taken. */
  look(): number {
    return this.#read() + this.#handleArrived();
  }

  /** Ends the sleep of the thread that holds the lock. */
  disturb(): void {
    this.calls.cqSignal(this.#cq);
  }

  #read(): number {
    return this.#completed(
      this.calls.cqRead(this.#cq, this.#completionsPointer, BigInt(COMPLETIONS_MAX)),
    );
  }

  #completed(code: number): number {
    if (code > 0) {
      for (let i = 0; i < code; i++) {
        const context = this.#words[(this.#completions + i * COMPLETION_BYTES) >>> 2]!;
        this.#complete(((context - this.#recordsLow) >>> 0) / RECORD_BYTES, 0);
      }
      return code;
    }
    // Nothing has come. Not every provider says of a sleep that ended so that one may try again.
    if (code === -FI.FI_EAGAIN || code === -FI.FI_ETIMEDOUT || code === -FI.FI_EINTR) return 0;
    if (code === 0) return 0;
    if (code !== -FI.FI_EAVAIL) {
      throw this.#error(code, "read completions", "fi_cq_read");
    }
    const failed = threadOf(this.net, this.thread) + THREAD.failed;
    if (this.calls.cqReadErr(this.#cq, this.pointer(failed), 0n) < 1) return 0;
    const context = this.#words[(failed + FABRIC.fi_cq_err_entry.op_context) >>> 2]!;
    const error = this.#words[(failed + FABRIC.fi_cq_err_entry.err) >>> 2]!;
    this.#complete(((context - this.#recordsLow) >>> 0) / RECORD_BYTES, error);
    return 1;
  }

  #error(code: number, action: string, op: string): LamellarError {
    return fabricError(code, action, { op, provider: this.start.fabric.provider });
  }

  #complete(number: number, error: number): void {
    const words = this.#words;
    const record = this.recordAt(number) >>> 2;
    const kind = words[record + RECORD.kind / 4]!;
    // The spare record: some providers report what nobody asked for.
    if (kind === 0) return;
    if (kind === RECORD_KIND.receive) {
      if (error !== 0) throw this.#error(error, "receive a message", "fi_recvmsg");
      words[record + RECORD.pending / 4] = 1;
      return;
    }
    if (error !== 0) {
      if (kind === RECORD_KIND.send) {
        throw this.#error(error, "send a message", "fi_sendmsg");
      }
      words[record + RECORD.error / 4] = error;
    }
    this.finish(number);
  }

  /**
   * Counts one completion of a record, and rings its owner with the last.
   *
   * @param number The record.
   */
  finish(number: number): void {
    const at = this.recordAt(number);
    if (this.kernels.add32(at + RECORD.pending, -1) !== 1) return;
    this.ringThread(this.#words[(at + RECORD.owner) >>> 2]!);
  }

  /**
   * @param thread A thread whose PE may wait.
   */
  ringThread(thread: number): void {
    if (thread >= this.net.nearPes) return;
    this.ringNear(this.start.layout.firstPe + thread);
  }

  /**
   * @param pe A near PE.
   */
  ringNear(pe: number): void {
    this.kernels.ring(blockOf(this.start.layout, pe) + BLOCK.bell);
  }

  /**
   * Handles messages in the order in which they were sent: a long one may complete after those that
   * follow it, but buffers are filled in the order in which they were posted.
   */
  #handleArrived(): number {
    const words = this.#words;
    const cursor = this.#cursor >>> 2;
    for (let handled = 0;; handled++) {
      const receive = words[cursor]!;
      const arrived = (this.recordAt(receive) + RECORD.pending) >>> 2;
      if (words[arrived] === 0) return handled;
      words[arrived] = 0;
      this.#handle(this.#receives.bufferOf(receive));
      this.#post(receive);
      words[cursor] = receive + 1 === this.net.receives ? 0 : receive + 1;
    }
  }

  #handle(header: number): void {
    const at = header >>> 2;
    const words = this.#words;
    const kind = words[at + WORD.kind]!;
    const bytes = words[at + WORD.bytes]!;
    // A message of another job, or none at all, is not for us: a stranger must not end the job.
    if ((kind & ~KIND_MASK) !== MAGIC || words[at + WORD.token] !== this.start.token) return;
    if (bytes < 0 || bytes > this.net.bufferBytes - MESSAGE_HEADER_BYTES) return;
    this.#arrival(kind & KIND_MASK, header, bytes);
  }

  /** Most bytes of a payload. */
  get payloadBytesMax(): number {
    return this.net.bufferBytes - MESSAGE_HEADER_BYTES;
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
      this.#shortage();
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
  ): void {
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
    words[(record + RECORD.kind) >>> 2] = RECORD_KIND.send;
    words[(record + RECORD.owner) >>> 2] = this.thread;
    const { fi_msg: message, iovec } = FABRIC;
    const vector = this.#message + message.bytes;
    const inject = total <= this.start.fabric.injectBytes;
    const flags = inject ? FI.FI_INJECT : FI.FI_COMPLETION;
    const context = inject ? this.recordAt(spareRecordOf(this.net)) : record;
    const write = (): number => {
      // Handling what arrives meanwhile sends too, through the same structure.
      this.writePointer(vector + iovec.iov_base, buffer);
      this.write64(vector + iovec.iov_len, total);
      this.writeAddress(this.#message + message.addr, rank);
      this.writePointer(this.#message + message.context, context);
      return this.calls.sendmsg(this.#ep, this.#messagePointer, flags);
    };
    this.retry("fi_sendmsg", write);
    if (inject) this.#words[(record + RECORD.pending) >>> 2] = 0;
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

  /**
   * Makes a call until the provider has room for it.
   *
   * @param op Its name, for messages.
   * @param call Makes it; returns its result.
   * @throws {TransportError} If the call fails.
   * @throws {PeFailedError} If the job fails meanwhile.
   */
  retry(op: string, call: () => number): void {
    for (;;) {
      const code = call();
      if (code >= 0) return;
      if (code !== -FI.FI_EAGAIN) {
        throw this.#error(code, `call ${op}`, op);
      }
      this.wait(op);
    }
  }

  /**
   * Makes progress once while something is waited for.
   *
   * @param op What is waited for.
   * @throws {PeFailedError} If the job fails.
   */
  wait(op: string): void {
    this.poll();
    if (this.#deadline === 0 ? isFailing(this.views) : performance.now() > this.#deadline) {
      throw this.failure(op);
    }
  }

  /**
   * Goes on sending although the job fails.
   *
   * @param limitMs How long, in milliseconds.
   */
  lastWords(limitMs: number): void {
    this.#deadline = performance.now() + limitMs;
  }

  /**
   * @param op What could not be done.
   * @returns The failure of the job as an error.
   */
  failure(op: string): LamellarError {
    const { pe, text } = readFailure(this.views);
    return new PeFailedError(text, { op, ...(pe >= 0 ? { pe } : {}) });
  }
}
