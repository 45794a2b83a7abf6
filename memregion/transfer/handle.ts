/**
 * Handles of RMA operations, to await or block on.
 *
 * @module
 */

import {
  type Awaited,
  Handle,
  type Progress,
  type WaitLimit,
  type WaitOptions,
} from "../../lamellae/mod.ts";
import { Pending } from "./pending.ts";
import type { Given } from "../memory/region_memory.ts";

/**
 * An operation on a memory region. It has started when you get its handle, so you may ignore the
 * handle: `waitAll` then covers it, and throws its error. If the PE is near, the operation is even
 * complete by then, and awaiting the handle only lets handlers run, and now and then timers and
 * I/O. You may block on it inside a handler; nothing else runs meanwhile.
 *
 * @category Memory regions
 */
export class RmaHandle<T> extends Handle<T> {
  readonly #progress: Progress;
  readonly #value: Given<T>;
  #promise: Promise<T> | undefined;

  /**
   * @param progress The engine that gets a chance to work when the handle is awaited.
   * @param value What the operation gave, or the operation.
   * @ignore
   */
  constructor(progress: Progress, value: Given<T>) {
    super();
    this.#progress = progress;
    this.#value = value;
  }

  /**
   * Whether the operation is complete: a put is then visible at its target and to the handler of
   * every active message sent afterwards.
   */
  get done(): boolean {
    const value = this.#value;
    return !isFar(value) || value.advance();
  }

  /**
   * Blocks this PE until the operation is complete. Inside a handler nothing else runs meanwhile.
   *
   * @param options When to stop waiting.
   * @returns What the operation gave.
   * @throws {TimeoutError} If the time is up.
   */
  override block(options?: WaitOptions): T {
    const value = this.#value;
    // A value that is there is given at once: to ask further costs as much as the get.
    return isFar(value) || options !== undefined ? super.block(options) : value;
  }

  /** @ignore */
  protected override promised(): Promise<T> {
    const value = this.#value;
    const far = isFar(value);
    this.#promise ??= far ? value.promise() : Promise.resolve(value);
    return this.#progress.paced(this.#promise, !far);
  }

  /** @ignore */
  protected override blocked(limit: WaitLimit | undefined): T {
    const value = this.#value;
    return isFar(value) ? value.block(limit) : value;
  }

  /** @ignore */
  protected override awaited(): Awaited {
    const value = this.#value;
    if (!isFar(value)) return { text: "for memory" };
    return { text: `for memory of PE ${value.pe}`, pe: value.pe };
  }
}

/**
 * Waits in place for what an operation gives.
 *
 * @param value The value, or the operation that gives it.
 * @returns The value.
 */
export function settled<T>(value: Given<T>): T {
  return isFar(value) ? value.wait() : value;
}

/** Most values are numbers, of which the first look takes no time. */
function isFar<T>(value: Given<T>): value is Pending<T> {
  return typeof value === "object" && value instanceof Pending;
}
