/**
 * How long no process has made progress, as far as this one knows. Each process includes its value
 * in its signs of life, so the values spread through the job.
 *
 * It keeps the time at which something last moved, by the clock of this process, so that values
 * from other processes go on ageing here.
 *
 * @module
 */

import { clockMs, hearers } from "../process/ranks.ts";
import { CONTROL } from "./network_layout.ts";
import type { NetworkStart } from "./network_start.ts";

/** The longest time that is told; a word could hold more, and every limit is shorter. */
const STALLED_MS_MAX = 2 ** 30;

/** The times of all processes, in the memory that the threads of this one share. */
export class Standstill {
  readonly #words: Int32Array;
  readonly #own: number;
  readonly #heard: number;
  readonly #heardRanks: readonly number[];

  /**
   * @param start The network.
   * @param words The memory of the process.
   */
  constructor(start: NetworkStart, words: Int32Array) {
    this.#words = words;
    this.#own = (start.net.control + CONTROL.stalled) >>> 2;
    this.#heard = start.net.stalled >>> 2;
    this.#heardRanks = hearers(start, -1);
  }

  /** Assumes that every process makes progress. Called once, before any other method. */
  begin(): void {
    this.tell(0);
    for (const rank of this.#heardRanks) this.hear(rank, 0);
  }

  /**
   * @param ms How long nothing has moved in this process, in milliseconds.
   */
  tell(ms: number): void {
    this.#words[this.#own] = clockMs() - Math.min(ms, STALLED_MS_MAX);
  }

  /**
   * @param rank Another process.
   * @param ms How long nothing has moved in any process, as far as that one knows, in milliseconds.
   */
  hear(rank: number, ms: number): void {
    this.#words[this.#heard + rank] = clockMs() - Math.max(0, Math.min(ms, STALLED_MS_MAX));
  }

  /**
   * @returns How long nothing has moved in any process, in milliseconds.
   */
  least(): number {
    const words = [this.#own, ...this.#heardRanks.map((rank) => this.#heard + rank)];
    const now = clockMs();
    return Math.max(0, Math.min(...words.map((word) => (now - this.#words[word]!) | 0)));
  }
}
