/**
 * The local lamella: PEs share one memory, so that a put is a copy and a frame is written straight
 * into the ring its target reads. They are Workers of one process, or of several that share memory,
 * which differ in how a PE that sleeps is woken.
 *
 * @module
 */

import { atomicLoad, atomicStore, atomicWaitAsync } from "../../internal/atomics.ts";
import { LamellarError, PeFailedError } from "../../internal/errors.ts";
import { type CoreKernels, type Kernels, WaitCode } from "../../internal/kernels.ts";
import { EXCHANGE_BYTES } from "../../internal/limits.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import { type FrameSink, type Lamella, WAIT_EVENT, WAIT_FAILED, WAIT_TIMEOUT } from "../lamella.ts";
import { SegmentHeap } from "../segment_heap.ts";
import { readFailure, writeFailure } from "./failure_record.ts";
import {
  ASLEEP,
  BLOCK,
  blockOf,
  exchangeOf,
  FLAG_SLOTS_MAX,
  HEADER,
  heapOf,
  isNear,
  type Layout,
  RING,
  RING_HEADER_BYTES,
  ringHeaderOf,
  ringOf,
  STATUS,
} from "./layout.ts";

/** Loads between two offers of the core. */
const YIELD_SPINS = 5;

const LINE_BYTES = 64;
const FLAGS_BYTES = FLAG_SLOTS_MAX * LINE_BYTES;

/** How something is announced to a PE, so that it wakes up: by kernels, or from outside. */
export type Ringer = Pick<CoreKernels, "publish" | "release" | "ring" | "barrierSignal">;

/** What a lamella may be told beside its memory. */
export interface LocalOptions {
  /** Its name, if it is another. */
  readonly name?: string;
  /** Offers the core to other threads, where the system lets us. */
  readonly offer?: (() => void) | undefined;
  /** Told how far the ring of a source has been read. */
  readonly consumed?: (source: number, head: number) => void;
  /** How a PE is woken, where it is not by kernels. */
  readonly ringerOf?: (pe: number) => Ringer;
  /**
   * How this PE sleeps until its event counter is no longer `seen`, or something else has happened,
   * where it does not do so in kernels.
   */
  readonly sleep?: (seen: number, timeoutMs: number) => void;
}

/** What a producer knows of a ring it writes. */
interface OutRing {
  readonly ringer: Ringer;
  readonly base: number;
  readonly tailAt: number;
  readonly headAt: number;
  readonly wantAt: number;
  readonly bell: number;
  /** Counts bytes written, wrapping at 32 bits. */
  tail: number;
  /** The consumer's head as last read. */
  head: number;
}

/** What a consumer knows of a ring it reads. */
interface InRing {
  readonly ringer: Ringer;
  readonly base: number;
  readonly tailIndex: number;
  readonly headAt: number;
  readonly wantAt: number;
  readonly bell: number;
  head: number;
}

/** The local lamella of one PE. */
export class LocalLamella implements Lamella {
  readonly name: string;
  readonly pe: number;
  readonly numPes: number;
  readonly neighbours: number;
  readonly views: MemoryViews;
  readonly kernels: Kernels;
  readonly heap: SegmentHeap;
  readonly frameBytesMax: number;
  readonly slotsMax = FLAG_SLOTS_MAX;
  readonly operationBytesMax: number = 0;
  bytesPut = 0;

  readonly #layout: Layout;
  readonly #ringBytes: number;
  /** By PE; near ones only. */
  readonly #out: OutRing[] = [];
  readonly #in: InRing[] = [];
  readonly #heaps: number[] = [];
  readonly #consumed: LocalOptions["consumed"];
  readonly #ringerOf: (pe: number) => Ringer;
  readonly #sleep: LocalOptions["sleep"];
  readonly #tails: number;
  readonly #heads: number;
  readonly #bell: number;
  readonly #flags: number;
  readonly #statusIndex: number;
  readonly #yield: (() => void) | undefined;
  #next = 0;
  #asyncWait: Promise<unknown> | undefined;

