/**
 * Which PEs of a parent team make up a team, and in which order.
 *
 * @module
 */

/**
 * The program asked for the number of a PE in a team of which it is not a member.
 *
 * @category Errors
 */
export class IdError extends RangeError {
  /** The name of the class. */
  override name = "IdError";
  /** A stable word to test for. */
  readonly code = "ERR_ID";
  /** The PE, by its number in the world. */
  readonly pe: number;

  /**
   * Programs get it from teams.
   *
   * @internal
   * @param message Which PE is not a member of which team.
   * @param pe The PE, by its number in the world.
   */
  constructor(message: string, pe: number) {
    super(message);
    this.pe = pe;
  }
}

/**
 * Maps the PEs of a team to the PEs of its parent, and back. Programs may write their own arch; it
 * must give the same answers on every PE of the parent.
 *
 * @category Teams
 */
export interface LamellarArch {
  /** Number of members, at least 1. */
  readonly numPes: number;
  /** No member has a number in the parent below this. */
  readonly startPe: number;
  /** No member has a number in the parent above this. */
  readonly endPe: number;
  /** The number in the parent of a PE of the team; undefined if the team has no such PE. */
  parentPeId(teamPe: number): number | undefined;
  /** The number in the team of a PE of the parent; undefined if it is not a member. */
  teamPeId(parentPe: number): number | undefined;
}

/**
 * PEs of the parent at regular intervals.
 *
 * ```ts
 * import { StridedArch } from "../mod.ts";
 *
 * const even = new StridedArch(0, 2, 3);
 * console.log(even.parentPeId(2) === 4, even.teamPeId(3) === undefined);
 * ```
 *
 * @category Teams
 */
export class StridedArch implements LamellarArch {
  /** Number of members. */
  readonly numPes: number;
  /** The first member, by its number in the parent. */
  readonly startPe: number;
  /** The last member, by its number in the parent. */
  readonly endPe: number;
  /** The distance from one member to the next. */
  readonly stride: number;

  /**
   * Makes the arch.
   *
   * @param start The first member, by its number in the parent.
   * @param stride The distance from one member to the next, at least 1.
   * @param numPes Number of members, at least 1.
   * @throws {RangeError} If a number is out of range.
   */
  constructor(start: number, stride: number, numPes: number) {
    checkInteger("start", start, 0);
    checkInteger("stride", stride, 1);
    checkInteger("number of PEs", numPes, 1);
    this.numPes = numPes;
    this.startPe = start;
    this.endPe = start + (numPes - 1) * stride;
    this.stride = stride;
  }

  /**
   * Maps a PE of the team to its parent.
   *
   * @param teamPe A PE of the team.
   * @returns Its number in the parent; undefined if the team has no such PE.
   */
  parentPeId(teamPe: number): number | undefined {
    if (!Number.isInteger(teamPe) || teamPe < 0 || teamPe >= this.numPes) return undefined;
    return this.startPe + teamPe * this.stride;
  }

  /**
   * Maps a PE of the parent to the team.
   *
   * @param parentPe A PE of the parent.
   * @returns Its number in the team; undefined if it is not a member.
   */
  teamPeId(parentPe: number): number | undefined {
    const teamPe = (parentPe - this.startPe) / this.stride;
    return Number.isInteger(teamPe) && teamPe >= 0 && teamPe < this.numPes ? teamPe : undefined;
  }
}

/**
 * A range of PEs of the parent.
 *
 * @category Teams
 */
export class BlockedArch extends StridedArch {
  /**
   * Makes the arch.
   *
   * @param start The first member, by its number in the parent.
   * @param numPes Number of members, at least 1.
   * @throws {RangeError} If a number is out of range.
   */
  constructor(start: number, numPes: number) {
    super(start, 1, numPes);
  }
}

function checkInteger(what: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(
    `Cannot make an arch: its ${what} must be an integer of at least ${least}, got ${value}`,
  );
}

