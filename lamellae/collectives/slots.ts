/**
 * The slots of a PE, through which large collectives pass their data: see
 * `internal/collective_area.ts`. A group has one for each lane in which it has such collectives,
 * as long as enough are left for other groups.
 *
 * @module
 */

import { COLLECTIVE_SLOTS } from "../../internal/collective_area.ts";
import type { PeGroup } from "./group.ts";

/** Slots that groups with several collectives leave to others. */
const SLOTS_FOR_OTHERS = COLLECTIVE_SLOTS / 2;

/** The slots of one PE. */
export class CollectiveSlots {
  /** By slot. */
  readonly #users: (PeGroup | undefined)[] = Array.from({ length: COLLECTIVE_SLOTS });
  readonly #lanes: number[] = Array.from({ length: COLLECTIVE_SLOTS }, () => 0);
  readonly #uses: number[] = Array.from({ length: COLLECTIVE_SLOTS }, () => 0);

  /**
   * Takes a slot: the one that the group has already in this lane, if it has one.
   *
   * @param group The group.
   * @param lane The lane.
   * @param isNeeded Whether the collective cannot wait until others of its group are over.
   * @returns The slot, -1 if none is free.
   */
  take(group: PeGroup, lane: number, isNeeded: boolean): number {
    let slot = this.#users.findIndex((user, slot) => user === group && this.#lanes[slot] === lane);
    if (slot < 0) {
      const others = isNeeded || !this.#users.includes(group) ? 0 : SLOTS_FOR_OTHERS;
      const free = this.#users.filter((user) => user === undefined).length;
      if (free <= others) return -1;
      slot = this.#users.indexOf(undefined);
    }
    this.#users[slot] = group;
    this.#lanes[slot] = lane;
    this.#uses[slot]!++;
    return slot;
  }

  /**
   * Gives up what `take` gave.
   *
   * @param slot The slot, or -1.
   */
  giveBack(slot: number): void {
    if (slot >= 0 && --this.#uses[slot]! === 0) this.#users[slot] = undefined;
  }
}
