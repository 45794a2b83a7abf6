/**
 * The slots of a PE, through which large collectives pass their data: see
 * `internal/collective_area.ts`. A group has one while it has such collectives under way.
 *
 * @module
 */

import { COLLECTIVE_SLOTS } from "../../internal/collective_area.ts";
import type { PeGroup } from "./group.ts";

/** The slots of one PE. */
export class CollectiveSlots {
  /** By slot. */
  readonly #users: (PeGroup | undefined)[] = Array.from({ length: COLLECTIVE_SLOTS });
  readonly #uses: number[] = Array.from({ length: COLLECTIVE_SLOTS }, () => 0);

  /**
   * Takes a slot: the one that the group has already, if it has one.
   *
   * @param group The group.
   * @returns The slot, -1 if none is free.
   */
  take(group: PeGroup): number {
    let slot = this.#users.indexOf(group);
    if (slot < 0) slot = this.#users.indexOf(undefined);
    if (slot < 0) return -1;
    this.#users[slot] = group;
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
