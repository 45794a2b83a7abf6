/**
 * The teams that a PE knows: those whose parent it is a member of. A team is known from the call
 * that creates it, so that whatever another PE sends once its own call is over finds it.
 *
 * The id of a team on the wire is a hash of its path: of the number it has among the teams of its
 * parent, and of the parent's path. All PEs of the parent come to the same path, since creating a
 * team is collective.
 *
 * @module
 */

import {
  type AmContext,
  type AmEngine,
  type HandlerTeam,
  type TeamHost,
  TeamWork,
} from "../am/mod.ts";
import { ClosedError, LamellarError, ProtocolError } from "../internal/errors.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import { type Collective, type Progress, WAIT_FOR } from "../lamellae/mod.ts";
import { TeamCollectives } from "./team_collectives.ts";

/** What a team is created in: the world, or another team. */
export interface TeamParent {
  /** How messages call it. */
  readonly name: string;
  /** Numbers of its parents and of itself, such as `1.2`; empty for the world. */
  readonly path: string;
  /** Its PEs by their numbers in the world. */
  readonly pes: readonly number[];
  /** Its PEs by their numbers in its parent. */
  readonly parentPes: readonly number[];
  /** This PE in these lists, -1 if it is no member. */
  readonly me: number;
  /** Teams created in it so far. */
  children: number;
  /** What creates a team in it, as the user calls it. */
  readonly createOp: string;
  /** Gives every member what each contributes. Collective. */
  exchange(own: Uint8Array): Collective;
}

/** What a team is on a PE. */
export interface TeamOptions {
  readonly engine: AmEngine;
  readonly progress: Progress;
  readonly parent: TeamParent;
  readonly path: string;
  /** The members by their numbers in the parent. */
  readonly members: readonly number[];
  /** What handlers of AMs launched in the team see of it. */
  readonly view: (team: Team) => HandlerTeam;
}

/** A team other than the world's, as one PE of its parent knows it. */
export class Team implements TeamParent {
  readonly name: string;
  readonly path: string;
  readonly id: number;
  readonly pes: readonly number[];
  readonly parentPes: readonly number[];
  readonly me: number;
  readonly createOp = "createSubteamFromArch";
  readonly work: TeamWork;
  /** Only members have them. */
  readonly collectives: TeamCollectives | undefined;
  children = 0;
  closed = false;

  /**
   * @param options What it is.
   */
  constructor(options: TeamOptions) {
    const { engine, progress, parent, path, members, view } = options;
    this.path = path;
    this.name = `team ${path}`;
    this.id = hash53(path);
    this.parentPes = members;
    this.pes = members.map((pe) => parent.pes[pe]!);
    this.me = this.pes.indexOf(progress.lamella.pe);
    this.work = new TeamWork(this.id, (): AmContext => ({ ...engine.context, team: view(this) }));
    if (this.me >= 0) this.collectives = new TeamCollectives(engine, progress, this);
  }

  /**
   * @param own What this member contributes.
   * @returns What all members do; nothing on a PE that is no member.
   */
  exchange(own: Uint8Array): Collective {
    return this.collectives?.call("createSubteamFromArch", own) ?? NOTHING;
  }
}

/** A collective one has no part in. */
export const NOTHING: Collective = { block: () => [], finished: () => Promise.resolve([]) };

/** All teams a PE knows but the world's. */
export class Teams implements TeamHost {
  readonly #teams = new Map<number, Team>();
  /** Ids of teams that were closed; other PEs of their parents may not know. */
  readonly #closed = new Map<number, string>();

  /**
   * @param progress The engine whose failure ends all of them.
   */
  constructor(progress: Progress) {
    progress.addReason(() => {
      const pe = this.#waitingFor();
      return { kind: pe < 0 ? WAIT_FOR.nothing : WAIT_FOR.collective, pe };
    });
    progress.onFailure((error) => {
      for (const team of this.#teams.values()) {
        team.collectives?.fail(error);
        team.work.fail();
      }
    });
  }

  #waitingFor(): number {
    for (const { collectives } of this.#teams.values()) {
      const pe = collectives?.waitingFor() ?? -1;
      if (pe >= 0) return pe;
    }
    return -1;
  }

  /**
   * Makes a team known.
   *
   * @param team The team.
   * @returns The team.
   * @throws {LamellarError} If another team has the same id.
   */
  add(team: Team): Team {
    const other = this.#teams.get(team.id)?.name ?? this.#closed.get(team.id);
    if (other !== undefined) {
      throw new LamellarError(
        "ERR_TEAM_ID",
        `Cannot create ${team.name}: its id is that of ${other}`,
      );
    }
    this.#teams.set(team.id, team);
    return team;
  }

  /**
   * Forgets a team that was not created after all.
   *
   * @param team The team.
   */
  remove(team: Team): void {
    this.#teams.delete(team.id);
  }

  /**
   * Closes a team: AMs that arrive for it from now on are refused. Little is kept of it.
   *
   * @param team The team.
   */
  close(team: Team): void {
    team.closed = true;
    this.#teams.delete(team.id);
    this.#closed.set(team.id, team.name);
  }

  /**
   * @param id A team as it is known on the wire.
   * @returns What handlers of AMs launched in the team get, or undefined if there is no such team.
   * @throws {ClosedError} If the team is closed on this PE.
   */
  context(id: number): object | undefined {
    const closed = this.#closed.get(id);
    if (closed !== undefined) throw new ClosedError(`Cannot run the AM: ${closed} is closed`);
    return this.#teams.get(id)?.work.context;
  }

  /**
   * Takes a message of a collective.
   *
   * @param pe Where it came from.
   * @param views The memory it lies in.
   * @param at Its address.
   * @param bytes Its length.
   * @throws {ProtocolError} If it fits no team; the message says what was found.
   */
  receive(pe: number, views: MemoryViews, at: number, bytes: number): void {
    const id = bytes < 8 ? NaN : views.f64[at >>> 3]!;
    const { collectives } = this.#teams.get(id) ?? {};
    if (!collectives) {
      throw new ProtocolError(`a collective of team ${id}, which has no such member`);
    }
    collectives.receive(pe, views, at, bytes);
  }
}

/**
 * A hash of a text: 53 bits, so that it is an exact number.
 *
 * @param text The text.
 * @returns An integer from 0.
 */
export function hash53(text: string): number {
  let [low, high] = [0x811c9dc5, 0x9e3779b9];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
    high ^= high >>> 13;
  }
  low = Math.imul(low ^ (low >>> 16), 0xc2b2ae35);
  return ((high ^ (high >>> 16)) & 0x1fffff) * 2 ** 32 + ((low ^ (low >>> 15)) >>> 0);
}
