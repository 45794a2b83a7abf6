/**
 * Notices processes that have given no sign of life for long: nothing else tells when a process is
 * stopped or its link is cut.
 *
 * @module
 */

import { hearers, pesOf, type Ranked } from "./ranks.ts";

/** How long a process may give no sign; all of a job has to be over 5 s after one was stopped. */
const SILENCE_MS = 3000;
/**
 * How much longer the first may take, for each process of the job: their threads start at the same
 * time, and perhaps on a few cores.
 */
const FIRST_MS = 500;
/** Processes that fall silent together do so within this time. */
const TOGETHER_MS = 1000;
/** How long others have to say that it is this process which is cut off. */
const DOUBT_MS = 600;
/** A look that comes so late means that this process itself stood still. */
const STANDSTILL_MS = 1500;

/** The signs of life that one process hears of. */
export class Silence {
  readonly #all: Ranked;
  readonly #countOf: (rank: number) => number;
  readonly #watched: readonly number[];
  readonly #seen = new Map<number, { count: number; at: number }>();
  #looked: number;

  /**
   * @param all The processes.
   * @param countOf Counts the signs of life of a process.
   * @param now The time, in milliseconds.
   */
  constructor(all: Ranked, countOf: (rank: number) => number, now: number) {
    this.#all = all;
    this.#countOf = countOf;
    this.#watched = hearers(all, -1);
    this.#looked = now;
  }

  /**
   * Looks once.
   *
   * @param now The time, in milliseconds.
   * @returns Who is silent, for the user; undefined if nobody is.
   */
  look(now: number): string | undefined {
    const stoodStill = now - this.#looked > STANDSTILL_MS;
    this.#looked = now;
    const quietMs = this.#watched.map((rank) => {
      const count = this.#countOf(rank);
      const seen = this.#seen.get(rank);
      if (seen && seen.count === count && !stoodStill) {
        return now - seen.at - (count === 0 ? FIRST_MS * this.#all.peers.length : 0);
      }
      this.#seen.set(rank, { count, at: now });
      return 0;
    });
    const longest = Math.max(0, ...quietMs);
    if (longest <= SILENCE_MS) return undefined;
    const silent = this.#watched.filter((_, i) => quietMs[i]! > SILENCE_MS - TOGETHER_MS);
    const cutOff = silent.length > 1 && silent.length === this.#watched.length;
    if (!cutOff) return `${this.#name(silent)} gave no sign of life for ${SILENCE_MS / 1000} s`;
    if (longest <= SILENCE_MS + DOUBT_MS) return undefined;
    return `${this.#name([this.#all.rank])} got no sign of life from ${this.#name(silent)} ` +
      `for ${SILENCE_MS / 1000} s`;
  }

  #name(ranks: readonly number[]): string {
    const { peers } = this.#all;
    return ranks.map((rank) => `${pesOf(this.#all, rank)} on ${peers[rank]!.host}`)
      .join(" and ");
  }
}
