/**
 * Handles of waits for values.
 *
 * @module
 */

import {
  type Awaited,
  checkWaitOptions,
  Handle,
  startLimit,
  WAIT_FOR,
  WaitLimit,
  type WaitOptions,
} from "../../lamellae/mod.ts";
import { labelOf } from "../memory/refusals.ts";
import type { Condition } from "./wait_conditions.ts";
import type { Pending, Waits } from "./waits.ts";

/**
 * A wait for one or several values. It begins when you await it or block on it, not before. Once it
 * is over, it stays done.
 *
 * @category Memory regions
 */
export class WaitHandle<T = void> extends Handle<T> {
  readonly #waits: Waits;
  readonly #condition: Condition<T>;
  /** The limit it was made with. */
  readonly #options: WaitOptions;
  #over = false;
  #promise: Promise<T> | undefined;

  /**
   * @param waits The waits of the PE.
   * @param condition What is waited for.
   * @param options When to stop waiting.
   * @ignore
   */
  constructor(waits: Waits, condition: Condition<T>, options: WaitOptions) {
    super();
    checkWaitOptions(options, `wait for a value in ${labelOf(condition.memory)}`);
    this.#waits = waits;
    this.#condition = condition;
    this.#options = options;
  }

  /**
   * Whether the wait is over: the value is there, or never can be because the region was disposed.
   */
  get done(): boolean {
    try {
      return this.#holds();
    } catch {
      return true;
    }
  }

  /** @ignore */
  protected override promised(): Promise<T> {
    this.#promise ??= this.#start([this.#options]);
    return this.#waits.progress.paced(this.#promise);
  }

  /**
   * Each has a wait of its own, which ends with it.
   *
   * @ignore
   */
  protected override promisedWithin(options: WaitOptions): Promise<T> {
    return this.#waits.progress.paced(this.#start([this.#options, options]));
  }

  /** @ignore */
  protected override blocked(limit: WaitLimit | undefined): T {
    const { memory, op } = this.#condition;
    const { progress } = this.#waits;
    progress.refuseBlocking(op);
    if (this.#holds()) return this.#condition.result;
    const { allocation, localPart } = memory;
    allocation.countWait(localPart, 1);
    try {
      const reason = { kind: WAIT_FOR.value, pe: -1 };
      progress.block(() => this.#holds(), op, reason, this.#both(limit));
      return this.#condition.result;
    } finally {
      allocation.countWait(localPart, -1);
    }
  }

  /** The limit it was made with, and that of a `block`. */
  #both(limit: WaitLimit | undefined): WaitLimit | undefined {
    const { signal, timeoutMs } = this.#options;
    if (signal === undefined && timeoutMs === undefined) return limit;
    return new WaitLimit(this.#options, () => this.awaited(), limit ? [limit] : []);
  }

  /** @ignore */
  protected override awaited(): Awaited {
    return { text: `until ${this.#condition}`, op: this.#condition.op };
  }

  #holds(): boolean {
    return this.#over ||= this.#condition.holds();
  }

  async #start(limits: readonly WaitOptions[]): Promise<T> {
    const waits = this.#waits;
    waits.progress.checkFailure();
    if (this.#holds()) return this.#condition.result;
    const aborted = limits.find(({ signal }) => signal?.aborted);
    if (aborted) throw aborted.signal!.reason;
    const { allocation, localPart } = this.#condition.memory;
    allocation.countWait(localPart, 1);
    let ends: (() => void)[] = [];
    try {
      // Whoever writes from here on wakes this PE.
      if (this.#holds()) return this.#condition.result;
      await new Promise<void>((resolve, reject) => {
        const pending: Pending = {
          holds: () => this.#holds(),
          settle: (error) => error === undefined ? resolve() : reject(error),
        };
        waits.add(pending);
        const over = (error: unknown): void => {
          waits.remove(pending);
          reject(error);
        };
        ends = limits.map((limit) => startLimit(limit, () => this.awaited(), over, false));
      });
      return this.#condition.result;
    } finally {
      for (const end of ends) end();
      allocation.countWait(localPart, -1);
    }
  }
}
