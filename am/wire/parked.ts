/**
 * Requests in teams that this PE does not know, because it has given them up: they wait until the
 * PE that sent them has said what the team is.
 *
 * @module
 */

import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";

/** A request that waits, with a payload of its own. */
export interface ParkedRequest {
  readonly kind: number;
  readonly detail: number;
  readonly number: number;
  readonly views: MemoryViews;
  readonly bytes: number;
}

/** The requests that wait, by the PE that sent them and the team. */
export class ParkedRequests {
  readonly #waiting = new Map<string, ParkedRequest[]>();

  /**
   * Sets a request aside.
   *
   * @param pe Where it came from.
   * @param team The team as it is known on the wire.
   * @param request The request but its payload.
   * @param views The memory of the payload.
   * @param at Where it begins.
   * @param bytes Its length.
   * @returns Whether it is the first of its team: the PE has to be asked.
   */
  park(
    pe: number,
    team: number,
    request: Pick<ParkedRequest, "kind" | "detail" | "number">,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): boolean {
    const own = memoryViews(new ArrayBuffer((bytes + 7) & ~7));
    own.u8.set(views.u8.subarray(at, at + bytes));
    const { kind, detail, number } = request;
    const parked = { kind, detail, number, views: own, bytes };
    const key = `${pe} ${team}`;
    const list = this.#waiting.get(key);
    if (list) list.push(parked);
    else this.#waiting.set(key, [parked]);
    return list === undefined;
  }

  /**
   * @param pe A PE.
   * @param team A team as it is known on the wire.
   * @returns What waited for it, which waits no longer.
   */
  take(pe: number, team: number): ParkedRequest[] {
    const key = `${pe} ${team}`;
    const list = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    return list;
  }
}
