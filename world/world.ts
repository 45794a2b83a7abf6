/**
 * The world: all PEs of a job, and the same PEs as a team.
 *
 * @module
 */

import type { LamellarEnv } from "../am/mod.ts";
import { Messaging, type WorldCore } from "./messaging.ts";

/** All PEs of a job, seen from one of them. */
export class LamellarWorld extends Messaging implements LamellarEnv {
  /** The world as a team. */
  readonly team: LamellarTeam;
  readonly #released: () => void;
  #closing: Promise<void> | undefined;

  /**
   * Programs get a world from {@linkcode LamellarWorldBuilder}.
   *
   * @internal
   * @param core What every object of the world shares.
   * @param released Called once the world is closed.
   */
  constructor(core: WorldCore, released: () => void) {
    super(core);
    this.#released = released;
    this.team = new LamellarTeam(core, this);
  }

  /** This world. */
  get world(): LamellarWorld {
    return this;
  }

  /** Megabytes this PE has put into the memory of others, frames of AMs included. */
  get mbSent(): number {
    return (this.core.lamella.bytesPut + this.core.regions.bytesPut) / 1e6;
  }

  /**
   * Closes the world. Collective: waits until all PEs are here and every AM is over, those launched
   * by handlers too. The runtime does it at the end of a program that does not.
   *
   * @returns Settles when the world is closed.
   * @throws {RemoteError} If an AM whose handle was ignored failed; an `AggregateError` if several
   * did.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /**
   * Hands the world over: the runtime closes it once the program has ended. It does not wait here,
   * so that an error that leaves the scope is reported at once instead of waiting for the other
   * PEs.
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.core.engine.attend();
    return Promise.resolve();
  }

  async #close(): Promise<void> {
    const { engine, collectives, progress } = this.core;
    progress.serve();
    let before = -1;
    // Two rounds with nothing under way and nothing new in between: no AM is left anywhere.
    for (;;) {
      // What is counted has to hold when nothing is under way: handlers run while `awaitAll`
      // resumes.
      do await engine.awaitAll(); while (engine.outstanding > 0);
      const own = new Uint8Array(new Float64Array([engine.launched]).buffer);
      const all = await collectives.call("world close", "", own).finished();
      const launched = all.reduce((sum, bytes) => sum + new Float64Array(bytes.buffer)[0]!, 0);
      if (launched === before) break;
      before = launched;
    }
    this.core.closed = true;
    this.core.regions.close();
    progress.close();
    this.#released();
  }
}

/** The PEs of the world as a team. */
export class LamellarTeam extends Messaging implements LamellarEnv {
  /** The world. */
  readonly world: LamellarWorld;

  /**
   * Programs get a team from a world.
   *
   * @internal
   * @param core What every object of the world shares.
   * @param world The world.
   */
  constructor(core: WorldCore, world: LamellarWorld) {
    super(core);
    this.world = world;
  }

  /** This team. */
  get team(): LamellarTeam {
    return this;
  }

  /**
   * Lists the members.
   *
   * @returns The PEs of the team, by their numbers in the world.
   */
  getPes(): number[] {
    return Array.from({ length: this.numPes }, (_, pe) => pe);
  }
}
