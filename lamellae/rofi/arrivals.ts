/**
 * Handles the messages of other processes: whatever they say is checked before it touches memory,
 * for a message may come damaged, late, or from a PE that is beside itself.
 *
 * @module
 */

import { EXCHANGE_AREA_BYTES } from "../../internal/limits.ts";
import { STUCK, writeFailure } from "../local/failure_record.ts";
import {
  BLOCK,
  blockOf,
  exchangeOf,
  FLAG_SLOTS_MAX,
  heapOf,
  isNear,
  isOwn,
  RING,
  ringHeaderOf,
  ringOf,
} from "../local/layout.ts";
import { flagOffset } from "../local/local_lamella.ts";
import { REPLY_HEAD_BYTES, replyWakes } from "../memory_operations.ts";
import { type MemoryRange, serveOperation } from "../memory_server.ts";
import { type ArrivalHandler, MESSAGE, sourceIn, targetIn, WORD } from "./message.ts";
import { firstRecordOf, MESSAGE_HEADER_BYTES, RECORD, RECORD_BYTES } from "./network_layout.ts";
import { rankOf } from "./network_start.ts";
import type { Port } from "./port.ts";
import { Standstill } from "./standstill.ts";

/** Bytes before each contribution: the PE and how many bytes follow. */
const ENTRY_HEADER_BYTES = 8;

/** Most bytes of a contribution as it travels. */
export const CONTRIBUTION_BYTES_MAX: number = ENTRY_HEADER_BYTES + EXCHANGE_AREA_BYTES;

/** A reply that has to be sent, or an operation that has to be served first. */
interface Owed {
  /** The send buffer of the reply, -1 if there was none yet. */
  slot: number;
  /** The operation, if it has to be served still. */
  readonly request: Uint8Array | undefined;
  readonly source: number;
  readonly target: number;
  readonly record: number;
  readonly generation: number;
  /** Bytes of the reply; before the operation is served, the most it may have. */
  bytes: number;
}

/** Handles what comes to a process, in the thread of its port. */
export class Arrivals implements ArrivalHandler {
  readonly #port: Port;
  readonly #words: Int32Array;
  readonly #standstill: Standstill;
  readonly #owed: Owed[] = [];
  /** Operations that have to be served before any other. */
  #unserved = 0;

  /**
   * @param port The network of this thread.
   */
  constructor(port: Port) {
    this.#port = port;
    this.#words = port.views.i32;
    this.#standstill = new Standstill(port.start, port.views.i32);
    port.onArrival(this);
  }

  handle(kind: number, header: number, bytes: number): void {
    const { net, start } = this.#port;
    const at = header >>> 2;
    const ends = this.#words[at + WORD.ends]!;
    const source = sourceIn(ends);
    const target = targetIn(ends);
    const said = this.#words[at + WORD.bytes]!;
    if (said !== bytes) {
      return this.#malformed(source, `it claims ${said} bytes and has ${bytes}`);
    }
    if (kind === MESSAGE.beat) return this.#beat(source, this.#words[at + WORD.a]!);
    if (kind === MESSAGE.fail) return this.#fail(header, bytes);
    const { layout } = start;
    const known = source < layout.numPes && !isNear(layout, source);
    if (!known || !isOwn(layout, target)) {
      return this.#malformed(source, `it is from PE ${source} for PE ${target}`);
    }
    // Whatever a process sends is a sign of life.
    this.#words[(net.beats >>> 2) + rankOf(start, source)]!++;
    const payload = header + MESSAGE_HEADER_BYTES;
    const a = this.#words[at + WORD.a]!;
    const b = this.#words[at + WORD.b]!;
    const c = this.#words[at + WORD.c]!;
    switch (kind) {
      case MESSAGE.frames:
        return this.#frames(source, target, a, b, payload, bytes);
      case MESSAGE.head:
        return this.#head(source, target, a);
      case MESSAGE.exchange:
        return this.#exchange(source, b, payload, bytes);
      case MESSAGE.signal:
        return this.#signal(source, target, a, b, c);
      case MESSAGE.operate:
        return this.#operate(source, target, a, b, c, payload, bytes);
      case MESSAGE.reply:
        return this.#reply(source, target, a, c, payload, bytes);
      case MESSAGE.wake:
        return this.#port.wakeOwn(target);
      default:
        return this.#malformed(source, `its kind is ${kind}`);
    }
  }

