/**
 * The handle of a team that is being created.
 *
 * @module
 */

import type { Collective } from "../lamellae/mod.ts";

/** The creation of a team that this PE has called: await it or block on it. */
export class TeamHandle<T> implements PromiseLike<T> {
  readonly #collective: Collective;
  readonly #finish: (contributions: Uint8Array[]) => T;
  #outcome: (() => T) | undefined;
  #promise: Promise<T> | undefined;

  /**
   * Handles come from `createTeamFromArch` and `createSubteamFromArch`.
   *
   * @internal
   * @param collective Exchanges what the PEs want to create.
   * @param finish Makes the team, or throws; called once.
   */
  constructor(collective: Collective, finish: (contributions: Uint8Array[]) => T) {
    this.#collective = collective;
    this.#finish = finish;
  }

  /**
   * Waits until every PE of the parent has called, as `await` does.
   *
   * @param onfulfilled Called with the team.
   * @param onrejected Called with the error.
   * @returns A promise for what the callback returns.
   */
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#promise ??= this.#collective.finished().then((all) => this.#result(() => all));
    return this.#promise.then(onfulfilled, onrejected);
  }

  /**
   * Blocks this PE until every PE of the parent has called.
   *
   * @returns The team.
   */
  block(): T {
    return this.#result(() => this.#collective.block());
  }

  #result(contributions: () => Uint8Array[]): T {
    if (!this.#outcome) {
      const all = contributions();
      try {
        const value = this.#finish(all);
        this.#outcome = () => value;
      } catch (error) {
        this.#outcome = () => {
          throw error;
        };
      }
    }
    return this.#outcome();
  }
}
