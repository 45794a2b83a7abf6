/**
 * Teams: sets of PEs with their own numbering. The world is a team; other teams are made of PEs of
 * the world or of another team.
 *
 * @module
 */

import type { HandlerWorld, LamellarEnv, LaunchOptions } from "../am/mod.ts";
import { ClosedError } from "../internal/errors.ts";
import { CollectiveHandle } from "../lamellae/mod.ts";
import { IdError, type LamellarArch } from "./arch.ts";
import type { WorldCore } from "./core.ts";
import { Messaging } from "./messaging.ts";
import { createTeam } from "./team_creation.ts";
import {
  type Split,
  splitByColor,
  splitInGrid,
  type SplitOptions,
  splitTeam,
} from "./team_split.ts";
import { nothing, Team, type TeamDescription, type TeamOptions, type TeamParent } from "./teams.ts";

/**
 * The row and the column of a PE in a grid.
 *
 * @category Teams
 */
export interface GridTeams {
  /** The PEs of its row, from left to right. */
  readonly row: LamellarSubteam;
  /** The PEs of its column, from the first row on. */
  readonly column: LamellarSubteam;
}

/**
 * The PEs of a team, seen from one PE: a member, or another PE of the parent.
 *
 * @category Teams
 */
export abstract class LamellarTeam extends Messaging implements LamellarEnv {
  /** The world. */
  abstract override readonly world: HandlerWorld;

  /**
   * Programs get teams from the world, and from other teams.
   *
   * @ignore
   * @param core What every object of the world shares.
   * @param pes Who its PEs are.
   * @param team What was launched in it, nothing for the world's.
   */
  constructor(core: WorldCore, pes: TeamParent, team?: Team) {
    super(core, pes, team?.work);
  }

  /** This team. */
  get team(): LamellarTeam {
    return this;
  }

  /** This PE, by its number in the team. Throws an `IdError` on a PE that is not a member. */
  override get myPe(): number {
    return this.teamPeId();
  }

  /** Number of PEs of the team. */
  override get numPes(): number {
    return this.pes.pes.length;
  }

  /** Whether this PE is a member. */
  get isMember(): boolean {
    return this.pes.me >= 0;
  }

  /** This PE, by its number in the world. */
  get worldPeId(): number {
    return this.core.lamella.pe;
  }

  /**
   * Tells the number of this PE in the team.
   *
   * @returns Its number.
   * @throws {IdError} If this PE is not a member.
   */
  teamPeId(): number {
    const { me, name } = this.pes;
    if (me >= 0) return me;
    const pe = this.worldPeId;
    throw new IdError(`Cannot tell the number of PE ${pe} in ${name}: it is not a member`, pe);
  }

  /**
   * Lists the members.
   *
   * @returns The PEs of the team in their order, by their numbers in the world.
   */
  getPes(): number[] {
    return [...this.pes.pes];
  }

  /** Prints which PE of the parent and of the world each PE of the team is. */
  printArch(): void {
    const { name, pes, parentPes } = this.pes;
    const lines = pes.map((pe, i) => `  PE ${i}: PE ${parentPes[i]} of its parent, PE ${pe}`);
    console.log([`${name} has ${pes.length} PEs`, ...lines].join("\n"));
  }

  /**
   * Creates a team of some PEs of this team. Collective: every member of this team calls it, with
   * an arch that names the same members. PEs that are not members of the new team also get a
   * handle, and may launch AMs in the team.
   *
   * @param arch Which PEs of this team, and in which order.
   * @returns A handle for the team: await it or block on it. On a PE that is not a member of this
   * team, the call returns at once, and the handle gives null. The handle fails on every PE with a
   * `CollectiveMismatchError` if PEs name different members, or if the arch of one PE is not valid;
   * that PE gets the reason instead, a `TypeError` or a `RangeError`.
   */
  createSubteamFromArch(arch: LamellarArch): CollectiveHandle<LamellarSubteam | null> {
    this.checkOpen(this.pes.createOp);
    if (!this.isMember) return new CollectiveHandle(nothing(this.core.progress), () => null);
    const { core, pes, world } = this;
    return createTeam(core, pes, arch, viewIn(core, world), (team) => {
      return new LamellarSubteam(core, team, world, true);
    });
  }

