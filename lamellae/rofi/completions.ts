/**
 * What the completions of a process stand for: each names a record in the shared memory, by which
 * the reader knows what has ended, and which PE to wake.
 *
 * @module
 */

import { FABRIC, type FabricCalls, fabricCalls, fabricError, FI } from "../../ffi/mod.ts";
import type { LamellarError } from "../../internal/errors.ts";
import type { Kernels } from "../../internal/kernels.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { BLOCK, blockOf } from "../local/layout.ts";
import type { Waker } from "../local/rings.ts";
import { wakersOf } from "../shmem/shmem_lamella.ts";
import { CallMemory } from "./call_memory.ts";
import {
  COMPLETION_BYTES,
  COMPLETIONS_MAX,
  CONTROL,
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

/** Made once: a fresh 64-bit integer takes longer than the call. */
const ROOM = BigInt(COMPLETIONS_MAX);

/** Reads completions, as one thread of a process does. */
export class Completions extends CallMemory {
  readonly net: NetworkLayout;
  readonly thread: number;
  readonly kernels: Kernels;
  readonly calls: FabricCalls;
  /** The messages that have come. */
  protected readonly receives: Receives;
  readonly #words: Int32Array;
  readonly #cq: bigint;
  readonly #entries: number;
  readonly #entriesPointer: bigint;
  readonly #recordsLow: number;
  readonly #recordsEnd: number;
  /** By PE of this process. */
  readonly #wakers: readonly Waker[];

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
    const { ep, cq, provider } = start.fabric;
    this.net = net;
    this.thread = thread;
    this.kernels = kernels;
    this.calls = calls ?? fabricCalls(ep, cq, { provider });
    this.receives = new Receives(this, this.calls);
    this.#words = views.i32;
    this.#cq = cq;
    this.#entries = threadOf(net, thread) + THREAD.completions;
    this.#entriesPointer = this.pointer(this.#entries);
    this.#recordsLow = (memoryAddress + net.records) % 2 ** 32 | 0;
    this.#recordsEnd = recordCount(net);
    this.#wakers = wakersOf(start.layout, kernels, views.buffer);
  }

  /**
   * @param record The number of a record.
   * @returns Its byte address.
   */
  recordAt(record: number): number {
    return this.net.records + record * RECORD_BYTES;
  }

  /**
   * Reads what has completed.
   *
   * @returns How much.
   */
  protected readQueue(): number {
    return this.completed(this.calls.cqRead(this.#cq, this.#entriesPointer, ROOM));
  }

  /**
   * Sleeps in the queue, and reads it.
   *
   * @param timeoutMs Longest sleep in milliseconds.
   * @returns The result of the call, for {@linkcode completed}.
   */
  protected sleepInQueue(timeoutMs: number): number {
    return this.calls.cqSread(this.#cq, this.#entriesPointer, ROOM, 0n, timeoutMs);
  }

  /**
   * Takes note of what has completed.
   *
   * @param code The result of a call that read it.
   * @returns How much.
   */
  protected completed(code: number): number {
    if (code > 0) {
      const words = this.#words;
      for (let i = 0; i < code; i++) {
        const entry = (this.#entries + i * COMPLETION_BYTES) >>> 2;
        const bytes = words[entry + FABRIC.fi_cq_msg_entry.len / 4]!;
        this.#complete(entry, 0, bytes);
      }
      return code;
    }
    // Nothing has come. Not every provider says of a sleep that ended so that one may try again.
    if (code === -FI.FI_EAGAIN || code === -FI.FI_ETIMEDOUT || code === -FI.FI_EINTR) return 0;
    if (code === 0) return 0;
    if (code !== -FI.FI_EAVAIL) throw this.failed(code, "read completions", "fi_cq_read");
    const failed = threadOf(this.net, this.thread) + THREAD.failed;
    if (this.calls.cqReadErr(this.#cq, this.pointer(failed), 0n) < 1) return 0;
    const error = this.#words[(failed + FABRIC.fi_cq_err_entry.err) >>> 2]!;
    this.#complete((failed + FABRIC.fi_cq_err_entry.op_context) >>> 2, error, 0);
    return 1;
  }

  /**
   * @param code The result of a call that failed.
   * @param action What was to be done.
   * @param op The call.
   * @returns The error.
   */
  protected failed(code: number, action: string, op: string): LamellarError {
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
        return this.receives.fill(number, bytes, error);
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
   * Takes note that a process cannot be reached; the progress thread ends the job for it, unless a
   * caller that knows better why does so before.
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
   * Counts one completion of a record, and wakes its owner with the last.
   *
   * @param number The record.
   */
  finish(number: number): void {
    const at = this.recordAt(number);
    if (this.kernels.add32(at + RECORD.pending, -1) !== 1) return;
    this.wakeThread(this.#words[(at + RECORD.owner) >>> 2]!);
  }

  /**
   * @param thread A thread whose PE may wait.
   */
  wakeThread(thread: number): void {
    if (thread >= this.net.nearPes) return;
    this.wakeOwn(this.start.layout.firstPe + thread);
  }

  /**
   * @param pe A PE of this process.
   */
  wakeOwn(pe: number): void {
    this.wakerOf(pe).wake(blockOf(this.start.layout, pe) + BLOCK.bell);
  }

  /**
   * @param pe A PE of this process.
   * @returns How what comes for it is announced.
   */
  wakerOf(pe: number): Waker {
    return this.#wakers[pe - this.start.layout.firstPe]!;
  }
}
