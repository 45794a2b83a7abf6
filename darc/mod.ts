/**
 * Darcs: distributed objects with counted references. Each PE of a team has an instance of its own,
 * and handles travel in active messages.
 *
 * Guarantees: an instance is not dropped while any PE has a handle or a guard, or one is under way,
 * and all are dropped once that is over; a writer has a lock alone; whoever asks for a lock first
 * gets it first; no wait outlives a failure of the job.
 *
 * @module
 */

export { DarcBase, referenceOf, spaceOf, TeamObject } from "./base.ts";
export { convert } from "./conversion.ts";
export { darc, DARC_KINDS, darcClassOf, globalRwDarc, localRwDarc } from "./codec.ts";
export { Darc, GlobalRwDarc, LocalRwDarc, WeakDarc } from "./darcs.ts";
export { DarcReadGuard, DarcWriteGuard } from "./guards.ts";
export { control, DarcHandle, type PendingWork } from "./pending.ts";
export {
  type DarcKind,
  type DarcRecord,
  giveBackWith,
  type GivesBack,
  type Reference,
  wasGivenBack,
} from "./record.ts";
export type { DarcSpace, Guest, Watched } from "./space.ts";
export { arrive, sentTo } from "./travel.ts";
