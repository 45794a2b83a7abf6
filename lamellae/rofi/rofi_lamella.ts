/**
 * The rofi lamella: PEs of one process share its memory as on the local lamella, those of one host
 * as on the shmem lamella where there are several hosts, and all others are reached over libfabric.
 *
 * @module
 */

import type { FabricCalls } from "../../ffi/mod.ts";
import type { Kernels } from "../../internal/kernels.ts";
import { EXCHANGE_AREA_BYTES } from "../../internal/limits.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import type { LamellarError } from "../../internal/errors.ts";
import { type FrameSink, type Lamella, WAIT_EVENT, WAIT_FOR, WAIT_TIMEOUT } from "../lamella.ts";
import { controlOf, exchangeOf, isNear, isOwn } from "../local/layout.ts";
import { LocalLamella } from "../local/local_lamella.ts";
import { sharingOptions } from "../shmem/shmem_lamella.ts";
import type { SegmentHeap } from "../segment_heap.ts";
import { Arrivals, CONTRIBUTION_BYTES_MAX, writeContribution } from "./arrivals.ts";
import { BUSY } from "./completion_queue.ts";
import { MESSAGE } from "./message.ts";
import { CONTROL, MESSAGE_HEADER_BYTES } from "./network_layout.ts";
import { type NetworkStart, rankOf } from "./network_start.ts";
import { Outgoing } from "./outgoing.ts";
import { Port } from "./port.ts";
import { Transfers } from "./transfers.ts";

/** Loads of the event counter between two looks at the network. */
const LOOK_SPINS = 20;
/** Looks at the network for each load a wait may spend: a look takes as long as many loads. */
const LOOKS_PER_SPIN = 1 / 40;
/**
 * Looks before the core is offered with each: the process one waits for may be next on this core,
 * and a long spin would then keep both waiting. Where it is not, an offer takes less than a look.
 */
const LOOKS_ALONE = 30;
/** Looks without a look at anything else, where all that may come does so by the network. */
const LOOKS_IN_A_ROW = 8;
/** Polls that find something in the rings before the network has to be read. */
const POLLS_UNREAD = 8;
/** Longest sleep of a PE whose network has not taken yet what it has begun, in milliseconds. */
const AGAIN_MS = 0.1;
/** Looks in vain, while the progress thread has the queue, before it is asked to leave it. */
const BUSY_LOOKS = 8;
/** How long it is given to leave the queue to a PE that wants to sleep there. */
const LEAVE_MS = 0.1;
/** What it takes to wake a PE from its event loop: the progress thread has to wake first. */
const WAKE_MS = 0.2;

/** The rofi lamella of one PE. */
export class RofiLamella implements Lamella {
  readonly name = "rofi";
  readonly pe: number;
  readonly numPes: number;
  readonly numNodes: number;
  readonly session = 0;
  readonly neighbours: number;
  readonly views: MemoryViews;
  readonly kernels: Kernels;
  readonly heap: SegmentHeap;
  readonly staging: number;
  readonly collectiveOffset: number;
  readonly frameBytesMax: number;
  readonly slotsMax: number;
  readonly operationBytesMax: number;
  readonly wakeMs: number;

  readonly #local: LocalLamella;
  readonly #start: NetworkStart;
  readonly #port: Port;
  readonly #transfers: Transfers;
  readonly #outgoing: Outgoing;
  readonly #near: boolean[];
  /** Whether anything comes by the network; else it is left to the progress thread. */
  readonly #far: boolean;
  readonly #alone: boolean;
  readonly #yield: (() => void) | undefined;
  readonly #control: number;
  readonly #watching: number;
  /** How far each far PE knows that its frames have been read. */
  readonly #reported: Int32Array;
  #bytesPut = 0;
  #busy = 0;
  /** Polls since the network was read. */
  #unread = 0;
  /** Whether this PE has asked for the queue and may not have got it yet. */
  #claimed = false;
  /** Whether it waits for a value that others may put. */
  #watches = false;

