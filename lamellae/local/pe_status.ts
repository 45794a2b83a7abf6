/**
 * What a PE does: a line of words in its block, which it writes, and by which the watchdog of its
 * process and everything that asks for its end see it.
 *
 * @module
 */

import { atomicLoad } from "../../internal/atomics.ts";
import { ACTIVITY } from "../lamella.ts";
import { BLOCK, blockOf, type Layout, NOTE_BYTES, ownPesOf } from "./layout.ts";

/** Word offsets inside the status line of a PE. */
export const STATUS = {
  /** One of {@linkcode PE_STATE}. */
  state: 0,
  /** Exit code the program has set; valid once the PE has finished. */
  exitCode: 1,
  /** One of the activities of the lamella interface. */
  activity: 2,
  waitKind: 3,
  waitPe: 4,
  /** Counts everything the PE does; standing still means no progress. */
  progress: 5,
  /** Set once the PE begins to build a world. */
  joined: 6,
  /** Set if the PE has finished by an exit rather than at the end of its program. */
  exited: 7,
  /** One of {@linkcode REST}. */
  rest: 8,
  /** One of {@linkcode LIVE}. */
  live: 9,
  /** Bytes of the note, and the kind of wait that it is about. */
  noteBytes: 10,
  noteKind: 11,
} as const;

/** Life of a PE. */
export const PE_STATE = { starting: 0, running: 1, finished: 2, failed: 3 } as const;

/** Whether timers or operations of Deno keep the program of a PE at rest alive, if it was asked. */
export const LIVE = {
  /** It was not asked since it came to rest. */
  unknown: 0,
  /** It was asked, and has yet to answer. */
  asked: 1,
  /** No: only another PE can move it, or what Deno does not count. */
  no: 2,
  /** Yes: it listens, or awaits I/O or a timer. */
  yes: 3,
} as const;

/** Whether a PE at rest can still do anything by itself. */
export const REST = {
  /** It may, or it is not known. */
  none: 0,
  /** Its program waits for other PEs, and nothing else of it is under way. */
  quiet: 1,
  /** As quiet, but its program can never go on. */
  lost: 2,
} as const;

/**
 * @param layout Where everything is.
 * @param pe A PE.
 * @param word One of `STATUS`.
 * @returns Index of that word of its status.
 */
export function statusIndex(layout: Layout, pe: number, word: number): number {
  return (blockOf(layout, pe) + BLOCK.status) / 4 + word;
}

/**
 * @param layout Where everything is.
 * @param words The memory.
 * @param word One of `STATUS`.
 * @returns That word of the status of each PE of this process.
 */
export function statusOfAll(layout: Layout, words: Int32Array, word: number): number[] {
  return ownPesOf(layout).map((pe) => atomicLoad(words, statusIndex(layout, pe, word)));
}

/** The status of a PE, as the PE writes it. */
export class PeStatus {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #noteBytes: Uint8Array;
  #note = "";

  /**
   * @param layout Where everything is.
   * @param words The memory.
   * @param pe The PE.
   */
  constructor(layout: Layout, words: Int32Array, pe: number) {
    this.#words = words;
    const block = blockOf(layout, pe);
    this.#at = (block + BLOCK.status) >>> 2;
    this.#noteBytes = new Uint8Array(words.buffer, block + BLOCK.note, NOTE_BYTES);
  }

  /**
   * @param activity What the PE does, one of `ACTIVITY`.
   * @param waitKind What it waits for, one of `WAIT_FOR`.
   * @param waitPe The PE it waits for, -1 if none.
   */
  report(activity: number, waitKind: number, waitPe: number): void {
    const words = this.#words;
    words[this.#at + STATUS.activity] = activity;
    words[this.#at + STATUS.waitKind] = waitKind;
    words[this.#at + STATUS.waitPe] = waitPe;
  }

  /**
   * @param waitKind What the PE waits for, one of `WAIT_FOR`.
   * @param text The same in words, cut where it is too long.
   */
  note(waitKind: number, text: string): void {
    const words = this.#words;
    words[this.#at + STATUS.noteKind] = waitKind;
    if (text === this.#note) return;
    this.#note = text;
    const bytes = new TextEncoder().encode(text).subarray(0, NOTE_BYTES);
    this.#noteBytes.set(bytes);
    words[this.#at + STATUS.noteBytes] = bytes.length;
  }

  /** Counts something done. */
  countProgress(): void {
    this.#words[this.#at + STATUS.progress]!++;
  }

  /**
   * Reports a wait for as long as it takes, and then again what was reported before: one wait may
   * be inside of another.
   *
   * @param waitKind What the PE waits for.
   * @param waitPe The PE it waits for, -1 if none.
   * @param wait Waits.
   */
  duringWait(waitKind: number, waitPe: number, wait: () => void): void {
    const words = this.#words;
    const activity = words[this.#at + STATUS.activity]!;
    const outerKind = words[this.#at + STATUS.waitKind]!;
    const outerPe = words[this.#at + STATUS.waitPe]!;
    this.report(ACTIVITY.blocked, waitKind, waitPe);
    try {
      wait();
      this.countProgress();
    } finally {
      this.report(activity, outerKind, outerPe);
    }
  }
}
