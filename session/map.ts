/**
 * A work queue over all PEs: items in, results out, as iterables.
 *
 * @module
 */

import type { AmHandle, LaunchOptions } from "../am/mod.ts";
import { LamellarError } from "../internal/errors.ts";
import { checkWaitOptions } from "../lamellae/mod.ts";

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

/** What a queue needs of its session. */
export interface MapHost<T, R> {
  /** Why nothing can be begun any more, if it is so. */
  readonly stopped: LamellarError | undefined;
  /** Calls back when that changes; returns what takes the listener back. */
  onStop(listener: () => void): () => void;
  /** Whether one more item may be begun; if not now, it calls back when one may. */
  hasRoom(then: () => void): boolean;
  /** Begins the work of one item. */
  launch(item: T, options: LaunchOptions): AmHandle<R>;
}

/** An item that is over, or under way. */
interface Entry<R> {
  /** What came of it; undefined while it is under way. */
  outcome?: { readonly value: R } | { readonly error: unknown } | "none";
}

/** Of as many items without a result, one lets the event loop have the thread. */
const NONES = 100;

/** One run of a queue. */
export class MapRun<T, R> {
  readonly #items: AsyncIterator<T> | Iterator<T>;
  readonly #host: MapHost<T, R>;
  readonly #options: MapOptions<T>;
  readonly #concurrency: number;
  /** Those whose results were not given yet, in the order of the items or of their ends. */
  readonly #entries: Entry<R>[] = [];
  #taken = 0;
  #done = 0;
  #isExhausted = false;
  /** Whether the next item was asked for and is not there yet. */
  #isPulling = false;
  #waitsForRoom = false;
  /** Tells whoever waits that something has changed. */
  #wake: () => void = () => {};

  /**
   * @param items What there is to do.
   * @param host The session.
   * @param concurrency How many items are under way at once, if the options do not say it.
   * @param options How.
   * @throws {RangeError} If the concurrency is not an integer of at least 1.
   * @throws {TypeError} If the items are not iterable, or an option is of another type.
   */
  constructor(
    items: Iterable<T> | AsyncIterable<T>,
    host: MapHost<T, R>,
    concurrency: number,
    options: MapOptions<T>,
  ) {
    this.#options = checkedOptions(options);
    this.#concurrency = options.concurrency ?? concurrency;
    this.#items = iteratorOf(items);
    this.#host = host;
  }

