/**
 * The protocol of a lock that all PEs share, as two state machines without I/O: the home of the
 * lock has the queue, every PE its own claims. Messages from one PE to another arrive in the order
 * in which they were sent; those of different PEs come in any order.
 *
 * A claim can be given up at any time. If the grant is under way then, the PE drops it when it
 * comes, and the home takes what gives the claim up for the release of the lock.
 *
 * @module
 */

import { EVERYBODY, keyOf, type LockMode, LockQueue, type LockState } from "./lock_queue.ts";

/** A message of the protocol. The number of a claim is below 0 if all PEs hold it together. */
export type LockMessage =
  /** To the home: wants the lock. */
  | { readonly kind: "ask"; readonly ticket: number; readonly mode: LockMode }
  /** To the home: wants it now or not at all. */
  | { readonly kind: "try"; readonly ticket: number; readonly mode: LockMode }
  /** To the home: gives a claim up, held or not. */
  | { readonly kind: "leave"; readonly ticket: number }
  /** To the home: wants to be told who holds it as long as the claim waits. */
  | { readonly kind: "watch"; readonly ticket: number }
  | { readonly kind: "grant"; readonly ticket: number }
  /** Says no to `try`. */
  | { readonly kind: "deny"; readonly ticket: number }
  | ({ readonly kind: "tell"; readonly ticket: number } & LockHolder);

/** Who holds a lock, or several hold it together. */
export interface LockHolder {
  /** One of them; {@linkcode EVERYBODY} for a collective claim. */
  readonly pe: number;
  readonly mode: LockMode;
  /** How many claims there are. */
  readonly count: number;
  /** For how long the first has had it, in milliseconds. */
  readonly heldMs: number;
}

/** Sends a message to a PE; what it leads to may not call back. */
export type SendLockMessage = (pe: number, message: LockMessage) => void;

/** A claim that waits and has asked to be told who holds the lock. */
interface Watcher {
  readonly pe: number;
  readonly ticket: number;
}

/** What the home of a lock knows, which can be copied. */
export interface LockHomeState {
  readonly lock: LockState;
  readonly watchers: Map<number, Watcher>;
}

/** The home of a lock. */
export class LockHome {
  readonly state: LockHomeState;
  readonly #queue: LockQueue;
  readonly #pes: readonly number[];
  readonly #send: SendLockMessage;

  /**
   * @param pes The PEs that share the lock.
   * @param send Sends a message.
   * @param state Where it goes on.
   */
  constructor(pes: readonly number[], send: SendLockMessage, state?: LockHomeState) {
    this.#pes = pes;
    this.#send = send;
    this.state = state ?? {
      lock: { holders: new Map(), waiting: new Map() },
      watchers: new Map(),
    };
    this.#queue = new LockQueue(({ pe, ticket }) => {
      if (pe !== EVERYBODY) return this.#grant(pe, ticket);
      for (const one of this.#pes) this.#send(one, { kind: "grant", ticket });
    }, this.state.lock);
  }

  /**
   * Asks for the lock for all PEs together, once each of them has called for it.
   *
   * @param ticket The number of the claim, below 0 and the same on all PEs.
   */
  askTogether(ticket: number): void {
    this.#queue.ask(EVERYBODY, ticket, "write", this.#pes.length);
    this.#tellWatchers();
  }

  /**
   * Takes a message.
   *
   * @param pe Where it came from.
   * @param message The message.
   * @returns Whether it could come now.
   */
  receive(pe: number, message: LockMessage): boolean {
    const { kind, ticket } = message;
    switch (kind) {
      case "ask":
        return ticket >= 0 && this.#queue.ask(pe, ticket, message.mode);
      case "try":
        if (ticket < 0) return false;
        if (this.#queue.isFree(message.mode)) return this.#queue.ask(pe, ticket, message.mode);
        this.#send(pe, { kind: "deny", ticket });
        return true;
      case "leave":
        this.state.watchers.delete(keyOf(pe, ticket));
        // What was denied may be given up, because the denial was under way.
        if (this.#queue.leave(ticket < 0 ? EVERYBODY : pe, ticket)) this.#tellWatchers();
        return true;
      case "watch":
        this.#watch({ pe, ticket });
        return true;
      default:
        return false;
    }
  }

  #grant(pe: number, ticket: number): void {
    this.state.watchers.delete(keyOf(pe, ticket));
    this.#send(pe, { kind: "grant", ticket });
  }

  /** The claim may have been granted since. */
  #watch(watcher: Watcher): void {
    const { pe, ticket } = watcher;
    if (!this.state.lock.waiting.has(keyOf(ticket < 0 ? EVERYBODY : pe, ticket))) return;
    this.state.watchers.set(keyOf(pe, ticket), watcher);
    this.#tell(watcher);
  }

  #tellWatchers(): void {
    for (const watcher of this.state.watchers.values()) this.#tell(watcher);
  }

  #tell({ pe, ticket }: Watcher): void {
    const { holders } = this.#queue;
    const first = holders[0];
    if (first === undefined) return;
    const { mode, since } = first;
    const heldMs = Math.max(0, Date.now() - since);
    this.#send(pe, { kind: "tell", ticket, pe: first.pe, mode, count: holders.length, heldMs });
  }
}

