/**
 * Everybody, or one PE, gets what each PE contributes: broadcast, gather and all-gather.
 * Contributions may have different lengths. Of what comes from another host, each PE of a host gets
 * a part, and the others take it from there.
 *
 * @module
 */

import { PIECE_BYTES_MAX, ROW } from "../../internal/collective_area.ts";
import type { Bytes, Passage } from "./passage.ts";
import type { Program } from "./program.ts";

/** Who wants what. */
export interface Spread {
  /** What this PE contributes. */
  readonly source: Bytes;
  /** The place that reads, undefined if all do. */
  readonly reader: number | undefined;
  /**
   * Where this PE keeps what a place contributes, if it wants that; asked for if it reads, once for
   * each.
   */
  readonly targetOf: (place: number) => Bytes | undefined;
}

/**
 * @param passage The data.
 * @param spread Who wants what.
 * @returns The turns that follow the first.
 */
export function* spreadTurns(passage: Passage, spread: Spread): Program {
  const run = new SpreadRun(passage, spread);
  // What this PE contributes stays as it is until everybody has read it: the last turn says so.
  for (let round = -1; round < run.rounds; round++) {
    run.step(round);
    yield passage.wait();
  }
}

class SpreadRun {
  /** Pieces of the longest contribution, and a round for what is relayed. */
  readonly rounds: number;
  readonly #passage: Passage;
  readonly #source: Bytes;
  readonly #reads: boolean;
  readonly #reader: number | undefined;
  readonly #targets: (Bytes | undefined)[];
  readonly #piece: number;

  constructor(passage: Passage, { source, reader, targetOf }: Spread) {
    const { heads, me, hosts } = passage;
    this.#passage = passage;
    this.#source = source;
    this.#reader = reader;
    this.#reads = reader === undefined || reader === me;
    this.#targets = heads.map((_, place) => this.#reads ? targetOf(place) : undefined);
    const staged = heads.some(({ offset, length }) => length > 0 && offset < 0);
    const dealt = reader === undefined
      ? hosts.dealtMax
      : hosts.farFrom(hosts.hostOf[reader]!).length;
    const row = Math.floor(passage.rowBytes / Math.max(1, dealt) / 8) * 8;
    this.#piece = staged || hosts.areSeveral ? row : PIECE_BYTES_MAX;
    const longest = Math.max(...heads.map(({ length }) => length));
    this.rounds = Math.ceil(longest / this.#piece) + (hosts.areSeveral ? 1 : 0);
  }

  /** What comes after the turn of a round, and is ready for that of the next one. */
  step(round: number): void {
    this.#relay(round - 1);
    this.#take(round);
    this.#stage(round + 1);
  }

  #bytesOf(place: number, round: number): number {
    const { length } = this.#passage.heads[place]!;
    return round < 0 ? 0 : Math.max(0, Math.min(this.#piece, length - round * this.#piece));
  }

  #stage(round: number): void {
    const bytes = this.#bytesOf(this.#passage.me, round);
    if (bytes === 0 || !this.#passage.isStaged) return;
    const from = round * this.#piece;
    const to = this.#passage.own(ROW.own, round);
    this.#passage.store(to, this.#source.subarray(from, from + bytes));
  }

  #take(round: number): void {
    const passage = this.#passage;
    for (let place = 0; place < passage.places; place++) {
      const bytes = this.#bytesOf(place, round);
      if (bytes === 0) continue;
      const position = round * this.#piece;
      if (!passage.isNear(place)) this.#fetch(place, position, round, bytes);
      else this.#copy(place, position, round, bytes);
    }
  }

  #copy(place: number, position: number, round: number, bytes: number): void {
    const target = this.#targets[place];
    if (!target) return;
    const from = this.#passage.sourceOf(place, position, round, 0);
    this.#passage.load(target, position, from, bytes);
  }

  #fetch(place: number, position: number, round: number, bytes: number): void {
    const passage = this.#passage;
    const dealer = passage.hosts.collector(place, this.#reader, round);
    if (dealer.place !== passage.me) return;
    const to = passage.own(ROW.relayed, round) + dealer.index * this.#piece;
    passage.getSource(place, position, round, 0, to, bytes);
  }

  #relay(round: number): void {
    const passage = this.#passage;
    if (!this.#reads || !passage.hosts.areSeveral) return;
    for (const place of passage.hosts.farFrom(passage.hosts.mine)) {
      const bytes = this.#bytesOf(place, round);
      const target = this.#targets[place];
      if (bytes === 0 || !target) continue;
      const dealer = passage.hosts.collector(place, this.#reader, round);
      const from = passage.addressOf(dealer.place, ROW.relayed, round) + dealer.index * this.#piece;
      passage.load(target, round * this.#piece, from, bytes);
    }
  }
}
