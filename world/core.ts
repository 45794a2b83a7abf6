/**
 * What every object of a world shares.
 *
 * @module
 */

import type { AmEngine, FinishOptions, HandlerWorld, LamellarEnv } from "../am/mod.ts";
import type { Config } from "../internal/config.ts";
import type { Lamella, PeGroups, Progress } from "../lamellae/mod.ts";
import type { RegionSpace } from "../memregion/mod.ts";
import type { LamellarTask } from "./task.ts";
import type { TeamParent, Teams } from "./teams.ts";

/** What every object of a world shares. */
export interface WorldCore {
  readonly lamella: Lamella;
  readonly progress: Progress;
  /** The groups of this PE. */
  readonly groups: PeGroups;
  readonly engine: AmEngine;
  readonly regions: RegionSpace;
  /** The teams this PE knows. */
  readonly teams: Teams;
  /** The world as the parent of teams. */
  readonly root: TeamParent;
  readonly config: Config;
  /** Runs a body in a finish of a world, team or group. */
  runFinish<T>(
    parent: LamellarEnv,
    body: (scope: HandlerWorld) => T | PromiseLike<T>,
    options?: FinishOptions,
  ): LamellarTask<T>;
  /** Makes the team of PEs as a client sees it; undefined on a PE, which is no client. */
  readonly teamForClient?: (pes: TeamParent) => LamellarEnv["team"];
  /** Adds what a layer above does when the world is closed. */
  onClose(closing: () => void): void;
  /** Whether the world is closed. */
  closed: boolean;
}