  /** Ends the job: what a PE of this job sends has to be right. */
  #malformed(source: number, what: string): void {
    const { layout } = this.#port.start;
    const pe = source >= 0 && source < layout.numPes ? source : -1;
    writeFailure(
      layout,
      this.#port.views,
      -1,
      1,
      `PE ${layout.firstPe} received a malformed message from PE ${pe}: ${what}`,
    );
  }

  #beat(rank: number, stalledMs: number): void {
    const { net, start } = this.#port;
    if (rank >= start.peers.length) return;
    this.#words[(net.beats >>> 2) + rank]!++;
    this.#standstill.hear(rank, stalledMs);
  }

  #fail(header: number, bytes: number): void {
    const { layout } = this.#port.start;
    const at = header >>> 2;
    const payload = header + MESSAGE_HEADER_BYTES;
    const text = new TextDecoder().decode(this.#port.views.u8.slice(payload, payload + bytes));
    const pe = this.#words[at + WORD.a]!;
    const code = this.#words[at + WORD.b]!;
    const sound = pe >= STUCK && pe < layout.numPes && code > 0 && code < 256;
    if (!sound) return this.#malformed(-1, `it tells of the end of PE ${pe} with ${code}`);
    writeFailure(layout, this.#port.views, pe, code, text, true);
  }

  #frames(
    source: number,
    target: number,
    position: number,
    skip: number,
    payload: number,
    bytes: number,
  ): void {
    const { kernels, start } = this.#port;
    const { layout } = start;
    const header = ringHeaderOf(layout, target, source);
    const ring = ringOf(layout, target, source);
    const size = layout.ringBytes;
    const tail = this.#words[(header + RING.tail) >>> 2]!;
    const free = size - ((tail - kernels.load32(header + RING.head)) | 0);
    const place = tail & (size - 1);
    const left = size - place;
    const sound = position === tail && (skip === 0 || skip === left) && (bytes & 7) === 0 &&
      skip + bytes <= free && (skip > 0 ? bytes <= size : bytes <= left);
    if (!sound) {
      const what =
        `${bytes} bytes at ${position}, skipping ${skip}, where ${free} are free at ${tail}`;
      return this.#malformed(source, what);
    }
    if (skip > 0) this.#words[(ring + place) >>> 2] = 0;
    kernels.copy(skip > 0 ? ring : ring + place, payload, bytes);
    const bell = blockOf(layout, target) + BLOCK.bell;
    const waker = this.#port.wakerOf(target);
    waker.publish(header + RING.tail, (tail + skip + bytes) | 0, bell);
  }

  #head(source: number, target: number, head: number): void {
    const { kernels, net, start } = this.#port;
    const index = (target - start.layout.firstPe) * net.numPes + source;
    const step = (head - kernels.load32(net.heads + 4 * index)) | 0;
    if (step < 0 || step > start.layout.ringBytes) {
      return this.#malformed(source, `it has read ${step} bytes more than before`);
    }
    kernels.store32(net.heads + 4 * index, head);
    this.#port.wakeOwn(target);
  }

  #exchange(source: number, sequence: number, payload: number, bytes: number): void {
    const { layout } = this.#port.start;
    const { u8 } = this.#port.views;
    for (let at = payload; at < payload + bytes;) {
      const pe = this.#words[at >>> 2]!;
      const length = this.#words[(at >>> 2) + 1]!;
      const end = at + ENTRY_HEADER_BYTES + length;
      const sound = pe >= 0 && pe < layout.numPes && length >= 0 && length <= EXCHANGE_AREA_BYTES &&
        (length & 7) === 0 && end <= payload + bytes;
      if (!sound) return this.#malformed(source, `it contributes ${length} bytes for PE ${pe}`);
      const to = exchangeOf(layout, pe, sequence);
      // The part of a near PE is read where it is, and may be the next one's already.
      if (!isNear(layout, pe)) {
        u8.copyWithin(to, at + ENTRY_HEADER_BYTES, end);
        u8.fill(0, to + length, to + EXCHANGE_AREA_BYTES);
      }
      at = end;
    }
  }

  #signal(source: number, target: number, slot: number, sequence: number, tag: number): void {
    if (slot < 0 || slot >= FLAG_SLOTS_MAX) {
      return this.#malformed(source, `it signals slot ${slot}`);
    }
    const block = blockOf(this.#port.start.layout, target);
    const flag = block + BLOCK.flags + flagOffset(slot, sequence);
    this.#port.wakerOf(target).barrierSignal(flag, tag, sequence, block + BLOCK.bell);
  }

  #operate(
    source: number,
    target: number,
    record: number,
    replyBytes: number,
    generation: number,
    payload: number,
    bytes: number,
  ): void {
    const port = this.#port;
    const most = port.payloadBytesMax;
    if (replyBytes < REPLY_HEAD_BYTES || replyBytes > most) {
      return this.#malformed(source, `it asks for a reply of ${replyBytes} bytes`);
    }
    // Operations of a PE are done in their order.
    const slot = this.#unserved === 0 ? port.tryAcquire() : -1;
    const served = slot >= 0;
    // The buffer of the request is another's as soon as this returns.
    const request = served ? undefined : port.views.u8.slice(payload, payload + bytes);
    const owed = { slot, source, target, record, generation, bytes: replyBytes, request };
    this.#owed.push(owed);
    if (served) this.#serve(owed, { at: payload, bytes });
    else this.#unserved++;
  }

  /** Runs an operation, with its reply in the send buffer. */
  #serve(owed: Owed, request: MemoryRange): void {
    const port = this.#port;
    const { layout } = port.start;
    const { slot, target, bytes } = owed;
    const reply = { at: port.payloadOf(slot), bytes };
    const heap = heapOf(layout, target);
    const { kernels, views } = port;
    owed.bytes = serveOperation(kernels, views, heap, layout.heapBytes, request, reply);
    if (replyWakes(views.u8, reply.at)) port.wakeOwn(target);
  }

  /** Puts a request where kernels reach it. */
  #placed(request: Uint8Array): MemoryRange {
    const { net, thread, views } = this.#port;
    const at = net.lateRequests + thread * net.bufferBytes;
    views.u8.set(request, at);
    return { at, bytes: request.length };
  }

  answer(): void {
    const port = this.#port;
    if (this.#owed.length === 0) return;
    for (let owed = this.#owed.shift(); owed; owed = this.#owed.shift()) {
      if (owed.request) {
        owed.slot = port.acquire();
        this.#serve(owed, this.#placed(owed.request));
        this.#unserved--;
      }
      const { slot, source, target, record, generation, bytes } = owed;
      const rank = rankOf(port.start, source);
      port.head(slot, MESSAGE.reply, target, source, record, 0, generation);
      port.send(slot, rank, bytes);
    }
  }

  #reply(
    source: number,
    target: number,
    number: number,
    generation: number,
    payload: number,
    bytes: number,
  ): void {
    const port = this.#port;
    const { net } = port;
    const thread = target - port.start.layout.firstPe;
    const first = firstRecordOf(net, thread) + net.slots;
    if (number < first || number >= first + net.transfers) {
      return this.#malformed(source, `it answers operation ${number}`);
    }
    const record = net.records + number * RECORD_BYTES;
    const words = this.#words;
    // The caller may have given up, and the record be another's.
    if (generation === 0 || words[(record + RECORD.generation) >>> 2] !== generation) return;
    if (words[(record + RECORD.pending) >>> 2] === 0) return;
    const room = words[(record + RECORD.replyBytes) >>> 2]!;
    if (bytes > room) return this.#malformed(source, `it answers with ${bytes} bytes of ${room}`);
    port.kernels.copy(words[(record + RECORD.replyAt) >>> 2]!, payload, bytes);
    port.finish(number);
  }
}

/**
 * Writes a contribution to a collective as it travels.
 *
 * @param u8 The memory.
 * @param words The same as words.
 * @param at Where to.
 * @param pe Whose.
 * @param part The contribution; zeros at its end do not travel.
 * @returns Where it ends.
 */
export function writeContribution(
  u8: Uint8Array,
  words: Int32Array,
  at: number,
  pe: number,
  part: Uint8Array,
): number {
  let length = part.length;
  while (length > 0 && part[length - 1] === 0) length--;
  length = (length + 7) & ~7;
  words[at >>> 2] = pe;
  words[(at >>> 2) + 1] = length;
  u8.set(part.subarray(0, length), at + ENTRY_HEADER_BYTES);
  return at + ENTRY_HEADER_BYTES + length;
}
