/**
 * What this PE launched in a team other than the world's: how much of it is under way, and what its
 * handlers see.
 *
 * @module
 */

import type { MemoryViews } from "../internal/memory_views.ts";

/** Work that can be waited for. */
export interface Countable {
  /** Launched and not over. */
  readonly outstanding: number;
  /** Of these, how many need the event loop of this PE. */
  readonly asynchronous: number;
  /** Calls the listener once when nothing is under way. */
  onIdle(listener: () => void): void;
}

/** Who knows the teams; what arrives for them is handed to it. */
export interface TeamHost {
  /**
   * @param id A team as it is known on the wire.
   * @returns What handlers of AMs launched in the team get, or undefined if there is no such team.
   * @throws {ClosedError} If the team is closed.
   */
  context(id: number): object | undefined;
  /**
   * Takes a message of a collective.
   *
   * @param pe Where it came from.
   * @param views The memory it lies in.
   * @param at Its address.
   * @param bytes Its length.
   * @throws {ProtocolError} If it fits no team; the message says what was found.
   */
  receive(pe: number, views: MemoryViews, at: number, bytes: number): void;
}

/** The work of one team on this PE. */
export class TeamWork implements Countable {
  /** The team as it is known on the wire. */
  readonly id: number;
  /** Launched and not over. */
  outstanding = 0;
  /** Of these, how many need the event loop of this PE. */
  asynchronous = 0;
  /** AMs and closures launched so far. */
  launched = 0;
  readonly #makeContext: () => object;
  #context: object | undefined;
  #idleListeners: (() => void)[] = [];

  /**
   * @param id The team as it is known on the wire.
   * @param makeContext Makes what handlers get, when the first one runs.
   */
  constructor(id: number, makeContext: () => object) {
    this.id = id;
    this.#makeContext = makeContext;
  }

  /** What handlers of AMs launched in the team get. */
  get context(): object {
    return this.#context ??= this.#makeContext();
  }

  /**
   * A piece of work is over.
   *
   * @param asynchronous Whether it needed the event loop of this PE.
   */
  end(asynchronous: boolean): void {
    // After a failure nothing is counted any more.
    if (this.outstanding === 0) return;
    if (asynchronous) this.asynchronous--;
    if (--this.outstanding === 0) this.#tellIdle();
  }

  /** The job failed: there is nothing to wait for any more. */
  fail(): void {
    this.outstanding = 0;
    this.asynchronous = 0;
    this.#tellIdle();
  }

  #tellIdle(): void {
    for (const listener of this.#idleListeners.splice(0)) listener();
  }

  /**
   * @param listener Called once when nothing is under way.
   */
  onIdle(listener: () => void): void {
    this.#idleListeners.push(listener);
  }
}