/**
 * Asks an arch for its members, and checks that its answers agree.
 *
 * @param arch The arch.
 * @param parentPes PEs of the parent.
 * @returns The members in their order, by their numbers in the parent.
 * @throws {TypeError} If it is not an arch, it threw, or its two mappings disagree.
 * @throws {RangeError} If it has no members, or some that the parent does not have.
 */
export function membersOf(arch: LamellarArch, parentPes: number): number[] {
  if (typeof arch?.parentPeId !== "function" || typeof arch.teamPeId !== "function") {
    throw new TypeError(`Cannot create a team: ${Deno.inspect(arch)} is not an arch`);
  }
  const numPes = ask("numPes", () => arch.numPes) as number;
  if (!(Number.isInteger(numPes) && numPes >= 1 && numPes <= parentPes)) {
    throw new RangeError(
      `Cannot create a team of ${Deno.inspect(numPes)} PEs: its parent has ${parentPes}`,
    );
  }
  const members = Array.from({ length: numPes }, (_, teamPe) => {
    return memberOf(arch, teamPe, parentPes);
  });
  checkWayBack(arch, members, parentPes);
  checkEnds(arch, members);
  return members;
}

/** Asks the arch; it is the program's, so it may throw. */
function ask(what: string, answer: () => unknown): unknown {
  try {
    return answer();
  } catch (cause) {
    const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : Deno.inspect(cause);
    throw new TypeError(`Cannot create a team: ${what} of its arch threw ${text}`, { cause });
  }
}

function memberOf(arch: LamellarArch, teamPe: number, parentPes: number): number {
  const parentPe = ask(`parentPeId(${teamPe})`, () => arch.parentPeId(teamPe)) as number;
  if (Number.isInteger(parentPe) && parentPe >= 0 && parentPe < parentPes) return parentPe;
  throw new RangeError(
    `Cannot create a team: parentPeId(${teamPe}) of its arch is ${Deno.inspect(parentPe)}, ` +
      `and its parent has PEs 0 to ${parentPes - 1}`,
  );
}

function checkWayBack(arch: LamellarArch, members: readonly number[], parentPes: number): void {
  const teamPes = new Map<number, number>();
  for (const [teamPe, parentPe] of members.entries()) {
    const other = teamPes.get(parentPe);
    if (other !== undefined) {
      throw new TypeError(
        `Cannot create a team: its arch maps PEs ${other} and ${teamPe} to PE ${parentPe} of its ` +
          "parent",
      );
    }
    teamPes.set(parentPe, teamPe);
  }
  for (let parentPe = 0; parentPe < parentPes; parentPe++) {
    const found = ask(`teamPeId(${parentPe})`, () => arch.teamPeId(parentPe));
    const expected = teamPes.get(parentPe);
    if (found === expected) continue;
    throw new TypeError(
      `Cannot create a team: teamPeId(${parentPe}) of its arch is ${Deno.inspect(found)} where ` +
        `its parentPeId gives ${expected}`,
    );
  }
}

function checkEnds(arch: LamellarArch, members: readonly number[]): void {
  const startPe = ask("startPe", () => arch.startPe) as number;
  const endPe = ask("endPe", () => arch.endPe) as number;
  const outside = members.find((pe) => !(startPe <= pe && pe <= endPe));
  if (outside === undefined) return;
  throw new TypeError(
    `Cannot create a team: its arch goes from PE ${Deno.inspect(startPe)} to ` +
      `${Deno.inspect(endPe)} and has PE ${outside}`,
  );
}

/**
 * Writes numbers as `0-3, 5`, in their order.
 *
 * @param numbers The numbers.
 * @returns The text.
 */
export function ranges(numbers: readonly number[]): string {
  const texts: string[] = [];
  for (let at = 0; at < numbers.length; at++) {
    const first = numbers[at]!;
    while (numbers[at + 1] === numbers[at]! + 1) at++;
    const last = numbers[at]!;
    texts.push(first === last ? `${first}` : `${first}-${last}`);
  }
  return texts.join(", ");
}
