/**
 * Worlds: building one, its PEs, barriers, tasks.
 *
 * @module
 */

export * from "./barrier.ts";
export * from "./builder.ts";
export { Messaging } from "./messaging.ts";
export { LamellarTask } from "./task.ts";
export { LamellarTeam, LamellarWorld } from "./world.ts";
