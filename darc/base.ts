/**
 * What all kinds of Darcs have in common: their team, and how they are given back.
 *
 * @module
 */

import { shownNumber } from "../internal/session_numbers.ts";
import type { LamellarEnv } from "../am/mod.ts";
import { CollectiveHandle } from "../lamellae/mod.ts";
import { insideOfEnv, type LamellarTeam, type WorldCore } from "../world/mod.ts";
import { type DarcKind, type DarcRecord, giveBackWith, type Reference } from "./record.ts";
import { DarcSpace } from "./space.ts";

/** The Darcs of each world: a program has one, tests have several. */
const spaces = new WeakMap<WorldCore, DarcSpace>();

/**
 * @param core What every object of a world shares.
 * @returns The Darcs of the PE.
 */
export function spaceOf(core: WorldCore): DarcSpace {
  let space = spaces.get(core);
  if (!space) spaces.set(core, space = new DarcSpace(core));
  return space;
}

/** The reference behind a handle. */
export let referenceOf: (object: TeamObject) => Reference;

/**
 * What the PEs of a team share, and count who has it.
 *
 * @category Darcs
 */
export abstract class TeamObject implements LamellarEnv, Disposable {
  readonly #reference: Reference;

  /**
   * Programs get such objects from `create`, from conversions, and in payloads.
   *
   * @ignore
   * @param reference What is given back at the end.
   */
  constructor(reference: Reference) {
    this.#reference = reference;
  }

  /** The world. */
  get world(): LamellarEnv["world"] {
    return this.#reference.record.team.world;
  }

  /** The team that has it: each of its PEs has an instance. */
  get team(): LamellarTeam {
    return this.#reference.record.team;
  }

  /** This PE, by its number in the team. */
  get myPe(): number {
    return this.#reference.record.me;
  }

  /** Number of PEs of the team. */
  get numPes(): number {
    return this.#reference.record.pes.length;
  }

  /** Number of threads of this PE: 1, because a PE is one Worker. */
  get numThreadsPerPe(): number {
    return 1;
  }

  /** Gives this handle back. */
  abstract dispose(): void;

  /** Gives this handle back, at the end of a scope with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  static {
    referenceOf = (object) => object.#reference;
  }
}

/**
 * One PE's handle of a Darc of any kind.
 *
 * @category Darcs
 */
export abstract class DarcBase extends TeamObject {
  /**
   * Programs get Darcs from `create`, from conversions, and in payloads.
   *
   * @ignore
   * @param reference What is given back at the end.
   */
  constructor(reference: Reference) {
    super(reference);
    giveBackWith(this, reference);
  }

  /** Prints what this PE knows of who holds it. */
  print(): void {
    const { home, name, place, references } = referenceOf(this).record;
    const { held, unacknowledged } = references.state;
    console.log(
      `${name} ${place}: ${held} handles and guards here, ${unacknowledged} that went to ` +
        `other PEs and may be in use there; PE ${home} finds out when nobody has one`,
    );
  }

  /**
   * Gives this handle back. The instances of all PEs are dropped once no PE has a handle or a guard
   * of the Darc, and none is under way. It does nothing the second time.
   */
  dispose(): void {
    referenceOf(this).giveBack();
  }
}

/**
 * @param darc A handle.
 * @param op What the user called.
 * @returns The Darc, and the Darcs of its PE.
 * @throws {ClosedError} If the handle was given back.
 */
export function open(
  darc: DarcBase,
  op: string,
): { readonly record: DarcRecord; readonly space: DarcSpace } {
  const record = referenceOf(darc).check(op);
  return { record, space: spaceOf(record.core) };
}

/**
 * Creates a Darc. Collective over the team.
 *
 * @param env The world, a team, or what belongs to one.
 * @param kind What it is.
 * @param value The instance of this PE.
 * @param make Makes the handle of its reference.
 * @returns A handle for the Darc.
 * @throws {IdError} If this PE is not a member of the team.
 */
export function create<D>(
  env: LamellarEnv,
  kind: DarcKind,
  value: unknown,
  make: (reference: Reference) => D,
): CollectiveHandle<D> {
  const op = `${kind}.create` as const;
  const team = (env as LamellarEnv | undefined)?.team as LamellarTeam;
  const inside = insideOfEnv(team, `call ${op}`);
  const group = inside.group(op);
  inside.core.progress.checkFailure();
  const space = spaceOf(inside.core);
  const record = space.add(kind, team, inside, { value });
  const collective = group.call(op, { args: String(shownNumber(record.number)) });
  const darc = make(space.reference(record, kind));
  return new CollectiveHandle(collective, () => darc);
}