/** What a PE knows of its own claims, which can be copied. */
export interface LockClientState {
  /** The number of the next claim. */
  next: number;
  readonly waiting: Set<number>;
  readonly held: Set<number>;
}

/** What comes of a claim. */
export type Answered = (ticket: number, granted: boolean) => void;

/** The claims of one PE. */
export class LockClient {
  readonly state: LockClientState;
  readonly #home: number;
  readonly #send: SendLockMessage;
  readonly #answered: Answered;

  /**
   * @param home The home of the lock.
   * @param send Sends a message.
   * @param answered Is told what comes of each claim that is not given up; it may not call back.
   * @param state Where it goes on.
   */
  constructor(
    home: number,
    send: SendLockMessage,
    answered: Answered,
    state: LockClientState = { next: 0, waiting: new Set(), held: new Set() },
  ) {
    this.#home = home;
    this.#send = send;
    this.#answered = answered;
    this.state = state;
  }

  /** The number that the next claim gets. */
  get nextTicket(): number {
    return this.state.next;
  }

  /**
   * Asks for the lock.
   *
   * @param kind Whether to wait for it.
   * @param mode How it is to be held.
   */
  ask(kind: "ask" | "try", mode: LockMode): void {
    const ticket = this.state.next++;
    this.state.waiting.add(ticket);
    this.#send(this.#home, { kind, ticket, mode });
  }

  /**
   * Expects the lock for all PEs together; the home asks for it.
   *
   * @param ticket The number of the claim.
   */
  expectTogether(ticket: number): void {
    this.state.waiting.add(ticket);
  }

  /**
   * Gives a claim up, held or not.
   *
   * @param ticket Its number.
   */
  leave(ticket: number): void {
    const { held, waiting } = this.state;
    if (held.delete(ticket) || waiting.delete(ticket)) {
      this.#send(this.#home, { kind: "leave", ticket });
    }
  }

  /**
   * Asks who holds the lock.
   *
   * @param ticket The number of a claim.
   */
  watch(ticket: number): void {
    if (this.state.waiting.has(ticket)) this.#send(this.#home, { kind: "watch", ticket });
  }

  /**
   * Takes an answer of the home.
   *
   * @param message The message.
   */
  receive({ kind, ticket }: LockMessage): void {
    const { held, waiting } = this.state;
    // Without it, the claim was given up meanwhile, and the home learns that.
    if ((kind !== "grant" && kind !== "deny") || !waiting.delete(ticket)) return;
    if (kind === "grant") held.add(ticket);
    this.#answered(ticket, kind === "grant");
  }
}
