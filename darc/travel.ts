/**
 * How what is counted leaves a PE in a payload, and arrives at another.
 *
 * @module
 */

import { IdError } from "../world/mod.ts";
import { nameOf, type Reference } from "./record.ts";
import type { DarcSpace } from "./space.ts";

/**
 * Counts a handle that a payload takes to a PE, which gives it back, if it is a member.
 *
 * @param reference The handle.
 * @param pe The PE, by its number in the world.
 */
export function sentTo({ record }: Reference, pe: number): void {
  if (record.pes.includes(pe)) record.references.sent();
}

/** What came in a payload. */
export interface Arrived {
  readonly teamId: number;
  readonly number: number;
  readonly kind: string;
  /** The PE that sent it. */
  readonly from: number;
}

/**
 * Counts a handle that came in a payload, until its handler is over. If it came in a result, it
 * lasts until the program gives it back.
 *
 * @param space What this PE knows.
 * @param arrived What came.
 * @param isOwned Whether this PE has another handle anyway, which is as good; asked about a result.
 * @returns The reference; undefined if this PE is not a member of its team, which whoever sent it
 * is told; "mismatch" if there is no such thing.
 */
export function arrive(
  space: DarcSpace,
  { teamId, number, kind, from }: Arrived,
  isOwned: (reference: Reference) => boolean = () => false,
): Reference | "mismatch" | undefined {
  const record = space.find({ teamId, number });
  const { engine } = space.core;
  if (record === undefined) {
    return void engine.received.refuse(outsider(space, kind, teamId, number));
  }
  if (record.kind !== kind || !record.pes.includes(from)) return "mismatch";
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

function outsider(
  { core }: DarcSpace,
  kind: string,
  teamId: number,
  number: number,
): IdError {
  const { numPes, pe } = core.lamella;
  if (pe >= numPes) {
    const name = nameOf(kind, number, teamId, "");
    return new IdError(
      `Cannot use ${name} in the program that started the session: only PEs can hold it`,
      pe,
    );
  }
  const description = new TextDecoder().decode(core.teams.describe(teamId));
  const path = description === "" ? undefined : JSON.parse(description).path;
  const name = nameOf(kind, number, teamId, path ? `team ${path}` : "a team");
  return new IdError(`Cannot use ${name} on PE ${pe}: this PE is not a member of its team`, pe);
}
