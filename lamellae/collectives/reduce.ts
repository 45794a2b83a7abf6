/**
 * Reductions of long rows: all-reduce, reduce and reduce-scatter. In each round every PE reduces a
 * chunk. It combines what the PEs of its host contribute, by a kernel over their memory; the hosts
 * exchange such partial results only. An all-reduce then has everybody collect the chunks. The
 * stages of several rounds overlap: a PE is in one turn with one of them each.
 *
 * @module
 */

import { ROW } from "../../internal/collective_area.ts";
import type { Folding } from "./folding.ts";
import type { Bytes, Passage } from "./passage.ts";
import type { Program } from "./program.ts";
import { startOf } from "./ranges.ts";

/** What is reduced, and who gets the result. */
export interface ReduceJob {
  readonly folding: Folding;
  /** What this PE contributes. */
  readonly source: Bytes;
  /** Where this PE keeps the result, if it gets one. */
  readonly target: Bytes | undefined;
  /** Who gets it: all, the PE at a place, or each PE as many elements as the list says. */
  readonly to: "all" | number | readonly number[];
}

/** A piece of the row, reduced by one PE. */
interface Chunk {
  /** Index of the first element in the row. */
  readonly start: number;
  readonly count: number;
  /** Where it stands among what is staged for its round, in bytes. */
  readonly at: number;
}

/**
 * @param passage The data.
 * @param job What is reduced.
 * @returns The turns that follow the first.
 */
export function* reduceTurns(passage: Passage, job: ReduceJob): Program {
  const run = new ReduceRun(passage, job);
  for (let step = -1; step < run.steps; step++) {
    run.step(step);
    yield passage.wait();
  }
}

class ReduceRun {
  /** Rounds, and how many steps later the last stage comes. */
  readonly steps: number;
  readonly #passage: Passage;
  readonly #folding: Folding;
  readonly #source: Bytes;
  readonly #target: Bytes | undefined;
  readonly #to: ReduceJob["to"];
  /** Elements of a chunk at most. */
  readonly #chunk: number;
  readonly #rounds: number;
  readonly #starts: readonly number[];
  /** The only place that gets the result, if there is one. */
  readonly #reader: number | undefined;

