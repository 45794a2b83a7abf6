/**
 * A lock of an array in the memory of another host: its PE takes it on behalf of this one.
 *
 * @module
 */

import { RemoteError } from "../../internal/errors.ts";
import type { Lock, LockClaim } from "./lock.ts";
import type { LockMessage } from "./messages.ts";
import type { LockMode } from "./shared_lock.ts";

/** A claim of this PE. */
interface Claim extends LockClaim {
  readonly ticket: number;
  readonly mode: LockMode;
  readonly granted: () => void;
}

/** What a far lock says to its PE. */
export type LockSay = (message: Pick<LockMessage, "kind" | "ticket" | "mode" | "body">) => void;

/** An operation that the PE of a far lock does while it holds it. */
export class FarCall {
  #outcome: (() => Uint8Array<ArrayBuffer>) | undefined;
  readonly #tell: () => void;

  /**
   * @param tell Called when it is over.
   */
  constructor(tell: () => void) {
    this.#tell = tell;
  }

  /** Whether it is over. */
  get done(): boolean {
    return this.#outcome !== undefined;
  }

  /**
   * Ends it.
   *
   * @param outcome Gives what came of it.
   */
  end(outcome: () => Uint8Array<ArrayBuffer>): void {
    this.#outcome = outcome;
    this.#tell();
  }

  /**
   * @returns What came of it.
   * @throws {RemoteError} If it failed there.
   */
  result(): Uint8Array<ArrayBuffer> {
    return this.#outcome!();
  }
}

/** The side that this PE has of a far lock. */
export class FarLock implements Lock {
  readonly #say: LockSay;
  readonly #pe: number;
  readonly #what: string;
  readonly #waiting = new Map<number, Claim>();
  /** Tickets that are held, by mode. */
  readonly #held: Record<LockMode, number[]> = { read: [], write: [] };
  /** Tickets that are being given back, and what keeps the array until that is done. */
  readonly #leaving = new Map<number, () => void>();
  readonly #calls = new Map<number, FarCall>();
  readonly #keep: () => () => void;
  readonly #guards: Record<LockMode, number> = { read: 0, write: 0 };
  #next = 0;

  /**
   * @param say Sends a message to the PE of the lock.
   * @param pe That PE.
   * @param what What it locks, for messages.
   * @param keep Keeps the array until what it gives is called.
   */
  constructor(say: LockSay, pe: number, what: string, keep: () => () => void) {
    this.#keep = keep;
    this.#say = say;
    this.#pe = pe;
    this.#what = what;
  }

  take(): boolean {
    return false;
  }

  /**
   * Has the PE of the lock do an operation while it holds it.
   *
   * @param mode How it has to hold it.
   * @param body The operation.
   * @param tell Called when it is over.
   * @returns It.
   */
  call(mode: LockMode, body: Uint8Array<ArrayBuffer>, tell: () => void): FarCall {
    const ticket = this.#next++ & 0x7fffffff;
    const call = new FarCall(tell);
    this.#calls.set(ticket, call);
    this.#say({ kind: "call", ticket, mode, body });
    return call;
  }

  /**
   * The PE of the lock has done an operation.
   *
   * @param message What came of it.
   * @returns Whether it was asked to.
   */
  answered({ body, kind, ticket }: LockMessage): boolean {
    const call = this.#calls.get(ticket);
    if (call === undefined || body === undefined) return false;
    this.#calls.delete(ticket);
    call.end(() => {
      if (kind === "result") return body;
      throw new RemoteError(new TextDecoder().decode(body), { pe: this.#pe });
    });
    return true;
  }

  ask(mode: LockMode, granted: () => void): LockClaim {
    const ticket = this.#next++ & 0x7fffffff;
    const claim = { ticket, mode, granted, withdraw: () => this.#withdraw(claim) };
    this.#waiting.set(ticket, claim);
    this.#say({ kind: "ask", ticket, mode });
    return claim;
  }

  #withdraw({ ticket, mode }: Claim): void {
    if (this.#waiting.delete(ticket)) this.#leave(ticket, mode);
  }

  /** The array lasts until its PE has taken the lock back: it may become another one then. */
  #leave(ticket: number, mode: LockMode): void {
    this.#leaving.set(ticket, this.#keep());
    this.#say({ kind: "leave", ticket, mode });
  }

  /**
   * The PE of the lock has taken it back.
   *
   * @param ticket The number of the claim.
   * @returns Whether it was given back.
   */
  left(ticket: number): boolean {
    const done = this.#leaving.get(ticket);
    this.#leaving.delete(ticket);
    done?.();
    return done !== undefined;
  }

  /**
   * The PE of the lock holds it for this one.
   *
   * @param ticket The number of the claim.
   */
  granted(ticket: number): void {
    const claim = this.#waiting.get(ticket);
    if (claim === undefined) return;
    this.#waiting.delete(ticket);
    this.#held[claim.mode].push(ticket);
    claim.granted();
  }

  release(mode: LockMode): void {
    const ticket = this.#held[mode].pop();
    if (ticket !== undefined) this.#leave(ticket, mode);
  }

  guard(mode: LockMode, change: 1 | -1): void {
    this.#guards[mode] += change;
  }

  excludes(mode: LockMode): boolean {
    return this.#guards.write > 0 || (mode === "write" && this.#guards.read > 0);
  }

  pe(): number {
    return this.#pe;
  }

  text(mode: LockMode): string {
    return `the ${mode} lock of ${this.#what}, which PE ${this.#pe} gives`;
  }
}
