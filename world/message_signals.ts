/**
 * Signals among the members of a team, as messages, so that its collectives need nothing of a
 * lamella but frames. A message has with it what its sender has gathered so far, and which its
 * target lacks.
 *
 * @module
 */

import { type AmEngine, sendCollective } from "../am/mod.ts";
import { ProtocolError } from "../internal/errors.ts";
import { EXCHANGE_AREA_BYTES } from "../internal/limits.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import {
  contributionBytes,
  laneOf,
  LANES,
  type Members,
  nextSequence,
  numberBefore,
  type Round,
  setOf,
  SETS,
  type Signals,
} from "../lamellae/mod.ts";

/** Words of a message behind the id of the team: sequence number, slot, tag, contributions. */
const HEAD_WORDS = 4;
/** Bytes of the id and of these words. */
const MESSAGE_BYTES = 8 + 4 * HEAD_WORDS;

/** What one slot is for. */
interface Slot {
  /** Who signals this PE at it. */
  readonly from: number;
  /** How far before this PE that one comes. */
  readonly distance: number;
  /** How many contributions come with a signal, if any do. */
  readonly gathers: number;
}

/** A signal that has come. */
interface Arrival {
  readonly sequence: number;
  readonly tag: number;
}

/** What a member contributed. */
interface Contribution {
  readonly sequence: number;
  readonly area: Uint8Array;
}

/** The signals of a team, seen from one of its members. */
export class MessageSignals implements Signals {
  readonly #engine: AmEngine;
  readonly #members: Members;
  readonly #slots: Slot[] = [];
  /** Each member's place in the list. */
  readonly #places: ReadonlyMap<number, number>;
  /** By set and slot. */
  readonly #arrived = Array.from({ length: SETS }, (): (Arrival | undefined)[] => []);
  /** By set and place. */
  readonly #contributed = Array.from({ length: SETS }, (): (Contribution | undefined)[] => []);
  /** Where this PE writes its own, by set. */
  readonly #own: (Uint8Array | undefined)[] = Array.from({ length: SETS });
  /** The last number this PE has signalled in each lane. */
  readonly #last = Array.from({ length: LANES }, (_, lane) => numberBefore(lane, 0));

  /**
   * @param engine Sends the messages.
   * @param members The members.
   * @param rounds Whom each signals.
   */
  constructor(engine: AmEngine, members: Members, rounds: readonly Round[]) {
    this.#engine = engine;
    this.#members = members;
    this.#places = new Map(members.pes.map((pe, place) => [pe, place]));
    const { length } = members.pes;
    for (const { from, distances, known } of rounds) {
      from.forEach((pe, i) => {
        const distance = distances[i]!;
        this.#slots.push({ from: pe, distance, gathers: Math.min(known, length - distance) });
      });
    }
  }

  signal(pe: number, slot: number, sequence: number, tag: number, known: number): void {
    this.#last[laneOf(sequence)] = sequence;
    const gathered: Uint8Array[] = [];
    const count = known === 0 ? 0 : this.#slots[slot]!.gathers;
    let bytes = MESSAGE_BYTES;
    for (let back = 0; back < count; back++) {
      const area = this.#before(back, sequence);
      gathered.push(area);
      bytes += 4 + align(area.length);
    }
    const { id } = this.#members;
    sendCollective(this.#engine.outbox, pe, bytes, (views, at) => {
      views.f64[at >>> 3] = id;
      const word = (at + 8) >>> 2;
      views.i32[word] = sequence;
      views.i32[word + 1] = slot;
      views.i32[word + 2] = tag;
      views.i32[word + 3] = count;
      writeAreas(views, at + MESSAGE_BYTES, gathered);
    });
  }

  /** What the member so far before this one contributed. */
  #before(distance: number, sequence: number): Uint8Array {
    const { pes, me } = this.#members;
    const pe = pes[(me - distance + pes.length) % pes.length]!;
    const area = this.exchange(pe, sequence);
    return distance === 0 ? area.subarray(0, contributionBytes(area)) : area;
  }

  signalled(slot: number, sequence: number): boolean {
    return this.#arrived[setOf(sequence)]![slot]?.sequence === sequence;
  }

  tagOf(slot: number, sequence: number): number {
    return this.#arrived[setOf(sequence)]![slot]!.tag;
  }

  exchange(pe: number, sequence: number): Uint8Array {
    const place = this.#places.get(pe)!;
    if (place === this.#members.me) {
      return this.#own[setOf(sequence)] ??= new Uint8Array(EXCHANGE_AREA_BYTES);
    }
    const contribution = this.#contributed[setOf(sequence)]![place];
    if (contribution?.sequence === sequence) return contribution.area;
    throw new ProtocolError(
      `a signal of ${this.#members.name} without what PE ${pe} contributes`,
    );
  }

  /**
   * Takes a message of another PE.
   *
   * @param pe The PE.
   * @param views The memory that holds it.
   * @param at Its address.
   * @param bytes Its length.
   * @throws {ProtocolError} If it is not one that could come now; the message says what was found.
   */
  receive(pe: number, views: MemoryViews, at: number, bytes: number): void {
    if (bytes < MESSAGE_BYTES) throw new ProtocolError(`a message of a team of ${bytes} bytes`);
    const word = (at + 8) >>> 2;
    const [sequence, slot] = [views.i32[word]!, views.i32[word + 1]!];
    const expected = this.#slots[slot];
    const last = this.#last[laneOf(sequence)]!;
    const isNext = sequence === nextSequence(last) ||
      (sequence === last && sequence !== numberBefore(laneOf(sequence), 0));
    if (!isNext || expected?.from !== pe || this.signalled(slot, sequence)) {
      throw new ProtocolError(
        `signal ${sequence} of ${this.#members.name} at slot ${slot}, where ${last} ` +
          "was the last",
      );
    }
    const count = views.i32[word + 3]!;
    if (count !== 0 && count !== expected.gathers) {
      throw new ProtocolError(
        `${count} contributions at slot ${slot} of ${this.#members.name}, not ${expected.gathers}`,
      );
    }
    const areas = readAreas(views, at + MESSAGE_BYTES, at + bytes, count);
    areas.forEach((area, back) => this.#keep(expected.distance + back, sequence, area));
    this.#arrived[setOf(sequence)]![slot] = { sequence, tag: views.i32[word + 2]! };
  }

  #keep(distance: number, sequence: number, area: Uint8Array): void {
    const { pes, me } = this.#members;
    const place = (me - distance + pes.length) % pes.length;
    this.#contributed[setOf(sequence)]![place] = { sequence, area };
  }
}

/** Each area has its length in front and ends at a multiple of 4 bytes. */
function writeAreas(views: MemoryViews, at: number, areas: readonly Uint8Array[]): void {
  for (const area of areas) {
    views.i32[at >>> 2] = area.length;
    views.u8.set(area, at + 4);
    at += 4 + align(area.length);
  }
}

function readAreas(views: MemoryViews, at: number, end: number, count: number): Uint8Array[] {
  const areas: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const length = at + 4 <= end ? views.i32[at >>> 2]! : -1;
    if (length < 0 || length > EXCHANGE_AREA_BYTES || at + 4 + length > end) {
      throw new ProtocolError(`contribution ${i} of ${count} that is cut off`);
    }
    areas.push(views.u8.slice(at + 4, at + 4 + length));
    at += 4 + align(length);
  }
  if (at !== end) throw new ProtocolError(`${end - at} bytes behind the contributions`);
  return areas;
}

function align(bytes: number): number {
  return (bytes + 3) & ~3;
}
