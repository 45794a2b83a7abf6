/**
 * Counts messages that are not of the job: anybody who reaches a port can send some, and they must
 * not do any harm. The first is reported, once; an attacker must not fill the output either.
 *
 * @module
 */

import { fabricError, FI } from "../../ffi/mod.ts";
import { wakeSupervisor } from "../local/failure_record.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { CONTROL, type NetworkLayout } from "./network_layout.ts";

/** Words from the count: bytes of the first message, and the error with which it came, if any. */
const BYTES = 1;
const ERROR = 2;

/** What a process has dropped. Threads note it under the lock of the queue. */
export class Strangers {
  readonly #views: MemoryViews;
  readonly #at: number;

  /**
   * @param views The memory.
   * @param net Where the network has its words.
   */
  constructor(views: MemoryViews, net: NetworkLayout) {
    this.#views = views;
    this.#at = (net.control + CONTROL.strangers) >>> 2;
  }

  /** How many messages were dropped, up to 2^31 - 1. */
  get count(): number {
    return this.#views.i32[this.#at]!;
  }

  /**
   * Notes a message that was dropped.
   *
   * @param bytes Its length, as far as it came.
   * @param error With which error it came, a positive errno; 0 if with none.
   */
  note(bytes: number, error: number): void {
    const words = this.#views.i32;
    const count = words[this.#at]!;
    if (count === 0) {
      words[this.#at + BYTES] = bytes;
      words[this.#at + ERROR] = error;
    }
    words[this.#at] = Math.min(count + 1, 2 ** 31 - 1);
    if (count === 0) wakeSupervisor(this.#views);
  }

  /**
   * @returns What the first one was like, in words.
   */
  describeFirst(): string {
    const words = this.#views.i32;
    const error = words[this.#at + ERROR]!;
    if (error === FI.FI_ETRUNC) return "it is longer than any message of this job";
    if (error !== 0) return `it broke off: ${fabricError(error, "receive it", { op: "" }).text}`;
    return `its ${words[this.#at + BYTES]} bytes do not begin with the token of this job`;
  }
}