  constructor(passage: Passage, { folding, source, target, to }: ReduceJob) {
    const { places, rowBytes, hosts } = passage;
    this.#passage = passage;
    this.#folding = folding;
    this.#source = source;
    this.#target = target;
    this.#to = to;
    this.#reader = typeof to === "number" ? to : undefined;
    this.#chunk = Math.floor(rowBytes / places / 8) * 8 / folding.elementBytes;
    const counts = typeof to === "object" ? to : [];
    this.#starts = counts.map((_, place) => startOf(counts, place));
    const elements = source.length / folding.elementBytes;
    this.#rounds = typeof to === "object"
      ? Math.ceil(Math.max(...counts) / this.#chunk)
      : Math.ceil(elements / (places * this.#chunk));
    const collects = typeof to === "object" ? 0 : 1;
    this.steps = this.#rounds + (hosts.areSeveral ? 2 + 2 * collects : collects);
  }

  /** The stages, the last first: each makes room for the one before it. */
  step(step: number): void {
    const { areSeveral } = this.#passage.hosts;
    if (areSeveral) {
      this.#ifRound(step - 4, (round) => this.#collectRelayed(round));
      this.#ifRound(step - 3, (round) => this.#collect(round));
      this.#ifRound(step - 2, (round) => this.#combineHosts(round));
      this.#ifRound(step - 1, (round) => this.#getPartials(round));
      this.#ifRound(step, (round) => this.#reducePartials(round));
    } else {
      this.#ifRound(step - 1, (round) => this.#collect(round));
      this.#ifRound(step, (round) => this.#reduceAll(round));
    }
    this.#ifRound(step + 1, (round) => this.#stage(round));
  }

  #ifRound(round: number, stage: (round: number) => void): void {
    if (round >= 0 && round < this.#rounds) stage(round);
  }

  /** The chunk of a round that the PE at a place reduces. */
  #chunkOf(place: number, round: number): Chunk {
    const { elementBytes } = this.#folding;
    const { places } = this.#passage;
    if (typeof this.#to === "object") {
      const done = round * this.#chunk;
      const count = Math.max(0, Math.min(this.#chunk, this.#to[place]! - done));
      const start = this.#starts[place]! + Math.min(done, this.#to[place]!);
      return { start, count, at: place * this.#chunk * elementBytes };
    }
    const first = round * places * this.#chunk;
    const elements = this.#source.length / elementBytes - first;
    const all = Math.min(places * this.#chunk, elements);
    const [begin, end] = [place, place + 1].map((part) => Math.floor(part * all / places));
    return { start: first + begin!, count: end! - begin!, at: begin! * elementBytes };
  }

  #stage(round: number): void {
    const passage = this.#passage;
    if (!passage.isStaged) return;
    const { elementBytes } = this.#folding;
    const to = passage.own(ROW.own, round);
    for (let place = 0; place < passage.places; place++) {
      const { start, count, at } = this.#chunkOf(place, round);
      const from = start * elementBytes;
      passage.store(to + at, this.#source.subarray(from, from + count * elementBytes));
    }
  }

  /** Combines what the PEs of this host contribute to a chunk. */
  #reduceNear(chunk: Chunk, round: number, to: number): void {
    if (chunk.count === 0) return;
    const position = chunk.start * this.#folding.elementBytes;
    const rows = this.#passage.hosts.near.map((place) =>
      this.#passage.sourceOf(place, position, round, chunk.at)
    );
    this.#folding.fold(to, rows, chunk.count);
  }

  /** With one host, that is all. */
  #reduceAll(round: number): void {
    const to = this.#passage.own(ROW.given, round);
    const chunk = this.#chunkOf(this.#passage.me, round);
    this.#reduceNear(chunk, round, to);
    this.#keepIfScattered(chunk, to);
  }

  #keepIfScattered(chunk: Chunk, from: number): void {
    if (typeof this.#to !== "object") return;
    const { elementBytes } = this.#folding;
    const at = (chunk.start - this.#starts[this.#passage.me]!) * elementBytes;
    this.#passage.load(this.#target!, at, from, chunk.count * elementBytes);
  }

  get #chunkBytes(): number {
    return this.#chunk * this.#folding.elementBytes;
  }

  /** For this PE, and for those PEs of other hosts that it deals with. */
  #reducePartials(round: number): void {
    const passage = this.#passage;
    const { hosts, me } = passage;
    const row = passage.own(ROW.partial, round);
    for (const place of hosts.farFrom(hosts.mine)) {
      const dealer = hosts.dealer(hosts.mine, place);
      if (dealer.place !== me) continue;
      this.#reduceNear(this.#chunkOf(place, round), round, row + dealer.index * this.#chunkBytes);
    }
    this.#reduceNear(this.#chunkOf(me, round), round, this.#ownPartial(round));
  }

  /** Behind those for others. */
  #ownPartial(round: number): number {
    const row = this.#passage.own(ROW.partial, round);
    return row + this.#passage.hosts.dealtMax * this.#chunkBytes;
  }

  #getPartials(round: number): void {
    const passage = this.#passage;
    const { hosts, me } = passage;
    const { count } = this.#chunkOf(me, round);
    hosts.all.forEach((_, host) => {
      if (host === hosts.mine) return;
      const dealer = hosts.dealer(host, me);
      const to = passage.own(ROW.got) + host * this.#chunkBytes;
      const bytes = count * this.#folding.elementBytes;
      passage.getRow(dealer.place, ROW.partial, round, dealer.index * this.#chunkBytes, to, bytes);
    });
  }

  #combineHosts(round: number): void {
    const passage = this.#passage;
    const { hosts } = passage;
    const chunk = this.#chunkOf(passage.me, round);
    const rows = hosts.all.map((_, host) =>
      host === hosts.mine ? this.#ownPartial(round) : passage.own(ROW.got) + host * this.#chunkBytes
    );
    const to = passage.own(ROW.given, round);
    if (chunk.count > 0) this.#folding.fold(to, rows, chunk.count);
    this.#keepIfScattered(chunk, to);
  }

  /** Takes the chunks of this host, and begins to get those of others. */
  #collect(round: number): void {
    if (typeof this.#to === "object") return;
    const passage = this.#passage;
    const { elementBytes } = this.#folding;
    for (let place = 0; place < passage.places; place++) {
      const { start, count } = this.#chunkOf(place, round);
      const bytes = count * elementBytes;
      if (!passage.isNear(place)) this.#fetch(place, round, bytes);
      else if (this.#target && bytes > 0) {
        const from = passage.addressOf(place, ROW.given, round);
        passage.load(this.#target, start * elementBytes, from, bytes);
      }
    }
  }

  #fetch(place: number, round: number, bytes: number): void {
    const passage = this.#passage;
    const dealer = passage.hosts.collector(place, this.#reader);
    if (dealer.place !== passage.me) return;
    const to = passage.own(ROW.relayed, round) + dealer.index * this.#chunkBytes;
    passage.getRow(place, ROW.given, round, 0, to, bytes);
  }

  #collectRelayed(round: number): void {
    const passage = this.#passage;
    if (!this.#target || typeof this.#to === "object") return;
    const { elementBytes } = this.#folding;
    for (const place of passage.hosts.farFrom(passage.hosts.mine)) {
      const { start, count } = this.#chunkOf(place, round);
      if (count === 0) continue;
      const dealer = passage.hosts.collector(place, this.#reader);
      const row = passage.addressOf(dealer.place, ROW.relayed, round);
      const from = row + dealer.index * this.#chunkBytes;
      passage.load(this.#target, start * elementBytes, from, count * elementBytes);
    }
  }
}
