/**
 * Handles of collectives.
 *
 * @module
 */

import type { Collective } from "./operation.ts";
import { Handle } from "../handle.ts";
import type { Awaited, WaitLimit } from "../wait_limit.ts";

/**
 * A collective that this PE has called. It gives its value once every PE has called it.
 *
 * @category World
 */
export class CollectiveHandle<T> extends Handle<T> {
  readonly #collective: Collective;
  readonly #finish: (contributions: Uint8Array[]) => T;
  #state: "pending" | "made" | "failed" = "pending";
  /** The result, or the error of making it. */
  #outcome: unknown;
  #promise: Promise<T> | undefined;

  /**
   * Programs get handles from what they call.
   *
   * @param collective The collective.
   * @param finish Makes the result of what all PEs contributed; called once.
   * @ignore
   */
  constructor(collective: Collective, finish: (contributions: Uint8Array[]) => T) {
    super();
    this.#collective = collective;
    this.#finish = finish;
  }

  /** Whether every PE has called it, or it has failed. */
  get done(): boolean {
    return this.#collective.done;
  }

  /** @ignore */
  protected override promised(): Promise<T> {
    return this.#promise ??= this.#collective.finished().then((all) => this.#result(all));
  }

  /** @ignore */
  protected override blocked(limit: WaitLimit | undefined): T {
    // Asked each time: inside a handler it is refused, whether or not the collective is over.
    return this.#result(this.#collective.block(limit));
  }

  /** @ignore */
  protected override awaited(): Awaited {
    return this.#collective.awaited;
  }

  /**
   * A handle of the same collective that gives something else.
   *
   * @param map Makes it of what this one would give; called once.
   * @returns The handle, in the place of this one.
   * @ignore
   */
  mapped<U>(map: (value: T) => U): CollectiveHandle<U> {
    return new CollectiveHandle(this.#collective, (all) => map(this.#result(all)));
  }

  /**
   * Makes the result as soon as the collective is over, whether or not the program looks at it.
   *
   * @param over Called then, or when the collective has failed.
   * @returns This.
   * @ignore
   */
  eagerly(over: () => void): this {
    this.#collective.onOver((contributions) => {
      try {
        if (contributions) this.#result(contributions);
      } catch {
        // Whoever looks at it gets the error.
      }
      over();
    });
    return this;
  }

  #result(contributions: Uint8Array[]): T {
    if (this.#state === "pending") {
      try {
        this.#outcome = this.#finish(contributions);
        this.#state = "made";
      } catch (error) {
        this.#outcome = error;
        this.#state = "failed";
      }
    }
    if (this.#state === "failed") throw this.#outcome;
    return this.#outcome as T;
  }
}

/**
 * A barrier that this PE has entered.
 *
 * @category World
 */
export type BarrierHandle = CollectiveHandle<void>;

/**
 * @param collective A barrier.
 * @returns Its handle.
 */
export function barrierHandle(collective: Collective): BarrierHandle {
  return new CollectiveHandle(collective, () => {});
}
