/**
 * Tasks of the program that the world counts.
 *
 * @module
 */

import { LamellarError } from "../internal/errors.ts";
import { rejectAtAwaiter } from "../internal/stacks.ts";
import { type Awaited, Handle, type Progress } from "../lamellae/mod.ts";

/**
 * Tells whether the program waits for a task and therefore sees its error.
 *
 * @param task The task.
 * @returns Whether it is so.
 */
export let isObserved: (task: LamellarTask<unknown>) => boolean;

/**
 * A spawned task. It goes on whether or not the program waits for it. It needs the event loop, so
 * you can block on it only once it is over.
 *
 * @category World
 */
export class LamellarTask<T> extends Handle<T> {
  readonly #progress: Progress;
  readonly #promise: Promise<T>;
  readonly #op: string;
  #outcome: (() => T) | undefined;
  #observed = false;

  /**
   * Tasks come from `spawn`.
   *
   * @ignore
   * @param progress The engine of the PE.
   * @param promise What it does.
   * @param op What the user called.
   */
  constructor(progress: Progress, promise: Promise<T>, op = "spawn") {
    super();
    this.#op = op;
    this.#progress = progress;
    this.#promise = promise;
    promise.then(
      (value) => {
        this.#outcome = () => value;
      },
      (error) => {
        this.#outcome = () => {
          throw error;
        };
      },
    );
  }

  /** Whether it is over. */
  get done(): boolean {
    return this.#outcome !== undefined;
  }

  /** @ignore */
  protected override promised(): Promise<T> {
    this.#observed = true;
    // Others look at its promise too: only one that nobody else waits for leads to the awaiter.
    return new Promise((resolve) => {
      this.#promise.then(resolve, (error) => rejectAtAwaiter(resolve, error));
    });
  }

  /** @ignore */
  protected override blocked(): T {
    this.#progress.refuseBlocking("block");
    if (!this.#outcome) {
      throw new LamellarError(
        "ERR_NEEDS_EVENT_LOOP",
        `Cannot block on ${this.#what} that is not over: it needs the event loop of this PE; ` +
          "use await",
        { pe: this.#progress.lamella.pe, op: this.#op },
      );
    }
    this.#observed = true;
    return this.#outcome();
  }

  /** @ignore */
  protected override awaited(): Awaited {
    return { text: `for ${this.#what}`, op: this.#op };
  }

  get #what(): string {
    return this.#op === "spawn" ? "a task" : `a ${this.#op}`;
  }

  static {
    isObserved = (task) => task.#observed;
  }
}
