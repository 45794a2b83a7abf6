/**
 * Layers above that have messages of their own: they travel like AMs, but nothing counts or answers
 * them.
 *
 * @module
 */

import { ProtocolError } from "../internal/errors.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import { FRAME } from "./wire/frames.ts";
import type { Outbox, PayloadWriter } from "./wire/outbox.ts";

/** The layers, by the number that their messages carry. */
export const SERVICE = { darcs: 1, finishes: 2, arrayLocks: 3, sessions: 4 } as const;

/**
 * Takes a message; it may send others, and must not wait.
 *
 * @param pe Where it came from.
 * @param views The memory that holds it.
 * @param at Its address, a multiple of 8.
 * @param bytes Its length.
 * @throws {ProtocolError} If it is not one that could come now; the message says what was found.
 */
export type ServiceReceiver = (pe: number, views: MemoryViews, at: number, bytes: number) => void;

/** Who gets the messages of each layer. */
export class Services {
  readonly #receivers: (ServiceReceiver | undefined)[] = [];

  /**
   * @param service A number of `SERVICE`.
   * @param receiver Gets its messages.
   */
  add(service: number, receiver: ServiceReceiver): void {
    this.#receivers[service] = receiver;
  }

  /**
   * Hands a message over.
   *
   * @param service The number it carries.
   * @param pe Where it came from.
   * @param views The memory that holds it.
   * @param at Its address.
   * @param bytes Its length.
   * @throws {ProtocolError} If nobody gets it, or who does cannot read it.
   */
  receive(service: number, pe: number, views: MemoryViews, at: number, bytes: number): void {
    const receiver = this.#receivers[service];
    if (!receiver) throw new ProtocolError(`a message for service ${service}`);
    receiver(pe, views, at, bytes);
  }
}

/**
 * Sends a message, which is published with others that go the same way.
 *
 * @param outbox Sends it.
 * @param pe The PE that gets it.
 * @param service A number of `SERVICE`.
 * @param bytes Its length.
 * @param write Writes it.
 */
export function sendService(
  outbox: Outbox,
  pe: number,
  service: number,
  bytes: number,
  write: PayloadWriter,
): void {
  const at = outbox.begin(pe, FRAME.service, service, bytes);
  write(outbox.views, at);
  outbox.end(0);
}

/**
 * Sends a message of a collective of a team. Nothing counts it or answers it, and it does not wait
 * for others that go the same way.
 *
 * @param outbox Sends it.
 * @param pe The PE that gets it.
 * @param bytes Its length.
 * @param write Writes it.
 */
export function sendCollective(
  outbox: Outbox,
  pe: number,
  bytes: number,
  write: PayloadWriter,
): void {
  outbox.sendWritten(pe, FRAME.collective, bytes, write);
  outbox.flush();
}
