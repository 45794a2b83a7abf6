/**
 * Teams: PEs with numbers of their own. The world is one, and teams are made of PEs of the world or
 * of another team.
 *
 * @module
 */

import type { HandlerWorld, LamellarEnv, LaunchOptions } from "../am/mod.ts";
import { ClosedError } from "../internal/errors.ts";
import { CollectiveHandle } from "../lamellae/mod.ts";
import { IdError, type LamellarArch, membersOf } from "./arch.ts";
import { BarrierHandle } from "./barrier.ts";
import { Messaging, type WorldCore } from "./messaging.ts";
import { compareContributions, writeContribution } from "./team_creation.ts";
import { NOTHING, Team, type TeamParent } from "./teams.ts";

/** The PEs of a team, seen from one PE: a member, or another PE of the parent. */
export abstract class LamellarTeam extends Messaging implements LamellarEnv {
  /** The world. */
  abstract readonly world: HandlerWorld;
  readonly #pes: TeamParent;

  /**
   * Programs get teams from the world, and from other teams.
   *
   * @internal
   * @param core What every object of the world shares.
   * @param pes Who its PEs are.
   * @param team What was launched in it, nothing for the world's.
   */
  constructor(core: WorldCore, pes: TeamParent, team?: Team) {
    super(core, team?.work);
    this.#pes = pes;
  }

  /** This team. */
  get team(): LamellarTeam {
    return this;
  }

  /** This PE, by its number in the team. An `IdError` is thrown on a PE that is no member. */
  override get myPe(): number {
    return this.teamPeId();
  }

  /** Number of PEs of the team. */
  override get numPes(): number {
    return this.#pes.pes.length;
  }

  /** Whether this PE is a member. */
  get isMember(): boolean {
    return this.#pes.me >= 0;
  }

  /** This PE, by its number in the world. */
  get worldPeId(): number {
    return this.core.lamella.pe;
  }

  /**
   * Tells the number of this PE in the team.
   *
   * @returns Its number.
   * @throws {IdError} If this PE is no member.
   */
  teamPeId(): number {
    const { me, name } = this.#pes;
    if (me >= 0) return me;
    const pe = this.worldPeId;
    throw new IdError(`Cannot tell the number of PE ${pe} in ${name}: it is no member`, pe);
  }

  /**
   * Lists the members.
   *
   * @returns The PEs of the team in their order, by their numbers in the world.
   */
  getPes(): number[] {
    return [...this.#pes.pes];
  }

  /** Prints which PE of the parent and of the world each PE of the team is. */
  printArch(): void {
    const { name, pes, parentPes } = this.#pes;
    const lines = pes.map((pe, i) => `  PE ${i}: PE ${parentPes[i]} of its parent, PE ${pe}`);
    console.log([`${name} has ${pes.length} PEs`, ...lines].join("\n"));
  }

  /**
   * Creates a team of some PEs of this one. Collective: every member of this team calls it, with an
   * arch that names the same members. Those that are no members of the new one get it too, and may
   * launch AMs in it.
   *
   * @param arch Which PEs of this team, and in which order.
   * @returns A handle for the team: await it or block on it. It gives null on a PE that is no
   * member of this team, where the call returns at once. It fails on every PE with a
   * `CollectiveMismatchError` if they name different members, or if one of them has no valid arch;
   * that one gets the reason, a `TypeError` or a `RangeError`.
   */
  createSubteamFromArch(arch: LamellarArch): CollectiveHandle<LamellarSubteam | null> {
    this.checkOpen(this.#pes.createOp);
    if (!this.isMember) return new CollectiveHandle(NOTHING, () => null);
    return createTeam(this.core, this.#pes, this.world, arch);
  }
}

/** A team other than the world's, seen from one PE of its parent. */
export class LamellarSubteam extends LamellarTeam {
  /** The world. */
  override readonly world: HandlerWorld;
  readonly #team: Team;
  #disposed = false;
  #closing: Promise<void> | undefined;

  /**
   * Programs get teams from the world, and from other teams.
   *
   * @internal
   * @param core What every object of the world shares.
   * @param team What this PE knows of it.
   * @param world The world.
   */
  constructor(core: WorldCore, team: Team, world: HandlerWorld) {
    super(core, team, team);
    this.#team = team;
    this.world = world;
  }

  /**
   * Blocks until every member is here. AMs run meanwhile; those under way are not waited for. On a
   * PE that is no member it returns at once.
   *
   * @throws {CollectiveMismatchError} If another member called a different collective.
   */
  override barrier(): void {
    this.checkOpen("barrier");
    this.#team.collectives?.barrier();
  }

  /**
   * Enters a barrier of the members without waiting.
   *
   * @returns A handle: await it or block on it. On a PE that is no member it is done.
   */
  override asyncBarrier(): BarrierHandle {
    this.checkOpen("asyncBarrier");
    return new BarrierHandle(this.#team.collectives?.call("barrier") ?? NOTHING);
  }

  /**
   * Closes the team. Collective over its members: waits until all are here and every AM that they
   * launched in it is over, those launched by handlers too. AMs that other PEs launch in it later
   * are refused. On a PE that is no member it waits for what that PE launched.
   *
   * @returns Settles when the team is closed.
   * @throws {RemoteError} If an AM whose handle was ignored failed; an `AggregateError` if several
   * did.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /**
   * Gives the team up on this PE without waiting for anyone, so that an error that leaves the scope
   * is reported at once. What is under way goes on, and AMs of other PEs still run here; `waitAll`
   * of the world covers what this PE launched.
   */
  [Symbol.dispose](): void {
    this.#disposed = true;
  }

  async #close(): Promise<void> {
    const { engine, teams } = this.core;
    const { collectives, work } = this.#team;
    if (this.core.closed || this.#team.closed) return;
    this.#disposed = true;
    const failures: unknown[] = [];
    // Two rounds with nothing under way and nothing new in between: no AM of a member is left.
    for (let before = -1;;) {
      // What is counted has to hold when nothing is under way: handlers run while it resumes.
      do await engine.awaitAll(work).catch((error) => failures.push(error)); while (
        work.outstanding > 0
      );
      if (!collectives) break;
      const own = new Uint8Array(new Float64Array([work.launched]).buffer);
      const all = await collectives.call("team close", own).finished();
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
   * @internal
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
   * Refuses what a closed team does not do.
   *
   * @internal
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
 * Creates a team. Collective over the parent.
 *
 * @param core What every object of the world shares.
 * @param parent The parent, of which this PE is a member.
 * @param world The world.
 * @param arch Which PEs of the parent.
 * @returns A handle for the team.
 */
export function createTeam(
  core: WorldCore,
  parent: TeamParent,
  world: HandlerWorld,
  arch: LamellarArch,
): CollectiveHandle<LamellarSubteam> {
  const { engine, progress, teams } = core;
  progress.checkFailure();
  const child = `${++parent.children}`;
  const path = parent.path === "" ? child : `${parent.path}.${child}`;
  const view = (team: Team): LamellarSubteam => new LamellarSubteam(core, team, world);
  let team: Team | Error;
  try {
    const members = membersOf(arch, parent.pes.length);
    team = teams.add(new Team({ engine, progress, parent, path, members, view }));
  } catch (error) {
    // The others are told, instead of waiting for a PE that never calls.
    team = error as Error;
  }
  return new CollectiveHandle(parent.exchange(writeContribution(team)), (all) => {
    if (team instanceof Error) throw team;
    try {
      compareContributions(parent, all);
    } catch (error) {
      teams.remove(team);
      throw error;
    }
    return view(team);
  });
}
