/**
 * Begins the transfers of one PE: puts and gets by remote memory access, and memory operations by
 * message.
 *
 * @module
 */

import { FI, pointerOf } from "../../ffi/mod.ts";
import { WAIT_FOR } from "../lamella.ts";
import { heapOf, OPEN, openOf } from "../local/layout.ts";
import { CoalescedCall } from "./coalesced_call.ts";
import type { Ending } from "./endings.ts";
import { MESSAGE_HEADER_BYTES, THREAD, threadOf } from "./network_layout.ts";
import { rankOf } from "./network_start.ts";
import type { NetworkWait } from "./network_waits.ts";
import { OpenTransfers } from "./open_transfers.ts";
import type { Port } from "./port.ts";
import { SentOperations } from "./sent_operations.ts";
import { QUIET, TOLD, TOLD_OF_ARRIVAL, TransferCall } from "./transfer_call.ts";

/** How often a process is asked whether it is reached in place. */
const PROBES = 4;
/** Bytes that are put to ask whether all before them have arrived. */
const ASK_BYTES = 8;

const ROOM: NetworkWait = { op: "a transfer", kind: WAIT_FOR.network, pe: -1 };

/** The transfers of a PE. */
export class Transfers {
  readonly #port: Port;
  readonly #words: Int32Array;
  readonly #open: OpenTransfers;
  readonly #operations: SentOperations;
  readonly #call: TransferCall;
  /** That of questions: one may come up while a transfer waits for the provider to take it. */
  readonly #askCall: TransferCall;
  /** By rank, where what it has open begins, as remote memory access names it. */
  readonly #bases: number[];
  /** By PE, its process, and where its heap begins. */
  readonly #ranks: number[];
  readonly #heaps: number[];
  /** By rank, once it is known: whether calls copy at once. */
  readonly #inPlace: (boolean | undefined)[] = [];
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

