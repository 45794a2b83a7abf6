/**
 * The local lamella: PEs share one memory, so that a put is a copy and a frame is written straight
 * into the ring its target reads. They are Workers of one process, or of several that share memory,
 * which differ in how a PE that sleeps is woken.
 *
 * @module
 */

import { atomicLoad, atomicStore, atomicWaitAsync } from "../../internal/atomics.ts";
import { LamellarError } from "../../internal/errors.ts";
import { type Kernels, WaitCode } from "../../internal/kernels.ts";
import { EXCHANGE_AREA_BYTES } from "../../internal/limits.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import { type FrameSink, type Lamella, WAIT_EVENT, WAIT_FAILED, WAIT_TIMEOUT } from "../lamella.ts";
import { setOf, SETS } from "../lanes.ts";
import { SegmentHeap } from "../segment_heap.ts";
import { failureError, failureText, readFailure, writeFailure } from "./failure_record.ts";
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
  neighboursIn,
  RING,
  RING_HEADER_BYTES,
  ringHeaderOf,
  stagingOf,
} from "./layout.ts";
import { PeStatus } from "./pe_status.ts";
import { InRing, OutRing, type Partner, type Waker } from "./rings.ts";

/** Loads between two offers of the core. */
const YIELD_SPINS = 5;

const LINE_BYTES = 64;
const FLAGS_BYTES = FLAG_SLOTS_MAX * LINE_BYTES;

/** What it takes to wake a PE from its event loop: V8 posts a task, and its thread wakes up. */
const WAKE_MS = 0.03;

/** What a lamella may be told beside its memory. */
export interface LocalOptions {
  /** Its name, if it is another. */
  readonly name?: string;
  /** Offers the core to other threads, where the system lets us. */
  readonly offer?: (() => void) | undefined;
  /** Told how far the ring of a source has been read. */
  readonly consumed?: (source: number, head: number) => void;
  /** How a PE is woken, where it is not by kernels. */
  readonly wakerOf?: (pe: number) => Waker;
  /**
   * How this PE sleeps until its event counter is no longer `seen`, or something else has happened,
   * where it does not do so in kernels.
   */
  readonly sleep?: (seen: number, timeoutMs: number) => void;
  /** How long it takes to wake this PE from its event loop, if others have to help. */
  readonly wakeMs?: number;
}

/** The local lamella of one PE. */
export class LocalLamella implements Lamella {
  readonly mustLook: boolean = false;
  readonly name: string;
  readonly pe: number;
  readonly numPes: number;
  readonly numNodes: number;
  readonly session: number;
  readonly neighbours: number;
  readonly views: MemoryViews;
  readonly kernels: Kernels;
  readonly heap: SegmentHeap;
  readonly staging: number;
  readonly collectiveOffset: number;
  readonly frameBytesMax: number;
  readonly slotsMax = FLAG_SLOTS_MAX;
  readonly operationBytesMax: number = 0;
  readonly wakeMs: number;
  bytesPut = 0;

  readonly #layout: Layout;
  /** By PE; near ones only. */
  readonly #partners: Partner[] = [];
  readonly #out: OutRing[] = [];
  readonly #in: InRing[] = [];
  readonly #heaps: number[] = [];
  readonly #consumed: LocalOptions["consumed"];
  readonly #sleep: LocalOptions["sleep"];
  readonly #tails: number;
  readonly #heads: number;
  readonly #bell: number;
  readonly #flags: number;
  readonly #status: PeStatus;
  /** Of each PE, where it contributes to collectives of even and of odd numbers. */
  readonly #areas: (Uint8Array | undefined)[] = [];
  readonly #yield: (() => void) | undefined;
  #next = 0;
  #asyncWait: Promise<unknown> | undefined;

