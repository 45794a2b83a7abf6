/**
 * Waiting for a value in one's own part of a region.
 *
 * A PE that waits says so in the header of its part, and whoever writes there through a region then
 * rings it. A write that overtakes this is noticed at the next look, at most a slice later. A plain
 * put of another process never rings, since the network alone does it; so where there are others
 * the slices are short.
 *
 * @module
 */

import { type LamellarError, TimeoutError } from "../internal/errors.ts";
import { Comparison as Code } from "../internal/kernels_element.ts";
import { type Progress, WAIT_FOR } from "../lamellae/mod.ts";
import { labelOf, refuseValue } from "./refusals.ts";
import type { RegionMemory } from "./region_memory.ts";

/** How an element is compared with a value. */
export type Comparison = "==" | "!=" | ">" | ">=" | "<" | "<=";

const CODES: Readonly<Record<Comparison, number>> = {
  "==": Code.eq,
  "!=": Code.ne,
  ">": Code.gt,
  ">=": Code.ge,
  "<": Code.lt,
  "<=": Code.le,
};

/** Options of a wait. */
export interface WaitOptions {
  /** Longest time to wait in milliseconds; the wait then ends with a `TimeoutError`. */
  timeoutMs?: number;
}

/** A wait that is being awaited. */
interface Pending {
  /** Whether the value is there; throws if the region was disposed. */
  readonly holds: () => boolean;
  readonly settle: (error: unknown) => void;
}

/** The awaited waits of a PE. */
export class Waits {
  /** The engine that looks at them. */
  readonly progress: Progress;
  #pending: Pending[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param progress The engine that looks at them.
   * @internal
   */
  constructor(progress: Progress) {
    this.progress = progress;
    progress.addPoller(() => this.#pending.length === 0 ? 0 : this.#look());
    progress.onFailure((error) => this.failAll(error));
  }

  /** How many waits are under way. */
  get count(): number {
    return this.#pending.length;
  }

  /**
   * Adds a wait.
   *
   * @param pending The wait.
   */
  add(pending: Pending): void {
    this.#pending.push(pending);
    this.progress.kick();
    this.#arm();
  }

  /**
   * Gives a wait up.
   *
   * @param pending The wait.
   */
  remove(pending: Pending): void {
    this.#pending = this.#pending.filter((other) => other !== pending);
  }

  /**
   * Ends all waits with an error.
   *
   * @param error The error.
   */
  failAll(error: LamellarError): void {
    for (const pending of this.#pending.splice(0)) pending.settle(error);
  }

  /** Looks again after a while, for writes that came without a ring. */
  #arm(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look();
      if (this.#pending.length > 0) this.#arm();
    }, this.progress.valueSliceMs);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  #look(): number {
    const over: [Pending, unknown][] = [];
    for (const pending of this.#pending) {
      try {
        if (pending.holds()) over.push([pending, undefined]);
      } catch (error) {
        over.push([pending, error]);
      }
    }
    if (over.length === 0) return 0;
    this.#pending = this.#pending.filter((pending) => !over.some(([ended]) => ended === pending));
    for (const [pending, error] of over) pending.settle(error);
    return over.length;
  }
}

/** A wait for a value: await it or block on it. It begins then, not before. */
export class WaitHandle<V> implements PromiseLike<void> {
  readonly #waits: Waits;
  readonly #memory: RegionMemory<V>;
  readonly #index: number;
  readonly #comparison: Comparison;
  readonly #value: V;
  readonly #timeoutMs: number | undefined;
  #promise: Promise<void> | undefined;

  /**
   * @param waits The waits of the PE.
   * @param memory The region.
   * @param index Index of the element in this PE's part.
   * @param comparison How to compare it.
   * @param value What with.
   * @param options When to stop waiting.
   * @internal
   */
  constructor(
    waits: Waits,
    memory: RegionMemory<V>,
    index: number,
    comparison: Comparison,
    value: V,
    options: WaitOptions,
  ) {
    const { timeoutMs } = options;
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
      throw new RangeError(
        `Cannot wait for a value in ${labelOf(memory)}: the timeout has to be 0 or more, ` +
          `got ${timeoutMs}`,
      );
    }
    this.#waits = waits;
    this.#memory = memory;
    this.#index = index;
    this.#comparison = comparison;
    this.#value = value;
    this.#timeoutMs = timeoutMs;
    this.#holds();
  }

  /**
   * Waits as `await` does.
   *
   * @param onfulfilled Called once the value is there.
   * @param onrejected Called if the time is over, the region is disposed, or the job failed.
   * @returns A promise for what the callback returns.
   */
  then<A = void, B = never>(
    onfulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#promise ??= this.#start();
    return this.#waits.progress.paced(this.#promise).then(onfulfilled, onrejected);
  }

  /**
   * Blocks this PE until the value is there; handlers go on running.
   *
   * @throws {TimeoutError} If the time is over.
   * @throws {LamellarError} Inside a handler, or when the job fails.
   */
  block(): void {
    if (this.#holds()) return;
    const { allocation, localPart } = this.#memory;
    allocation.countWait(localPart, 1);
    try {
      this.#waits.progress.block(
        () => this.#holds(),
        "waitUntil",
        { kind: WAIT_FOR.value, pe: -1 },
        this.#timeoutMs,
      );
    } catch (error) {
      throw error instanceof TimeoutError ? this.#timeout() : error;
    } finally {
      allocation.countWait(localPart, -1);
    }
  }

  #holds(): boolean {
    return holds(this.#memory, "waitUntil", this.#index, this.#comparison, this.#value);
  }

  async #start(): Promise<void> {
    const waits = this.#waits;
    waits.progress.checkFailure();
    if (this.#holds()) return;
    const { allocation, localPart } = this.#memory;
    allocation.countWait(localPart, 1);
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const pending: Pending = {
          holds: () => this.#holds(),
          settle: (error) => error === undefined ? resolve() : reject(error),
        };
        waits.add(pending);
        if (this.#timeoutMs === undefined) return;
        timer = setTimeout(() => {
          waits.remove(pending);
          reject(this.#timeout());
        }, this.#timeoutMs);
        Deno.unrefTimer(timer);
      });
    } finally {
      clearTimeout(timer);
      allocation.countWait(localPart, -1);
    }
  }

  #timeout(): TimeoutError {
    return new TimeoutError(
      `Cannot wait any longer until index ${this.#index} of ${labelOf(this.#memory)} is ` +
        `${this.#comparison} ${this.#value}: ${this.#timeoutMs} ms are over`,
      { op: "waitUntil" },
    );
  }
}

/**
 * Compares an element of this PE's part with a value.
 *
 * @param memory The region.
 * @param op What the user called.
 * @param index Index of the element.
 * @param comparison How.
 * @param value What with.
 * @returns Whether it holds.
 * @throws {TypeError} If there is no such comparison, or the value has the wrong type.
 */
export function holds<V>(
  memory: RegionMemory<V>,
  op: string,
  index: number,
  comparison: Comparison,
  value: V,
): boolean {
  const code = Object.hasOwn(CODES, comparison) ? CODES[comparison] : -1;
  if (code < 0) {
    throw new TypeError(
      `Cannot ${op} in ${labelOf(memory)}: "${comparison}" is none of ${
        Object.keys(CODES).join(" ")
      }`,
    );
  }
  const at = memory.address(op, memory.own(op), index, 1);
  if (!memory.access.accepts(value)) refuseValue(memory, op, value);
  return memory.access.test(at, code, value);
}
