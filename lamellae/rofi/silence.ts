/**
 * Notices processes that give no sign of life. A network does not tell that a process is gone: what
 * is sent to it is just never received.
 *
 * @module
 */

import { hearers, type NetworkStart } from "./network_start.ts";

/** How long a process may give none, in milliseconds. */
const SILENCE_MS = 3500;
/** How long the first may take: processes start one after the other, on machines that are full. */
const FIRST_MS = 30_000;
/** A look that comes so late means that this process itself stood still. */
const STANDSTILL_MS = 1500;

/** A process that is silent. */
export interface Silent {
  readonly rank: number;
  /** For longer than this, in milliseconds. */
  readonly limitMs: number;
}

/** Watches the signs of life of those processes that give them to this one. */
export class Silence {
  readonly #words: Int32Array;
  readonly #beats: number;
  readonly #watched: readonly number[];
  readonly #seen: Map<number, { count: number; at: number }>;
  #looked: number;

  /**
   * @param start The network of the process.
   * @param words The memory as words.
   * @param now The time in milliseconds.
   */
  constructor(start: NetworkStart, words: Int32Array, now: number) {
    this.#words = words;
    this.#beats = start.net.beats >>> 2;
    this.#watched = hearers(start, -1);
    this.#seen = new Map(this.#watched.map((rank) => [rank, { count: 0, at: now }]));
    this.#looked = now;
  }

  /**
   * @param now The time in milliseconds.
   * @returns A process that is silent, or undefined.
   */
  look(now: number): Silent | undefined {
    const stoodStill = now - this.#looked > STANDSTILL_MS;
    this.#looked = now;
    for (const rank of this.#watched) {
      const count = this.#words[this.#beats + rank]!;
      const seen = this.#seen.get(rank)!;
      const limitMs = count === 0 ? FIRST_MS : SILENCE_MS;
      if (seen.count !== count || stoodStill) this.#seen.set(rank, { count, at: now });
      else if (now - seen.at > limitMs) return { rank, limitMs };
    }
    return undefined;
  }
}
