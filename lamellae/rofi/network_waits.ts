/**
 * Waits of a thread for its network: in place, so that nothing of the user's runs meanwhile, and
 * only the network makes progress.
 *
 * @module
 */

import type { LamellarError } from "../../internal/errors.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { failureError, isFailing, readFailure } from "../local/failure_record.ts";
import { PeStatus } from "../local/pe_status.ts";
import type { NetworkStart } from "./network_start.ts";

/** Looks before the watchdog is told: a network answers in microseconds. */
const QUIET_LOOKS = 200;

/** What a thread waits for. */
export interface NetworkWait {
  /** For messages, if the job fails meanwhile. */
  readonly op: string;
  /** For the watchdog, one of `WAIT_FOR`. */
  readonly kind: number;
  /** The PE concerned, -1 if none. */
  readonly pe: number;
}

/** The waits of one thread. */
export class NetworkWaits {
  readonly #views: MemoryViews;
  readonly #look: () => void;
  /** Of the PE of the thread; the progress thread has none. */
  readonly #status: PeStatus | undefined;
  /** When the last words to the others have to be said, by `performance.now`; 0 in a sound job. */
  #deadline = 0;
  #waiting: () => void = () => {};

  /**
   * @param start The network of the process.
   * @param views The memory.
   * @param thread The thread.
   * @param look Looks at the network, and handles what came.
   */
  constructor(start: NetworkStart, views: MemoryViews, thread: number, look: () => void) {
    const { layout, net } = start;
    this.#views = views;
    this.#look = look;
    if (thread < net.nearPes) {
      this.#status = new PeStatus(layout, views.i32, layout.firstPe + thread);
    }
  }

  /**
   * @param waiting Called in every round of a wait.
   */
  onWait(waiting: () => void): void {
    this.#waiting = waiting;
  }

  /**
   * Waits until what was tried in vain is done. If that takes long, the watchdog is told.
   *
   * @param done Tries it again, after each look at the network; returns whether it is done.
   * @param wait What is waited for.
   * @throws {LamellarError} If the job fails.
   */
  until(done: () => boolean, wait: NetworkWait): void {
    const { op } = wait;
    for (let look = 0; look < QUIET_LOOKS; look++) if (this.#isDone(done, op)) return;
    const insist = (): void => {
      while (!this.#isDone(done, op));
    };
    if (this.#status) this.#status.duringWait(wait.kind, wait.pe, insist);
    else insist();
  }

  #isDone(done: () => boolean, op: string): boolean {
    this.#look();
    this.#waiting();
    if (this.#deadline === 0 ? isFailing(this.#views) : performance.now() > this.#deadline) {
      throw this.failure(op);
    }
    return done();
  }

  /**
   * Goes on sending although the job fails.
   *
   * @param limitMs How long, in milliseconds.
   */
  lastWords(limitMs: number): void {
    this.#deadline = performance.now() + limitMs;
  }

  /**
   * @param op What could not be done.
   * @returns The failure of the job as an error.
   */
  failure(op: string): LamellarError {
    return failureError(readFailure(this.#views), op);
  }
}
