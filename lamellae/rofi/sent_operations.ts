/**
 * Memory operations that a PE has far PEs do: each goes there as a message, and its reply comes
 * into a send buffer that is kept for it.
 *
 * @module
 */

import { WAIT_FOR } from "../lamella.ts";
import { MESSAGE } from "./message.ts";
import { RECORD } from "./network_layout.ts";
import { rankOf } from "./network_start.ts";
import type { NetworkWait } from "./network_waits.ts";
import type { OpenTransfers } from "./open_transfers.ts";
import type { Port } from "./port.ts";

const REPLY: NetworkWait = { op: "a reply", kind: WAIT_FOR.memory, pe: -1 };

/** The operations of one PE. */
export class SentOperations {
  readonly #port: Port;
  readonly #pe: number;
  readonly #words: Int32Array;
  readonly #open: OpenTransfers;
  readonly #sweep: () => void;
  #generation = 0;

  /**
   * @param port The network of the PE's thread.
   * @param pe The PE.
   * @param open Its transfers.
   * @param sweep Gives back the buffers of those that are over.
   */
  constructor(port: Port, pe: number, open: OpenTransfers, sweep: () => void) {
    this.#port = port;
    this.#pe = pe;
    this.#words = port.views.i32;
    this.#open = open;
    this.#sweep = sweep;
  }

  /**
   * Begins an operation.
   *
   * @param pe The far PE.
   * @param request The operation.
   * @param reply Filled at the end.
   * @returns A ticket.
   */
  begin(pe: number, request: Uint8Array, reply: Uint8Array): number {
    const port = this.#port;
    const { endings, records } = this.#open;
    const ticket = this.#open.acquire();
    const record = records.numberOf(records.indexOf(ticket));
    const at = port.recordAt(record) >>> 2;
    // The reply may come before the request is known to have left: each has its own buffer.
    const slot = this.#acquireReply();
    const from = port.payloadOf(slot);
    // 0 is that of a record that waits for no reply.
    const generation = this.#generation = ((this.#generation + 1) | 0) || 1;
    this.#words[at + RECORD.generation / 4] = generation;
    this.#words[at + RECORD.replyAt / 4] = from;
    this.#words[at + RECORD.replyBytes / 4] = reply.length;
    this.#words[at + RECORD.pending / 4] = 1;
    endings.set(ticket, { slot, from, target: reply, isReply: true });
    try {
      const message = port.acquire();
      port.views.u8.set(request, port.payloadOf(message));
      port.head(message, MESSAGE.operate, this.#pe, pe, record, reply.length, generation);
      port.send(message, rankOf(port.start, pe), request.length);
    } catch (error) {
      this.#open.giveUp(ticket, 1);
      throw error;
    }
    return ticket;
  }

  /** Takes a send buffer for a reply, waiting for others to come if too many wait for theirs. */
  #acquireReply(): number {
    if (!this.#hasRoom()) this.#port.waits.until(() => this.#hasRoom(), REPLY);
    return this.#port.acquire();
  }

  #hasRoom(): boolean {
    const { endings } = this.#open;
    if (endings.areRepliesFull) this.#sweep();
    return !endings.areRepliesFull;
  }
}
