/**
 * One thread's access to the network of its process: sends messages, and reads the completion
 * queue.
 *
 * @module
 */

import { FABRIC, type FabricCalls, FI } from "../../ffi/mod.ts";
import type { Kernels } from "../../internal/kernels.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { WAIT_FOR } from "../lamella.ts";
import { CompletionQueue } from "./completion_queue.ts";
import { endsOf, MAGIC, WORD } from "./message.ts";
import {
  CONTROL,
  firstRecordOf,
  MESSAGE_HEADER_BYTES,
  RECORD,
  RECORD_KIND,
  recordCount,
  slotOf,
  THREAD,
  threadOf,
} from "./network_layout.ts";
import { type NetworkStart, rankOf } from "./network_start.ts";
import type { NetworkWait } from "./network_waits.ts";

/** Longest sleep of a PE: nothing ends it in which the network has no part. */
const SLUMBER_MS = 100;
/**
 * Shortest and longest time of looking before a sleep. It grows with each short sleep, and is none
 * after a longer one, or where looking took as long: a large transfer of the other side is short.
 */
const LINGER_US_MIN = 20;
const LINGER_US_MAX = 5000;
const SHORT_US = 2000;
/** How long the descriptor is asked before a sleep that follows short ones. */
const ALERT_US = 200;
/** Looks between looks at the clock. */
const LINGER_LOOKS = 32;
/** Longest sleep by the bell while something is under way. */
const BUSY_MS = 1;

const SEND_BUFFER: NetworkWait = { op: "a send buffer", kind: WAIT_FOR.network, pe: -1 };

/** One thread's access to the network. */
export class Port extends CompletionQueue {
  readonly #words: Int32Array;
  readonly #ep: bigint;
  readonly #message: number;
  readonly #messagePointer: bigint;
  /** Made once each: a fresh 64-bit integer takes longer than the call. */
  readonly #bufferPointers: bigint[] = [];
  readonly #lengths: bigint[] = [];
  readonly #shortage: (() => void)[] = [];
  #nextSlot = 0;
  /** Whether PEs share cores: a PE that looks keeps another from working. */
  readonly crowded: boolean;
  /** Always whole: a field that becomes a fraction makes V8 compile all that uses it again. */
  #lingerUs = 0;

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
    this.crowded = start.pesOnHost > navigator.hardwareConcurrency;
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
   * @param shortage Gives back what send buffers it can.
   */
  onShortage(shortage: () => void): void {
    this.#shortage.push(shortage);
  }

