/**
 * Worlds: building one, its PEs, barriers, tasks.
 *
 * @module
 */

export * from "./barrier.ts";
export * from "./builder.ts";
export { LamellarTeam } from "./team.ts";
export { LamellarTask } from "./task.ts";
export { VERSION } from "./version.ts";
export { LamellarWorld } from "./world.ts";
