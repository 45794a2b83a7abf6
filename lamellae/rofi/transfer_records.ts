/**
 * The records of one PE's transfers: the thread that reads the completion queue counts them down,
 * and a ticket tells one use of a record from another.
 *
 * @module
 */

import { firstRecordOf, RECORD, RECORD_KIND } from "./network_layout.ts";
import type { Port } from "./port.ts";

/** Uses of a record until its tickets come again; as many as leave them small integers. */
const ROUNDS_MASK = 2 ** 21 - 1;

/** Records, each known by its index among those of the PE. */
export class TransferRecords {
  readonly #port: Port;
  readonly #words: Int32Array;
  readonly #first: number;
  /** The ticket of each record, 0 if it is free, and how often each has been used. */
  readonly #tickets: Int32Array;
  readonly #rounds: Int32Array;
  /** The ticket of the record that completions name instead of each, 0 if they name that itself. */
  readonly #leaders: Int32Array;
  /** A stack of free records: the last one used is still in the caches. */
  readonly #free: Int32Array;
  #freeCount: number;

  /**
   * @param port The network of the PE's thread.
   */
  constructor(port: Port) {
    const { net } = port;
    this.#port = port;
    this.#words = port.views.i32;
    this.#first = firstRecordOf(net, port.thread) + net.slots;
    this.#tickets = new Int32Array(net.transfers);
    this.#rounds = new Int32Array(net.transfers);
    this.#leaders = new Int32Array(net.transfers);
    this.#free = Int32Array.from(this.#tickets, (_, index) => net.transfers - 1 - index);
    this.#freeCount = net.transfers;
  }

  /** How many there are. */
  get length(): number {
    return this.#tickets.length;
  }

  /** Whether all are in use. */
  get isExhausted(): boolean {
    return this.#freeCount === 0;
  }

  /**
   * Takes a record.
   *
   * @returns Its ticket, 0 if none is free.
   */
  take(): number {
    if (this.#freeCount === 0) return 0;
    const index = this.#free[--this.#freeCount]!;
    const round = this.#rounds[index] = (this.#rounds[index]! + 1) & ROUNDS_MASK;
    const ticket = round * this.#tickets.length + index + 1;
    const record = this.at(index);
    this.#tickets[index] = ticket;
    this.#words[(record + RECORD.kind) >>> 2] = RECORD_KIND.transfer;
    this.#words[(record + RECORD.owner) >>> 2] = this.#port.thread;
    this.#words[(record + RECORD.generation) >>> 2] = 0;
    return ticket;
  }

  /**
   * Gives a record back; its ticket is void.
   *
   * @param index Which.
   */
  free(index: number): void {
    this.#tickets[index] = 0;
    this.#leaders[index] = 0;
    this.#free[this.#freeCount++] = index;
  }

  /**
   * @param ticket A ticket.
   * @returns The index of its record.
   */
  indexOf(ticket: number): number {
    return (ticket - 1) % this.#tickets.length;
  }

  /**
   * @param index A record.
   * @returns Its ticket, 0 if it is free.
   */
  ticketOf(index: number): number {
    return this.#tickets[index]!;
  }

  /**
   * @param index A record.
   * @returns Its number among all of the process.
   */
  numberOf(index: number): number {
    return this.#first + index;
  }

  /**
   * @param index A record.
   * @returns Its byte address.
   */
  at(index: number): number {
    return this.#port.recordAt(this.#first + index);
  }

  /**
   * Notes what the completions of a transfer mean.
   *
   * @param index Its record.
   * @param rank The other process.
   * @param completions How many there will be.
   * @returns The address of the record.
   */
  begin(index: number, rank: number, completions: number): number {
    const record = this.at(index);
    this.#words[(record + RECORD.rank) >>> 2] = rank;
    this.#words[(record + RECORD.pending) >>> 2] = completions;
    return record;
  }

  /**
   * Takes note that no completion of a record will come.
   *
   * @param index The record.
   */
  expectNone(index: number): void {
    this.#words[(this.at(index) + RECORD.pending) >>> 2] = 0;
  }

  /**
   * Takes note that a transfer is over with another one.
   *
   * @param index Its record.
   * @param leader The ticket of the other.
   */
  follow(index: number, leader: number): void {
    this.#leaders[index] = leader;
    this.expectNone(index);
  }

  /**
   * @param index A record.
   * @returns Whether completions of it are still to come; those of quiet puts never do.
   */
  isCounted(index: number): boolean {
    const leader = this.#leaders[index]!;
    if (leader !== 0) return this.isTicketCounted(leader);
    return this.#port.kernels.load32(this.at(index) + RECORD.pending) > 0;
  }

  /**
   * @param ticket A ticket.
   * @returns Whether it is valid, and completions of its record are still to come.
   */
  isTicketCounted(ticket: number): boolean {
    const index = this.indexOf(ticket);
    return this.#tickets[index] === ticket && this.isCounted(index);
  }

  /**
   * @param index A record.
   * @returns The other process of its transfer.
   */
  rankOf(index: number): number {
    return this.#words[(this.at(index) + RECORD.rank) >>> 2]!;
  }
}
