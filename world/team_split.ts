/**
 * Splitting a team: one collective of the parent makes several teams, and each PE gets the ones
 * that it is in. Every PE contributes what it asks for, so every PE works out the same teams.
 *
 * A second turn of the collective ends once every PE knows its teams, so that whatever a member
 * sends in one of them after the call finds it.
 *
 * @module
 */

import { CollectiveMismatchError } from "../internal/errors.ts";
import { EXCHANGE_BYTES } from "../internal/limits.ts";
import { CollectiveHandle, type CollectiveKind, type NextTurn } from "../lamellae/mod.ts";
import type { WorldCore } from "./core.ts";
import { shortText } from "./team_creation.ts";
import { childPath, Team, type TeamOptions, type TeamParent } from "./teams.ts";

/**
 * What a PE asks for when it splits a team.
 *
 * @category Teams
 */
export interface SplitOptions {
  /**
   * The PEs that give the same color make up a team: an integer from 0. A PE that gives none, or
   * null, gets no team.
   */
  readonly color?: number | null | undefined;
  /**
   * The PEs of a team are ordered by this integer, and those with the same key by their numbers in
   * the parent; 0 without it.
   */
  readonly key?: number | undefined;
}

/** A team that a split makes. */
export interface Part {
  /** Tells it from the other teams of the split. */
  readonly label: string;
  /** Its members by their numbers in the parent. */
  readonly members: readonly number[];
}

/** How a team is split. */
export interface Split {
  /** How messages call it. */
  readonly op: CollectiveKind;
  /** What this PE asks for, or why it cannot. */
  readonly wish: readonly number[] | Error;
  /** What all PEs have to ask for alike, if they have to. */
  readonly alike?: string;
  /** The teams that a PE is in, if the PEs ask for these things. */
  readonly parts: (wishes: readonly (readonly number[])[], me: number) => Part[];
}

/** Bytes in front: 1 for a wish, 0 for an error, and how many numbers or bytes follow. */
const HEAD_BYTES = 16;

/** A contribution: numbers, or why there are none. */
type Wish = readonly number[] | string;

/**
 * Writes what a PE contributes to a split.
 *
 * @param wish Its numbers, or why it has none.
 * @returns The bytes.
 */
export function writeWish(wish: readonly number[] | Error): Uint8Array {
  const bytes = new Uint8Array(EXCHANGE_BYTES);
  const words = new Float64Array(bytes.buffer);
  if (wish instanceof Error) {
    const text = shortText(wish.message);
    const { written } = new TextEncoder().encodeInto(text, bytes.subarray(HEAD_BYTES));
    words.set([0, written]);
    return bytes.subarray(0, HEAD_BYTES + written);
  }
  words.set([1, wish.length, ...wish]);
  return bytes.subarray(0, HEAD_BYTES + 8 * wish.length);
}

/**
 * Reads what `writeWish` wrote.
 *
 * @param bytes The bytes.
 * @returns The numbers, or why there are none.
 */
export function readWish(bytes: Uint8Array): Wish {
  const [isWish, length] = new Float64Array(bytes.slice(0, HEAD_BYTES).buffer);
  if (isWish === 0) return new TextDecoder().decode(bytes.slice(HEAD_BYTES));
  return [...new Float64Array(bytes.slice(HEAD_BYTES, HEAD_BYTES + 8 * length!).buffer)];
}

/**
 * Finds out why a split is not possible. All PEs see the same, so all agree.
 *
 * @param parent The parent.
 * @param split How this PE splits it.
 * @param wishes What each PE of the parent asks for.
 * @returns The error that this PE gets, if it is not possible.
 */
export function problemOf(
  parent: TeamParent,
  { alike, op }: Split,
  wishes: readonly Wish[],
): Error | undefined {
  const own = wishes[parent.me]!;
  const refusing = wishes.findIndex((wish) => typeof wish === "string");
  const other = refusing >= 0 || alike === undefined
    ? refusing
    : wishes.findIndex((wish) => `${wish}` !== `${own}`);
  if (other < 0) return undefined;
  const [pe, otherPe] = [parent.pes[parent.me]!, parent.pes[other]!];
  const theirs = wishes[other]!;
  return new CollectiveMismatchError(
    refusing >= 0
      ? `PE ${pe} called ${op} of ${parent.name} where PE ${otherPe} could not: ${theirs}`
      : `PE ${pe} called ${op}(${own}) of ${parent.name} where PE ${otherPe} called ` +
        `${op}(${theirs}): all of its PEs must name the same ${alike}`,
    { pe: otherPe, op },
  );
}

/**
 * Splits a team. Collective over the parent.
 *
 * @param core What every object of the world shares.
 * @param parent The parent, of which this PE is a member.
 * @param split How.
 * @param view What handlers see of the teams.
 * @param finish Makes the result of the teams that this PE is in.
 * @returns A handle for the result.
 */