  /** Makes the holders of send buffers give back what they can. */
  reclaim(): void {
    for (let i = 0; i < this.#shortage.length; i++) this.#shortage[i]!();
  }

  /** Most bytes of a payload. */
  get payloadBytesMax(): number {
    return this.net.bufferBytes - MESSAGE_HEADER_BYTES;
  }

  /**
   * Sleeps until something comes, and handles it, where the network can be slept in and no other
   * thread reads the queue.
   *
   * @param timeoutMs Longest sleep in milliseconds.
   * @param watches Whether the caller waits for what others put, and looks at that itself.
   * @returns Whether it slept, or something came at once.
   */
  slumber(timeoutMs: number, watches = false): boolean {
    const ms = Math.min(timeoutMs, SLUMBER_MS);
    const { control } = this.net;
    const byBell = !this.start.fabric.waits;
    if (byBell) {
      const woken = this.#words[(control + CONTROL.woken) >>> 2] !== 0;
      if (!woken || this.#words[(control + CONTROL.watching) >>> 2] !== 0) return false;
    } else if (!this.take()) return false;
    try {
      const end = performance.now() + ms;
      // What comes may be puts, of which most waiting PEs need not know.
      while (!this.#linger(end) && this.#nap(byBell, ms) && !watches && performance.now() < end);
    } finally {
      if (!byBell) this.leave();
    }
    return true;
  }

  /** Sleeps once; returns whether that was short, although nothing came for this process. */
  #nap(byBell: boolean, ms: number): boolean {
    const lay = performance.now();
    // What is put here is seen by no look, and a core that has gone to sleep wakes slowly.
    const alertMs = this.#lingerUs === 0 ? 0 : ALERT_US / 1000;
    const came = byBell ? this.doze(ms) : this.sleep(ms, () => this.isClosed, alertMs);
    const short = performance.now() - lay < SHORT_US / 1000;
    if (!short) this.#lingerUs = 0;
    else if (!this.vain && !this.crowded) {
      this.#lingerUs = Math.min(LINGER_US_MAX, LINGER_US_MIN + 2 * this.#lingerUs);
    }
    return short && came === 0;
  }

  /**
   * Looks for a while before a sleep if the last ones were short: to be woken takes longer than
   * most of what comes takes on its way. Returns whether something came, or the time is over.
   */
  #linger(end: number): boolean {
    if (this.#lingerUs === 0) return false;
    const begin = performance.now();
    const enough = begin + this.#lingerUs / 1000;
    for (let now = begin; now < enough; now = performance.now()) {
      if (now >= end) return true;
      for (let look = 0; look < LINGER_LOOKS; look++) {
        if (this.poll() === 0) continue;
        if (now > begin + SHORT_US / 1000) this.#lingerUs = 0;
        return true;
      }
    }
    return false;
  }

  /**
   * Looks, and if nothing came sleeps until another process or `disturb` wakes this one, where all
   * other processes wake it. Providers answer each other, for which nobody does: so the sleep is
   * short as long as something is under way.
   *
   * @param timeoutMs Longest sleep in milliseconds.
   * @returns How much came, in the look.
   */
  doze(timeoutMs: number): number {
    const bells = this.bells!;
    const { rank } = this.start;
    bells.lieDown(rank);
    const came = this.visit();
    if (came > 0) bells.getUp(rank);
    else bells.sleep(rank, this.isBusy() ? Math.min(timeoutMs, BUSY_MS) : timeoutMs);
    return came;
  }

  /**
   * @returns Whether something that a thread of this process sent or transfers is under way.
   */
  isBusy(): boolean {
    const end = recordCount(this.net);
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
    const slot = this.tryAcquire();
    return slot >= 0 ? slot : this.#waitForSlot();
  }

  #waitForSlot(): number {
    let slot = -1;
    this.reclaim();
    this.waits.until(() => {
      slot = this.tryAcquire();
      if (slot < 0) this.reclaim();
      return slot >= 0;
    }, SEND_BUFFER);
    return slot;
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
   * Writes the header of a message.
   *
   * @param slot Its buffer.
   * @param kind One of `MESSAGE`.
   * @param source The sender, as the target knows it.
   * @param target The PE it is for.
   * @param a First word that is for the kind.
   * @param b Second.
   * @param c Third.
   */
  head(slot: number, kind: number, source: number, target: number, a = 0, b = 0, c = 0): void {
    const words = this.#words;
    const at = slotOf(this.net, this.thread, slot) >>> 2;
    words[at + WORD.kind] = MAGIC | kind;
    words[at + WORD.ends] = endsOf(source, target);
    words[at + WORD.a] = a;
    words[at + WORD.b] = b;
    words[at + WORD.c] = c;
  }

  /**
   * Sends a buffer; it is free again once it has left.
   *
   * @param slot The buffer, its header and payload written.
   * @param rank The process it is for.
   * @param bytes Bytes of the payload.
   */
  send(slot: number, rank: number, bytes: number): void {
    const total = this.#finish(slot, rank, bytes);
    const inject = total <= this.start.fabric.injectBytes;
    try {
      // What leaves at once costs some providers less if nothing refers to it.
      if (inject) this.retry("fi_inject", () => this.#inject(slot, rank, total), rank);
      else {
        const record = this.#prepare(slot, rank, RECORD_KIND.send);
        this.retry("fi_sendmsg", () => this.#send(slot, rank, total, record), rank);
      }
    } catch (error) {
      this.release(slot);
      throw error;
    }
    if (inject) this.release(slot);
    this.wake(rank);
  }

  /**
   * Sends a buffer that may get lost, such as a sign of life or last words: a process that misses
   * it notices.
   *
   * @param slot The buffer, its header and payload written.
   * @param rank The process it is for.
   * @param bytes Bytes of the payload.
   * @returns Whether there was room for it. The buffer is given back in any case.
   */
  trySend(slot: number, rank: number, bytes: number): boolean {
    const total = this.#finish(slot, rank, bytes);
    const record = this.#prepare(slot, rank, RECORD_KIND.sign);
    const given = this.#send(slot, rank, total, record) >= 0;
    if (given) this.wake(rank);
    else this.release(slot);
    return given;
  }

  /** Completes the header; returns the length of the message. */
  #finish(slot: number, rank: number, bytes: number): number {
    const words = this.#words;
    const { tokens } = this.start;
    const at = slotOf(this.net, this.thread, slot) >>> 2;
    words[at + WORD.token] = tokens[2 * rank]!;
    words[at + WORD.token + 1] = tokens[2 * rank + 1]!;
    words[at + WORD.bytes] = bytes;
    return MESSAGE_HEADER_BYTES + bytes;
  }

  /** Notes what the completion of a buffer means; returns its record. */
  #prepare(slot: number, rank: number, kind: number): number {
    const record = this.recordAt(firstRecordOf(this.net, this.thread) + slot);
    this.#words[(record + RECORD.kind) >>> 2] = kind;
    this.#words[(record + RECORD.owner) >>> 2] = this.thread;
    this.#words[(record + RECORD.rank) >>> 2] = rank;
    return record;
  }

  #inject(slot: number, rank: number, total: number): number {
    const buffer = this.#bufferPointers[slot] ??= this.pointer(
      slotOf(this.net, this.thread, slot),
    );
    const length = this.#lengths[total] ??= BigInt(total);
    return this.calls.inject(this.#ep, buffer, length, this.start.peers[rank]!.address);
  }

  #send(slot: number, rank: number, total: number, record: number): number {
    const { fi_msg: message, iovec } = FABRIC;
    const vector = this.#message + message.bytes;
    // Handling what arrives meanwhile sends too, through the same structure.
    this.writePointer(vector + iovec.iov_base, slotOf(this.net, this.thread, slot));
    this.write64(vector + iovec.iov_len, total);
    this.writeAddress(this.#message + message.addr, rank);
    this.writePointer(this.#message + message.context, record);
    return this.calls.sendmsg(this.#ep, this.#messagePointer, FI.FI_COMPLETION);
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
    const slot = this.acquire();
    this.head(slot, kind, source, target, a, b, c);
    this.send(slot, rankOf(this.start, target), 0);
  }
}
