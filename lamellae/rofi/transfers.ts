/**
 * Transfers of one PE: puts and gets by remote memory access, and memory operations by message.
 * Each has a record, which whoever reads the completion queue counts down, and a ticket to ask for
 * it.
 *
 * @module
 */

import { FI, pointerOf } from "../../ffi/mod.ts";
import { heapOf } from "../local/layout.ts";
import { CoalescedCall } from "./coalesced_call.ts";
import { MESSAGE } from "./message.ts";
import { CONTROL, MESSAGE_HEADER_BYTES, RECORD, THREAD, threadOf } from "./network_layout.ts";
import { rankOf } from "./network_start.ts";
import type { Port } from "./port.ts";
import { PutStream } from "./put_stream.ts";
import { TransferRecords } from "./transfer_records.ts";
import { QUIET, TOLD, TOLD_OF_ARRIVAL, TransferCall } from "./transfer_call.ts";

/** How often a process is asked whether it is reached in place. */
const PROBES = 4;
/** Bytes that are put to ask whether all before them have arrived. */
const ASK_BYTES = 8;

/** What remains to be done when a transfer is over. */
interface Ending {
  /** A send buffer to give back, -1 if none. */
  readonly slot: number;
  /** Where to copy bytes to, and from which place in the memory. */
  readonly target?: Uint8Array | undefined;
  readonly from: number;
  /** Kept alive until then. */
  readonly keeps?: Uint8Array;
}

/** The transfers of a PE. */
export class Transfers {
  readonly #port: Port;
  readonly #pe: number;
  readonly #words: Int32Array;
  readonly #records: TransferRecords;
  readonly #call: TransferCall;
  /** That of questions: one may come up while a transfer waits for the provider to take it. */
  readonly #askCall: TransferCall;
  /** By rank, where its memory begins, as remote memory access names it. */
  readonly #bases: number[];
  /** By PE, its process, and where its heap begins. */
  readonly #ranks: number[];
  readonly #heaps: number[];
  /** By rank, once it is known: whether calls copy at once. */
  readonly #inPlace: (boolean | undefined)[] = [];
  /** By ticket. */
  readonly #endings = new Map<number, Ending>();
  /** Puts that end in their order: by rank, and the number of each record's, below 0 if quiet. */
  readonly #streams: PutStream[];
  readonly #numbers: Float64Array;
  readonly #orderedMax: number;
  /** Whether puts have begun since the last that asked, at any rank. */
  #unasked = false;
  /** Those that are to go out in one call, and whether some may still have to. */
  readonly #coalesced: CoalescedCall;
  #waits = false;
  /** The ticket of the first of them. */
  #leader = 0;
  /** The ticket of the last one that went out. */
  #latest = 0;
  #generation = 0;

  /**
   * @param port The network of this PE's thread.
   * @param pe This PE.
   */
  constructor(port: Port, pe: number) {
    const { net, start } = port;
    this.#port = port;
    this.#pe = pe;
    this.#words = port.views.i32;
    this.#records = new TransferRecords(port);
    const area = threadOf(net, port.thread);
    this.#call = new TransferCall(port, area + THREAD.transfer).prepare();
    this.#askCall = new TransferCall(port, area + THREAD.ask).prepare();
    this.#coalesced = new CoalescedCall(port, port.thread).prepare();
    this.#numbers = new Float64Array(net.transfers);
    this.#streams = start.peers.map(() => new PutStream());
    this.#orderedMax = Math.min(start.fabric.orderedPutBytesMax, start.fabric.transferBytesMax);
    this.#bases = start.peers.map(({ base }) => Number(base));
    const pes = Array.from({ length: start.layout.numPes }, (_, other) => other);
    this.#ranks = pes.map((other) => rankOf(start, other));
    this.#heaps = pes.map((other) =>
      this.#bases[this.#ranks[other]!]! + heapOf(start.layout, other)
    );
    port.onShortage(() => this.#sweep());
  }

  /**
   * Starts to copy between the memory of this process and that of a far PE.
   *
   * @param write Whether to the far PE.
   * @param pe The far PE.
   * @param offset Offset in its segment.
   * @param local A place in the memory.
   * @param bytes How many, from 1.
   * @returns A ticket, 0 if it is over.
   */
  copy(write: boolean, pe: number, offset: number, local: number, bytes: number): number {
    return this.#copied(pe, this.#copy(write, pe, offset, local, bytes));
  }

  /** Returns the ticket of a copy that was begun, 0 if it is over. */
  #copied(pe: number, ticket: number): number {
    if (!this.#inPlace[this.#ranks[pe]!]) return ticket;
    // Its completion waits in the queue.
    this.#port.poll();
    return this.isPending(ticket) ? ticket : 0;
  }

