/**
 * The completion queue of a process, as one of its threads reads it: under a lock, for the threads
 * share it.
 *
 * Whoever reads the queue handles what comes for all: it copies frames into the rings of their
 * targets, sets the flags of collectives, serves memory operations, and rings whom it concerns.
 * Nothing of this runs user code or waits for another PE, so any thread can do it for a PE that is
 * busy.
 *
 * @module
 */

import {
  FABRIC,
  type FabricCalls,
  fabricCalls,
  fabricError,
  FI,
  HostBells,
  QueueWait,
} from "../../ffi/mod.ts";
import { ClosedError, type LamellarError, PeFailedError } from "../../internal/errors.ts";
import type { Kernels } from "../../internal/kernels.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { isFailing, readFailure, writeFailure } from "../local/failure_record.ts";
import { BLOCK, blockOf } from "../local/layout.ts";
import type { Ringer } from "../local/local_lamella.ts";
import { ringersOf } from "../shmem/shmem_lamella.ts";
import { CallMemory } from "./call_memory.ts";
import { type ArrivalHandler, KIND_MASK, MAGIC, WORD } from "./message.ts";
import {
  COMPLETION_BYTES,
  COMPLETIONS_MAX,
  CONTROL,
  MESSAGE_HEADER_BYTES,
  type NetworkLayout,
  RECORD,
  RECORD_BYTES,
  RECORD_KIND,
  RECORD_SHIFT,
  recordCount,
  THREAD,
  threadOf,
} from "./network_layout.ts";
import type { NetworkStart } from "./network_start.ts";
import { Receives } from "./receives.ts";

/** What {@linkcode CompletionQueue.poll} returns when another thread reads the queue. */
export const BUSY = -1;

/** Errors of a call that no other process is the cause of. */
const OWN_ERRORS: readonly number[] = [
  FI.FI_EINVAL,
  FI.FI_EMSGSIZE,
  FI.FI_ENOMEM,
  FI.FI_ENOSYS,
  FI.FI_EOPNOTSUPP,
];

/** Made once: a fresh 64-bit integer takes longer than the call. */
const ROOM = BigInt(COMPLETIONS_MAX);

const NOBODY: ArrivalHandler = { handle() {}, answer() {} };

