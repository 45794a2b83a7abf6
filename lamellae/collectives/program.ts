/**
 * Collectives that take several turns, written as generators: each `yield` is a turn in which every
 * PE of the group takes part, and gives what all of them contributed to it.
 *
 * @module
 */

import type { PeGroup } from "./group.ts";
import type { Collective } from "./operation.ts";
import type { CollectiveKind } from "./collective_call.ts";
import type { Lamella } from "../lamella.ts";

/** What this PE does in a turn. */
export interface Turn {
  /** What it contributes; called once it is ready. */
  readonly own: () => Uint8Array;
  /** Whether it can take part yet: looked at in each step of the engine. */
  readonly ready: () => boolean;
}

/** The turns of a collective. */
export type Program = Generator<Turn, undefined, Uint8Array[]>;

const NOTHING = new Uint8Array(0);
const nothing = (): Uint8Array => NOTHING;
const always = (): boolean => true;

/**
 * @param own What this PE contributes; nothing if left out.
 * @param ready Whether it can take part yet; it can if left out.
 * @returns A turn.
 */
export function turn(own: () => Uint8Array = nothing, ready: () => boolean = always): Turn {
  return { own, ready };
}

/**
 * Calls a collective that is written as a generator. What it throws after its first turn ends the
 * job: other PEs wait for this one.
 *
 * @param group The PEs.
 * @param lamella Ends the job if it has to be.
 * @param kind Which collective.
 * @param args Its arguments as text.
 * @param program Its turns; in the first this PE takes part at once.
 * @returns The collective.
 */
export function callProgram(
  group: PeGroup,
  lamella: Lamella,
  kind: CollectiveKind,
  args: string,
  program: Program,
): Collective {
  const own = program.next().value?.own() ?? NOTHING;
  try {
    return group.call(kind, {
      args,
      own,
      goesOn(contributions) {
        try {
          return program.next(contributions).value ?? undefined;
        } catch (error) {
          lamella.fail(error);
          return { ready: () => false, own: nothing };
        }
      },
    });
  } catch (error) {
    program.return(undefined);
    throw error;
  }
}
