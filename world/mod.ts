/**
 * Worlds: building one, its PEs, teams of them, barriers, tasks.
 *
 * @module
 */

export * from "./builder.ts";
export { type Inside, insideOf, Messaging, type WorldCore } from "./messaging.ts";
export type { TeamParent } from "./teams.ts";
export { AmGroup, TypedAmGroup, typedAmGroup } from "./am_group.ts";
export { BlockedArch, IdError, type LamellarArch, StridedArch } from "./arch.ts";
export type { LamellarTask } from "./task.ts";
export { insideOfEnv, LamellarTaskGroup } from "./task_group.ts";
export { type GridTeams, LamellarSubteam, LamellarTeam } from "./team.ts";
export type { SplitOptions } from "./team_split.ts";
export { LamellarWorld, WorldTeam } from "./world.ts";
