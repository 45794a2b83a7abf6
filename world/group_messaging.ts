/**
 * What launches in a world or team and counts that by itself.
 *
 * @module
 */

import type { LamellarEnv, LaunchOptions, TeamWork } from "../am/mod.ts";
import { type Inside, insideOf, Messaging } from "./messaging.ts";

/**
 * Launches like the world or team in which it was made, and counts what is launched through it.
 *
 * @category World
 */
export abstract class GroupMessaging extends Messaging {
  /**
   * In what it was made.
   *
   * @ignore
   */
  protected readonly parent: LamellarEnv;
  readonly #inside: Inside;

  /**
   * Programs make groups of the classes that extend this one.
   *
   * @ignore
   * @param parent The world or team in which it launches, or another group.
   * @param inside The same.
   * @param work Counts what is launched through it.
   */
  constructor(parent: LamellarEnv, inside: Inside, work: TeamWork) {
    super(inside.core, inside.pes, work);
    this.parent = parent;
    this.#inside = inside;
  }

  /** This PE, by its number in the team. Throws an `IdError` on a PE that is not a member. */
  override get myPe(): number {
    return this.parent.myPe;
  }

  /** Number of PEs of the world or team. */
  override get numPes(): number {
    return this.parent.numPes;
  }

  /** @ignore */
  protected override target(pe: number, op: string, options: LaunchOptions | undefined): number {
    return this.#inside.target(pe, op, options);
  }

  /** @ignore */
  protected override targets(op: string, options: LaunchOptions | undefined): readonly number[] {
    return this.#inside.targets(op, options);
  }

  /** @ignore */
  protected override checkOpen(op: string): void {
    this.#inside.checkOpen(op);
  }

  /** @ignore */
  protected override checkCollective(op: string): void {
    this.#inside.checkCollective(op);
  }
}

/**
 * Looks inside what a program gave as a world or a team.
 *
 * @param env A world, a team, what handlers get of them, or what belongs to one.
 * @param op What it is needed for, such as `make a task group`.
 * @returns What is inside.
 * @throws {TypeError} If it is none of these.
 */
export function insideOfEnv(env: LamellarEnv, op: string): Inside {
  const team: unknown = env instanceof Messaging ? env : (env as LamellarEnv | undefined)?.team;
  if (team instanceof Messaging) return insideOf(team);
  throw new TypeError(`Cannot ${op}: ${Deno.inspect(env)} is neither a world nor a team`);
}
