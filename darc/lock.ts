/**
 * The lock of a Darc on one PE: that of its own instance, or its side of the one for all PEs.
 *
 * @module
 */

import { LockClient, type LockHolder, type LockHome, type LockMessage } from "./global_lock.ts";
import { EVERYBODY, type LockMode, LockQueue } from "./lock_queue.ts";

/** What comes of a claim. */
export type Answer = (granted: boolean) => void;

/** What guards and handles need of a lock. */
export interface Lock {
  /**
   * Asks for the lock.
   *
   * @param kind Whether to wait for it.
   * @param mode How it is to be held.
   * @param answer Is told what comes of it, perhaps before this returns.
   * @returns The number of the claim.
   */
  ask(kind: "ask" | "try", mode: LockMode, answer: Answer): number;
  /** Gives a claim up, held or not. */
  leave(ticket: number): void;
  /** Asks who holds the lock. */
  inquire(ticket: number): void;
  /** Who holds the lock that a claim waits for, in words; "" if that is not known. */
  heldBy(ticket: number): string;
  /** The PE of who holds it; -1 if that is not known. */
  holderOf(ticket: number): number;
}

/** The lock of the instance of one PE. */
export class LocalLock implements Lock {
  readonly #pe: number;
  readonly #answers = new Map<number, Answer>();
  readonly #queue = new LockQueue(({ ticket }) => {
    const answer = this.#answers.get(ticket)!;
    this.#answers.delete(ticket);
    answer(true);
  });
  #next = 0;

  /**
   * @param pe This PE.
   */
  constructor(pe: number) {
    this.#pe = pe;
  }

  /**
   * @param mode How the lock is to be held.
   * @returns Whether a claim would get it at once.
   */
  isFree(mode: LockMode): boolean {
    return this.#queue.isFree(mode);
  }

  ask(_kind: "ask" | "try", mode: LockMode, answer: Answer): number {
    const ticket = this.#next++;
    this.#answers.set(ticket, answer);
    this.#queue.ask(this.#pe, ticket, mode);
    return ticket;
  }

  leave(ticket: number): void {
    this.#answers.delete(ticket);
    this.#queue.leave(this.#pe, ticket);
  }

  inquire(): void {}

  heldBy(): string {
    const { holders } = this.#queue;
    const [first] = holders;
    if (first === undefined) return "";
    return holderText("this PE", first.mode, holders.length, first.since);
  }

  holderOf(): number {
    return this.#pe;
  }
}

/** The side that one PE has of the lock for all PEs. */
export class GlobalLock implements Lock {
  /** The queue, at the home. */
  readonly home: LockHome | undefined;
  readonly #client: LockClient;
  readonly #answers = new Map<number, Answer>();
  /** Who holds the lock, as it was told to claims that have waited for long. */
  readonly #told = new Map<number, LockHolder & { readonly at: number }>();
  #together = 0;

  /**
   * @param homePe The home.
   * @param send Sends a message to a PE.
   * @param home The queue, at the home.
   */
  constructor(
    homePe: number,
    send: (pe: number, message: LockMessage) => void,
    home: LockHome | undefined,
  ) {
    this.home = home;
    this.#client = new LockClient(homePe, send, (ticket, granted) => {
      const answer = this.#answers.get(ticket);
      this.#forget(ticket);
      answer?.(granted);
    });
  }

  ask(kind: "ask" | "try", mode: LockMode, answer: Answer): number {
    const ticket = this.#client.nextTicket;
    this.#answers.set(ticket, answer);
    this.#client.ask(kind, mode);
    return ticket;
  }

  /**
   * Expects the lock for all PEs together, which the home asks for once all have called for it.
   *
   * @param answer Is told when it is there.
   * @returns The number of the claim.
   */
  expectTogether(answer: Answer): number {
    const ticket = -1 - this.#together++;
    this.#answers.set(ticket, answer);
    this.#client.expectTogether(ticket);
    return ticket;
  }

  leave(ticket: number): void {
    this.#forget(ticket);
    this.#client.leave(ticket);
  }

  inquire(ticket: number): void {
    this.#client.watch(ticket);
  }

  /**
   * Takes a message.
   *
   * @param pe Where it came from.
   * @param message The message.
   * @returns Whether it could come now.
   */
  receive(pe: number, message: LockMessage): boolean {
    switch (message.kind) {
      case "tell":
        if (!this.#answers.has(message.ticket)) return true;
        this.#told.set(message.ticket, { ...message, at: Date.now() });
        return true;
      case "grant":
      case "deny":
        this.#client.receive(message);
        return true;
      default:
        return this.home?.receive(pe, message) ?? false;
    }
  }

  heldBy(ticket: number): string {
    const told = this.#told.get(ticket);
    if (told === undefined) return "";
    const who = told.pe === EVERYBODY ? "all PEs together" : `PE ${told.pe}`;
    return holderText(who, told.mode, told.count, told.at - told.heldMs);
  }

  holderOf(ticket: number): number {
    return this.#told.get(ticket)?.pe ?? -1;
  }

  #forget(ticket: number): void {
    this.#answers.delete(ticket);
    this.#told.delete(ticket);
  }
}

function holderText(who: string, mode: LockMode, count: number, since: number): string {
  const others = count > 1 ? ` and ${count - 1} more` : "";
  const held = mode === "read" ? "for reading" : "for writing";
  const [time] = new Date(since).toTimeString().split(" ");
  const verb = who.startsWith("all") || count > 1 ? "have" : "has";
  return `${who}${others} ${verb} held ${held} since ${time}`;
}
