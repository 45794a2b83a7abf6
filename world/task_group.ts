/**
 * Task groups: launches that can be waited for apart from everything else.
 *
 * @module
 */

import type { HandlerTeam, HandlerWorld, LamellarEnv } from "../am/mod.ts";
import { GroupMessaging, insideOfEnv } from "./group_messaging.ts";

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
export class LamellarTaskGroup extends GroupMessaging {
  /**
   * Makes a group on this PE.
   *
   * @param parent The world or team in which it launches, or another group.
   * @throws {TypeError} If it is none of these.
   */
  constructor(parent: LamellarEnv) {
    const inside = insideOfEnv(parent, "make a task group");
    const { core, work } = inside;
    const { context, taskGroups } = core.engine;
    super(parent, inside, taskGroups.make(work, context));
  }

  /** The world. */
  get world(): HandlerWorld {
    return this.parent.world as HandlerWorld;
  }

  /** The team in which it launches. */
  get team(): HandlerTeam {
    return this.parent.team;
  }
}