/** One thread's access to the completion queue of its process. */
export class CompletionQueue extends CallMemory {
  readonly net: NetworkLayout;
  readonly thread: number;
  readonly kernels: Kernels;
  readonly calls: FabricCalls;
  readonly #words: Int32Array;
  readonly #lock: number;
  readonly #stop: number;
  readonly #cq: bigint;
  readonly #wait: QueueWait | undefined;
  readonly #completions: number;
  readonly #completionsPointer: bigint;
  readonly #receives: Receives;
  readonly #recordsLow: number;
  readonly #recordsEnd: number;
  readonly #cursor: number;
  /** Bells of processes, where the provider offers nothing to sleep in. */
  readonly bells: HostBells | undefined;
  /** By PE of this process. */
  readonly #ringers: readonly Ringer[];
  #locked = false;
  /** Whether messages are being answered. */
  #answering = false;
  /** When the last words to the others have to be said, by `performance.now`; 0 in a sound job. */
  #deadline = 0;
  #arrivals = NOBODY;
  #waiting: () => void = () => {};

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
    super(start, views);
    const { net, memoryAddress } = start;
    this.net = net;
    this.thread = thread;
    this.kernels = kernels;
    const { ep, cq, provider } = start.fabric;
    this.calls = calls ?? fabricCalls(ep, cq, { provider });
    this.#words = views.i32;
    this.#cursor = (net.control + CONTROL.cursor) >>> 2;
    this.#lock = net.control + CONTROL.pollLock;
    this.#stop = (net.control + CONTROL.stop) >>> 2;
    this.#cq = cq;
    this.#completions = threadOf(net, thread) + THREAD.completions;
    this.#completionsPointer = this.pointer(this.#completions);
    this.#recordsLow = (memoryAddress + net.records) % 2 ** 32 | 0;
    this.#recordsEnd = recordCount(net);
    this.#receives = new Receives(this, this.calls);
    this.#ringers = ringersOf(start.layout, kernels, views.buffer);
    if (start.fabric.waitObject) this.#wait = new QueueWait(start.fabric.waitObject, provider);
    const bells = start.peers.map(({ bell }) => bell);
    if (bells.some((bell) => bell !== 0n)) this.bells = new HostBells(bells);
  }

  /**
   * @param arrivals Handles the messages that come.
   */
  onArrival(arrivals: ArrivalHandler): void {
    this.#arrivals = arrivals;
  }

  /**
   * @param waiting Called in every round of a wait.
   */
  onWait(waiting: () => void): void {
    this.#waiting = waiting;
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
   * @param looks How often to read it at most, until something comes.
   * @returns How much, or {@linkcode BUSY} if another thread is at it.
   * @throws {TransportError} If the network fails; the job fails with it.
   * @throws {PeFailedError} If the job fails.
   */
  poll(looks = 1): number {
    if (this.#locked) return this.look();
    if (!this.take()) return BUSY;
    this.#words[(this.net.control + CONTROL.polls) >>> 2]!++;
    try {
      for (let left = looks;; left--) {
        const came = this.look();
        if (came > 0 || left <= 1) return came;
      }
    } catch (error) {
      this.#lost(error);
      throw error;
    } finally {
      this.leave();
    }
  }

  /** What could not be handled is lost, whoever it was for: the job cannot go on. */
  #lost(error: unknown): void {
    if (isFailing(this.views)) return;
    const { layout } = this.start;
    const what = error instanceof Error ? error.message : String(error);
    const text = `PE ${layout.firstPe + this.thread} lost the network: ${what}`;
    writeFailure(layout, this.views, -1, 1, text);
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

  /** Has looks do without what wakes sleepers; nobody may sleep now. */
  silence(): void {
    this.#wait?.silence();
  }

  /**
   * Sleeps until something happens in the network, and handles what came. The lock has to be taken.
   *
   * @param timeoutMs Longest sleep in milliseconds.
   * @param called Whether who disturbs this thread has said why.
   * @param alertMs How long to look out before the sleep where that can be done, in milliseconds.
   * @returns How much was handled.
   */
  sleep(timeoutMs: number, called: () => boolean, alertMs = 0): number {
    const ms = Math.ceil(timeoutMs);
    if (this.#wait && !this.#wait.restless) {
      return this.#wait.sleep(ms, called, () => this.look(), alertMs);
    }
    const sread = (): number =>
      this.calls.cqSread(this.#cq, this.#completionsPointer, ROOM, 0n, ms);
    const code = this.#wait ? this.#wait.alarmed(sread) : sread();
    const came = this.#completed(code) + this.#handleArrived();
    if (came === 0) this.#wait?.retry();
    return came;
  }

  /** Whether the last sleep ended for nothing. */
  get vain(): boolean {
    return this.#wait !== undefined && this.#wait.vain;
  }

  /**
   * As `poll`, with the lock taken.
   *
   * @returns How much was handled.
   */
  look(): number {
    return this.#read() + this.#handleArrived();
  }

  /** Ends the sleep of the progress thread. */
  disturb(): void {
    if (this.bells) this.bells.ring(this.start.rank);
    else this.calls.cqSignal(this.#cq);
  }

  /**
   * Wakes a process that has to look for what was sent to it, where the provider does not.
   *
   * @param rank The process.
   */
  wake(rank: number): void {
    this.bells?.ring(rank);
  }

  /**
   * Reads the queue, unless another thread does.
   *
   * @returns How much came.
   */
  visit(): number {
    if (!this.take()) return 0;
    try {
      return this.look();
    } finally {
      this.leave();
    }
  }

  #read(): number {
    return this.#completed(this.calls.cqRead(this.#cq, this.#completionsPointer, ROOM));
  }

  #completed(code: number): number {
    if (code > 0) {
      const words = this.#words;
      for (let i = 0; i < code; i++) {
        const entry = (this.#completions + i * COMPLETION_BYTES) >>> 2;
        const bytes = words[entry + FABRIC.fi_cq_msg_entry.len / 4]!;
        this.#complete(entry, 0, bytes);
      }
      return code;
    }
    // Nothing has come. Not every provider says of a sleep that ended so that one may try again.
    if (code === -FI.FI_EAGAIN || code === -FI.FI_ETIMEDOUT || code === -FI.FI_EINTR) return 0;
    if (code === 0) return 0;
    if (code !== -FI.FI_EAVAIL) throw this.#error(code, "read completions", "fi_cq_read");
    const failed = threadOf(this.net, this.thread) + THREAD.failed;
    if (this.calls.cqReadErr(this.#cq, this.pointer(failed), 0n) < 1) return 0;
    const error = this.#words[(failed + FABRIC.fi_cq_err_entry.err) >>> 2]!;
    this.#complete((failed + FABRIC.fi_cq_err_entry.op_context) >>> 2, error, 0);
    return 1;
  }

  #error(code: number, action: string, op: string): LamellarError {
    return fabricError(code, action, { op, provider: this.start.fabric.provider });
  }

  /** Notes what a record stands for; the word of that index has the low half of its address. */
  #complete(context: number, error: number, bytes: number): void {
    const words = this.#words;
    const low = words[context]!;
    const offset = (low - this.#recordsLow) >>> 0;
    const number = offset >>> RECORD_SHIFT;
    const ours = (offset & (RECORD_BYTES - 1)) === 0 && number < this.#recordsEnd &&
      (low !== 0 || words[context + 1] !== 0);
    const record = this.recordAt(number) >>> 2;
    const kind = ours ? words[record + RECORD.kind / 4]! : RECORD_KIND.none;
    switch (kind) {
      case RECORD_KIND.receive:
        if (error !== 0) throw this.#error(error, "receive a message", "fi_recvmsg");
        words[record + RECORD.bytes / 4] = bytes;
        words[record + RECORD.pending / 4] = 1;
        return;
      case RECORD_KIND.transfer:
        if (error === 0) return this.finish(number);
        // A transfer that failed stays under way: it settles with the job, which is about to fail.
        return this.breakWith(words[record + RECORD.rank / 4]!, error);
      case RECORD_KIND.send:
        if (error !== 0) this.breakWith(words[record + RECORD.rank / 4]!, error);
        return this.finish(number);
      case RECORD_KIND.sign:
        return this.finish(number);
      default:
        // Of what left its buffer at once only errors are told, and not whose.
        if (!ours && error !== 0) this.breakWith(-1, error);
    }
  }

  /**
   * Takes note that a process cannot be reached; the progress thread ends the job for it, unless
   * somebody who knows better why does so before.
   *
   * @param rank The process, -1 if it is not known.
   * @param error The error of the call, a positive errno.
   */
  breakWith(rank: number, error: number): void {
    const at = this.net.control + CONTROL.broken;
    const who = rank < 0 ? -1 : rank + 1;
    if (this.kernels.cas32(at, 0, who) === 0) this.kernels.store32(at + 4, error);
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
    this.ringOwn(this.start.layout.firstPe + thread);
  }

  /**
   * @param pe A PE of this process.
   */
  ringOwn(pe: number): void {
    this.ringerOf(pe).ring(blockOf(this.start.layout, pe) + BLOCK.bell);
  }

  /**
   * @param pe A PE of this process.
   * @returns How what comes for it is announced.
   */
  ringerOf(pe: number): Ringer {
    return this.#ringers[pe - this.start.layout.firstPe]!;
  }

  /**
   * Handles messages in the order in which they were sent: a long one may complete after those that
   * follow it, but buffers are filled in the order in which they were posted.
   */
  #handleArrived(): number {
    const words = this.#words;
    for (let handled = 0;; handled++) {
      const receive = words[this.#cursor]!;
      const arrived = (this.recordAt(receive) + RECORD.pending) >>> 2;
      if (words[arrived] === 0) return handled;
      // Until the cursor moves, nothing that comes meanwhile is handled.
      words[arrived] = 0;
      this.#handle(this.#receives.bufferOf(receive), words[arrived + BYTES_FROM_PENDING]!);
      this.#post(receive);
      words[this.#cursor] = receive + 1 === this.net.receives ? 0 : receive + 1;
      this.#answer();
    }
  }

  #handle(header: number, length: number): void {
    const at = header >>> 2;
    const words = this.#words;
    const kind = words[at + WORD.kind]!;
    // A message of another job, or none at all, is not for us: a stranger must not end the job.
    if (length < MESSAGE_HEADER_BYTES || (kind & ~KIND_MASK) !== MAGIC) return;
    if (words[at + WORD.token] !== this.start.token) return;
    this.#arrivals.handle(kind & KIND_MASK, header, length - MESSAGE_HEADER_BYTES);
  }

  /** To be called with all messages that were handled behind the cursor. */
  #answer(): void {
    // While an answer waits for a send buffer, what comes is handled, and answered after it.
    if (this.#answering) return;
    this.#answering = true;
    try {
      this.#arrivals.answer();
    } finally {
      this.#answering = false;
    }
  }

  /**
   * Makes a call until the provider has room for it.
   *
   * @param op Its name, for messages.
   * @param call Makes it; returns its result.
   * @param rank The process it is to reach, -1 if none.
   * @throws {TransportError} If the call fails for another reason than the other process.
   * @throws {PeFailedError} If the job fails meanwhile.
   * @throws {ClosedError} If the network is being closed.
   */
  retry(op: string, call: () => number, rank = -1): void {
    for (;;) {
      // A program that goes on after the job failed must not use what is freed meanwhile.
      if (this.#words[this.#stop] !== 0) throw this.#closed(op);
      const code = call();
      if (code >= 0) return;
      if (code !== -FI.FI_EAGAIN) {
        if (rank < 0 || OWN_ERRORS.includes(-code)) throw this.#error(code, `call ${op}`, op);
        this.breakWith(rank, -code);
      }
      if (rank >= 0) this.wake(rank);
      this.wait(op);
    }
  }

  #closed(op: string): LamellarError {
    if (isFailing(this.views)) return this.failure(op);
    return new ClosedError(`Cannot call ${op}: the network of this process is closed`, { op });
  }

  /**
   * Makes progress once while something is waited for.
   *
   * @param op What is waited for.
   * @throws {PeFailedError} If the job fails.
   */
  wait(op: string): void {
    this.poll();
    this.#waiting();
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

/** Words from one field of a record to the other. */
const BYTES_FROM_PENDING = (RECORD.bytes - RECORD.pending) / 4;
