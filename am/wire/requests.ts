/**
 * What one PE keeps of its requests to another: the handles that are not settled yet, by number.
 *
 * @module
 */

import { type AmHandle, control } from "../handle.ts";

/** Handles the buffer has room for at first; it doubles as needed. */
const INITIAL = 256;

/** Requests to one PE. */
export class Requests {
  /** Number of the last request. */
  last = 0;
  /** How many have no answer yet. */
  unanswered = 0;
  /** All requests up to this number are settled or deferred. */
  #settled = 0;
  #handles: (AmHandle<unknown> | undefined)[] = new Array(INITIAL).fill(undefined);
  #mask = INITIAL - 1;
  readonly #deferred = new Map<number, AmHandle<unknown>>();

  /** Whether any handle is not settled. */
  get pending(): boolean {
    return this.#deferred.size > 0 || this.last !== this.#settled;
  }

  /** The handle that waits longest, of those whose handler is known to be async first. */
  get oldest(): AmHandle<unknown> | undefined {
    for (const handle of this.#deferred.values()) return handle;
    return this.#handles[(this.#settled + 1) & this.#mask];
  }

  /**
   * Adds a request.
   *
   * @param handle Its handle.
   * @returns Its number.
   */
  add(handle: AmHandle<unknown>): number {
    const number = this.last = (this.last + 1) | 0;
    if (((number - this.#settled) | 0) > this.#mask) this.#grow();
    this.#handles[number & this.#mask] = handle;
    this.unanswered++;
    return number;
  }

  #grow(): void {
    const old = this.#handles;
    const oldMask = this.#mask;
    this.#mask = oldMask * 2 + 1;
    this.#handles = new Array(this.#mask + 1).fill(undefined);
    for (let n = (this.#settled + 1) | 0; n !== this.last; n = (n + 1) | 0) {
      this.#handles[n & this.#mask] = old[n & oldMask];
    }
  }

  /**
   * Settles every request up to a number with no value.
   *
   * @param number The number.
   * @returns How many were settled, or -1 if the number was never given.
   */
  settleUpTo(number: number): number {
    if (((this.last - number) | 0) < 0 || ((number - this.#settled) | 0) < 0) return -1;
    let count = 0;
    const handles = this.#handles;
    const mask = this.#mask;
    for (let n = this.#settled; n !== number;) {
      n = (n + 1) | 0;
      const handle = handles[n & mask];
      if (handle === undefined) continue;
      handles[n & mask] = undefined;
      control.resolve(handle, undefined);
      count++;
    }
    this.#settled = number;
    this.unanswered -= count;
    this.#skipSettled();
    return count;
  }

  /**
   * Sets a request aside that has an answer of its own to come.
   *
   * @param number Its number.
   * @returns Its handle, or undefined if there is no such request.
   */
  defer(number: number): AmHandle<unknown> | undefined {
    const handle = this.take(number);
    if (handle) {
      this.#deferred.set(number, handle);
      this.unanswered++;
    }
    return handle;
  }

  /**
   * Takes the handle of a request that is answered.
   *
   * @param number Its number.
   * @returns The handle, or undefined if there is no such request.
   */
  take(number: number): AmHandle<unknown> | undefined {
    const deferred = this.#deferred.get(number);
    if (deferred) {
      this.#deferred.delete(number);
      this.unanswered--;
      return deferred;
    }
    if (((this.last - number) | 0) < 0 || ((number - this.#settled) | 0) <= 0) return undefined;
    const handle = this.#handles[number & this.#mask];
    this.#handles[number & this.#mask] = undefined;
    if (handle) this.unanswered--;
    this.#skipSettled();
    return handle;
  }

  #skipSettled(): void {
    while (this.#settled !== this.last) {
      const next = (this.#settled + 1) | 0;
      if (this.#handles[next & this.#mask] !== undefined) return;
      this.#settled = next;
    }
  }

  /**
   * Takes every handle, when the job fails.
   *
   * @returns The handles.
   */
  takeAll(): AmHandle<unknown>[] {
    const all = [
      ...this.#handles.filter((handle) => handle !== undefined),
      ...this.#deferred.values(),
    ];
    this.#handles.fill(undefined);
    this.#deferred.clear();
    this.unanswered = 0;
    this.#settled = this.last;
    return all;
  }
}
