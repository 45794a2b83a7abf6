/**
 * For how long nothing has moved in any process, as far as one of them knows: each says it with its
 * signs of life, and so it goes round.
 *
 * What is kept is when something moved last, by the clock of this process: what was heard a while
 * ago goes on ageing here.
 *
 * @module
 */

import { clockMs, hearers } from "../process/ranks.ts";
import { CONTROL } from "./network_layout.ts";
import type { NetworkStart } from "./network_start.ts";

/** Longest time that is told; a word holds more, and no limit is as long. */
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

  /** Takes everything for moving; called once, before anybody else uses it. */
  begin(): void {
    this.tell(0);
    for (const rank of this.#heardRanks) this.hear(rank, 0);
  }

  /**
   * @param ms For how long nothing moved in this process, in milliseconds.
   */
  tell(ms: number): void {
    this.#words[this.#own] = clockMs() - Math.min(ms, STALLED_MS_MAX);
  }

  /**
   * @param rank Another process.
   * @param ms For how long nothing moved in any as it knows, in milliseconds.
   */
  hear(rank: number, ms: number): void {
    this.#words[this.#heard + rank] = clockMs() - Math.max(0, Math.min(ms, STALLED_MS_MAX));
  }

  /**
   * @returns For how long nothing moved in any process, in milliseconds.
   */
  least(): number {
    const words = [this.#own, ...this.#heardRanks.map((rank) => this.#heard + rank)];
    const now = clockMs();
    return Math.max(0, Math.min(...words.map((word) => (now - this.#words[word]!) | 0)));
  }
}
