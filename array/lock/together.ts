/**
 * The lock of a whole array that all of its PEs hold together: the PE whose part has the lock takes
 * it for all once each has called, tells the others, and gives it back when all have done so.
 *
 * @module
 */

import type { Lock } from "./lock.ts";
import type { LockMessage } from "./messages.ts";

/** What the lock of all PEs needs of its PE. */
export interface TogetherHost {
  /** The lock, at the PE that has it. */
  readonly lock: Lock;
  /** This PE, by its number in the team of the array, and the one that has the lock. */
  readonly me: number;
  readonly home: number;
  /** How many PEs there are. */
  readonly count: number;
  /** Sends a message to another PE, by its number in the team. */
  send(to: number, message: Pick<LockMessage, "kind" | "ticket" | "mode">): void;
  /** Keeps the array until what it gives is called. */
  keep(): () => void;
}

/** One time that all PEs hold the lock, as the PE knows it that has the lock. */
interface Turn {
  /** PEs that have not given it back. */
  count: number;
  readonly kept: () => void;
}

/** The side of one PE. Its tickets are below 0, by which messages tell them from others. */
export class Together {
  readonly #host: TogetherHost;
  readonly #waiting = new Map<number, () => void>();
  /** Tickets that are being given back, and what keeps the array until that is done. */
  readonly #leaving = new Map<number, () => void>();
  readonly #turns = new Map<number, Turn>();
  #last = 0;

  /**
   * @param host Its PE.
   */
  constructor(host: TogetherHost) {
    this.#host = host;
  }

  /**
   * This PE has called for it, as all others do in the same order.
   *
   * @param granted Called once it is held.
   * @returns The number of the claim.
   */
  call(granted: () => void): number {
    const ticket = --this.#last;
    this.#waiting.set(ticket, granted);
    return ticket;
  }

  /**
   * All PEs have called for it.
   *
   * @param ticket The number of the claim.
   */
  called(ticket: number): void {
    const { count, home, keep, lock, me, send } = this.#host;
    if (me !== home) return;
    this.#turns.set(ticket, { count, kept: keep() });
    const granted = (): void => {
      for (let pe = 0; pe < count; pe++) {
        if (pe !== me) send(pe, { kind: "grant", ticket, mode: "write" });
      }
      this.#granted(ticket);
    };
    if (lock.take("write")) granted();
    else lock.ask("write", granted);
  }

  #granted(ticket: number): boolean {
    const granted = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    granted?.();
    return granted !== undefined;
  }

  /**
   * This PE gives it back.
   *
   * @param ticket The number of the claim.
   */
  leave(ticket: number): void {
    const { home, keep, me, send } = this.#host;
    if (me === home) return void this.#left(ticket);
    this.#leaving.set(ticket, keep());
    send(home, { kind: "leave", ticket, mode: "write" });
  }

  #left(ticket: number): boolean {
    const turn = this.#turns.get(ticket);
    if (turn === undefined) return false;
    if (--turn.count > 0) return true;
    this.#turns.delete(ticket);
    this.#host.lock.release("write");
    turn.kept();
    return true;
  }

  /**
   * Takes a message of another PE.
   *
   * @param pe The PE, by its number in the team.
   * @param message The message.
   * @returns Whether it could come now.
   */
  receive(pe: number, { kind, ticket, mode }: LockMessage): boolean {
    const { home, me, send } = this.#host;
    if (kind === "leave") {
      if (me !== home || !this.#left(ticket)) return false;
      send(pe, { kind: "left", ticket, mode });
      return true;
    }
    if (pe !== home) return false;
    if (kind === "grant") return this.#granted(ticket);
    const done = this.#leaving.get(ticket);
    this.#leaving.delete(ticket);
    done?.();
    return done !== undefined;
  }
}
