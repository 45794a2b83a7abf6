/**
 * Rows of an output that are begun and not ended, such as counts of what is done, which are written
 * over: nobody else goes on in such a row. The PEs of a process, and its supervisor, share a word
 * for each output, which says whose row is open, and is a lock while somebody writes.
 *
 * Only labelled outputs have this: others are passed on as they were written.
 *
 * @module
 */

import { atomicCompareExchange, atomicStore, atomicWait } from "../../internal/atomics.ts";
import { HEADER } from "../local/layout.ts";

/** An output. */
export type StreamName = "stdout" | "stderr";

/** Writers are numbered; no PE is the supervisor. */
const NOBODY = 0;
const SUPERVISOR = -1;
const FIRST_PE = 2;
/** Whoever holds the word for longer writes to a reader that takes nothing, or has ended. */
const LOCK_MS_MAX = 2000;
const LOOK_MS = 1;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** The row of one output, as one writer sees it. */
export class OpenRow {
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #self: number;

  /**
   * @param words The shared memory.
   * @param name The output.
   * @param pe The PE that writes; without one it is the supervisor.
   */
  constructor(words: Int32Array, name: StreamName, pe: number = SUPERVISOR) {
    this.#words = words;
    this.#index = (HEADER.openRows >>> 2) + (name === "stdout" ? 0 : 1);
    this.#self = pe + FIRST_PE;
  }

  /**
   * Writes, in a row of its own if another writer's is open and is not to be written over.
   *
   * @param make Makes what is to be written; told whether the last row of this writer is open.
   * @param put Writes it.
   */
  write(make: (goesOn: boolean) => Uint8Array, put: (bytes: Uint8Array) => void): void {
    const open = this.#lock();
    let next = open;
    try {
      const bytes = make(open === this.#self);
      if (bytes.length === 0) return;
      const joins = open === NOBODY || open === this.#self || bytes[0] === CARRIAGE_RETURN;
      put(joins ? bytes : afterLineFeed(bytes));
      next = bytes.at(-1) === LINE_FEED ? NOBODY : this.#self;
    } finally {
      atomicStore(this.#words, this.#index, next);
    }
  }

  /** Returns whose row is open. The word holds that, and its complement while it is locked. */
  #lock(): number {
    let open = NOBODY;
    for (let waitedMs = 0; waitedMs < LOCK_MS_MAX;) {
      const found = atomicCompareExchange(this.#words, this.#index, open, ~open);
      if (found === open) break;
      if (found >= 0) open = found;
      else {
        atomicWait(this.#words, this.#index, found, LOOK_MS);
        waitedMs += LOOK_MS;
      }
    }
    return open;
  }
}

function afterLineFeed(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(bytes.length + 1);
  all[0] = LINE_FEED;
  all.set(bytes, 1);
  return all;
}

/**
 * Lets what this thread reports begin a row of its own; for the supervisor, whose thread runs
 * nothing of the user's.
 *
 * @param words The shared memory.
 */
export function reportInOwnRow(words: Int32Array): void {
  const report = console.error;
  const row = new OpenRow(words, "stderr");
  console.error = (text: string) =>
    row.write(
      () => new TextEncoder().encode(`${text}\n`),
      (bytes) => report("%s", new TextDecoder().decode(bytes.subarray(0, -1))),
    );
}