  #copy(
    write: boolean,
    pe: number,
    offset: number,
    local: number,
    bytes: number,
    ending?: Ending,
  ): number {
    const ticket = this.#acquire();
    if (ending) this.#endings.set(ticket, ending);
    this.#transferTo(ticket, write, pe, offset, this.#port.start.memoryAddress + local, bytes);
    return ticket;
  }

  /**
   * As `copy`, from or to an array outside of the memory.
   *
   * @param write Whether to the far PE.
   * @param pe The far PE.
   * @param offset Offset in its segment.
   * @param array The array; it has to stay as it is until the end.
   * @returns A ticket, 0 if it is over.
   */
  copyArray(write: boolean, pe: number, offset: number, array: Uint8Array): number {
    const port = this.#port;
    const room = port.net.bufferBytes;
    if (array.length > room && port.start.fabric.anyBuffer) {
      const ticket = this.#acquire();
      this.#endings.set(ticket, { slot: -1, from: 0, keeps: array });
      this.#transferTo(ticket, write, pe, offset, Number(pointerOf(array)), array.length);
      return this.#copied(pe, ticket);
    }
    // All but the last piece are waited for here: buffers are few, arrays may be long.
    for (let at = 0;; at += room) {
      const piece = array.subarray(at, at + room);
      const ticket = this.#copyPiece(write, pe, offset + at, piece);
      if (at + room >= array.length) return this.#copied(pe, ticket);
      this.#waitFor(ticket);
    }
  }

  /**
   * Makes the call of transfers that wait for more, and asks for word of the arrival of all puts.
   * To be called in each round of a wait: nothing else ends the last ones of a row, and it waits
   * for nothing itself.
   */
  ask(): void {
    if (!this.#waits && !this.#unasked) return;
    // Who asks before a put has gone out would get its answer too early.
    if (this.#port.isClosed || !this.#flush(true) || !this.#unasked) return;
    this.#unasked = false;
    for (let rank = 0; rank < this.#streams.length; rank++) {
      if (this.#streams[rank]!.isUnasked && !this.#ask(rank)) this.#unasked = true;
    }
  }

  /** Asks one process by a put of its own; returns whether that could begin. */
  #ask(rank: number): boolean {
    const port = this.#port;
    const ticket = this.#take();
    // One is free again once the last question has its answer.
    if (ticket === 0) return false;
    const at = port.net.control + CONTROL.ask;
    const record = this.#records.begin(this.#records.indexOf(ticket), rank, 1);
    const far = this.#bases[rank]! + at;
    this.#askCall.describe(rank, record, port.start.memoryAddress + at, far, ASK_BYTES);
    const code = this.#askCall.make(true, TOLD_OF_ARRIVAL);
    if (code < 0) {
      if (code !== -FI.FI_EAGAIN) port.breakWith(rank, -code);
      this.#giveUp(ticket, 1);
      return false;
    }
    this.#numbers[this.#records.indexOf(ticket)] = this.#streams[rank]!.addAsk(ticket);
    port.wake(rank);
    return true;
  }

  #copyPiece(write: boolean, pe: number, offset: number, piece: Uint8Array): number {
    const port = this.#port;
    const slot = port.acquire();
    const buffer = port.payloadOf(slot) - MESSAGE_HEADER_BYTES;
    if (write) port.views.u8.set(piece, buffer);
    const ending: Ending = { slot, from: buffer, ...(write ? {} : { target: piece }) };
    return this.#copy(write, pe, offset, buffer, piece.length, ending);
  }

  #waitFor(ticket: number): void {
    while (this.isPending(ticket)) {
      this.ask();
      this.#port.wait("a transfer");
    }
  }

  #transferTo(
    ticket: number,
    write: boolean,
    pe: number,
    offset: number,
    address: number,
    bytes: number,
  ): void {
    const rank = this.#ranks[pe]!;
    const inPlace = this.#inPlace[rank] ??= this.#copiesInPlace(rank);
    const far = this.#heaps[pe]! + offset;
    // What begins while the last one is under way need not hurry.
    if (this.#mayWait(write, bytes) && this.isPending(this.#latest)) {
      return this.#coalesce(ticket, write, rank, address, far, bytes);
    }
    if (this.#waits) this.#clear();
    this.#latest = ticket;
    if (!write || inPlace || bytes > this.#orderedMax) {
      const told = write && !inPlace ? TOLD_OF_ARRIVAL : TOLD;
      return this.#transfer(ticket, write, rank, address, far, bytes, told);
    }
    const stream = this.#streams[rank]!;
    const asks = this.#hasToAsk(stream, bytes);
    this.#transfer(ticket, true, rank, address, far, bytes, asks ? TOLD_OF_ARRIVAL : QUIET);
    this.#numbers[this.#records.indexOf(ticket)] = asks
      ? stream.addAsk(ticket)
      : -stream.addQuiet(bytes);
    if (!asks) this.#unasked = true;
  }

  #mayWait(write: boolean, bytes: number): boolean {
    return bytes <= this.#coalesced.bytesMax && (!write || bytes <= this.#orderedMax);
  }

  /** Adds a transfer to those that go out in one call, after others that it cannot join. */
  #coalesce(
    ticket: number,
    write: boolean,
    rank: number,
    address: number,
    far: number,
    bytes: number,
  ): void {
    const index = this.#records.indexOf(ticket);
    const record = this.#records.begin(index, rank, 1);
    let waiting: number;
    try {
      for (;;) {
        waiting = this.#coalesced.add(write, rank, record, address, far, bytes);
        if (waiting > 0) break;
        if (this.#waits) this.#clear();
        else this.#port.wait("a transfer");
      }
    } catch (error) {
      this.#giveUp(ticket, 1);
      throw error;
    }
    this.#waits = true;
    if (waiting === 1) this.#leader = ticket;
    if (write) {
      this.#numbers[index] = -this.#streams[rank]!.addQuiet(bytes);
      this.#unasked = true;
    } else if (waiting > 1) this.#records.follow(index, this.#leader);
    const isFull = waiting === this.#coalesced.piecesMax;
    // The progress thread makes the call with the completion of the latest, which it may just have
    // handled.
    if (isFull || !this.isPending(this.#latest)) this.#flush(false);
  }

  /** Waits until no transfer waits for more. */
  #clear(): void {
    const rank = this.#records.rankOf(this.#records.indexOf(this.#leader));
    this.#port.retry("a transfer", () => this.#flush(false) ? 0 : -FI.FI_EAGAIN, rank);
  }

  /**
   * Makes the call of those that wait for more.
   *
   * @param asks Whether puts have to ask, in any case.
   * @returns Whether none waits any more.
   */
  #flush(asks: boolean): boolean {
    if (!this.#waits) return true;
    const index = this.#records.indexOf(this.#leader);
    const stream = this.#streamOf(index);
    const puts = this.#numbers[index]! < 0;
    const told = puts && (asks || this.#hasToAsk(stream, 0));
    const gone = this.#coalesced.flush(told);
    if (gone < 0) return false;
    this.#waits = false;
    this.#latest = this.#leader;
    if (told && gone > 0) this.#numbers[index] = stream.addAsk(this.#leader);
    return true;
  }

  /** Whether the next put has to ask: none before it does, or those since are many. */
  #hasToAsk(stream: PutStream, bytes: number): boolean {
    return !this.#isUnanswered(stream) || stream.isFull(bytes);
  }

  /** Whether the last put that asked has no answer yet. */
  #isUnanswered(stream: PutStream): boolean {
    const { ask } = stream;
    if (ask === 0) return false;
    if (this.#records.isTicketCounted(ask)) return true;
    stream.answered();
    return false;
  }

  /**
   * Finds out whether the provider copies within the call, as `shm` does where one process may
   * write the memory of another. Then a put is complete when its call returns, and asking for a
   * word of delivery would only make it wait for a target that is busy or asleep.
   */
  #copiesInPlace(rank: number): boolean {
    const port = this.#port;
    if (!port.start.fabric.oneHost) return false;
    const slot = port.acquire();
    const buffer = port.payloadOf(slot);
    const address = port.start.memoryAddress + buffer;
    const probe = this.#bases[rank]! + port.net.control + CONTROL.probe;
    let inPlace = true;
    // Where it does not, a quick target may answer once before we look, but not each time.
    for (let i = 0; i < PROBES; i++) {
      const ticket = this.#acquire();
      this.#words[buffer >>> 2] = 0;
      this.#transfer(ticket, false, rank, address, probe, 4, TOLD);
      if (this.#words[buffer >>> 2] === 0) inPlace = false;
      this.#waitFor(ticket);
    }
    port.release(slot);
    return inPlace;
  }

  #transfer(
    ticket: number,
    write: boolean,
    rank: number,
    address: number,
    far: number,
    bytes: number,
    flags: bigint,
  ): void {
    const port = this.#port;
    const pieceMax = port.start.fabric.transferBytesMax;
    const pieces = bytes > pieceMax ? Math.ceil(bytes / pieceMax) : 1;
    const record = this.#records.begin(this.#records.indexOf(ticket), rank, pieces);
    const call = this.#call;
    let done = 0;
    try {
      for (; done < bytes; done += pieceMax) {
        // Nothing but this PE's transfers is described there, and none begins while one waits.
        const piece = Math.min(pieceMax, bytes - done);
        call.describe(rank, record, address + done, far + done, piece);
        port.retry(write ? "fi_writemsg" : "fi_readmsg", () => call.make(write, flags), rank);
      }
      if (!this.#inPlace[rank]) port.wake(rank);
    } catch (error) {
      this.#giveUp(ticket, Math.ceil((bytes - done) / pieceMax));
      throw error;
    }
  }

  /** Frees what a transfer holds that could not be begun, as soon as its pieces under way end. */
  #giveUp(ticket: number, pieces: number): void {
    const ending = this.#endings.get(ticket);
    if (ending) this.#endings.set(ticket, { ...ending, target: undefined });
    const index = this.#records.indexOf(ticket);
    const pending = this.#records.at(index) + RECORD.pending;
    if (this.#port.kernels.add32(pending, -pieces) === pieces) this.#retire(index, ticket);
  }

  /**
   * Runs a memory operation at a far PE.
   *
   * @param pe The far PE.
   * @param request The operation.
   * @param reply Filled at the end.
   * @returns A ticket.
   */
  operate(pe: number, request: Uint8Array, reply: Uint8Array): number {
    const port = this.#port;
    const ticket = this.#acquire();
    const record = this.#records.numberOf(this.#records.indexOf(ticket));
    const at = port.recordAt(record) >>> 2;
    // The reply may come before the request is known to have left: each has its own buffer.
    const slot = port.acquire();
    const from = port.payloadOf(slot);
    // 0 is that of a record that waits for no reply.
    const generation = this.#generation = ((this.#generation + 1) | 0) || 1;
    this.#words[at + RECORD.generation / 4] = generation;
    this.#words[at + RECORD.replyAt / 4] = from;
    this.#words[at + RECORD.replyBytes / 4] = reply.length;
    this.#words[at + RECORD.pending / 4] = 1;
    this.#endings.set(ticket, { slot, from, target: reply });
    try {
      const message = port.acquire();
      port.views.u8.set(request, port.payloadOf(message));
      port.head(message, MESSAGE.operate, this.#pe, pe, record, reply.length, generation);
      port.send(message, rankOf(port.start, pe), request.length);
    } catch (error) {
      this.#giveUp(ticket, 1);
      throw error;
    }
    return ticket;
  }

  /**
   * Tells whether a transfer is still under way; once it is not, its ticket is void.
   *
   * @param ticket Its ticket.
   * @returns Whether it is. What failed is, until the job ends for it.
   */
  isPending(ticket: number): boolean {
    const index = this.#records.indexOf(ticket);
    if (this.#records.ticketOf(index) !== ticket) return false;
    if (this.#isUnderWay(index)) return true;
    this.#retire(index, ticket);
    return false;
  }

  #isUnderWay(index: number): boolean {
    const number = this.#numbers[index]!;
    if (number >= 0) return this.#records.isCounted(index);
    const stream = this.#streamOf(index);
    return !stream.hasArrived(-number) &&
      (this.#isUnanswered(stream) || !stream.hasArrived(-number));
  }

  #streamOf(index: number): PutStream {
    return this.#streams[this.#records.rankOf(index)]!;
  }

  /** Frees the record of a transfer that is over. */
  #retire(index: number, ticket: number): void {
    this.#records.free(index);
    const number = this.#numbers[index]!;
    if (number !== 0) {
      this.#numbers[index] = 0;
      if (number > 0) this.#streamOf(index).arrive(number);
      else this.#records.expectNone(index);
    }
    const ending = this.#endings.size === 0 ? undefined : this.#endings.get(ticket);
    if (!ending) return;
    this.#endings.delete(ticket);
    if (ending.target) {
      ending.target.set(
        this.#port.views.u8.subarray(ending.from, ending.from + ending.target.length),
      );
    }
    if (ending.slot >= 0) this.#port.release(ending.slot);
  }

  /** Gives back the buffers of transfers that are over, whether or not somebody asked. */
  #sweep(): void {
    this.ask();
    for (const [ticket, { slot }] of this.#endings) {
      const index = this.#records.indexOf(ticket);
      if (slot >= 0 && !this.#isUnderWay(index)) this.#retire(index, ticket);
    }
  }

  /** Takes a record, waiting for a transfer to end if all are under way; returns its ticket. */
  #acquire(): number {
    for (;;) {
      const ticket = this.#take();
      if (ticket !== 0) return ticket;
      // A question is under way, if nothing else is: the last put asked, or found one to be so.
      this.#port.wait("a transfer");
    }
  }

  /** Takes a record; returns its ticket, 0 if none is free. */
  #take(): number {
    if (this.#records.isExhausted) this.#reclaim();
    return this.#records.take();
  }

  /** Frees the records of transfers that are over, for whose tickets nobody may ever ask. */
  #reclaim(): void {
    for (let index = 0; index < this.#records.length; index++) {
      if (!this.#isUnderWay(index)) this.#retire(index, this.#records.ticketOf(index));
    }
  }
}