  /**
   * Splits this team by color, as `MPI_Comm_split` does. Collective: every member calls it. The
   * members that give the same color make up a team, ordered by the keys that they give.
   *
   * @param options The color of this PE and its key.
   * @returns A handle for the team of this PE: await it or block on it. It gives null on a PE that
   * gives no color; on one that is not a member of this team, at once. If a member gives a wrong
   * color or key, it gets a `TypeError` or a `RangeError`, and the others a
   * `CollectiveMismatchError` with the reason.
   * @example
   * ```ts
   * import { LamellarWorldBuilder } from "../mod.ts";
   *
   * await using world = await new LamellarWorldBuilder().build();
   * const parity = await world.split({ color: world.myPe % 2, key: -world.myPe });
   * console.log(parity!.getPes(), parity!.translatePe(0, world));
   * ```
   */
  split(options: SplitOptions): CollectiveHandle<LamellarSubteam | null> {
    return this.#split(splitByColor(options), ([team]) => team ?? null);
  }

  /**
   * Arranges the PEs of this team in a grid, row by row, and makes each row and each column a team,
   * as `shmem_team_split_2d` does. Collective: every member calls it with the same number. If the
   * number of PEs is not a multiple of the rows, the first rows have one PE more than the others.
   *
   * @param rows How many rows, from 1 to the number of PEs.
   * @returns A handle for the row and the column of this PE: await it or block on it. It gives null
   * at once on a PE that is not a member of this team. It fails on every PE if members give
   * different numbers, or one gives a number that is out of range.
   * @example
   * ```ts
   * import { LamellarWorldBuilder } from "../mod.ts";
   *
   * await using world = await new LamellarWorldBuilder().build();
   * const { row, column } = (await world.split2d(1))!;
   * console.log(row.numPes === world.numPes, column.getPes());
   * ```
   */
  split2d(rows: number): CollectiveHandle<GridTeams | null> {
    const split = splitInGrid(rows, this.numPes);
    return this.#split(split, ([row, column]) => row && column ? { row, column } : null);
  }

  #split<T>(
    split: Split,
    finish: (teams: readonly LamellarSubteam[]) => T,
  ): CollectiveHandle<T> {
    this.checkCollective(split.op);
    const { core, pes, world } = this;
    if (!this.isMember) {
      return new CollectiveHandle(nothing(core.progress), () => finish([]));
    }
    return splitTeam(core, pes, split, viewIn(core, world), (teams) => {
      return finish(teams.map((team) => new LamellarSubteam(core, team, world, true)));
    });
  }

  /**
   * Translates the number of a PE in this team into its number in another.
   *
   * @param pe A PE of this team.
   * @param other Another team, or the world.
   * @returns Its number there, or null if it is not a member.
   * @throws {RangeError} If this team has no such PE.
   * @throws {TypeError} If the other is neither a team nor a world.
   */
  translatePe(pe: number, other: LamellarEnv): number | null {
    const { name, pes } = this.pes;
    const world = Number.isInteger(pe) ? pes[pe] : undefined;
    if (world === undefined) {
      throw new RangeError(
        `Cannot translate PE ${Deno.inspect(pe)}: ${name} has PEs 0 to ${pes.length - 1}`,
      );
    }
    const team: unknown = (other as Partial<LamellarEnv> | null | undefined)?.team;
    if (!(team instanceof LamellarTeam)) {
      throw new TypeError(
        `Cannot translate PE ${pe}: ${Deno.inspect(other)} is neither a team nor a world`,
      );
    }
    const there = team.pes.pes.indexOf(world);
    return there < 0 ? null : there;
  }
}

/**
 * A team other than the world's, seen from one PE of its parent.
 *
 * @category Teams
 */
export class LamellarSubteam extends LamellarTeam {
  /** The world. */
  override readonly world: HandlerWorld;
  readonly #team: Team;
  readonly #isOwner: boolean;
  #disposed = false;
  #closing: Promise<void> | undefined;

  /**
   * Programs get teams from the world, and from other teams.
   *
   * @ignore
   * @param core What every object of the world shares.
   * @param team What this PE knows of it.
   * @param world The world.
   * @param isOwner Whether it is what the program got: it gives the team up with it. Handlers get
   * objects of their own.
   */
  constructor(core: WorldCore, team: Team, world: HandlerWorld, isOwner: boolean) {
    super(core, team, team);
    this.#team = team;
    this.world = world;
    this.#isOwner = isOwner;
  }