  /**
   * @param port The network of this PE's thread.
   * @param pe This PE.
   */
  constructor(port: Port, pe: number) {
    const { net, start } = port;
    this.#port = port;
    this.#words = port.views.i32;
    this.#open = new OpenTransfers(port);
    this.#operations = new SentOperations(port, pe, this.#open, () => this.#sweep());
    const area = threadOf(net, port.thread);
    this.#call = new TransferCall(port, area + THREAD.transfer).prepare();
    this.#askCall = new TransferCall(port, area + THREAD.ask).prepare();
    this.#coalesced = new CoalescedCall(port, port.thread).prepare();
    this.#orderedMax = Math.min(start.fabric.orderedPutBytesMax, start.fabric.transferBytesMax);
    this.#bases = start.peers.map(({ base }) => Number(base));
    const pes = Array.from({ length: start.layout.numPes }, (_, other) => other);
    this.#ranks = pes.map((other) => rankOf(start, other));
    this.#heaps = pes.map((other) =>
      this.#bases[this.#ranks[other]!]! + heapOf(start.layout, other) - openOf(start.layout, other)
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
    const ticket = this.#open.acquire();
    if (ending) this.#open.endings.set(ticket, ending);
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
      const ticket = this.#open.acquire();
      this.#open.endings.set(ticket, { slot: -1, from: 0, keeps: array });
      this.#transferTo(ticket, write, pe, offset, Number(pointerOf(array)), array.length);
      return this.#copied(pe, ticket);
    }
    // All but the last piece are waited for here: buffers are few, arrays may be long.
    for (let at = 0;; at += room) {
      const piece = array.subarray(at, at + room);
      const ticket = this.#copyPiece(write, pe, offset + at, piece);
      if (at + room >= array.length) return this.#copied(pe, ticket);
      this.#waitFor(ticket, pe);
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
    for (let rank = 0; rank < this.#bases.length; rank++) {
      if (this.#open.isUnasked(rank) && !this.#ask(rank)) this.#unasked = true;
    }
  }

  /** Whether `ask` could not be done with all there is: the provider did not take it. */
  get hasToAsk(): boolean {
    return this.#waits || this.#unasked;
  }

  /** Asks one process by a put of its own; returns whether that could begin. */
  #ask(rank: number): boolean {
    const port = this.#port;
    const { records } = this.#open;
    const ticket = this.#open.take();
    // One is free again once the last question has its answer.
    if (ticket === 0) return false;
    const record = records.begin(records.indexOf(ticket), rank, 1);
    const near = port.start.memoryAddress + port.start.layout.open + OPEN.ask;
    const far = this.#bases[rank]! + OPEN.ask;
    this.#askCall.describe(rank, record, near, far, ASK_BYTES);
    const code = this.#askCall.make(true, TOLD_OF_ARRIVAL);
    if (code < 0) {
      if (code !== -FI.FI_EAGAIN) port.breakWith(rank, -code);
      this.#open.giveUp(ticket, 1);
      return false;
    }
    this.#open.addAsk(ticket, rank);
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

  #waitFor(ticket: number, pe: number): void {
    if (this.#isOver(ticket)) return;
    const wait = { op: "a transfer", kind: WAIT_FOR.memory, pe };
    this.#port.waits.until(() => this.#isOver(ticket), wait);
  }

  /** Sees to it that a transfer ends some time; returns whether it has. */
  #isOver(ticket: number): boolean {
    if (!this.isPending(ticket)) return true;
    this.ask();
    return false;
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
    const inPlace = this.#inPlace[rank] ??= this.#copiesInPlace(rank, pe);
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
    const asks = this.#open.hasToAsk(rank, bytes);
    this.#transfer(ticket, true, rank, address, far, bytes, asks ? TOLD_OF_ARRIVAL : QUIET);
    if (asks) return this.#open.addAsk(ticket, rank);
    this.#open.addQuiet(ticket, rank, bytes);
    this.#unasked = true;
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
    const { records } = this.#open;
    const index = records.indexOf(ticket);
    const record = records.begin(index, rank, 1);
    let waiting: number;
    try {
      waiting = this.#join(write, rank, record, address, far, bytes) ||
        this.#waitToJoin(write, rank, record, address, far, bytes);
    } catch (error) {
      this.#open.giveUp(ticket, 1);
      throw error;
    }
    this.#waits = true;
    if (waiting === 1) this.#leader = ticket;
    if (write) {
      this.#open.addQuiet(ticket, rank, bytes);
      this.#unasked = true;
    } else if (waiting > 1) records.follow(index, this.#leader);
    const isFull = waiting === this.#coalesced.piecesMax;
    // The progress thread makes the call with the completion of the latest, which it may just have
    // handled.
    if (isFull || !this.isPending(this.#latest)) this.#flush(false);
  }

  /** Returns how many are to go out in one call now, 0 if another thread is making a call. */
  #join(
    write: boolean,
    rank: number,
    record: number,
    address: number,
    far: number,
    bytes: number,
  ): number {
    const waiting = this.#coalesced.add(write, rank, record, address, far, bytes);
    if (waiting > 0 || !this.#waits) return waiting;
    this.#clear();
    return this.#coalesced.add(write, rank, record, address, far, bytes);
  }

  #waitToJoin(...transfer: Parameters<CoalescedCall["add"]>): number {
    let waiting = 0;
    this.#port.waits.until(() => (waiting = this.#join(...transfer)) > 0, ROOM);
    return waiting;
  }

  /** Waits until no transfer waits for more. */
  #clear(): void {
    const again = (): number => this.#flush(false) ? 0 : -FI.FI_EAGAIN;
    this.#port.retry("a transfer", again, this.#leaderRank);
  }

  /**
   * Makes the call of those that wait for more.
   *
   * @param asks Whether puts have to ask, in any case.
   * @returns Whether none waits any more.
   */
  #flush(asks: boolean): boolean {
    if (!this.#waits) return true;
    const rank = this.#leaderRank;
    const puts = this.#open.isQuiet(this.#leader);
    const told = puts && (asks || this.#open.hasToAsk(rank, 0));
    const gone = this.#coalesced.flush(told);
    if (gone < 0) return false;
    this.#waits = false;
    this.#latest = this.#leader;
    if (told && gone > 0) this.#open.addAsk(this.#leader, rank);
    return true;
  }

  get #leaderRank(): number {
    const { records } = this.#open;
    return records.rankOf(records.indexOf(this.#leader));
  }

  /**
   * Finds out whether the provider copies within the call, as `shm` does where one process may
   * write the memory of another. Then a put is complete when its call returns, and asking for a
   * word of delivery would only make it wait for a target that is busy or asleep.
   */
  #copiesInPlace(rank: number, pe: number): boolean {
    const port = this.#port;
    if (!port.start.fabric.oneHost) return false;
    const slot = port.acquire();
    const buffer = port.payloadOf(slot);
    const address = port.start.memoryAddress + buffer;
    const probe = this.#bases[rank]! + OPEN.probe;
    let inPlace = true;
    // Where it does not, a quick target may answer once before we look, but not each time.
    for (let i = 0; i < PROBES; i++) {
      const ticket = this.#open.acquire();
      this.#words[buffer >>> 2] = 0;
      this.#transfer(ticket, false, rank, address, probe, 4, TOLD);
      if (this.#words[buffer >>> 2] === 0) inPlace = false;
      this.#waitFor(ticket, pe);
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
    const { records } = this.#open;
    const record = records.begin(records.indexOf(ticket), rank, pieces);
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
      this.#open.giveUp(ticket, Math.ceil((bytes - done) / pieceMax));
      throw error;
    }
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
    return this.#operations.begin(pe, request, reply);
  }

  /** Gives back the buffers of transfers that are over, whether or not somebody asked. */
  #sweep(): void {
    this.ask();
    this.#open.sweep();
  }

  /**
   * Tells whether a transfer is still under way; once it is not, its ticket is void.
   *
   * @param ticket Its ticket.
   * @returns Whether it is. What failed is, until the job ends for it.
   */
  isPending(ticket: number): boolean {
    return this.#open.isPending(ticket);
  }
}
