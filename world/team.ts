/**
 * A team: a set of PEs that work together. The world is one.
 *
 * @module
 */

import type { LamellarEnv } from "../am/mod.ts";
import { Messaging, type WorldCore } from "./messaging.ts";
import type { LamellarWorld } from "./world.ts";

/** The PEs of the world as a team. */
export class LamellarTeam extends Messaging implements LamellarEnv {
  /** The world. */
  readonly world: LamellarWorld;

  /**
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
   * @returns The PEs of the team, by their numbers in the world.
   */
  getPes(): number[] {
    return Array.from({ length: this.numPes }, (_, pe) => pe);
  }
}
