/**
 * Each PE gets a part of what each PE contributes: scatter and all-to-all. Parts may have different
 * lengths. The heads tell them if they have room, or else a table that is read first.
 *
 * @module
 */

import { PIECE_BYTES_MAX, ROW } from "../../internal/collective_area.ts";
import type { Bytes, Passage } from "./passage.ts";
import { type Program, turn } from "./program.ts";
import { startOf } from "./ranges.ts";

/** Bytes of an entry of the table: the length of a part. */
const ENTRY_BYTES = 8;

/** What this PE gives and gets. */
export interface Exchange {
  /** A part for each place; none if this PE gives nothing. */
  readonly parts: readonly Bytes[] | undefined;
  /** Where to keep the part of a place; asked for once, when its length is known. */
  readonly targetOf: (place: number, length: number) => Bytes;
}

/**
 * @param passage The data; the length in each head is that of the longest part.
 * @param exchange What this PE gives and gets.
 * @returns The turns that follow the first.
 */
export function* exchangeTurns(passage: Passage, exchange: Exchange): Program {
  const run = new ExchangeRun(passage, exchange);
  if (!run.takeHeads()) {
    run.writeTable();
    yield turn();
    run.readTable();
    yield passage.wait();
    run.takeTable();
  }
  for (let round = -1; round < run.rounds; round++) {
    run.step(round);
    yield passage.wait();
  }
}

class ExchangeRun {
  /** Slices of the longest part, and a round for what comes from other hosts. */
  readonly rounds: number;
  readonly #passage: Passage;
  readonly #parts: readonly Bytes[] | undefined;
  readonly #targetOf: Exchange["targetOf"];
  readonly #targets: Bytes[] = [];
  readonly #givers: readonly number[];
  readonly #slice: number;
  /** Where this PE's part of what each place has begins, if that lies in its heap. */
  readonly #starts: readonly number[];

  constructor(passage: Passage, { parts, targetOf }: Exchange) {
    const { heads, places, hosts } = passage;
    this.#passage = passage;
    this.#parts = parts;
    this.#targetOf = targetOf;
    this.#givers = heads.map((_, place) => place).filter((place) => heads[place]!.length > 0);
    const staged = this.#givers.some((place) => heads[place]!.offset < 0);
    this.#slice = staged || hosts.areSeveral
      ? Math.floor(passage.rowBytes / places / 8) * 8
      : PIECE_BYTES_MAX;
    this.#starts = heads.map(({ lengths }) =>
      lengths.length === 0 ? 0 : startOf(lengths, passage.me)
    );
    const longest = Math.max(...heads.map(({ length }) => length));
    this.rounds = Math.ceil(longest / this.#slice) + (hosts.areSeveral ? 1 : 0);
  }

  /** Makes room for the parts for this PE, if the heads tell their lengths. */
  takeHeads(): boolean {
    const { heads, me } = this.#passage;
    if (this.#givers.some((place) => heads[place]!.lengths.length === 0)) return false;
    heads.forEach(({ lengths }, place) =>
      this.#targets.push(this.#targetOf(place, lengths[me] ?? 0))
    );
    return true;
  }

  /** Says how long each part is that this PE gives. */
  writeTable(): void {
    const { lamella } = this.#passage;
    const at = this.#passage.own(ROW.own) / ENTRY_BYTES;
    this.#parts?.forEach(({ length }, place) => lamella.views.f64[at + place] = length);
  }

  /** Gets the lengths of the parts for this PE. */
  readTable(): void {
    const passage = this.#passage;
    for (const place of this.#givers) {
      const at = ENTRY_BYTES * passage.me;
      const to = passage.own(ROW.got) + ENTRY_BYTES * place;
      if (passage.isNear(place)) {
        passage.lamella.kernels.copy(to, passage.addressOf(place, ROW.own, 0) + at, ENTRY_BYTES);
      } else passage.getRow(place, ROW.own, 0, at, to, ENTRY_BYTES);
    }
  }

  /** Makes room for these parts. */
  takeTable(): void {
    const passage = this.#passage;
    const { f64 } = passage.lamella.views;
    const at = passage.own(ROW.got) / ENTRY_BYTES;
    for (let place = 0; place < passage.places; place++) {
      const length = this.#givers.includes(place) ? f64[at + place]! : 0;
      this.#targets.push(this.#targetOf(place, length));
    }
  }

  /** What comes after the turn of a round, and is ready for that of the next one. */
  step(round: number): void {
    this.#keep(round - 1);
    this.#take(round);
    this.#stage(round + 1);
  }

  #bytesOf(part: Bytes, round: number): number {
    return round < 0 ? 0 : Math.max(0, Math.min(this.#slice, part.length - round * this.#slice));
  }

  #stage(round: number): void {
    if (!this.#passage.isStaged) return;
    const from = round * this.#slice;
    const to = this.#passage.own(ROW.own, round);
    this.#parts?.forEach((part, place) => {
      const bytes = this.#bytesOf(part, round);
      if (bytes > 0) {
        this.#passage.store(to + place * this.#slice, part.subarray(from, from + bytes));
      }
    });
  }

  #take(round: number): void {
    const passage = this.#passage;
    const at = passage.me * this.#slice;
    for (const place of this.#givers) {
      const bytes = this.#bytesOf(this.#targets[place]!, round);
      if (bytes === 0) continue;
      const done = round * this.#slice;
      const position = this.#starts[place]! + done;
      if (passage.isNear(place)) {
        const from = passage.sourceOf(place, position, round, at);
        passage.load(this.#targets[place]!, done, from, bytes);
      } else {
        const to = passage.own(ROW.got) + place * this.#slice;
        passage.getSource(place, position, round, at, to, bytes);
      }
    }
  }

  /** Copies what has come from other hosts. */
  #keep(round: number): void {
    const passage = this.#passage;
    for (const place of this.#givers) {
      if (passage.isNear(place)) continue;
      const bytes = this.#bytesOf(this.#targets[place]!, round);
      const from = passage.own(ROW.got) + place * this.#slice;
      if (bytes > 0) passage.load(this.#targets[place]!, round * this.#slice, from, bytes);
    }
  }
}
