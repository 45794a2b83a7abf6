/**
 * The transfers of a PE that have begun: each has a record, which the thread that reads the
 * completion queue counts down, and a ticket to ask whether it is over.
 *
 * @module
 */

import { WAIT_FOR } from "../lamella.ts";
import { Endings } from "./endings.ts";
import { RECORD } from "./network_layout.ts";
import type { NetworkWait } from "./network_waits.ts";
import type { Port } from "./port.ts";
import { PutStream } from "./put_stream.ts";
import { TransferRecords } from "./transfer_records.ts";

const ANY_TRANSFER: NetworkWait = { op: "a transfer", kind: WAIT_FOR.memory, pe: -1 };

/** Transfers that have begun, and what is known of their ends. */
export class OpenTransfers {
  readonly records: TransferRecords;
  readonly endings: Endings;
  readonly #port: Port;
  /** Puts that end in their order: by rank, and the number of each record's, below 0 if quiet. */
  readonly #streams: PutStream[];
  readonly #numbers: Float64Array;

  /**
   * @param port The network of the PE's thread.
   */
  constructor(port: Port) {
    this.#port = port;
    this.records = new TransferRecords(port);
    this.endings = new Endings(port);
    this.#numbers = new Float64Array(port.net.transfers);
    this.#streams = port.start.peers.map(() => new PutStream());
  }

  /**
   * Takes a record, waiting for a transfer to end if all are under way.
   *
   * @returns Its ticket.
   */
  acquire(): number {
    const ticket = this.take();
    return ticket !== 0 ? ticket : this.#waitForRecord();
  }

  #waitForRecord(): number {
    let ticket = 0;
    // A question is under way, if nothing else is: the last put asked, or found one to be so.
    this.#port.waits.until(() => (ticket = this.take()) !== 0, ANY_TRANSFER);
    return ticket;
  }

  /**
   * Takes a record.
   *
   * @returns Its ticket, 0 if none is free.
   */
  take(): number {
    if (this.records.isExhausted) this.#reclaim();
    return this.records.take();
  }

  /** Frees the records of transfers that are over, for whose tickets nobody may ever ask. */
  #reclaim(): void {
    for (let index = 0; index < this.records.length; index++) {
      if (!this.#isUnderWay(index)) this.#retire(index, this.records.ticketOf(index));
    }
  }

  /**
   * Tells whether a transfer is still under way; once it is not, its ticket is void.
   *
   * @param ticket Its ticket.
   * @returns Whether it is. What failed is, until the job ends for it.
   */
  isPending(ticket: number): boolean {
    const index = this.records.indexOf(ticket);
    if (this.records.ticketOf(index) !== ticket) return false;
    if (this.#isUnderWay(index)) return true;
    this.#retire(index, ticket);
    return false;
  }

  #isUnderWay(index: number): boolean {
    const number = this.#numbers[index]!;
    if (number >= 0) return this.records.isCounted(index);
    const stream = this.#streams[this.records.rankOf(index)]!;
    return !stream.hasArrived(-number) &&
      (this.#isUnanswered(stream) || !stream.hasArrived(-number));
  }

  /** Frees the record of a transfer that is over. */
  #retire(index: number, ticket: number): void {
    this.records.free(index);
    const number = this.#numbers[index]!;
    if (number !== 0) {
      this.#numbers[index] = 0;
      if (number > 0) this.#streams[this.records.rankOf(index)]!.arrive(number);
      else this.records.expectNone(index);
    }
    this.endings.end(ticket);
  }

  /**
   * Frees what a transfer holds that could not be begun, as soon as its pieces under way end.
   *
   * @param ticket Its ticket.
   * @param pieces How many pieces were not begun.
   */
  giveUp(ticket: number, pieces: number): void {
    this.endings.giveUp(ticket);
    const index = this.records.indexOf(ticket);
    const pending = this.records.at(index) + RECORD.pending;
    if (this.#port.kernels.add32(pending, -pieces) === pieces) this.#retire(index, ticket);
  }

  /** Gives back the buffers of transfers that are over, whether or not somebody asked. */
  sweep(): void {
    for (const ticket of this.endings.withBuffers()) {
      const index = this.records.indexOf(ticket);
      if (!this.#isUnderWay(index)) this.#retire(index, ticket);
    }
  }

  /**
   * @param rank A process.
   * @param bytes The length of the next put to it.
   * @returns Whether that has to ask for word of its arrival: none before it does, or those since
   * are many.
   */
  hasToAsk(rank: number, bytes: number): boolean {
    const stream = this.#streams[rank]!;
    return !this.#isUnanswered(stream) || stream.isFull(bytes);
  }

  /** Whether the last put that asked has no answer yet. */
  #isUnanswered(stream: PutStream): boolean {
    const { ask } = stream;
    if (ask === 0) return false;
    if (this.records.isTicketCounted(ask)) return true;
    stream.answered();
    return false;
  }

  /**
   * @param rank A process.
   * @returns Whether puts to it have begun since the last one that asked.
   */
  isUnasked(rank: number): boolean {
    return this.#streams[rank]!.isUnasked;
  }

  /**
   * Takes note of a put that has begun, and ends in the order of those to its process.
   *
   * @param ticket Its ticket.
   * @param rank The process.
   * @param bytes Its length, where it does not ask for word of its arrival.
   */
  addQuiet(ticket: number, rank: number, bytes: number): void {
    this.#numbers[this.records.indexOf(ticket)] = -this.#streams[rank]!.addQuiet(bytes);
  }

  /**
   * Takes note of such a put that asks.
   *
   * @param ticket Its ticket.
   * @param rank The process.
   */
  addAsk(ticket: number, rank: number): void {
    this.#numbers[this.records.indexOf(ticket)] = this.#streams[rank]!.addAsk(ticket);
  }

  /**
   * @param ticket A transfer.
   * @returns Whether it is such a put, and does not ask.
   */
  isQuiet(ticket: number): boolean {
    return this.#numbers[this.records.indexOf(ticket)]! < 0;
  }
}
