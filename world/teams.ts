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
import {
  type Collective,
  type CollectiveKind,
  type PeGroup,
  type PeGroups,
  type Progress,
  roundsOf,
} from "../lamellae/mod.ts";
import { MessageSignals } from "./message_signals.ts";

/** Partners in each round of a team's barrier. */
const PARTNERS = 1;

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
  /** This PE in these lists, -1 if it is not a member. */
  readonly me: number;
  /** Teams created in it so far. */
  children: number;
  /** What creates a team in it, as the user calls it. */
  readonly createOp: CollectiveKind;
  /** Runs their collectives; nothing on a PE that is not a member. */
  readonly group: PeGroup | undefined;
}

/**
 * Counts another team of a parent.
 *
 * @param parent The parent.
 * @returns The path of the team, or what its path begins with if one call makes several.
 */
export function childPath(parent: TeamParent): string {
  const child = `${++parent.children}`;
  return parent.path === "" ? child : `${parent.path}.${child}`;
}

/** Who the members of a team are. */
export interface TeamDescription {
  /** Numbers of its parents and of itself, such as `1.2`; of a split `1.2:0`, with its color. */
  readonly path: string;
  /** The members by their numbers in the world. */
  readonly pes: readonly number[];
  /** The members by their numbers in the parent. */
  readonly parentPes: readonly number[];
}

/** What a team is on a PE. */
export interface TeamOptions extends TeamDescription {
  readonly engine: AmEngine;
  /** The groups of this PE. */
  readonly groups: PeGroups;
  /** Whether this PE had given it up, and knows it again by what another told. */
  readonly guest?: boolean;
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
  readonly group: PeGroup | undefined;
  readonly #signals: MessageSignals | undefined;
  /** Whether this PE gave it up: it only runs AMs of others in it. */
  readonly guest: boolean;
  children = 0;
  closed = false;