  /**
   * @param start The network of the process.
   * @param memory The memory of the process.
   * @param kernels Kernels over it.
   * @param pe This PE.
   * @param offer Offers the core to other threads, where the system lets us.
   * @param calls The calls of libfabric; by default those of the endpoint.
   */
  constructor(
    start: NetworkStart,
    memory: WebAssembly.Memory,
    kernels: Kernels,
    pe: number,
    offer?: () => void,
    calls?: FabricCalls,
  ) {
    const { layout, net } = start;
    this.#start = start;
    this.#local = new LocalLamella(layout, memory, kernels, pe, {
      ...layout.host ? sharingOptions({ layout, buffer: memory.buffer, kernels }, pe) : {},
      offer,
      consumed: (source, head) => this.#consumed(source, head),
    });
    this.pe = pe;
    this.numPes = layout.numPes;
    this.numNodes = layout.nodes;
    this.neighbours = start.pesOnHost;
    this.views = this.#local.views;
    this.kernels = kernels;
    this.heap = this.#local.heap;
    this.staging = this.#local.staging;
    this.collectiveOffset = this.#local.collectiveOffset;
    this.frameBytesMax = net.batchBytes;
    this.slotsMax = this.#local.slotsMax;
    this.operationBytesMax = net.bufferBytes - MESSAGE_HEADER_BYTES;
    this.#control = net.control;
    this.#watching = (net.control + CONTROL.watching) >>> 2;
    this.#port = new Port(start, pe - layout.firstPe, kernels, this.views, calls);
    new Arrivals(this.#port);
    this.#transfers = new Transfers(this.#port, pe);
    this.#outgoing = new Outgoing(this.#port, pe);
    // In the network, other processes of the host could not wake it.
    this.#alone = layout.nearPes === 1 && !layout.host;
    // Where every PE has a core, nobody waits for that of a process' only one.
    this.#yield = this.#alone && !this.#port.crowded ? undefined : offer;
    this.#near = Array.from({ length: this.numPes }, (_, other) => isNear(layout, other));
    this.#far = this.#near.includes(false);
    this.wakeMs = this.#far ? WAKE_MS : this.#local.wakeMs;
    this.#reported = new Int32Array(this.numPes);
  }

  get bytesPut(): number {
    return this.#local.bytesPut + this.#bytesPut;
  }

  isNear(pe: number): boolean {
    return this.#near[pe]!;
  }

  address(pe: number, offset: number): number {
    return this.#local.address(pe, offset);
  }

  put(pe: number, offset: number, source: number, bytes: number): number {
    if (this.#near[pe]) return this.#local.put(pe, offset, source, bytes);
    this.#bytesPut += bytes;
    return bytes === 0 ? 0 : this.#transfers.copy(true, pe, offset, source, bytes);
  }

  get(pe: number, offset: number, target: number, bytes: number): number {
    if (this.#near[pe]) return this.#local.get(pe, offset, target, bytes);
    return bytes === 0 ? 0 : this.#transfers.copy(false, pe, offset, target, bytes);
  }

  putBytes(pe: number, offset: number, source: Uint8Array): number {
    this.#bytesPut += source.length;
    return source.length === 0 ? 0 : this.#transfers.copyArray(true, pe, offset, source);
  }

  getBytes(pe: number, offset: number, target: Uint8Array): number {
    return target.length === 0 ? 0 : this.#transfers.copyArray(false, pe, offset, target);
  }

  operate(pe: number, request: Uint8Array, reply: Uint8Array): number {
    return this.#transfers.operate(pe, request, reply);
  }

  isPending(ticket: number): boolean {
    return this.#transfers.isPending(ticket);
  }

  reserve(pe: number, bytes: number): number {
    return this.#near[pe] ? this.#local.reserve(pe, bytes) : this.#outgoing.reserve(pe, bytes);
  }

  commit(pe: number, bytes: number): void {
    if (this.#near[pe]) return this.#local.commit(pe, bytes);
    this.#bytesPut += bytes;
    this.#outgoing.commit(pe, bytes);
  }

  publish(pe: number): void {
    if (this.#near[pe]) this.#local.publish(pe);
    else this.#outgoing.publish(pe);
  }

  /** A far target reports how far it has read without being asked. */
  wantRoom(pe: number): void {
    if (this.#near[pe]) this.#local.wantRoom(pe);
  }

  poll(sink: FrameSink): number {
    // A wait has just read the network for what is in the rings: its sender waits for an answer.
    const done = this.#local.poll(sink);
    if (!this.#far) return done;
    if (done > 0 && ++this.#unread < POLLS_UNREAD) return done;
    this.#unread = 0;
    this.#look();
    return done > 0 ? done : this.#local.poll(sink);
  }

  /** Reads the network, a few times if nothing comes; returns whether something came. */
  #look(looks = 1): boolean {
    this.#transfers.ask();
    const code = this.#port.poll(looks);
    // Where the progress thread sleeps outside of the queue, it is woken for what is read here.
    if (code !== BUSY && this.views.i32[this.#watching] === 0) this.#busy = 0;
    else if (++this.#busy >= BUSY_LOOKS) this.#claim();
    return code > 0;
  }

  /** Asks the progress thread to leave the queue to the PEs, which are quicker while they look. */
  #claim(): void {
    this.#busy = 0;
    if (this.kernels.load32(this.#control + CONTROL.watching) === 0) return;
    if (this.kernels.load32(this.#control + CONTROL.claim) !== 0) return;
    this.kernels.store32(this.#control + CONTROL.claim, 1);
    this.#claimed = true;
    this.#port.disturb();
  }

  /** Leaves the network to the progress thread: this PE is about to sleep. */
  #rest(): void {
    if (this.#claimed) this.kernels.store32(this.#control + CONTROL.claim, 0);
    else if (this.kernels.load32(this.#control + CONTROL.watching) !== 0) return;
    this.#claimed = false;
    this.kernels.wake(this.#control + CONTROL.bell);
  }

  /** Tells a far producer how far its frames have been read, once that is worth a message. */
  #consumed(source: number, head: number): void {
    if (this.#near[source]) return;
    if (((head - this.#reported[source]!) | 0) < this.#start.layout.ringBytes / 4) return;
    this.#reported[source] = head;
    this.#port.sendSmall(MESSAGE.head, this.pe, source, head);
  }

  events(): number {
    return this.#local.events();
  }

  wait(seen: number, spins: number, yields: number, timeoutMs: number): number {
    if (!this.#far) return this.#local.wait(seen, spins, yields, timeoutMs);
    const offer = yields > 0 ? this.#yield : undefined;
    const plain = Math.ceil(spins * LOOKS_PER_SPIN);
    const looks = offer ? plain + yields : plain;
    const alone = Math.min(LOOKS_ALONE, plain);
    // Nobody but the network wakes the only PE of a process.
    const row = this.#alone && !offer ? Math.min(LOOKS_IN_A_ROW, looks) : 1;
    for (let look = 0; look < looks; look += row) {
      const offered = offer !== undefined && look >= alone;
      if (offered) offer();
      this.#look(row);
      const code = this.#local.wait(seen, offered ? 1 : LOOK_SPINS, 0, 0);
      if (code !== WAIT_TIMEOUT) return code;
    }
    if (timeoutMs <= 0) return WAIT_TIMEOUT;
    if (this.mustLook) return this.#local.wait(seen, 1, 0, Math.min(timeoutMs, AGAIN_MS));
    if (this.#alone) {
      if (this.#guard(timeoutMs)) return this.#local.wait(seen, 1, 0, 0);
      this.#claim();
      if (this.#claimed) return this.#local.wait(seen, 1, 0, Math.min(timeoutMs, LEAVE_MS));
    }
    this.#rest();
    return this.#local.wait(seen, 1, 0, timeoutMs);
  }

  /**
   * Sleeps in the network, as the only PE of this process: what comes wakes it without the progress
   * thread in between. Returns false if it cannot, because that reads the queue now.
   */
  #guard(timeoutMs: number): boolean {
    const { kernels } = this;
    const control = this.#control;
    if (this.#claimed) kernels.store32(control + CONTROL.claim, 0);
    this.#claimed = false;
    kernels.store32(control + CONTROL.guarded, 1);
    const slept = this.#port.slumber(timeoutMs, this.#watches);
    kernels.store32(control + CONTROL.guarded, 0);
    if (kernels.load32(control + CONTROL.relieved) !== 0) kernels.wake(control + CONTROL.bell);
    return slept;
  }

  get mustLook(): boolean {
    return this.#far && this.#transfers.hasToAsk;
  }

  waitAsync(seen: number): Promise<unknown> | null {
    if (this.#far) this.#rest();
    return this.#local.waitAsync(seen);
  }

  wake(pe: number): void {
    if (this.#near[pe]) this.#local.wake(pe);
    else this.#port.sendSmall(MESSAGE.wake, this.pe, pe);
  }

  signal(pe: number, slot: number, sequence: number, tag: number, known: number): void {
    if (this.#near[pe]) {
      if (known > 0 && !isOwn(this.#start.layout, pe)) this.#copyContributions(pe, sequence, known);
      return this.#local.signal(pe, slot, sequence, tag);
    }
    if (known > 0) this.#sendContributions(pe, sequence, known);
    this.#port.sendSmall(MESSAGE.signal, this.pe, pe, slot, sequence, tag);
  }

  /** Whose contribution is known here: this PE's is the first. */
  #contributor(index: number): number {
    return (this.pe - index + this.numPes) % this.numPes;
  }

  /** Copies what came from other hosts; the target reads the rest where it is. */
  #copyContributions(pe: number, sequence: number, known: number): void {
    const { layout } = this.#start;
    const control = controlOf(layout, pe);
    for (let index = 0; index < known; index++) {
      const other = this.#contributor(index);
      if (this.#near[other]) continue;
      const from = exchangeOf(layout, other, sequence);
      this.kernels.copy(control + from, from, EXCHANGE_AREA_BYTES);
    }
  }

  /** Sends what this PE and those before it contribute: the target may not have it yet. */
  #sendContributions(pe: number, sequence: number, known: number): void {
    const port = this.#port;
    const rank = rankOf(this.#start, pe);
    const room = this.operationBytesMax - CONTRIBUTION_BYTES_MAX;
    for (let sent = 0; sent < known;) {
      const slot = port.acquire();
      const begin = port.payloadOf(slot);
      let end = begin;
      for (; sent < known && end - begin <= room; sent++) {
        const other = this.#contributor(sent);
        const part = this.exchange(other, sequence);
        end = writeContribution(this.views.u8, this.views.i32, end, other, part);
      }
      port.head(slot, MESSAGE.exchange, this.pe, pe, 0, sequence);
      port.send(slot, rank, end - begin);
    }
  }

  signalled(slot: number, sequence: number): boolean {
    return this.#local.signalled(slot, sequence);
  }

  tagOf(slot: number, sequence: number): number {
    return this.#local.tagOf(slot, sequence);
  }

  waitSignal(
    slot: number,
    sequence: number,
    seen: number,
    spins: number,
    yields: number,
    timeoutMs: number,
  ): number {
    if (!this.#far) {
      return this.#local.waitSignal(slot, sequence, seen, spins, yields, timeoutMs);
    }
    if (this.#local.signalled(slot, sequence)) return WAIT_EVENT;
    // A signal wakes the PE like all else that comes.
    return this.wait(seen, spins, yields, timeoutMs);
  }

  exchange(pe: number, sequence: number): Uint8Array {
    return this.#local.exchange(pe, sequence);
  }

  report(activity: number, waitKind: number, waitPe: number): void {
    this.#watches = waitKind === WAIT_FOR.value;
    this.#local.report(activity, waitKind, waitPe);
  }

  note(waitKind: number, text: string): void {
    this.#local.note(waitKind, text);
  }

  countProgress(): void {
    this.#local.countProgress();
  }

  failure(): LamellarError | null {
    return this.#local.failure();
  }

  fail(error: unknown): void {
    this.#local.fail(error);
  }

  retire(): void {
    this.#port.retire();
  }
}
