/**
 * Worlds: building one, its PEs, teams of them, barriers, tasks.
 *
 * @module
 */

export * from "./builder.ts";
export { Messaging } from "./messaging.ts";
export { BlockedArch, IdError, type LamellarArch, StridedArch } from "./arch.ts";
export type { LamellarTask } from "./task.ts";
export { LamellarTaskGroup } from "./task_group.ts";
export { type GridTeams, LamellarSubteam, LamellarTeam } from "./team.ts";
export type { SplitOptions } from "./team_split.ts";
export { LamellarWorld, WorldTeam } from "./world.ts";
