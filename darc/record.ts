/**
 * What a PE knows of a Darc: its instance, who may hold it, and its lock.
 *
 * @module
 */

import { nodePlace } from "../internal/node_names.ts";
import { ClosedError } from "../internal/errors.ts";
import { foldFrames } from "../internal/stacks.ts";
import { WORLD_ID } from "../lamellae/mod.ts";
import { shownNumber } from "../internal/session_numbers.ts";
import { IdError, type LamellarTeam, type TeamParent, type WorldCore } from "../world/mod.ts";
import type { Lock } from "./lock.ts";
import { type Acknowledge, References } from "./references.ts";

/** What a Darc is: how its instance is reached. */
export type DarcKind = "Darc" | "LocalRwDarc" | "GlobalRwDarc";

/** Where an instance is, which a conversion hands over as it is. */
export interface Cell {
  value: unknown;
}

/** What a record is made of. */
export interface RecordOptions {
  /** What messages call such objects: a {@linkcode DarcKind}, or that of a layer above. */
  readonly kind: string;
  /** Its number among those of its team. */
  readonly number: number;
  readonly teamId: number;
  readonly pes: TeamParent;
  /** What the program created it in. */
  readonly team: LamellarTeam;
  readonly cell: Cell;
  /** What every object of the world shares. */
  readonly core: WorldCore;
}

/** A Darc, as one of its PEs knows it. */
export class DarcRecord {
  readonly kind: string;
  readonly number: number;
  readonly teamId: number;
  readonly team: LamellarTeam;
  readonly core: WorldCore;
  readonly cell: Cell;
  /** Its PEs, by their numbers in the world. */
  readonly pes: readonly number[];
  /** This PE, by its number in the team; -1 in a client, which holds it without an instance. */
  readonly me: number;
  /** The PE that finds out when nobody holds it, and that has the queue of a global lock. */
  readonly home: number;
  readonly references: References;
  /** What this PE has to acknowledge, and to whom. */
  readonly acknowledgements: Map<number, number> = new Map<number, number>();
  /** Whether nobody holds it any more. */
  freed = false;
  /** Whether the instance goes on as another Darc. */
  isConverted = false;
  /** Its lock, if it has one. */
  lock: Lock | undefined;
  /** Where the handles on this PE were made, if that is kept. */
  readonly origins: Map<Reference, string> = new Map<Reference, string>();
  readonly #name: string;

  /**
   * @param options What it is made of.
   * @param acknowledges Called when there is something to acknowledge.
   */
  constructor(options: RecordOptions, acknowledges: (record: DarcRecord) => void) {
    const { core, kind, number, pes, teamId } = options;
    const { pe } = core.lamella;
    this.core = core;
    this.kind = kind;
    this.number = number;
    this.teamId = teamId;
    this.team = options.team;
    this.cell = options.cell;
    this.pes = pes.pes;
    this.me = pes.me;
    this.#name = nameOf(kind, number, teamId, pes.name);
    this.home = homeOf(teamId, number, this.pes);
    const acknowledge: Acknowledge = (to, count) => {
      const { acknowledgements } = this;
      acknowledgements.set(to, (acknowledgements.get(to) ?? 0) + count);
      acknowledges(this);
    };
    const state = this.isGuest
      ? References.outside()
      : References.initial(pe, this.home, this.pes.length);
    this.references = new References(pe, this.home, acknowledge, state);
  }

  /** How messages call it. */
  get name(): string {
    return this.#name;
  }

  /** Whether this is the program that started a session: it has handles, and no instance. */
  get isGuest(): boolean {
    return this.me < 0;
  }

  /** This PE, by its number in the world; the number of the client in one. */
  get pe(): number {
    return this.core.lamella.pe;
  }

  /** Where this is, as messages call it. */
  get place(): string {
    return nodePlace(this.pe, this.core.lamella.numPes);
  }

  /**
   * @param node A PE, or a client.
   * @returns Whether it may hold this.
   */
  mayHold(node: number): boolean {
    const { numNodes, numPes } = this.core.lamella;
    return (node >= numPes && node < numNodes) || this.pes.includes(node);
  }

