/**
 * Creating a team, and what the PEs of a parent compare when they do: which PEs are members, and
 * whether anybody could not tell.
 *
 * @module
 */

import { CollectiveMismatchError } from "../internal/errors.ts";
import { EXCHANGE_BYTES } from "../internal/limits.ts";
import { CollectiveHandle } from "../lamellae/mod.ts";
import { type LamellarArch, membersOf, ranges } from "./arch.ts";
import type { WorldCore } from "./core.ts";
import { childPath, hash53, Team, type TeamOptions, type TeamParent } from "./teams.ts";

/** Bytes in front of the text: a hash of the members, 0 if there are none, and its length. */
const HEAD_BYTES = 16;
/** Longest text in UTF-16 units: each takes at most three bytes. */
const TEXT_MAX = Math.floor((EXCHANGE_BYTES - HEAD_BYTES) / 3) - 1;

/** What a PE contributes. */
interface Contribution {
  /** A hash of the members, 0 if the PE has no valid arch. */
  readonly members: number;
  /** The members, or why there are none. */
  readonly text: string;
}

/**
 * Writes what this PE contributes.
 *
 * @param team The team as this PE has it, or why it has none.
 * @returns Its bytes.
 */
export function writeContribution(team: Team | Error): Uint8Array {
  const full = team instanceof Error ? team.message : `PEs ${ranges(team.parentPes)}`;
  const text = shortText(full);
  const bytes = new Uint8Array(EXCHANGE_BYTES);
  const { written } = new TextEncoder().encodeInto(text, bytes.subarray(HEAD_BYTES));
  const words = new Float64Array(bytes.buffer, 0, HEAD_BYTES / 8);
  words[0] = team instanceof Error ? 0 : hash53(team.parentPes.join()) + 1;
  words[1] = written;
  return bytes.subarray(0, HEAD_BYTES + written);
}

/**
 * Cuts a text that a contribution has no room for.
 *
 * @param full The text.
 * @returns As much of it as there is room for.
 */
export function shortText(full: string): string {
  return full.length > TEXT_MAX ? `${full.slice(0, TEXT_MAX)}…` : full;
}

function readContribution(bytes: Uint8Array): Contribution {
  const [members, length] = new Float64Array(bytes.slice(0, HEAD_BYTES).buffer);
  const text = new TextDecoder().decode(bytes.slice(HEAD_BYTES, HEAD_BYTES + length!));
  return { members: members!, text };
}

/**
 * Compares what all PEs of the parent contributed. All see the same, so all agree on the outcome.
 *
 * @param parent The parent.
 * @param all What each PE of the parent contributed.
 * @throws {CollectiveMismatchError} If they do not create the same team, naming both sides.
 */
export function compareContributions(parent: TeamParent, all: readonly Uint8Array[]): void {
  const contributions = all.map(readContribution);
  const own = contributions[parent.me]!;
  const refusing = contributions.findIndex(({ members }) => members === 0);
  const other = refusing >= 0
    ? refusing
    : contributions.findIndex(({ members }) => members !== own.members);
  if (other < 0) return;
  const { createOp } = parent;
  const [pe, otherPe] = [parent.pes[parent.me]!, parent.pes[other]!];
  const ours = `PE ${pe} called ${createOp} for ${own.text} of ${parent.name}`;
  const theirs = contributions[other]!.text;
  throw new CollectiveMismatchError(
    refusing >= 0
      ? `${ours} where PE ${otherPe} could not: ${theirs}`
      : `${ours} where PE ${otherPe} called it for ${theirs}: all of its PEs must name the ` +
        "same members",
    { pe: otherPe, op: createOp },
  );
}

/**
 * Creates a team. Collective over the parent.
 *
 * @param core What every object of the world shares.
 * @param parent The parent, of which this PE is a member.
 * @param arch Which PEs of the parent.
 * @param view What handlers see of the team.
 * @param finish Makes the result.
 * @returns A handle for the result.
 */
export function createTeam<T>(
  { engine, groups, progress, teams }: WorldCore,
  parent: TeamParent,
  arch: LamellarArch,
  view: TeamOptions["view"],
  finish: (team: Team) => T,
): CollectiveHandle<T> {
  progress.checkFailure();
  const path = childPath(parent);
  let team: Team | Error;
  try {
    const members = membersOf(arch, parent.pes.length);
    const pes = members.map((pe) => parent.pes[pe]!);
    team = teams.add(new Team({ engine, groups, path, pes, parentPes: members, view }));
  } catch (error) {
    // The others are told, instead of waiting for a PE that never calls.
    team = error as Error;
  }
  const created = parent.group!.call(parent.createOp, { own: writeContribution(team) });
  return new CollectiveHandle(created, (all) => {
    if (team instanceof Error) throw team;
    try {
      compareContributions(parent, all);
    } catch (error) {
      teams.remove(team);
      throw error;
    }
    return finish(team);
  });
}
