/**
 * Scans of long rows: each PE gets the reduction of what the PEs up to itself contribute, or of
 * those before it. In each round every PE makes the prefixes of a chunk for all others, who then
 * collect theirs. All PEs are combined in their order, whatever host they are on.
 *
 * @module
 */

import { ROW } from "../../internal/collective_area.ts";
import type { Folding } from "./folding.ts";
import type { Bytes, Passage } from "./passage.ts";
import { type Program, turn } from "./program.ts";

/** What is scanned. */
export interface ScanJob {
  readonly folding: Folding;
  /** What this PE contributes. */
  readonly source: Bytes;
  /** Where this PE keeps what it gets. */
  readonly target: Bytes;
  /** Whose prefix this PE gets: its own, that of the PE before it, or -1 for none. */
  readonly prefixOf: number;
}

/**
 * @param passage The data.
 * @param job What is scanned.
 * @returns The turns that follow the first.
 */
export function* scanTurns(passage: Passage, job: ScanJob): Program {
  const run = new ScanRun(passage, job);
  for (let round = 0; round < run.rounds; round++) {
    run.stage(round);
    yield turn();
    run.gatherChunk(round);
    yield passage.wait();
    run.makePrefixes(round);
    yield turn();
    run.getPrefixes(round);
    yield passage.wait();
    run.keepPrefixes(round);
  }
}

class ScanRun {
  readonly rounds: number;
  readonly #passage: Passage;
  readonly #job: ScanJob;
  /** Bytes of a chunk at most. */
  readonly #chunk: number;

  constructor(passage: Passage, job: ScanJob) {
    this.#passage = passage;
    this.#job = job;
    this.#chunk = Math.floor(passage.rowBytes / passage.places / 8) * 8;
    this.rounds = Math.ceil(job.source.length / (this.#chunk * passage.places));
  }

  /** Where in the row the chunk of a place is, and its bytes. */
  #chunkOf(place: number, round: number): { readonly start: number; readonly bytes: number } {
    const start = (round * this.#passage.places + place) * this.#chunk;
    const left = this.#job.source.length - start;
    return { start, bytes: Math.max(0, Math.min(this.#chunk, left)) };
  }

  stage(round: number): void {
    const passage = this.#passage;
    if (!passage.isStaged) return;
    const { start } = this.#chunkOf(0, round);
    const end = start + this.#chunk * passage.places;
    passage.store(passage.own(ROW.own, round), this.#job.source.subarray(start, end));
  }

  /** Copies what all contribute to this PE's chunk. */
  gatherChunk(round: number): void {
    const passage = this.#passage;
    const { start, bytes } = this.#chunkOf(passage.me, round);
    const at = passage.me * this.#chunk;
    for (let place = 0; place < passage.places && bytes > 0; place++) {
      const to = passage.own(ROW.got) + place * this.#chunk;
      if (passage.isNear(place)) {
        passage.lamella.kernels.copy(to, passage.sourceOf(place, start, round, at), bytes);
      } else passage.getSource(place, start, round, at, to, bytes);
    }
  }

  makePrefixes(round: number): void {
    const passage = this.#passage;
    const { folding } = this.#job;
    const count = this.#chunkOf(passage.me, round).bytes / folding.elementBytes;
    const [from, to] = [passage.own(ROW.got), passage.own(ROW.given, round)];
    for (let place = 0; place < passage.places && count > 0; place++) {
      const at = place * this.#chunk;
      const rows = place === 0 ? [from] : [to + at - this.#chunk, from + at];
      folding.fold(to + at, rows, count);
    }
  }

  getPrefixes(round: number): void {
    const passage = this.#passage;
    const { prefixOf, target } = this.#job;
    if (prefixOf < 0) return;
    for (let place = 0; place < passage.places; place++) {
      const { start, bytes } = this.#chunkOf(place, round);
      const at = prefixOf * this.#chunk;
      if (bytes === 0) continue;
      if (passage.isNear(place)) {
        passage.load(target, start, passage.addressOf(place, ROW.given, round) + at, bytes);
      } else {
        const to = passage.own(ROW.got) + place * this.#chunk;
        passage.getRow(place, ROW.given, round, at, to, bytes);
      }
    }
  }

  /** Copies what has come from other hosts. */
  keepPrefixes(round: number): void {
    const passage = this.#passage;
    const { prefixOf, target } = this.#job;
    if (prefixOf < 0) return;
    for (let place = 0; place < passage.places; place++) {
      const { start, bytes } = this.#chunkOf(place, round);
      if (passage.isNear(place) || bytes === 0) continue;
      const from = passage.own(ROW.got) + place * this.#chunk;
      passage.load(target, start, from, bytes);
    }
  }
}