  /**
   * Closes the team. Collective over its members: waits until all of them have called it and every
   * AM that they launched in the team is over, including AMs launched by handlers. AMs that other
   * PEs launch in the team later are refused. On a PE that is not a member, it waits for what that
   * PE launched.
   *
   * @returns Settles when the team is closed.
   * @throws {RemoteError} If an AM whose handle was ignored failed; an `AggregateError` if several
   * did.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /**
   * Gives up the team on this PE without waiting for other PEs, so that an error that leaves the
   * scope is reported at once. What is under way goes on, and AMs of other PEs still run here;
   * `waitAll` of the world covers what this PE launched. Once that is over, this PE forgets the
   * team; if another PE's AM arrives later, it asks the sender about the team.
   */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#isOwner) this.core.teams.giveUp(this.#team);
  }

  /**
   * Creates a team of some PEs of this team, as every team can.
   *
   * @param arch Which PEs of this team, and in which order.
   * @returns A handle for the team: await it or block on it.
   */
  override createSubteamFromArch(
    arch: LamellarArch,
  ): CollectiveHandle<LamellarSubteam | null> {
    this.checkCollective("createSubteamFromArch");
    return super.createSubteamFromArch(arch);
  }

  /**
   * Refuses a collective also where the members no longer expect this PE.
   *
   * @ignore
   * @param op What the user called.
   * @throws {ClosedError} If the team or the world is closed, or this PE has given the team up.
   */
  protected override checkCollective(op: string): void {
    this.checkOpen(op);
    const { guest, name } = this.#team;
    if (!guest || !this.isMember) return;
    const pe = this.worldPeId;
    throw new ClosedError(`Cannot call ${op}: PE ${pe} has given up ${name}`, { pe, op });
  }

  async #close(): Promise<void> {
    const { engine, teams } = this.core;
    const { group, work } = this.#team;
    if (this.core.closed || this.#team.closed) return;
    this.#disposed = true;
    const failures: unknown[] = [];
    // Two rounds with nothing under way and nothing new in between: no AM of a member is left.
    for (let before = -1;;) {
      // What is counted has to hold when nothing is under way: handlers run while it resumes.
      do await engine.awaitAll(work).catch((error) => failures.push(error)); while (
        work.outstanding > 0
      );
      if (!group) break;
      const own = new Uint8Array(new Float64Array([work.launched]).buffer);
      const all = await group.call("team close", { own }).finished();
      const launched = all.reduce((sum, bytes) => sum + new Float64Array(bytes.buffer)[0]!, 0);
      if (launched === before) break;
      before = launched;
    }
    teams.close(this.#team);
    // The others are not left waiting for a member whose AMs failed.
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, `${this.#team.name} failed`);
  }

  /**
   * Checks a launch.
   *
   * @ignore
   * @param pe A PE of the team.
   * @param op What the user called.
   * @param options When to stop waiting.
   * @returns Its number in the world.
   * @throws {RangeError} If there is no such PE.
   * @throws {ClosedError} If the team or the world is closed.
   */
  protected override target(pe: number, op: string, options: LaunchOptions | undefined): number {
    this.checkOpen(op);
    const { name, pes } = this.#team;
    const target = Number.isInteger(pe) ? pes[pe] : undefined;
    if (target === undefined) {
      throw new RangeError(
        `Cannot call ${op} for PE ${pe}: ${name} has PEs 0 to ${pes.length - 1}`,
      );
    }
    return super.target(target, op, options);
  }

  /**
   * Checks a launch on all members.
   *
   * @ignore
   * @param op What the user called.
   * @param options When to stop waiting.
   * @returns The members, by their numbers in the world.
   * @throws {ClosedError} If the team or the world is closed.
   */
  protected override targets(op: string, options: LaunchOptions | undefined): readonly number[] {
    super.targets(op, options);
    return this.#team.pes;
  }

  /**
   * Refuses what a closed team does not do.
   *
   * @ignore
   * @param op What the user called.
   * @throws {ClosedError} If the team or the world is closed.
   */
  protected override checkOpen(op: string): void {
    super.checkOpen(op);
    if (!this.#disposed && !this.#team.closed) return;
    const pe = this.worldPeId;
    throw new ClosedError(`Cannot call ${op}: ${this.#team.name} is closed`, { pe, op });
  }
}

/**
 * Makes what a PE knows of a team that it had given up.
 *
 * @param core What every object of the world shares.
 * @param world The world.
 * @param description What another PE told of it.
 * @returns The team.
 */
export function guestTeam(
  core: WorldCore,
  world: HandlerWorld,
  description: TeamDescription,
): Team {
  const { engine, groups } = core;
  return new Team({ ...description, engine, groups, view: viewIn(core, world), guest: true });
}

/** Makes what handlers see of a team. */
function viewIn(core: WorldCore, world: HandlerWorld): TeamOptions["view"] {
  return (team) => new LamellarSubteam(core, team, world, false);
}
