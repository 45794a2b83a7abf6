/**
 * A collective that moves data: what is short travels with the first turn, and everything else
 * through the slots of the PEs. If a PE has no slot for it, it waits for those before it in its
 * group. If there is none even then, because many groups are at work, the data travel with the
 * turns, a little with each: slower, but nobody waits for a slot that another group gives back only
 * after this one.
 *
 * @module
 */

import { EXCHANGE_BYTES } from "../../internal/limits.ts";
import type { PeGroup } from "./group.ts";
import type { Collective } from "./operation.ts";
import type { CollectiveKind } from "./collective_call.ts";
import type { Lamella } from "../lamella.ts";
import { laneOf } from "../lanes.ts";
import { type Head, LENGTHS_MAX, readHead, SHORT_BYTES_MAX, writeHead } from "./head.ts";
import { Hosts } from "./hosts.ts";
import { type Bytes, Passage } from "./passage.ts";
import { callProgram, type Program, turn } from "./program.ts";
import { lengthOf } from "./ranges.ts";
import type { CollectiveSlots } from "./slots.ts";

/** What a PE contributes to a collective, and what becomes of it. */
export interface Transfer {
  /** What the bytes are, as the caller numbers it, below 256. */
  readonly meaning: number;
  /** Bytes that `packed` gives. */
  readonly packedLength: number;
  /** Everything that this PE contributes, in one piece. */
  readonly packed: () => Bytes;
  /** What the head says of the length, if this is not short. */
  readonly length: number;
  /** The lengths of what this PE has for each place, if places get different parts. */
  readonly lengths?: readonly number[];
  /** What others may read in its place if it is in the heap. */
  readonly source: Bytes | undefined;
  /** Makes the result of what each place contributes. */
  readonly here: (all: readonly Bytes[], heads: readonly Head[], hosts: Hosts) => void;
  /** The turns in which the data pass through slots. */
  readonly pass: (passage: Passage) => Program;
}

/** Makes collectives that move data; one for each PE. */
export class Transfers {
  readonly lamella: Lamella;
  /** The slots of this PE. */
  readonly slots: CollectiveSlots;
  /** The hosts of each group, which do not change. */
  readonly #hosts = new WeakMap<PeGroup, Hosts>();

  /**
   * @param lamella The lamella.
   * @param slots The slots of this PE.
   */
  constructor(lamella: Lamella, slots: CollectiveSlots) {
    this.lamella = lamella;
    this.slots = slots;
  }

  /**
   * Calls a collective.
   *
   * @param group The PEs.
   * @param kind Which.
   * @param args Its arguments as text, the same on every PE.
   * @param transfer What this PE contributes.
   * @returns The collective.
   */
  call(group: PeGroup, kind: CollectiveKind, args: string, transfer: Transfer): Collective {
    return callProgram(group, this.lamella, kind, args, this.#turns(group, transfer));
  }

  *#turns(group: PeGroup, transfer: Transfer): Program {
    const { meaning, packed, packedLength, length } = transfer;
    const leader = this.leaderOf(group);
    const short = packedLength <= SHORT_BYTES_MAX ? packed() : undefined;
    const offset = short ? -1 : this.#offsetOf(transfer.source);
    const number = group.nextNumber;
    const lane = laneOf(number);
    let slot = short ? -1 : this.slots.take(group, lane, false);
    try {
      const { lengths = [] } = transfer;
      const told = lengths.length <= LENGTHS_MAX ? lengths : [];
      const own: Head = { meaning, leader, short, length, slot, offset, lengths: told };
      let heads = (yield turn(() => writeHead(own))).map(readHead);
      const hosts = this.hostsOf(group, () => heads);
      if (heads.every((head) => head.short)) {
        transfer.here(heads.map((head) => head.short!), heads, hosts);
        return;
      }
      if (heads.some((head) => head.slot < 0)) {
        const retry = (): boolean => {
          const isOldest = group.isOldest(number);
          if (slot < 0) slot = this.slots.take(group, lane, isOldest);
          return slot >= 0 || isOldest;
        };
        const again = (): Uint8Array => writeHead({ ...own, short: undefined, slot });
        heads = (yield turn(again, retry)).map(readHead);
      }
      if (heads.every((head) => head.slot >= 0)) {
        yield* transfer.pass(new Passage(this.lamella, group, heads, hosts));
      } else {
        const all: Bytes[][] = heads.map(() => []);
        yield* withTurns(packed(), all);
        transfer.here(all.map(joined), heads, hosts);
      }
    } finally {
      this.slots.giveBack(slot);
    }
  }

  /**
   * @param group The PEs.
   * @returns The first of them on this host, by its place in the group.
   */
  leaderOf(group: PeGroup): number {
    const known = this.#hosts.get(group);
    return known ? known.near[0]! : group.pes.findIndex((pe) => this.lamella.isNear(pe));
  }

  /**
   * @param group The PEs.
   * @param heads Gives what each of them told.
   * @returns Their hosts.
   */
  hostsOf(group: PeGroup, heads: () => readonly Head[]): Hosts {
    let hosts = this.#hosts.get(group);
    if (!hosts) {
      hosts = new Hosts(heads().map(({ leader }) => leader), group.me);
      this.#hosts.set(group, hosts);
    }
    return hosts;
  }

  /** Where others find bytes in this PE's heap; -1 if they are elsewhere. */
  #offsetOf(bytes: Bytes | undefined): number {
    const { collectiveOffset, pe, views } = this.lamella;
    if (bytes?.buffer !== views.buffer) return -1;
    const offset = bytes.byteOffset - this.lamella.address(pe, 0);
    return offset >= 0 && offset + bytes.length <= collectiveOffset ? offset : -1;
  }
}

/** Collects what all contribute, some bytes with each turn. */
function* withTurns(own: Bytes, all: Bytes[][]): Program {
  for (let at = 0, goesOn = true; goesOn; at += EXCHANGE_BYTES) {
    const pieces = yield turn(() => own.subarray(at, at + EXCHANGE_BYTES));
    pieces.forEach((piece, place) => all[place]!.push(piece));
    goesOn = pieces.some(({ length }) => length === EXCHANGE_BYTES);
  }
}

function joined(pieces: readonly Bytes[]): Bytes {
  const bytes = new Uint8Array(lengthOf(pieces.map(({ length }) => length)));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