  /**
   * @param layout Where everything is.
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
    const { offer, consumed, wakerOf = () => kernels, sleep } = options;
    this.name = options.name ?? "local";
    this.#yield = offer;
    this.#consumed = consumed;
    this.#sleep = sleep;
    this.wakeMs = options.wakeMs ?? WAKE_MS;
    this.#layout = layout;
    this.pe = pe;
    this.numPes = layout.numPes;
    this.numNodes = layout.nodes;
    this.session = layout.session ?? 0;
    this.neighbours = neighboursIn(layout);
    this.views = memoryViews(memory.buffer);
    this.kernels = kernels;
    this.heap = new SegmentHeap(pe, layout.heapBytes);
    this.staging = stagingOf(layout, pe);
    this.collectiveOffset = layout.heapBytes;
    this.frameBytesMax = layout.ringBytes / 4;
    const block = blockOf(layout, pe);
    this.#bell = block + BLOCK.bell;
    this.#flags = block + BLOCK.flags;
    this.#status = new PeStatus(layout, this.views.i32, pe);
    this.#tails = ringHeaderOf(layout, pe, 0) + RING.tail;
    this.#heads = ringHeaderOf(layout, pe, 0) + RING.head;
    for (let other = 0; other < layout.nodes; other++) this.#connect(other, wakerOf);
  }

  #connect(other: number, wakerOf: (pe: number) => Waker): void {
    const { kernels, pe, views } = this;
    const layout = this.#layout;
    const near = isNear(layout, other);
    // A producer elsewhere cannot be woken here, and leaves no wish for it.
    const woken = near ? other : pe;
    const partner = { waker: wakerOf(woken), bell: blockOf(layout, woken) + BLOCK.bell };
    this.#in.push(new InRing(layout, views, pe, other, partner));
    if (!near) return;
    this.#partners[other] = partner;
    this.#out[other] = new OutRing(layout, views, kernels, pe, other, partner);
    // A client has none.
    if (other < layout.numPes) this.#heaps[other] = heapOf(layout, other);
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
    return this.#out[pe]!.reserve(bytes);
  }

  commit(pe: number, bytes: number): void {
    this.#out[pe]!.commit(bytes);
    this.bytesPut += bytes;
  }

  publish(pe: number): void {
    this.#out[pe]!.publish();
  }

  wantRoom(pe: number): void {
    this.#out[pe]!.wantRoom();
  }

  poll(sink: FrameSink): number {
    const source = this.kernels.poll(
      this.#tails,
      this.#heads,
      RING_HEADER_BYTES,
      this.numNodes,
      this.#next,
    );
    if (source < 0) return 0;
    this.#next = source + 1 === this.numNodes ? 0 : source + 1;
    const ring = this.#in[source]!;
    const bytes = ring.consume(sink);
    if (this.#consumed) this.#consumed(source, ring.head);
    return bytes;
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

  wake(pe: number): void {
    const { bell, waker } = this.#partners[pe]!;
    waker.wake(bell);
  }

  signal(pe: number, slot: number, sequence: number, tag: number): void {
    const flag = blockOf(this.#layout, pe) + BLOCK.flags + flagOffset(slot, sequence);
    const { bell, waker } = this.#partners[pe]!;
    waker.barrierSignal(flag, tag, sequence, bell);
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
    return this.#areas[SETS * pe + setOf(sequence)] ??= this.#areaOf(pe, sequence);
  }

  #areaOf(pe: number, sequence: number): Uint8Array {
    const at = exchangeOf(this.#layout, pe, sequence);
    return this.views.u8.subarray(at, at + EXCHANGE_AREA_BYTES);
  }

  report(activity: number, waitKind: number, waitPe: number): void {
    this.#status.report(activity, waitKind, waitPe);
  }

  note(waitKind: number, text: string): void {
    this.#status.note(waitKind, text);
  }

  countProgress(): void {
    this.#status.countProgress();
  }

  failure(): LamellarError | null {
    if (this.views.i32[HEADER.abort >>> 2] === 0) return null;
    return failureError(readFailure(this.views));
  }

  fail(error: unknown): void {
    writeFailure(this.#layout, this.views, this.pe, 1, failureText(this.pe, error));
  }

  /** There is no network. */
  retire(): void {}
}

/** A signal counts as an event: a PE that waits for one looks at the flags anyway. */
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
 * @returns Where its flag is among the flags of a PE, in bytes.
 */
export function flagOffset(slot: number, sequence: number): number {
  return setOf(sequence) * FLAGS_BYTES + slot * LINE_BYTES;
}
