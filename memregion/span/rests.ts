/**
 * Operations that are made of several, at several PEs.
 *
 * @module
 */

import type { Pending } from "../transfer/pending.ts";
import type { RegionHost, Rest } from "../memory/region_memory.ts";

/** Collects what is left of several operations, as one. */
export class Rests {
  readonly #host: RegionHost;
  #all: Pending<void> | undefined;

  /**
   * @param host The space of the regions.
   */
  constructor(host: RegionHost) {
    this.#host = host;
  }

  /**
   * Adds one.
   *
   * @param rest What is left of it.
   */
  add(rest: Rest): void {
    if (rest !== undefined) (this.#all ??= this.#host.far.begin(rest.pe)).adopt(rest);
  }

  /**
   * Ends the collection.
   *
   * @returns What is left of all of them.
   */
  sealed(): Rest {
    return this.#all?.seal(() => {});
  }

  /**
   * Ends the collection because another operation was refused: what has begun is over before the
   * program hears of it.
   *
   * @param error Why.
   */
  refuse(error: unknown): never {
    this.sealed()?.wait();
    throw error;
  }
}
