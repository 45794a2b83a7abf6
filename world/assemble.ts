/**
 * Putting together what every object of a world shares: the engine, the regions, the teams.
 *
 * @module
 */

import {
  type AmContext,
  type AmDefinition,
  AmEngine,
  type AmNumbers,
  closuresRefused,
  makeClosure,
  makeOriginClosure,
  prepareClosureParser,
  prepareMsgpack,
} from "../am/mod.ts";
import type { Config } from "../internal/config.ts";
import { type Lamella, type PeGroup, PeGroups, Progress } from "../lamellae/mod.ts";
import { RegionSpace } from "../memregion/mod.ts";
import type { WorldCore } from "./core.ts";
import { finishContext, runFinish } from "./finish.ts";
import type { LamellarTeam } from "./team.ts";
import { type Team, type TeamDescription, type TeamParent, Teams } from "./teams.ts";

/** What layers above do on each PE before anything can arrive there. */
const parts: ((core: WorldCore) => void)[] = [];

/**
 * Has a layer above take part in the world that the program builds.
 *
 * @param part Called on each PE, before any message arrives.
 */
export function addToWorld(part: (core: WorldCore) => void): void {
  parts.push(part);
}

/** What differs between a PE and a client. */
export interface CoreOptions {
  /** The AMs by id. */
  readonly definitions: readonly AmDefinition[];
  /** The ids of AMs, for a client. */
  readonly numbers?: AmNumbers;
  /** All PEs of the world as a group, on a PE. */
  readonly groupOf: (groups: PeGroups) => PeGroup | undefined;
  /** Makes the team of PEs as a client sees it. */
  readonly teamForClient?: (core: WorldCore, pes: TeamParent) => LamellarTeam;
  /** Makes a team of what another PE told. */
  readonly guestTeam: (core: WorldCore, description: TeamDescription) => Team;
}

/** What was put together. */
export interface Assembled {
  readonly core: WorldCore & { readonly release: () => void };
  /** What handlers get; the world is still missing. */
  readonly context: { -readonly [K in keyof AmContext]: AmContext[K] };
}

/**
 * Puts together what every object of a world shares. Nothing may arrive before this is over.
 *
 * @param lamella The provider.
 * @param config The settings.
 * @param options What differs between a PE and a client.
 * @returns It.
 */
export async function assembleCore(
  lamella: Lamella,
  config: Config,
  options: CoreOptions,
): Promise<Assembled> {
  const crowded = lamella.neighbours > navigator.hardwareConcurrency;
  const progress = new Progress(lamella, crowded, config.spinLoads);
  const groups = new PeGroups(progress);
  const group = options.groupOf(groups);
  await Promise.all([config.closures && prepareClosureParser(), prepareMsgpack()]);
  const regions = new RegionSpace(progress, group, groups.transfers);
  const teams = new Teams(progress, (description) => options.guestTeam(core, description));
  const context = {} as Assembled["context"];
  context.closure = (config.closures ? makeClosure : refuseClosure) as AmContext["closure"];
  context.onReturn = (config.closures ? makeOriginClosure : refuseClosure) as AmContext["onReturn"];
  const { definitions, numbers, teamForClient } = options;
  const engine = new AmEngine({
    progress,
    thresholdBytes: config.amThresholdBytes,
    closuresAllowed: config.closures,
    definitions,
    ...numbers && { numbers },
    context,
    teams,
    makeFinishContext: finishContext,
    decodeContext: { closuresAllowed: config.closures, regions },
  });
  regions.countWith(engine);
  const closing: (() => void)[] = [];
  const core: Assembled["core"] = {
    ...{ lamella, progress, groups, engine, regions, teams, config, runFinish },
    ...teamForClient && { teamForClient: (pes: TeamParent) => teamForClient(core, pes) },
    root: worldAsParent(lamella, group),
    onClose: (close) => void closing.push(close),
    closed: false,
    release() {
      for (const close of closing) close();
    },
  };
  for (const part of parts) part(core);
  return { core, context };
}

function worldAsParent({ numPes, pe }: Lamella, group: PeGroup | undefined): TeamParent {
  const pes = group?.pes ?? Array.from({ length: numPes }, (_, pe) => pe);
  const me = pes.indexOf(pe);
  const createOp = "createTeamFromArch";
  return { name: "the world", path: "", pes, parentPes: pes, me, children: 0, createOp, group };
}

function refuseClosure(): never {
  throw closuresRefused("a closure");
}
