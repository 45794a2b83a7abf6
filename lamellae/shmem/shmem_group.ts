/**
 * The processes of a job that is on one host, and does without a network: they see each other's
 * signs of life and failures in the memory that they share.
 *
 * @module
 */

import { atomicAdd, atomicLoad } from "../../internal/atomics.ts";
import {
  isFailing,
  readFailure,
  recordFailure,
  wakeSupervisor,
  writeFailure,
} from "../local/failure_record.ts";
import { controlOf, defaultRingBytes } from "../local/layout.ts";
import { type Joined, ProcessGroup } from "../process/process_group.ts";
import { clockMs, type Ranked } from "../process/ranks.ts";
import { Silence } from "../process/silence.ts";
import type { HostMemory } from "./host_memory.ts";
import { HOST, HOST_BYTES } from "./host_words.ts";

/**
 * @param joined What is known of the processes.
 * @returns What the memory of one has to hold.
 */
export function shmemShare({ config, pes }: Joined): { networkBytes: number; ringBytes: number } {
  return {
    networkBytes: HOST_BYTES,
    ringBytes: config.ringBytes ?? defaultRingBytes(pes.numPes ** 2),
  };
}

/** The processes of a job that share memory. */
export class ShmemGroup extends ProcessGroup {
  readonly #memory: HostMemory;
  readonly #rank: number;
  #silence: Silence | undefined;
  #told = false;

  /**
   * @param joined What is known of the processes.
   * @param memory The memory that they share.
   */
  constructor(joined: Joined, memory: HostMemory) {
    super(joined, memory.layout, memory);
    this.#memory = memory;
    this.#rank = joined.bootstrap.rank;
  }

  override open(): Promise<undefined> {
    const all: Ranked = {
      rank: this.#rank,
      pesPerProcess: this.joined.pes.nearPes,
      peers: this.joined.hellos,
    };
    const beatsOf = (other: number): number => this.#load(other, HOST.beats);
    this.#silence = new Silence(all, beatsOf, performance.now());
    this.#memory.views.i32[this.#memory.word(this.#rank, HOST.moved)] = clockMs();
    this.#memory.serve(this.#rank, () => this.#look());
    return Promise.resolve(undefined);
  }

  #load(rank: number, word: number): number {
    return atomicLoad(this.#memory.views.i32, this.#memory.word(rank, word));
  }

  /** Gives a sign of life, and looks for those of others. */
  #look(): void {
    const { views } = this.#memory;
    atomicAdd(views.i32, this.#memory.word(this.#rank, HOST.beats), 1);
    const silent = this.#silence!.look(performance.now());
    if (silent) writeFailure(this.layout, views, -1, 1, silent);
    if (isFailing(views)) this.tell();
  }

  protected override get isHeard(): boolean {
    return this.#load(this.#rank, HOST.beats) !== 0;
  }

  /** Writes it where they look for it, once, and wakes everybody. */
  override tell(): boolean {
    if (this.#told) return true;
    this.#told = true;
    const { layout } = this;
    const { ranks, views } = this.#memory;
    const failure = readFailure(views);
    for (const other of ranks) {
      if (other === this.#rank || failure.far) continue;
      recordFailure(views, controlOf(layout, other * layout.nearPes), { ...failure, far: true });
      this.#memory.wakeSupervisor(other);
    }
    this.#memory.wakeOwn();
    wakeSupervisor(views);
    return true;
  }

  override shareStalled(stalledMs: number): number {
    const now = clockMs();
    this.#memory.views.i32[this.#memory.word(this.#rank, HOST.moved)] = now - stalledMs;
    const moved = this.#memory.ranks.map((other) => this.#load(other, HOST.moved));
    return Math.max(0, Math.min(...moved.map((at) => (now - at) | 0)));
  }
}