  /**
   * @param layout Where everything lies.
   * @param memory The memory of the process.
   * @param kernels Kernels over it.
   * @param pe This PE.
   * @param options What else there is to know.
   */
  constructor(
    layout: Layout,
    memory: WebAssembly.Memory,
    kernels: Kernels,
    pe: number,
    options: LocalOptions = {},
  ) {
    const { offer, consumed, ringerOf = () => kernels, sleep } = options;
    this.name = options.name ?? "local";
    this.#yield = offer;
    this.#consumed = consumed;
    this.#ringerOf = ringerOf;
    this.#sleep = sleep;
    this.#layout = layout;
    this.pe = pe;
    this.numPes = layout.numPes;
    this.neighbours = layout.nearPes * (layout.host?.ranks.length ?? 1);
    this.views = memoryViews(memory.buffer);
    this.kernels = kernels;
    this.heap = new SegmentHeap(pe, layout.heapBytes);
    this.#ringBytes = layout.ringBytes;
    this.frameBytesMax = layout.ringBytes / 4;
    const block = blockOf(layout, pe);
    this.#bell = block + BLOCK.bell;
    this.#flags = block + BLOCK.flags;
    this.#statusIndex = (block + BLOCK.status) / 4;
    this.#tails = ringHeaderOf(layout, pe, 0) + RING.tail;
    this.#heads = ringHeaderOf(layout, pe, 0) + RING.head;
    for (let other = 0; other < layout.numPes; other++) this.#connect(other);
  }