  /**
   * Gives the results. What is under way when the iteration ends goes on, and is not waited for.
   */
  async *results(): AsyncGenerator<R, void, void> {
    const { ordered = true, signal } = this.#options;
    const wake = (): void => this.#wake();
    signal?.addEventListener("abort", wake);
    const unlisten = this.#host.onStop(wake);
    let nones = 0;
    try {
      for (;;) {
        signal?.throwIfAborted();
        const { stopped } = this.#host;
        if (stopped) throw stopped;
        this.#fill();
        const at = ordered ? 0 : this.#entries.findIndex(({ outcome }) => outcome !== undefined);
        const outcome = this.#entries[at]?.outcome;
        if (outcome === undefined) {
          if (this.#entries.length === 0 && this.#isExhausted) return;
          await new Promise<void>((resolve) => this.#wake = resolve);
          continue;
        }
        this.#entries.splice(at, 1);
        if (outcome === "none") {
          // Items that fail before they are sent are over at once, and there may be no end of them.
          if (++nones % NONES === 0) await new Promise((resolve) => setTimeout(resolve));
          continue;
        }
        if ("error" in outcome) throw outcome.error;
        yield outcome.value;
      }
    } finally {
      signal?.removeEventListener("abort", wake);
      unlisten();
      // What waits for its next item may do so for ever.
      const ended = this.#isExhausted ? undefined : this.#items.return?.();
      if (!this.#isPulling) await ended;
    }
  }

  /** Begins items as long as there may be more under way. */
  #fill(): void {
    // Results that nobody has taken count, too: items are not taken long before they are needed.
    while (
      !this.#isPulling && !this.#isExhausted && !this.#waitsForRoom &&
      this.#entries.length < this.#concurrency
    ) {
      if (!this.#host.hasRoom(() => this.#goOn())) {
        this.#waitsForRoom = true;
        return;
      }
      try {
        const next: unknown = this.#items.next();
        if (isPromise<unknown>(next)) this.#pull(next);
        else this.#take(next);
      } catch (error) {
        this.#giveUp(error);
      }
    }
  }

  #goOn(): void {
    this.#waitsForRoom = false;
    this.#wake();
  }

  #pull(next: PromiseLike<unknown>): void {
    this.#isPulling = true;
    Promise.resolve(next).then((result) => this.#take(result)).catch((error) => {
      this.#giveUp(error);
    }).finally(() => {
      this.#isPulling = false;
      this.#wake();
    });
  }

  #take(result: unknown): void {
    if (typeof result !== "object" || result === null) {
      throw new TypeError(`Cannot map: the iterator gave ${Deno.inspect(result)}, not an object`);
    }
    const { done, value } = result as IteratorResult<T>;
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
    const begun = Promise.try(() => this.#host.launch(item, signal ? { signal } : {}));
    begun.then(
      (value) => this.#end(entry, { value }),
      (error) => this.#end(entry, this.#failed(item, index, error)),
    );
  }

  #failed(item: T, index: number, cause: unknown): { error: unknown } | "none" {
    const { onError, signal } = this.#options;
    // These end the queue, whatever becomes of single items.
    if (signal?.aborted) return { error: signal.reason };
    const { stopped } = this.#host;
    if (stopped) return { error: stopped };
    const error = new ItemError(item, index, cause);
    if (!onError) return { error };
    try {
      const seen: unknown = onError(error);
      if (isPromise(seen)) Promise.resolve(seen).catch((thrown) => this.#giveUpSoon(thrown));
      return "none";
    } catch (thrown) {
      return { error: thrown };
    }
  }

  /** What sees errors has failed itself, later than it was called. */
  #giveUpSoon(error: unknown): void {
    this.#giveUp(error);
    this.#wake();
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

function checkedOptions<T>(options: MapOptions<T>): MapOptions<T> {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot map with the options ${Deno.inspect(options)}`);
  }
  const { concurrency = 1, onError, onProgress, signal } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new RangeError(
      `Cannot map with the concurrency ${Deno.inspect(concurrency)}: it must be an integer of ` +
        "1 or more",
    );
  }
  for (const [name, called] of Object.entries({ onError, onProgress })) {
    if (called === undefined || typeof called === "function") continue;
    throw new TypeError(`Cannot map with ${name} ${Deno.inspect(called)}: it must be a function`);
  }
  checkWaitOptions(signal ? { signal } : {}, "map");
  return options;
}

function iteratorOf<T>(items: Iterable<T> | AsyncIterable<T>): AsyncIterator<T> | Iterator<T> {
  if (typeof items === "object" && items !== null || typeof items === "string") {
    const { [Symbol.asyncIterator]: asynchronous } = items as AsyncIterable<T>;
    if (typeof asynchronous === "function") return checkedIterator(asynchronous.call(items));
    const { [Symbol.iterator]: synchronous } = items as Iterable<T>;
    if (typeof synchronous === "function") return checkedIterator(synchronous.call(items));
  }
  throw new TypeError(`Cannot map ${Deno.inspect(items)}: it is not iterable`);
}

function checkedIterator<I extends { next: unknown }>(iterator: I): I {
  if (typeof (iterator as Partial<I> | null)?.next === "function") return iterator;
  throw new TypeError(`Cannot map: its iterator ${Deno.inspect(iterator)} has no next()`);
}

function isPromise<V>(value: unknown): value is PromiseLike<V> {
  return typeof (value as Partial<PromiseLike<V>> | null)?.then === "function";
}
