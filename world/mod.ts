/**
 * Worlds: building one, its PEs, teams of them, barriers, tasks.
 *
 * @module
 */

export * from "./builder.ts";
export { addToWorld } from "./assemble.ts";
export { ClientWorld, type KnownAms } from "./client.ts";
export { describeAm } from "./handshake.ts";
export { type Inside, insideOf, Messaging } from "./messaging.ts";
export type { WorldCore } from "./core.ts";
export { hash53, type TeamParent } from "./teams.ts";
export { AmGroup, TypedAmGroup, typedAmGroup } from "./am_group.ts";
export { CollectiveCalls, type IntoOptions, type RootOptions } from "./collective_calls.ts";
export type { Combine, Located, LocatedEach, LocatingName, OperatorName } from "./operators.ts";
export type { Collected, Reducible, ReducibleArray, ReducibleRegion } from "./reducible.ts";
export { BlockedArch, IdError, type LamellarArch, StridedArch } from "./arch.ts";
export type { LamellarTask } from "./task.ts";
export { GroupMessaging, insideOfEnv } from "./group_messaging.ts";
export { LamellarTaskGroup } from "./task_group.ts";
export type { RegionCalls } from "./region_calls.ts";
export { type GridTeams, LamellarSubteam, LamellarTeam } from "./team.ts";
export type { SplitOptions } from "./team_split.ts";
export { LamellarWorld, WorldTeam } from "./world.ts";
