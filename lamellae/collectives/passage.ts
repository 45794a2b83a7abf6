/**
 * How the data of one large collective pass between the PEs of a group. Each PE puts blocks into
 * the rows of its slot, or leaves them where they are in its heap, and the others take them from
 * there: by a copy where memory is shared, by a `get` elsewhere. After each turn a PE may read what
 * the others had prepared before it.
 *
 * @module
 */

import { blockBytes, ROW, rowPlace } from "../../internal/collective_area.ts";
import type { PeGroup } from "./group.ts";
import type { Lamella } from "../lamella.ts";
import type { Head } from "./head.ts";
import type { Hosts } from "./hosts.ts";
import { type Turn, turn } from "./program.ts";

/** Bytes of the memory of this process, or anywhere else. */
export type Bytes = Uint8Array;

/** The data of one collective, seen from one PE. */
export class Passage {
  /** The places of the group. */
  readonly places: number;
  /** This PE's place. */
  readonly me: number;
  readonly hosts: Hosts;
  readonly heads: readonly Head[];
  /** Bytes of a row of a slot. */
  readonly rowBytes: number;
  readonly lamella: Lamella;
  readonly #pes: readonly number[];
  #tickets: number[] = [];

  /**
   * @param lamella The lamella.
   * @param group The PEs.
   * @param heads What each of them told, in the order of the group.
   * @param hosts Which of them share memory.
   */
  constructor(lamella: Lamella, group: PeGroup, heads: readonly Head[], hosts: Hosts) {
    this.lamella = lamella;
    this.#pes = group.pes;
    this.places = group.pes.length;
    this.me = group.me;
    this.heads = heads;
    this.hosts = hosts;
    this.rowBytes = blockBytes(lamella.numPes);
  }

  /**
   * @param place A place.
   * @returns Whether its memory is mapped here.
   */
  isNear(place: number): boolean {
    return this.hosts.hostOf[place] === this.hosts.mine;
  }

  /**
   * @param row A row of this PE's slot, one of {@linkcode ROW}.
   * @param round Even and odd rounds have a row each, where there are two.
   * @returns Its address.
   */
  own(row: number, round = 0): number {
    return this.addressOf(this.me, row, round);
  }

  /**
   * @param place A near place.
   * @param row A row of its slot.
   * @param round The round.
   * @returns The address of the row.
   */
  addressOf(place: number, row: number, round: number): number {
    return this.lamella.address(this.#pes[place]!, this.#offsetOf(place, row, round));
  }

  #offsetOf(place: number, row: number, round: number): number {
    const { collectiveOffset, numPes } = this.lamella;
    const pair = row === ROW.got ? 0 : round & 1;
    return collectiveOffset + rowPlace(numPes, this.heads[place]!.slot, row + pair);
  }

  /**
   * What a near place contributes, from a position on.
   *
   * @param place The place.
   * @param position The position in its bytes.
   * @param round The round in which it staged them, if it did.
   * @param at Where in the row they are, if they were staged.
   * @returns The address.
   */
  sourceOf(place: number, position: number, round: number, at: number): number {
    const { offset } = this.heads[place]!;
    if (offset < 0) return this.addressOf(place, ROW.own, round) + at;
    return this.lamella.address(this.#pes[place]!, offset + position);
  }

  /**
   * Gets what a far place contributes; `wait` waits for it.
   *
   * @param place The place.
   * @param position The position in its bytes.
   * @param round The round in which it staged them, if it did.
   * @param at Where in the row they are, if they were staged.
   * @param target An address of this process.
   * @param bytes How many.
   */
  getSource(
    place: number,
    position: number,
    round: number,
    at: number,
    target: number,
    bytes: number,
  ): void {
    const { offset } = this.heads[place]!;
    const from = offset < 0 ? this.#offsetOf(place, ROW.own, round) + at : offset + position;
    this.#get(place, from, target, bytes);
  }

  /**
   * Gets bytes of a row of a far place; `wait` waits for them.
   *
   * @param place The place.
   * @param row The row.
   * @param round The round.
   * @param at Where in the row.
   * @param target An address of this process.
   * @param bytes How many.
   */
  getRow(
    place: number,
    row: number,
    round: number,
    at: number,
    target: number,
    bytes: number,
  ): void {
    this.#get(place, this.#offsetOf(place, row, round) + at, target, bytes);
  }

  #get(place: number, offset: number, target: number, bytes: number): void {
    if (bytes === 0) return;
    const ticket = this.lamella.get(this.#pes[place]!, offset, target, bytes);
    if (ticket !== 0) this.#tickets.push(ticket);
  }

  /** A turn that this PE enters once what it has begun to get is there. */
  wait(): Turn {
    return turn(undefined, () => {
      // A ticket that is done must not be asked for again.
      this.#tickets = this.#tickets.filter((ticket) => this.lamella.isPending(ticket));
      return this.#tickets.length === 0;
    });
  }

  /** Whether what this PE contributes has to be staged. */
  get isStaged(): boolean {
    return this.heads[this.me]!.offset < 0;
  }

  /**
   * Copies bytes to an address of this process.
   *
   * @param to The address.
   * @param from Where they are.
   */
  store(to: number, from: Bytes): void {
    const { kernels, views } = this.lamella;
    if (from.buffer === views.buffer) kernels.copy(to, from.byteOffset, from.length);
    else views.u8.set(from, to);
  }

  /**
   * Copies bytes from an address of this process.
   *
   * @param to Where they go.
   * @param at Where in it they begin.
   * @param from The address.
   * @param bytes How many.
   */
  load(to: Bytes, at: number, from: number, bytes: number): void {
    const { kernels, views } = this.lamella;
    if (to.buffer === views.buffer) kernels.copy(to.byteOffset + at, from, bytes);
    else to.set(views.u8.subarray(from, from + bytes), at);
  }
}