  /**
   * Refuses what takes an instance.
   *
   * @param op What the user called.
   * @throws {IdError} If this is a client.
   */
  checkMember(op: string): void {
    if (!this.isGuest) return;
    const text = `Cannot call ${op} ${this.place}: only PEs have an instance of ${this.name}`;
    throw new IdError(text, this.pe);
  }

  /** Where its handles on this PE were made, with how many of each; empty if that is not kept. */
  get originsText(): string {
    const counts = new Map<string, number>();
    for (const origin of this.origins.values()) counts.set(origin, (counts.get(origin) ?? 0) + 1);
    return [...counts].map(([origin, count]) => `${count} ${origin}`).join(", ");
  }
}

/**
 * @param kind What the Darc is.
 * @param number Its number.
 * @param teamId The id of its team.
 * @param team The name of its team.
 * @returns How messages call it.
 */
export function nameOf(kind: string, number: number, teamId: number, team: string): string {
  const name = `${kind} ${shownNumber(number)}`;
  return teamId === WORLD_ID ? name : `${name} of ${team}`;
}

/**
 * Spreads the homes of Darcs over their PEs: the first of a team should not have all of them.
 *
 * @param teamId The id of the team.
 * @param number The number of the Darc.
 * @param pes The PEs of the team.
 * @returns The home.
 */
export function homeOf(teamId: number, number: number, pes: readonly number[]): number {
  let hash = Math.imul((teamId | 0) ^ Math.imul(number, 0x9e3779b1), 0x85ebca6b);
  hash ^= hash >>> 15;
  return pes[(Math.imul(hash, 0xc2b2ae35) >>> 0) % pes.length]!;
}

/** What gives something back by itself once its handle is collected. */
export interface GivesBack {
  giveBack(): void;
}

/** A program that disposes of nothing keeps nothing either: this is the net below `dispose`. */
const collected = new FinalizationRegistry<GivesBack>((one) => one.giveBack());

/**
 * Has something given back once an object is collected.
 *
 * @param object The object, to which `one` does not refer.
 * @param one What is given back.
 */
export function giveBackWith(object: object, one: GivesBack): void {
  collected.register(object, one, one);
}

/**
 * @param one What was given back.
 */
export function wasGivenBack(one: GivesBack): void {
  collected.unregister(one);
}

/** One handle or guard of a Darc on this PE, counted until it is given back. */
export class Reference implements GivesBack {
  readonly record: DarcRecord;
  readonly #release: (record: DarcRecord) => void;
  #closed = "";

  /**
   * @param record The Darc; the reference is counted there.
   * @param release Counts it down.
   * @param origin What it is, for reports of where it was made; nothing if they do not say it.
   */
  constructor(record: DarcRecord, release: (record: DarcRecord) => void, origin?: string) {
    this.record = record;
    this.#release = release;
    if (origin !== undefined) record.origins.set(this, `${origin}${placeText()}`);
  }

  /** Whether it was not given back. */
  get isOpen(): boolean {
    return this.#closed === "";
  }

  /**
   * Gives it back.
   *
   * @param why To continue "cannot use it:".
   */
  giveBack(why = "it was disposed of"): void {
    if (this.#closed !== "") return;
    this.#closed = why;
    wasGivenBack(this);
    this.record.origins.delete(this);
    this.#release(this.record);
  }

  /**
   * @param op What the user called.
   * @param wanted The same, to continue "Cannot".
   * @returns The Darc.
   * @throws {ClosedError} If the reference was given back.
   */
  check(op: string, wanted = op): DarcRecord {
    if (this.#closed === "") return this.record;
    const { name, pe, place } = this.record;
    throw new ClosedError(`Cannot ${wanted} ${name} ${place}: ${this.#closed}`, { pe, op });
  }
}

/** The line of the program that is being run. */
function placeText(): string {
  const lines = foldFrames(new Error().stack ?? "").split("\n");
  const line = lines.find((line) => /^\s+at /.test(line) && !line.includes("more lines"));
  return line === undefined ? "" : ` made ${line.trim().replace(/^at async /, "at ")}`;
}
