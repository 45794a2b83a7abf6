/**
 * What remains to be done when transfers of a PE are over: bytes are copied to where they were
 * wanted, and send buffers given back.
 *
 * @module
 */

import type { Port } from "./port.ts";

/**
 * Send buffers of a thread that replies leave free. A process can answer the operations of others
 * only if it has one, so if all waited for replies, two processes would wait for each other.
 */
const SLOTS_WITHOUT_REPLY = 8;

/** What remains to be done when a transfer is over. */
export interface Ending {
  /** A send buffer to give back, -1 if none. */
  readonly slot: number;
  /** Where to copy bytes to, and from which place in the memory. */
  readonly target?: Uint8Array | undefined;
  readonly from: number;
  /** Kept alive until then. */
  readonly keeps?: Uint8Array;
  /** Whether the buffer is for the reply to a memory operation. */
  readonly isReply?: true;
}

/** The endings of the transfers under way, by ticket. */
export class Endings {
  readonly #port: Port;
  readonly #all = new Map<number, Ending>();
  readonly #repliesMax: number;
  /** Send buffers that wait for replies. */
  #replies = 0;

  /**
   * @param port The network of the PE's thread.
   */
  constructor(port: Port) {
    this.#port = port;
    this.#repliesMax = port.net.slots - SLOTS_WITHOUT_REPLY;
  }

  /** Whether as many buffers wait for replies as may. */
  get areRepliesFull(): boolean {
    return this.#replies >= this.#repliesMax;
  }

  /**
   * @param ticket A transfer.
   * @param ending What remains to be done when it is over.
   */
  set(ticket: number, ending: Ending): void {
    this.#all.set(ticket, ending);
    if (ending.isReply) this.#replies++;
  }

  /**
   * Nothing is to be copied any more, since the transfer failed.
   *
   * @param ticket The transfer.
   */
  giveUp(ticket: number): void {
    const ending = this.#all.get(ticket);
    if (ending) this.#all.set(ticket, { ...ending, target: undefined });
  }

  /**
   * Does what remains.
   *
   * @param ticket A transfer that is over.
   */
  end(ticket: number): void {
    const ending = this.#all.size === 0 ? undefined : this.#all.get(ticket);
    if (!ending) return;
    const { slot, target, from, isReply } = ending;
    this.#all.delete(ticket);
    if (target) target.set(this.#port.views.u8.subarray(from, from + target.length));
    if (isReply) this.#replies--;
    if (slot >= 0) this.#port.release(slot);
  }

  /** The transfers that keep send buffers; one may be ended meanwhile. */
  *withBuffers(): Generator<number> {
    for (const [ticket, { slot }] of this.#all) if (slot >= 0) yield ticket;
  }
}
