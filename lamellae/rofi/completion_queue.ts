/**
 * The completion queue of a process, as one of its threads reads it: under a lock, for the threads
 * share it.
 *
 * Whoever reads the queue handles what comes for all: it copies frames into the rings of their
 * targets, sets the flags of collectives, serves memory operations, and wakes the PEs concerned.
 * Nothing of this runs user code or waits for another PE, so any thread can do it for a PE that is
 * busy.
 *
 * @module
 */

import { type FabricCalls, FI, HostBells, QueueWait } from "../../ffi/mod.ts";
import { ClosedError, type LamellarError } from "../../internal/errors.ts";
import type { Kernels } from "../../internal/kernels.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { WAIT_FOR } from "../lamella.ts";
import { isFailing, writeFailure } from "../local/failure_record.ts";
import { Completions } from "./completions.ts";
import type { ArrivalHandler } from "./message.ts";
import { CONTROL } from "./network_layout.ts";
import type { NetworkStart } from "./network_start.ts";
import { NetworkWaits } from "./network_waits.ts";

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

const NOBODY: ArrivalHandler = { handle() {}, answer() {} };

/** One thread's access to the completion queue of its process. */
export class CompletionQueue extends Completions {
  /** What this thread waits for in place. */
  readonly waits: NetworkWaits;
  /** Bells of processes, where the provider offers nothing to sleep in. */
  readonly bells: HostBells | undefined;
  readonly #words: Int32Array;
  readonly #lock: number;
  readonly #wait: QueueWait | undefined;
  #locked = false;
  /** Whether messages are being answered. */
  #answering = false;
  #arrivals = NOBODY;

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
    this.waits = new NetworkWaits(start, views, thread, () => this.poll());
    this.#words = views.i32;
    this.#lock = this.net.control + CONTROL.pollLock;
    const { provider, waitObject } = start.fabric;
    if (waitObject) this.#wait = new QueueWait(waitObject, provider);
    const bells = start.peers.map(({ bell }) => bell);
    if (bells.some((bell) => bell !== 0n)) this.bells = new HostBells(bells);
  }

  /**
   * @param arrivals Handles the messages that come.
   */
  onArrival(arrivals: ArrivalHandler): void {
    this.#arrivals = arrivals;
  }

  /** Posts every receive buffer; called once, before anybody sends. */
  postReceives(): void {
    this.receives.prepare();
    for (let i = 0; i < this.net.receives; i++) this.#post(i);
  }

  #post(receive: number): void {
    this.retry("fi_recvmsg", () => this.receives.post(receive));
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

  /** What could not be handled is lost, whichever PE it was for: the job cannot go on. */
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
   * @param called Whether the thread that disturbs this one has said why.
   * @param alertMs How long to look out before the sleep where that can be done, in milliseconds.
   * @returns How much was handled.
   */
  sleep(timeoutMs: number, called: () => boolean, alertMs = 0): number {
    const ms = Math.ceil(timeoutMs);
    if (this.#wait && !this.#wait.restless) {
      return this.#wait.sleep(ms, called, () => this.look(), alertMs);
    }
    const sread = (): number => this.sleepInQueue(ms);
    const code = this.#wait ? this.#wait.alarmed(sread) : sread();
    const came = this.completed(code) + this.#handleArrived();
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
    return this.readQueue() + this.#handleArrived();
  }

  /** Ends the sleep of the progress thread. */
  disturb(): void {
    if (this.isClosed) return;
    if (this.bells) this.bells.wake(this.start.rank);
    else this.calls.cqSignal(this.start.fabric.cq);
  }

  /**
   * Wakes a process that has to look for what was sent to it, where the provider does not.
   *
   * @param rank The process.
   */
  wake(rank: number): void {
    this.bells?.wake(rank);
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

  /** Handles the messages that have come. */
  #handleArrived(): number {
    const { receives } = this;
    for (let handled = 0;; handled++) {
      const receive = receives.take();
      if (receive < 0) return handled;
      const kind = receives.kindOf(receive);
      if (kind >= 0) {
        this.#arrivals.handle(kind, receives.bufferOf(receive), receives.payloadBytes(receive));
      }
      this.#post(receive);
      receives.pass(receive);
      this.#answer();
    }
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
    if (this.#try(op, call, rank)) return;
    const pe = rank < 0 ? -1 : rank * this.start.pesPerProcess;
    this.waits.until(() => this.#try(op, call, rank), { op, kind: WAIT_FOR.network, pe });
  }

  /** Makes a call; returns whether the provider had room for it. */
  #try(op: string, call: () => number, rank: number): boolean {
    // Nobody would end what a program begins after the job failed.
    if (this.isClosed) throw this.#closed(op);
    const code = call();
    if (code >= 0) return true;
    if (code !== -FI.FI_EAGAIN) {
      if (rank < 0 || OWN_ERRORS.includes(-code)) throw this.failed(code, `call ${op}`, op);
      this.breakWith(rank, -code);
    }
    if (rank >= 0) this.wake(rank);
    return false;
  }

  #closed(op: string): LamellarError {
    if (isFailing(this.views)) return this.waits.failure(op);
    return new ClosedError(`Cannot call ${op}: the network of this process is closed`, { op });
  }
}
