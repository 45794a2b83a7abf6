/**
 * Task groups: launches that can be waited for apart from everything else.
 *
 * @module
 */

import type { HandlerTeam, HandlerWorld, LamellarEnv, LaunchOptions } from "../am/mod.ts";
import { type Inside, insideOf, Messaging } from "./messaging.ts";

/**
 * Launches AMs, closures and tasks like the world or team in which it was made, and counts them:
 * its `waitAll` and `awaitAll` wait for what was launched through it, and for nothing else. The
 * world and the team count it too.
 *
 * ```ts
 * import { am, LamellarTaskGroup, LamellarWorldBuilder, u32 } from "../mod.ts";
 *
 * let sum = 0;
 * const Add = am("docs.GroupAdd", { n: u32 }, (self) => {
 *   sum += self.n;
 * });
 *
 * await using world = await new LamellarWorldBuilder().build();
 * const group = new LamellarTaskGroup(world);
 * for (let n = 0; n < 10; n++) group.execAmAll(Add({ n }));
 * await group.awaitAll();
 * await world.asyncBarrier();
 * console.log(sum === 45 * world.numPes);
 * ```
 *
 * @category Groups
 */
export class LamellarTaskGroup extends Messaging implements LamellarEnv {
  readonly #parent: LamellarEnv;
  readonly #inside: Inside;

  /**
   * Makes a group on this PE.
   *
   * @param parent The world or team in which it launches, or another group.
   * @throws {TypeError} If it is none of these.
   */
  constructor(parent: LamellarEnv) {
    const inside = insideOfEnv(parent, "make a task group");
    const { core, pes, work } = inside;
    const { context, taskGroups } = core.engine;
    super(core, pes, taskGroups.make(work, context));
    this.#parent = parent;
    this.#inside = inside;
  }

  /** This PE, by its number in the team. Throws an `IdError` on a PE that is not a member. */
  override get myPe(): number {
    return this.#parent.myPe;
  }

  /** Number of PEs of the world or team. */
  override get numPes(): number {
    return this.#parent.numPes;
  }

  /** The world. */
  get world(): HandlerWorld {
    return this.#parent.world as HandlerWorld;
  }

  /** The team in which it launches. */
  get team(): HandlerTeam {
    return this.#parent.team;
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
 * @param env A world, a team, or what handlers get of them.
 * @param op What it is needed for, such as `make a task group`.
 * @returns What is inside.
 * @throws {TypeError} If it is none of these.
 */
export function insideOfEnv(env: LamellarEnv, op: string): Inside {
  if (env instanceof Messaging) return insideOf(env);
  throw new TypeError(`Cannot ${op}: ${Deno.inspect(env)} is neither a world nor a team`);
}