  #connect(other: number): void {
    const layout = this.#layout;
    const near = isNear(layout, other);
    // A producer elsewhere cannot be rung here, and leaves no wish for it.
    const bell = near ? blockOf(layout, other) + BLOCK.bell : this.#bell;
    const ringer = this.#ringerOf(near ? other : this.pe);
    if (near) this.#connectNear(other, bell, ringer);
    const header = ringHeaderOf(layout, this.pe, other);
    this.#in.push({
      ringer,
      base: ringOf(layout, this.pe, other),
      tailIndex: (header + RING.tail) / 4,
      headAt: header + RING.head,
      wantAt: header + RING.want,
      bell,
      head: 0,
    });
  }

  #connectNear(other: number, bell: number, ringer: Ringer): void {
    const header = ringHeaderOf(this.#layout, other, this.pe);
    this.#out[other] = {
      ringer,
      base: ringOf(this.#layout, other, this.pe),
      tailAt: header + RING.tail,
      headAt: header + RING.head,
      wantAt: header + RING.want,
      bell,
      tail: 0,
      head: 0,
    };
    this.#heaps[other] = heapOf(this.#layout, other);
  }

  isNear(pe: number): boolean {
    return isNear(this.#layout, pe);
  }

  address(pe: number, offset: number): number {
    return this.#heaps[pe]! + offset;
  }

  put(pe: number, offset: number, source: number, bytes: number): number {
    this.kernels.copy(this.#heaps[pe]! + offset, source, bytes);
    this.bytesPut += bytes;
    return 0;
  }

  get(pe: number, offset: number, target: number, bytes: number): number {
    this.kernels.copy(target, this.#heaps[pe]! + offset, bytes);
    return 0;
  }

  putBytes(pe: number, _offset: number, _source: Uint8Array): number {
    throw noFarPes("putBytes", pe);
  }

  getBytes(pe: number, _offset: number, _target: Uint8Array): number {
    throw noFarPes("getBytes", pe);
  }

  operate(pe: number, _request: Uint8Array, _reply: Uint8Array): number {
    throw noFarPes("operate", pe);
  }

  isPending(_ticket: number): boolean {
    return false;
  }

  reserve(pe: number, bytes: number): number {
    const ring = this.#out[pe]!;
    const size = this.#ringBytes;
    const position = ring.tail & (size - 1);
    const left = size - position;
    const need = bytes > left ? bytes + left : bytes;
    if (size - ((ring.tail - ring.head) | 0) < need) {
      ring.head = this.kernels.load32(ring.headAt);
      if (size - ((ring.tail - ring.head) | 0) < need) return -1;
    }
    if (bytes <= left) return ring.base + position;
    this.views.i32[(ring.base + position) >>> 2] = 0;
    ring.tail = (ring.tail + left) | 0;
    return ring.base;
  }

  commit(pe: number, bytes: number): void {
    const ring = this.#out[pe]!;
    ring.tail = (ring.tail + bytes) | 0;
    this.bytesPut += bytes;
  }

  publish(pe: number): void {
    const ring = this.#out[pe]!;
    ring.ringer.publish(ring.tailAt, ring.tail, ring.bell);
  }

  wantRoom(pe: number): void {
    this.kernels.store32(this.#out[pe]!.wantAt, 1);
  }

  poll(sink: FrameSink): number {
    const source = this.kernels.poll(
      this.#tails,
      this.#heads,
      RING_HEADER_BYTES,
      this.numPes,
      this.#next,
    );
    if (source < 0) return 0;
    this.#next = source + 1 === this.numPes ? 0 : source + 1;
    return this.#consume(source, this.#in[source]!, sink);
  }

  #consume(source: number, ring: InRing, sink: FrameSink): number {
    const before = ring.head;
    const tail = this.views.i32[ring.tailIndex]!;
    const position = before & (this.#ringBytes - 1);
    const left = this.#ringBytes - position;
    const filled = (tail - before) | 0;
    if (filled < 0 || filled > this.#ringBytes) throw this.#corrupt(source, filled);
    const start = ring.base + position;
    const end = start + Math.min(filled, left);
    const stop = sink(source, this.views, start, end);
    const padded = stop < end && this.views.i32[stop >>> 2] === 0;
    ring.head = (before + (padded ? left : stop - start)) | 0;
    ring.ringer.release(ring.headAt, ring.head, ring.wantAt, ring.bell);
    if (this.#consumed) this.#consumed(source, ring.head);
    return (ring.head - before) | 0;
  }

  #corrupt(source: number, filled: number): LamellarError {
    return new LamellarError(
      "ERR_PROTOCOL",
      `Cannot read the ring from PE ${source}: it claims ${filled} bytes of ${this.#ringBytes}`,
      { pe: source, op: "poll" },
    );
  }

  events(): number {
    return this.kernels.load32(this.#bell + 4);
  }

  wait(seen: number, spins: number, yields: number, timeoutMs: number): number {
    const bell = this.#bell;
    let code = this.kernels.wait(bell, HEADER.abort, seen, spins, 0);
    const offer = this.#yield;
    for (let i = offer ? yields : 0; i > 0 && code === WaitCode.timeout; i--) {
      offer!();
      code = this.kernels.wait(bell, HEADER.abort, seen, YIELD_SPINS, 0);
    }
    if (code === WaitCode.timeout && timeoutMs > 0) {
      const asleepMs = this.#sleepElsewhere(seen, timeoutMs) ? 0 : timeoutMs;
      code = this.kernels.wait(bell, HEADER.abort, seen, 1, asleepMs * 1e6);
    }
    return resultOf(code);
  }

  /** Sleeps, if not in kernels; returns whether it did. */
  #sleepElsewhere(seen: number, timeoutMs: number): boolean {
    if (!this.#sleep) return false;
    this.#sleep(seen, timeoutMs);
    return true;
  }

  waitAsync(seen: number): Promise<unknown> | null {
    const words = this.views.i32;
    const bell = this.#bell >>> 2;
    atomicStore(words, bell, ASLEEP.inside);
    if (atomicLoad(words, bell + 1) !== seen || atomicLoad(words, HEADER.abort >>> 2) !== 0) {
      atomicStore(words, bell, 0);
      return null;
    }
    this.#asyncWait ??= atomicWaitAsync(words, bell, ASLEEP.inside)?.finally(() =>
      this.#asyncWait = undefined
    );
    return this.#asyncWait ?? null;
  }

  ring(pe: number): void {
    const { bell, ringer } = this.#out[pe]!;
    ringer.ring(bell);
  }

  signal(pe: number, slot: number, sequence: number, tag: number): void {
    const flag = blockOf(this.#layout, pe) + BLOCK.flags + flagOffset(slot, sequence);
    const { bell, ringer } = this.#out[pe]!;
    ringer.barrierSignal(flag, tag, sequence, bell);
  }

  signalled(slot: number, sequence: number): boolean {
    return this.kernels.load32(this.#flags + flagOffset(slot, sequence)) === sequence;
  }

  tagOf(slot: number, sequence: number): number {
    return this.kernels.load32(this.#flags + flagOffset(slot, sequence) + 4);
  }

  waitSignal(
    slot: number,
    sequence: number,
    seen: number,
    spins: number,
    yields: number,
    timeoutMs: number,
  ): number {
    const flag = this.#flags + flagOffset(slot, sequence);
    let code = this.#waitFlag(flag, sequence, seen, spins, 0);
    const offer = this.#yield;
    for (let i = offer ? yields : 0; i > 0 && code === WaitCode.timeout; i--) {
      offer!();
      code = this.#waitFlag(flag, sequence, seen, YIELD_SPINS, 0);
    }
    if (code === WaitCode.timeout && timeoutMs > 0) {
      const asleepMs = this.#sleepElsewhere(seen, timeoutMs) ? 0 : timeoutMs;
      code = this.#waitFlag(flag, sequence, seen, 1, asleepMs);
    }
    return resultOf(code);
  }

  #waitFlag(
    flag: number,
    sequence: number,
    seen: number,
    spins: number,
    timeoutMs: number,
  ): number {
    const timeoutNs = timeoutMs * 1e6;
    return this.kernels.waitFlag(
      flag,
      sequence,
      this.#bell,
      HEADER.abort,
      seen,
      spins,
      timeoutNs,
    );
  }

  exchange(pe: number, sequence: number): Uint8Array {
    const at = exchangeOf(this.#layout, pe, sequence);
    return this.views.u8.subarray(at, at + EXCHANGE_BYTES);
  }

  report(activity: number, waitKind: number, waitPe: number): void {
    const words = this.views.i32;
    words[this.#statusIndex + STATUS.activity] = activity;
    words[this.#statusIndex + STATUS.waitKind] = waitKind;
    words[this.#statusIndex + STATUS.waitPe] = waitPe;
  }

  countProgress(): void {
    this.views.i32[this.#statusIndex + STATUS.progress]!++;
  }

  failure(): LamellarError | null {
    if (this.views.i32[HEADER.abort >>> 2] === 0) return null;
    const record = readFailure(this.views);
    return new PeFailedError(record.text, record.pe >= 0 ? { pe: record.pe } : {});
  }

  fail(error: unknown): void {
    writeFailure(this.#layout, this.views, this.pe, 1, failureText(this.pe, error));
  }
}

/** A signal counts as an event: whoever waits for one looks at the flags anyway. */
function resultOf(code: number): number {
  if (code === WaitCode.timeout) return WAIT_TIMEOUT;
  return code === WaitCode.abort ? WAIT_FAILED : WAIT_EVENT;
}

function noFarPes(op: string, pe: number): LamellarError {
  return new LamellarError(
    "ERR_NOT_FAR",
    `Cannot ${op} on PE ${pe}: the local lamella reaches the memory of this process only`,
    { pe, op },
  );
}

/**
 * @param slot A slot of a collective.
 * @param sequence Number of the collective.
 * @returns Where its flag lies among the flags of a PE, in bytes.
 */
export function flagOffset(slot: number, sequence: number): number {
  return (sequence & 1) * FLAGS_BYTES + slot * LINE_BYTES;
}

/**
 * The line that tells users which PE failed and why, with the stack below it.
 *
 * @param pe The PE.
 * @param error What it threw.
 * @returns The text.
 */
export function failureText(pe: number, error: unknown): string {
  if (!(error instanceof Error)) return `PE ${pe} failed: ${Deno.inspect(error)}`;
  if (error instanceof PeFailedError) return error.message;
  return `PE ${pe} failed: ${Deno.inspect(error)}`;
}
