/**
 * How what is counted leaves a PE in a payload, and arrives at another.
 *
 * @module
 */

import { CLIENT_NAME } from "../internal/node_names.ts";
import { WORLD_ID } from "../lamellae/mod.ts";
import { sessionOf } from "../internal/session_numbers.ts";
import { IdError } from "../world/mod.ts";
import { type DarcRecord, nameOf, type Reference } from "./record.ts";
import type { DarcSpace, Guest } from "./space.ts";

/**
 * Counts a handle that a payload takes to a PE, which gives it back, if it may hold it.
 *
 * @param reference The handle.
 * @param pe The PE, by its number in the world.
 * @param session The session of the PE, 0 if there is none: that of another refuses the handle.
 */
export function sentTo({ record }: Reference, pe: number, session: number): void {
  if (session === record.core.lamella.session && record.mayHold(pe)) record.references.sent();
}

/** What came in a payload. */
export interface Arrived {
  readonly teamId: number;
  readonly number: number;
  readonly kind: string;
  /** The PE that sent it. */
  readonly from: number;
}

/** What an arrival depends on. */
export interface ArrivalOptions {
  /** Whether this PE has another handle anyway, which is as good; asked about a result. */
  readonly isOwned?: (reference: Reference) => boolean;
  /** What a client has of it; undefined if it has no use for it. */
  readonly guest: () => Guest | undefined;
}

/**
 * Counts a handle that came in a payload, until its handler is over. If it came in a result, it
 * lasts until the program gives it back.
 *
 * @param space What this PE knows.
 * @param arrived What came.
 * @param options What it depends on.
 * @returns The reference; undefined if this PE is not a member of its team, which whoever sent it
 * is told; "mismatch" if there is no such thing.
 */
export function arrive(
  space: DarcSpace,
  arrived: Arrived,
  { guest, isOwned = () => false }: ArrivalOptions,
): Reference | "mismatch" | undefined {
  const { teamId, number, kind, from } = arrived;
  const { engine, lamella } = space.core;
  if (sessionOf(number) !== lamella.session) {
    const name = nameOf(kind, number, WORLD_ID, "");
    return void engine.received.refuse(
      new IdError(`Cannot use ${name}: it belongs to another session`, lamella.pe),
    );
  }
  const record = space.find(arrived) ?? asGuest(space, arrived, guest);
  if (record === undefined) {
    return void engine.received.refuse(outsider(space, kind, teamId, number));
  }
  if (record.kind !== kind || !record.mayHold(from)) return "mismatch";
  record.references.arrived(from);
  const reference = space.reference(record, `${kind} from PE ${from}`);
  engine.received.add({
    [Symbol.dispose]: () => reference.giveBack("its handler is over, and it was not cloned"),
    keep: () => {
      if (isOwned(reference)) reference.giveBack();
    },
  });
  return reference;
}

/** What a client gets to know of it. */
function asGuest(
  space: DarcSpace,
  { teamId, number, kind, from }: Arrived,
  guest: ArrivalOptions["guest"],
): DarcRecord | undefined {
  if (space.core.teamForClient === undefined) return undefined;
  const known = guest();
  if (known !== undefined) return space.addGuest({ teamId, number, kind }, known);
  // Whoever sent it has counted it.
  space.post({ teamId, number }, from, { kind: "acknowledge", count: 1 });
  return undefined;
}

function outsider(
  { core }: DarcSpace,
  kind: string,
  teamId: number,
  number: number,
): IdError {
  const { numPes, pe } = core.lamella;
  if (pe >= numPes) {
    const name = nameOf(kind, number, teamId, "a team");
    const why = teamId === WORLD_ID ? "" : ", which can hold only what belongs to the world";
    return new IdError(`Cannot use ${name} in ${CLIENT_NAME}${why}`, pe);
  }
  const description = new TextDecoder().decode(core.teams.describe(teamId));
  const path = description === "" ? undefined : JSON.parse(description).path;
  const name = nameOf(kind, number, teamId, path ? `team ${path}` : "a team");
  return new IdError(`Cannot use ${name} on PE ${pe}: this PE is not a member of its team`, pe);
}
