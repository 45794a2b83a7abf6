/**
 * A work queue over all PEs: items in, results out, as iterables.
 *
 * @module
 */

import type { AmHandle, LaunchOptions } from "../am/mod.ts";
import { LamellarError } from "../internal/errors.ts";

/**
 * How far a queue is.
 *
 * @category Sessions
 */
export interface MapProgress {
  /** Items that are over, with or without a result. */
  readonly done: number;
  /** Items that were taken so far. */
  readonly taken: number;
}

/**
 * Options of `map`.
 *
 * @category Sessions
 */
export interface MapOptions<T> {
  /** How many items are under way at once, on all PEs together; two a PE if left out. */
  concurrency?: number;
  /** Whether results come in the order of the items, as if left out, or as they are ready. */
  ordered?: boolean;
  /** Stops the queue: no item is begun any more, and the iteration fails with the reason. */
  signal?: AbortSignal;
  /**
   * Gets each error; the queue then goes on, without a result for that item. Without it the first
   * error ends the queue.
   */
  onError?: (error: ItemError<T>) => void;
  /** Called when an item is over. */
  onProgress?: (progress: MapProgress) => void;
}

/**
 * An item of a queue failed. The cause is what failed, as awaiting a single AM would give it.
 *
 * @category Errors
 */
export class ItemError<T = unknown> extends LamellarError {
  /** The item. */
  readonly item: T;
  /** Which item it is, counted from 0. */
  readonly index: number;

  /**
   * Makes the error.
   *
   * @param item The item.
   * @param index Which item it is.
   * @param cause What failed.
   */
  constructor(item: T, index: number, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : Deno.inspect(cause);
    const pe = cause instanceof LamellarError ? cause.pe : undefined;
    super("ERR_ITEM", `Item ${index} failed: ${reason}`, {
      cause,
      op: "map",
      ...pe !== undefined && { pe },
    });
    this.item = item;
    this.index = index;
  }
}

/** Begins the work of one item. */
export type Launch<T, R> = (item: T, options: LaunchOptions) => AmHandle<R>;

/** An item that is over, or under way. */
interface Entry<R> {
  /** What came of it; undefined while it is under way. */
  outcome?: { readonly value: R } | { readonly error: unknown } | "none";
}

/** One run of a queue. */
export class MapRun<T, R> {
  readonly #items: AsyncIterator<T> | Iterator<T>;
  readonly #launch: Launch<T, R>;
  readonly #options: MapOptions<T>;
  readonly #concurrency: number;
  /** Those whose results were not given yet, in the order of the items or of their ends. */
  readonly #entries: Entry<R>[] = [];
  #taken = 0;
  #done = 0;
  #isExhausted = false;
  /** Whether the next item was asked for and is not there yet. */
  #isPulling = false;
  /** Tells whoever waits that an item is over. */
  #wake: () => void = () => {};

  /**
   * @param items What there is to do.
   * @param launch Begins an item.
   * @param numPes How many PEs there are.
   * @param options How.
   * @throws {RangeError} If the concurrency is not an integer of at least 1.
   * @throws {TypeError} If the items are not iterable.
   */
  constructor(
    items: Iterable<T> | AsyncIterable<T>,
    launch: Launch<T, R>,
    numPes: number,
    options: MapOptions<T>,
  ) {
    const { concurrency = 2 * numPes } = options;
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new RangeError(
        `Cannot map with the concurrency ${Deno.inspect(concurrency)}: it must be an integer of ` +
          "1 or more",
      );
    }
    this.#items = iteratorOf(items);
    this.#launch = launch;
    this.#options = options;
    this.#concurrency = concurrency;
  }

  /**
   * Gives the results. What is under way when the iteration ends goes on, and is not waited for.
   */
  async *results(): AsyncGenerator<R, void, void> {
    const { ordered = true, signal } = this.#options;
    const wake = (): void => this.#wake();
    signal?.addEventListener("abort", wake);
    try {
      for (;;) {
        signal?.throwIfAborted();
        this.#fill();
        const at = ordered ? 0 : this.#entries.findIndex(({ outcome }) => outcome !== undefined);
        const outcome = this.#entries[at]?.outcome;
        if (outcome === undefined) {
          if (this.#entries.length === 0 && this.#isExhausted) return;
          await new Promise<void>((resolve) => this.#wake = resolve);
          continue;
        }
        this.#entries.splice(at, 1);
        if (outcome === "none") continue;
        if ("error" in outcome) throw outcome.error;
        yield outcome.value;
      }
    } finally {
      signal?.removeEventListener("abort", wake);
      // What waits for its next item may do so for ever.
      const ended = this.#isExhausted ? undefined : this.#items.return?.();
      if (!this.#isPulling) await ended;
    }
  }

  /** Begins items as long as there may be more under way. */
  #fill(): void {
    // Results that nobody has taken count, too: items are not taken long before they are needed.
    while (
      !this.#isPulling && !this.#isExhausted && this.#entries.length < this.#concurrency
    ) {
      const next = this.#items.next();
      if (!isPromise(next)) {
        this.#take(next);
        continue;
      }
      this.#isPulling = true;
      next.then((result) => this.#take(result), (error) => this.#giveUp(error)).finally(() => {
        this.#isPulling = false;
        this.#wake();
      });
    }
  }

  #take({ done, value }: IteratorResult<T>): void {
    if (done) this.#isExhausted = true;
    else this.#begin(value);
  }

  /** The items end with an error, which comes after what there is. */
  #giveUp(error: unknown): void {
    this.#isExhausted = true;
    this.#entries.push({ outcome: { error } });
  }

  #begin(item: T): void {
    const index = this.#taken++;
    const entry: Entry<R> = {};
    this.#entries.push(entry);
    const { signal } = this.#options;
    const begun = Promise.try(() => this.#launch(item, signal ? { signal } : {}));
    begun.then(
      (value) => this.#end(entry, { value }),
      (error) => this.#end(entry, this.#failed(item, index, error)),
    );
  }

  #failed(item: T, index: number, cause: unknown): { error: unknown } | "none" {
    const error = new ItemError(item, index, cause);
    const { onError, signal } = this.#options;
    if (signal?.aborted) return { error: signal.reason };
    if (!onError) return { error };
    try {
      onError(error);
      return "none";
    } catch (thrown) {
      return { error: thrown };
    }
  }

  #end(entry: Entry<R>, outcome: NonNullable<Entry<R>["outcome"]>): void {
    this.#done++;
    entry.outcome = outcome;
    try {
      this.#options.onProgress?.({ done: this.#done, taken: this.#taken });
    } catch (error) {
      entry.outcome = { error };
    }
    this.#wake();
  }
}

function iteratorOf<T>(items: Iterable<T> | AsyncIterable<T>): AsyncIterator<T> | Iterator<T> {
  if (typeof items === "object" && items !== null || typeof items === "string") {
    const { [Symbol.asyncIterator]: asynchronous } = items as AsyncIterable<T>;
    if (typeof asynchronous === "function") return asynchronous.call(items);
    const { [Symbol.iterator]: synchronous } = items as Iterable<T>;
    if (typeof synchronous === "function") return synchronous.call(items);
  }
  throw new TypeError(`Cannot map ${Deno.inspect(items)}: it is not iterable`);
}

function isPromise<T>(value: T | PromiseLike<T>): value is Promise<T> {
  return typeof (value as Partial<PromiseLike<T>> | null)?.then === "function";
}
