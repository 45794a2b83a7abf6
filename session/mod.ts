/**
 * Sessions: PEs at the service of an ordinary program, such as a server, a test or a notebook. The
 * program is a client of the PEs and none of them: it launches AMs and closures, and reaches their
 * memory by one-sided operations.
 *
 * Guarantees: the thread that started a session stays free; a PE that fails ends its session and
 * nothing else; everything under way settles; a session that is closed leaves no thread behind but
 * those that compute, which it names.
 *
 * @module
 */

export { inTurn } from "./in_turn.ts";
export { ItemError, type MapOptions, type MapProgress } from "./map.ts";
export type { CloseOptions } from "./link.ts";
export type { SessionParameters, TogetherContext, TogetherParameters } from "./parameters.ts";
export type { LamellarSession } from "./session.ts";
export type { ArraysByName, DarcsByName } from "./shared_objects.ts";
export { type SessionOptions, startSession } from "./start.ts";
