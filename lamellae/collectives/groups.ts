/**
 * The groups of PEs that a PE is in, and which of them have a collective under way.
 *
 * @module
 */

import { CollectiveMismatchError } from "../../internal/errors.ts";
import { CollectiveSlots } from "./slots.ts";
import { Transfers } from "./transfer.ts";
import { type Members, type Round, roundsOf, WORLD_ID } from "./dissemination.ts";
import { type GroupHost, PeGroup } from "./group.ts";
import { type Signals, WAIT_FOR } from "../lamella.ts";
import type { Progress, WaitReason } from "../progress.ts";

/** Microtasks that an `await` which has just begun takes to get to the promise of a collective. */
const TELL_HOPS = 16;

const NO_REASON: WaitReason = { kind: WAIT_FOR.nothing, pe: -1 };

/** The groups of one PE. */
export class PeGroups implements GroupHost {
  /** The engine that waits. */
  readonly progress: Progress;
  /** Makes collectives that move data. */
  readonly transfers: Transfers;
  /** Those that have a collective under way, in the order in which they began. */
  readonly #busy: PeGroup[] = [];
  /** A mismatch that was found and is about to end the job. */
  #untold: Error | undefined;

  /**
   * @param progress The engine that waits.
   */
  constructor(progress: Progress) {
    this.progress = progress;
    this.transfers = new Transfers(progress.lamella, new CollectiveSlots());
    progress.addPoller(() => this.#busy.length === 0 ? 0 : this.#advance());
    progress.addReason(() => this.#busy[0]?.reason ?? NO_REASON);
    progress.onFailure((error) => {
      for (const group of this.#busy.splice(0)) group.fail(error);
    });
  }

  /**
   * Makes the group of all PEs, whose signals the lamella carries.
   *
   * @param factor Partners in each round of a barrier; fewer if the lamella has not enough slots.
   * @param turns How many turns each lane has had, the same on every PE.
   * @returns The group.
   */
  world(factor: number, turns = 0): PeGroup {
    const { lamella } = this.progress;
    const pes = Array.from({ length: lamella.numPes }, (_, pe) => pe);
    const members = { name: "the world", id: WORLD_ID, pes, me: lamella.pe };
    const rounds = roundsOf(members, factor, lamella.slotsMax);
    return new PeGroup(this, members, rounds, lamella, turns);
  }

  /**
   * Makes a group of some PEs, of which this PE is one.
   *
   * @param members The PEs.
   * @param rounds Whom each signals.
   * @param signals How.
   * @returns The group.
   */
  some(members: Members, rounds: readonly Round[], signals: Signals): PeGroup {
    return new PeGroup(this, members, rounds, signals);
  }

  /**
   * Takes note that a group has a collective under way, where it had none.
   *
   * @param group The group.
   */
  begin(group: PeGroup): void {
    this.#busy.push(group);
  }

  #advance(): number {
    if (this.#untold && this.progress.blocks) this.tell(this.#untold);
    let done = 0;
    for (let i = 0; i < this.#busy.length; i++) {
      const group = this.#busy[i]!;
      done += group.advance();
      if (group.isQuiet) this.#busy.splice(i--, 1);
    }
    return done;
  }

  /**
   * Ends the job a little later: the code that awaits the collective gives the report the lines of
   * the program, if that goes on.
   *
   * @param error Why.
   */
  async tellSoon(error: Error): Promise<void> {
    if (this.progress.blocks) return void this.tell(error);
    this.#untold = error;
    for (let hop = 0; hop < TELL_HOPS; hop++) await undefined;
    this.tell(error);
  }

  /**
   * Ends the job if its PEs do not agree.
   *
   * @param error Why a collective failed.
   * @returns The same.
   */
  tell(error: Error): Error {
    this.#untold = undefined;
    if (error instanceof CollectiveMismatchError) this.progress.lamella.fail(error);
    return error;
  }
}