export function splitTeam<T>(
  { engine, groups, progress, teams }: WorldCore,
  parent: TeamParent,
  split: Split,
  view: TeamOptions["view"],
  finish: (teams: readonly Team[]) => T,
): CollectiveHandle<T> {
  progress.checkFailure();
  const path = childPath(parent);
  const made: Team[] = [];
  let problem: Error | undefined = split.wish instanceof Error ? split.wish : undefined;
  const make = (wishes: readonly (readonly number[])[]): void => {
    for (const { label, members } of split.parts(wishes, parent.me)) {
      const pes = members.map((pe) => parent.pes[pe]!);
      const described = { path: `${path}:${label}`, pes, parentPes: members };
      made.push(teams.add(new Team({ engine, groups, view, ...described })));
    }
  };
  const goesOn = (all: Uint8Array[], turn: number): NextTurn | undefined => {
    const wishes = all.map(readWish);
    if (turn > 1 || problemOf(parent, split, wishes)) return undefined;
    try {
      make(wishes as number[][]);
    } catch (error) {
      problem = error as Error;
    }
    return { ready: () => true, own: () => writeWish(problem ?? []) };
  };
  const called = parent.group!.call(split.op, { own: writeWish(split.wish), goesOn });
  return new CollectiveHandle(called, (all) => {
    problem ??= problemOf(parent, split, all.map(readWish));
    if (problem === undefined) return finish(made);
    made.forEach((team) => teams.remove(team));
    throw problem;
  });
}

/**
 * @param options What the program asks for.
 * @returns The split by color and key.
 */
export function splitByColor(options: SplitOptions): Split {
  return {
    op: "split",
    wish: attempt(() => readOptions(options)),
    parts(wishes, me) {
      const [color] = wishes[me]!;
      if (color === undefined) return [];
      const members = [...wishes.keys()].filter((pe) => wishes[pe]![0] === color);
      members.sort((a, b) => wishes[a]![1]! - wishes[b]![1]! || a - b);
      return [{ label: `${color}`, members }];
    },
  };
}

/**
 * @param rows How many rows.
 * @param numPes PEs of the parent.
 * @returns The split into the rows and columns of a grid: first the row, then the column of a PE.
 */
export function splitInGrid(rows: number, numPes: number): Split {
  return {
    op: "split2d",
    alike: "number of rows",
    wish: attempt(() => {
      if (Number.isInteger(rows) && rows >= 1 && rows <= numPes) return [rows];
      const wrong = typeof rows === "number" ? RangeError : TypeError;
      throw new wrong(
        `Cannot split a team of ${numPes} PEs into ${Deno.inspect(rows)} rows: it takes an ` +
          `integer from 1 to ${numPes}`,
      );
    }),
    parts(_wishes, me) {
      const { column, row } = placeInGrid(me, rows, numPes);
      const pes = Array.from({ length: numPes }, (_, pe) => pe);
      const places = pes.map((pe) => placeInGrid(pe, rows, numPes));
      return [
        { label: `row${row}`, members: pes.filter((pe) => places[pe]!.row === row) },
        { label: `column${column}`, members: pes.filter((pe) => places[pe]!.column === column) },
      ];
    },
  };
}

/** Rows are as even as possible, the longer ones first: so only the last column has gaps. */
function placeInGrid(pe: number, rows: number, numPes: number): { row: number; column: number } {
  const short = Math.floor(numPes / rows);
  const longRows = numPes % rows;
  const inLong = longRows * (short + 1);
  const row = pe < inLong
    ? Math.floor(pe / (short + 1))
    : longRows + Math.floor((pe - inLong) / short);
  const start = row * short + Math.min(row, longRows);
  return { row, column: pe - start };
}

function attempt(read: () => readonly number[]): readonly number[] | Error {
  try {
    return read();
  } catch (error) {
    return error instanceof Error ? error : new TypeError("Cannot split a team", { cause: error });
  }
}

function readOptions(options: SplitOptions): readonly number[] {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot split a team: it takes a color and a key, got ${Deno.inspect(options)}`,
    );
  }
  const { color, key = 0 } = options;
  checkInteger("key", key, -Number.MAX_SAFE_INTEGER);
  if (color === undefined || color === null) return [];
  checkInteger("color", color, 0);
  return [color, key];
}

function checkInteger(what: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && value as number >= least) return;
  const wanted = least === 0 ? "an integer of at least 0" : "an integer";
  const text = `Cannot split a team: the ${what} must be ${wanted}, got ${Deno.inspect(value)}`;
  throw typeof value === "number" ? new RangeError(text) : new TypeError(text);
}
