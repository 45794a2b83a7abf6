/**
 * By which everything that happens to a PE wakes the thread that watches over the PEs.
 *
 * @module
 */

import { atomicLoad, atomicWaitAsync } from "../../internal/atomics.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { HEADER } from "../local/layout.ts";

/** Wakes the supervisor as soon as something happens to a PE. */
export class Bell {
  readonly #words: Int32Array;
  readonly #index = HEADER.bell >>> 2;
  #wake: (() => void) | undefined;
  #pending: Promise<unknown> | undefined;

  /**
   * @param views The memory of the process.
   */
  constructor(views: MemoryViews) {
    this.#words = views.i32;
  }

  /** Its counter. */
  read(): number {
    return atomicLoad(this.#words, this.#index);
  }

  /**
   * Waits until somebody has woken it.
   *
   * @param seen The counter as read before looking.
   * @param limitMs How long it waits at most, in milliseconds.
   * @param keepsAlive Whether the process lives as long as that.
   */
  async wait(seen: number, limitMs: number, keepsAlive = true): Promise<void> {
    // A waiter stays until somebody wakes it, so there is never more than one. It does not keep the
    // process alive, the timer does.
    if (!this.#pending) {
      const pending = atomicWaitAsync(this.#words, this.#index, seen);
      if (!pending) return;
      this.#pending = pending.then(() => {
        this.#pending = undefined;
        this.#wake?.();
      });
    } else if (this.read() !== seen) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      if (!keepsAlive) Deno.unrefTimer(timer);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
