/**
 * Notices processes that give no sign of life in the start of a rendezvous: rank 0 watches over the
 * members, and they over rank 0, until the processes watch each other.
 *
 * @module
 */

import {
  isLifePhase,
  LIFE_PHASES,
  LIFE_SILENCE_MS,
  type LifePhase,
} from "../../internal/life_phases.ts";

/** How often each side says that it is there, and looks, in milliseconds. */
export const BEAT_MS = 500;

/** A look that comes so late means that this process stood still itself. */
const STANDSTILL_MS = 1500;

/**
 * How much longer a process may be silent while it opens the network, for each process of the job,
 * in milliseconds: that is one call that takes a core for 0.3 s or more, and they may share few.
 */
const NETWORK_MS = 500;
/** The same whatever their number: the host may have other work. */
const NETWORK_MS_MIN = 5000;

interface Watched {
  at: number;
  phase: LifePhase;
}

/** Signs of life of some processes. */
export class StartSilence {
  readonly #size: number;
  readonly #watched = new Map<number, Watched>();
  #looked: number | undefined;

  /**
   * @param size How many processes the job has.
   */
  constructor(size: number) {
    this.#size = size;
  }

  /** Whether nobody is watched any more. */
  get isOver(): boolean {
    return this.#watched.size === 0;
  }

  /**
   * Begins to watch over a process.
   *
   * @param rank The process.
   * @param now The time, in milliseconds.
   */
  begin(rank: number, now: number): void {
    this.#watched.set(rank, { at: now, phase: "joining" });
  }

  /**
   * Notes a sign of life.
   *
   * @param rank The process.
   * @param now The time, in milliseconds.
   * @param word What it does next, if it said that; `started` ends the watch.
   */
  hear(rank: number, now: number, word?: unknown): void {
    const one = this.#watched.get(rank);
    if (!one) return;
    one.at = now;
    if (word === "started") this.end(rank);
    else if (typeof word === "string" && isLifePhase(word)) one.phase = word;
  }

  /**
   * Ends the watch over a process.
   *
   * @param rank The process.
   */
  end(rank: number): void {
    this.#watched.delete(rank);
  }

  /**
   * Looks once.
   *
   * @param now The time, in milliseconds.
   * @returns A process that has been silent for too long, and since when it was, for the user.
   */
  look(now: number): { rank: number; why: string } | undefined {
    const stoodStill = now - (this.#looked ?? now) > STANDSTILL_MS;
    this.#looked = now;
    for (const [rank, one] of this.#watched) {
      if (stoodStill) one.at = now;
      const more = one.phase === "network" ? NETWORK_MS_MIN + NETWORK_MS * this.#size : 0;
      const limitMs = LIFE_SILENCE_MS + more;
      if (now - one.at < limitMs) continue;
      const seconds = limitMs / 1000;
      return {
        rank,
        why: `gave no sign of life for ${seconds} s while it ${LIFE_PHASES[one.phase]}`,
      };
    }
    return undefined;
  }
}