  /**
   * @param options What it is.
   */
  constructor(options: TeamOptions) {
    const { engine, groups, path, pes, parentPes, view, guest = false } = options;
    this.path = path;
    this.name = `team ${path}`;
    this.id = hash53(path);
    this.guest = guest;
    this.parentPes = parentPes;
    this.pes = pes;
    this.me = pes.indexOf(engine.pe);
    this.work = new TeamWork(this.id, (): AmContext => ({ ...engine.context, team: view(this) }));
    if (this.me < 0 || guest) return;
    const rounds = roundsOf(this, PARTNERS);
    this.#signals = new MessageSignals(engine, this, rounds);
    this.group = groups.some(this, rounds, this.#signals);
  }

  /** Whether nothing of it is under way that this PE began. */
  get isQuiet(): boolean {
    return this.work.outstanding === 0 && (this.group?.isQuiet ?? true);
  }

  /** What another PE needs to know to run AMs in it. */
  get description(): TeamDescription {
    return { path: this.path, pes: this.pes, parentPes: this.parentPes };
  }

  /**
   * Takes a message of a collective.
   *
   * @param pe Where it came from.
   * @param views The memory that holds it.
   * @param at Its address.
   * @param bytes Its length.
   * @throws {ProtocolError} If it cannot come now; the message says what was found.
   */
  receive(pe: number, views: MemoryViews, at: number, bytes: number): void {
    if (this.#signals) return this.#signals.receive(pe, views, at, bytes);
    throw new ProtocolError(`a collective of ${this.name}, of which this PE is not a member`);
  }
}

/**
 * @param progress The engine, which knows whether a handler runs.
 * @returns A collective one has no part in: it is over.
 */
export function nothing(progress: Progress): Collective {
  return {
    done: true,
    awaited: { text: "for a collective" },
    block: () => {
      progress.refuseBlocking("block");
      return [];
    },
    onOver: (listener) => listener([]),
    finished: () => Promise.resolve([]),
  };
}

/** How many teams are kept that this PE had given up and got to know again. */
const GUESTS_MAX = 64;

/**
 * All teams a PE knows but the world's. A team that was given up is forgotten once nothing of it is
 * under way that this PE began. If an AM of another PE comes for it afterwards, that PE is asked
 * what the team is.
 */
export class Teams implements TeamHost {
  readonly #teams = new Map<number, Team>();
  /** Ids of teams that were closed; other PEs of their parents may not know. */
  readonly #closed = new Map<number, string>();
  /** Teams that were given up and are known again, the one that was used last at the end. */
  readonly #guests = new Map<number, Team>();
  readonly #makeGuest: (description: TeamDescription) => Team;

  /**
   * @param progress The engine whose failure ends their work.
   * @param makeGuest Makes a team of what another PE told.
   */
  constructor(progress: Progress, makeGuest: (description: TeamDescription) => Team) {
    this.#makeGuest = makeGuest;
    progress.onFailure(() => {
      for (const team of this.#teams.values()) team.work.fail();
    });
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
   * Gives a team up: it is known from now on as long as anything of it is under way.
   *
   * @param team The team.
   */
  giveUp(team: Team): void {
    if (team.closed) return;
    const settle = (): void => {
      if (team.isQuiet && this.#teams.get(team.id) === team) this.#teams.delete(team.id);
    };
    const busy = (): void => {
      if (!team.closed) this.#teams.set(team.id, team);
    };
    team.work.keeper = { busy, quiet: settle };
    team.group?.onQuiet(settle);
    settle();
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
    const guest = this.#guests.get(id);
    if (guest) this.#keepGuest(guest);
    return (this.#teams.get(id) ?? guest)?.work.context;
  }

  /**
   * @param id A team as it is known on the wire.
   * @returns Whether it is known, or is known to be closed.
   */
  knows(id: number): boolean {
    return this.#teams.has(id) || this.#guests.has(id) || this.#closed.has(id);
  }

  /**
   * @param id A team as it is known on the wire.
   * @returns What another PE needs to know to run AMs in it; nothing if the team is not known.
   */
  describe(id: number): Uint8Array {
    const team = this.#teams.get(id) ?? this.#guests.get(id);
    return new TextEncoder().encode(team ? JSON.stringify(team.description) : "");
  }

  /**
   * Gets to know a team that this PE had given up.
   *
   * @param id The team as it is known on the wire.
   * @param description What `describe` gave on another PE.
   * @throws {ProtocolError} If it describes none; the message says what was found.
   */
  learn(id: number, description: Uint8Array): void {
    if (this.knows(id)) return;
    const team = this.#makeGuest(readDescription(description));
    if (team.id !== id) throw new ProtocolError(`a description of ${team.name} for team ${id}`);
    this.giveUp(team);
    this.#keepGuest(team);
  }

  #keepGuest(team: Team): void {
    this.#guests.delete(team.id);
    this.#guests.set(team.id, team);
    if (this.#guests.size <= GUESTS_MAX) return;
    for (const oldest of this.#guests.keys()) {
      this.#guests.delete(oldest);
      break;
    }
  }

  /**
   * Takes a message of a collective.
   *
   * @param pe Where it came from.
   * @param views The memory that holds it.
   * @param at Its address.
   * @param bytes Its length.
   * @throws {ProtocolError} If it fits no team; the message says what was found.
   */
  receive(pe: number, views: MemoryViews, at: number, bytes: number): void {
    const id = bytes < 8 ? NaN : views.f64[at >>> 3]!;
    const team = this.#teams.get(id);
    if (!team) {
      throw new ProtocolError(
        `a collective of team ${id}, of which this PE is not a member, or which it has given up`,
      );
    }
    team.receive(pe, views, at, bytes);
  }
}

function readDescription(bytes: Uint8Array): TeamDescription {
  let value: Partial<TeamDescription> | null;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ProtocolError("a description of a team that is not JSON", { cause });
  }
  const { path, pes, parentPes } = value ?? {};
  if (typeof path !== "string" || !isListOfPes(pes) || !isListOfPes(parentPes)) {
    throw new ProtocolError("a description of a team that lacks a field");
  }
  return { path, pes, parentPes };
}

function isListOfPes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((pe) => Number.isSafeInteger(pe) && pe >= 0);
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
