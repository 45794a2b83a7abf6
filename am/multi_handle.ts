/**
 * Handles of what was launched on several PEs, and blocking on several handles.
 *
 * @module
 */

import { LamellarError } from "../internal/errors.ts";
import { type Awaited, Handle, type WaitLimit } from "../lamellae/mod.ts";
import { AmHandle, control } from "./handle.ts";

/** The codes of errors by which a handle refuses to block. */
const BLOCKING_REFUSED = [
  "ERR_BLOCKING_IN_CLIENT",
  "ERR_BLOCKING_IN_HANDLER",
  "ERR_NEEDS_EVENT_LOOP",
];

/** What handles of groups are made of. */
export const partsOfGroups: WeakMap<object, () => AmHandle<unknown>[]> = new WeakMap();

let handlesOf: (handle: MultiAmHandle<unknown>) => readonly AmHandle<unknown>[];

/**
 * An AM or closure that was launched on all PEs. It gives the results in the order of the PEs, or
 * fails with the first error.
 *
 * @category Active messages
 */
export class MultiAmHandle<T> extends Handle<T[]> {
  readonly #handles: readonly AmHandle<T>[];
  #promise: Promise<T[]> | undefined;

  /**
   * Handles come from launches.
   *
   * @ignore
   * @param handles One for each PE, in order.
   */
  constructor(handles: readonly AmHandle<T>[]) {
    super();
    this.#handles = handles;
  }

  /** Whether all results, or an error, have arrived. */
  get done(): boolean {
    const handles = this.#handles;
    return handles.every((handle) => handle.done) || handles.some(control.failed);
  }

  /** @ignore */
  protected override promised(): Promise<T[]> {
    return this.#promise ??= Promise.all(this.#handles);
  }

  /**
   * Once one handle has failed, the errors of the others count as seen.
   *
   * @ignore
   */
  protected override blocked(limit: WaitLimit | undefined): T[] {
    return inOrder(this.#handles, (handle) => control.block(handle, limit));
  }

  /** @ignore */
  protected override awaited(): Awaited {
    const first = this.#handles[0]!;
    const op = control.opOf(first);
    return { text: `for ${op} on ${this.#handles.length} PEs`, op };
  }

  static {
    handlesOf = (handle) => handle.#handles;
  }
}

/**
 * Blocks on handles one after the other. If one fails, its error is thrown, and the errors of the
 * others count as seen.
 *
 * @param handles The handles.
 * @returns Their values, in their order.
 */
export function blockInOrder<T>(handles: readonly { block(): T }[]): T[] {
  return inOrder(handles, (handle) => handle.block());
}

function inOrder<H, T>(handles: readonly H[], block: (handle: H) => T): T[] {
  return handles.map((handle) => {
    try {
      return block(handle);
    } catch (error) {
      if (!saysNothing(error, handle)) handles.forEach(observe);
      throw error;
    }
  });
}

function observe(handle: unknown): void {
  if (handle instanceof AmHandle) control.observe(handle);
  else if (handle instanceof MultiAmHandle) handlesOf(handle).forEach(control.observe);
  else if (handle instanceof Handle) partsOfGroups.get(handle)?.().forEach(control.observe);
}

/**
 * What refuses to block, or has no more time, says nothing of how the work ends.
 *
 * @param error What a handle threw.
 * @param handle The handle.
 * @returns Whether it is so.
 */
export function saysNothing(error: unknown, handle: unknown): boolean {
  if (handle instanceof Handle && !handle.done) return true;
  return error instanceof LamellarError &&
    BLOCKING_REFUSED.includes(error.code);
}
