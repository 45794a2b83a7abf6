/**
 * Memory that the processes of a host share: each makes its part of it as a file in memory, and
 * maps those of all others beside its own. The supervisor of each wakes those of its PEs that rest
 * in their event loops, when others call them.
 *
 * @module
 */

import { baseAddress, Futex, MemoryFile } from "../../ffi/host.ts";
import { atomicCompareExchange, atomicStore } from "../../internal/atomics.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import type { Bootstrap } from "../bootstrap/mod.ts";
import { wakePe } from "../local/failure_record.ts";
import {
  ASLEEP,
  BLOCK,
  blockOf,
  controlOf,
  HEADER,
  type Host,
  type Layout,
  MEMORY_BYTES_MAX,
  openOf,
  ownPesOf,
} from "../local/layout.ts";
import { pesOf } from "../process/ranks.ts";
import { HOST, hostWordOf } from "./host_words.ts";

/** Longest sleep of the supervisor, in milliseconds. */
const SLEEP_MS = 250;

/** What a process offers to the others of its host. */
export interface Offer {
  /** Where its part is, below /proc; an empty text if it has none. */
  readonly path: string;
  /** Its part, if it can have one. */
  readonly file: MemoryFile | undefined;
}

/**
 * Makes the part of this process, without a length.
 *
 * @param tag Tells the job from others.
 * @returns What to offer.
 */
export function offerMemory(tag: number): Offer {
  const file = Futex.open() && MemoryFile.create("lamellar_memory");
  if (file?.write32(HEADER.tag, tag)) return { path: file.path, file };
  file?.close();
  return { path: "", file: undefined };
}

/**
 * Says which processes are on the same host as one of them.
 *
 * @param hosts The host of each process.
 * @param rank The process.
 * @returns Those of its host, and how many any host has at most.
 */
export function hostOf(hosts: readonly string[], rank: number): Host {
  const groups = Map.groupBy(hosts.keys(), (other) => hosts[other]!);
  return {
    ranks: groups.get(hosts[rank]!)!,
    places: Math.max(...[...groups.values()].map(({ length }) => length)),
  };
}

/** What the processes have found each other to offer. */
export interface Offers {
  readonly bootstrap: Bootstrap;
  readonly own: Offer;
  /** Where the part of each process is. */
  readonly paths: readonly string[];
  readonly tag: number;
}

/** The memory of the processes of one host, as one of them has it. */
export class HostMemory {
  /** Where everything is. */
  readonly layout: Layout;
  /** The parts of all, by their numbers, until they are mapped. */
  readonly #files: ReadonlyMap<number, MemoryFile>;
  readonly #futex = Futex.open()!;
  #views: MemoryViews | undefined;
  #base = 0n;
  #left = false;

  private constructor(layout: Layout, files: ReadonlyMap<number, MemoryFile>) {
    this.layout = layout;
    this.#files = files;
  }

  /**
   * Opens the parts of the others. All processes of the job find the same.
   *
   * @param layout Where everything will be.
   * @param offers What there is.
   * @returns The memory, or why there can be none.
   */
  static async open(layout: Layout, offers: Offers): Promise<HostMemory | string> {
    const { bootstrap, own, paths, tag } = offers;
    const name = (rank: number): string => pesOf({ pesPerProcess: layout.nearPes }, rank);
    const fits = layout.totalBytes <= MEMORY_BYTES_MAX;
    const files = new Map<number, MemoryFile | undefined>();
    for (const rank of layout.host!.ranks) {
      const path = paths[rank]!;
      const isOwn = rank === bootstrap.rank;
      files.set(rank, isOwn ? own.file : path === "" ? undefined : MemoryFile.open(path));
    }
    const bytes = layout.controlBytes + layout.openBytes;
    const made = fits && own.file?.resize(bytes) === true;
    const [lacking] = [...files].find(([, file]) => file?.read32(HEADER.tag) !== tag) ?? [];
    // Once all have voted, all parts are open and have their length.
    const votes = await bootstrap.exchange(String(made ? lacking ?? "ok" : bootstrap.rank));
    const voter = votes.findIndex((vote) => vote !== "ok");
    if (voter < 0) return new HostMemory(layout, files as ReadonlyMap<number, MemoryFile>);
    for (const file of files.values()) file?.close();
    if (!fits) {
      return `the memory of a host would take ${layout.totalBytes} bytes, ` +
        `and one process maps at most ${MEMORY_BYTES_MAX}`;
    }
    const unable = votes.findIndex((vote, rank) => vote === String(rank));
    if (unable < 0) {
      return `${name(voter)} cannot open the memory of ${name(Number(votes[voter]))}`;
    }
    return `${name(unable)} cannot make files in memory ` +
      "(that needs Linux, --allow-ffi, and no limit by ulimit -f)";
  }

  /** The processes that share it, by their numbers. */
  get ranks(): readonly number[] {
    return this.layout.host!.ranks;
  }

  /** The memory, once it was mapped. */
  get views(): MemoryViews {
    return this.#views!;
  }

  /**
   * Maps all parts.
   *
   * @param memory The memory of this process, to which nothing has been written.
   * @throws {RangeError} If the system does not do it.
   */
  map(memory: WebAssembly.Memory): void {
    this.#base = baseAddress(memory.buffer);
    this.#views = memoryViews(memory.buffer);
    for (const [rank, file] of this.#files) {
      // Who shares with nobody keeps a memory of its own, which can have huge pages.
      const mapped = this.#files.size === 1 || this.#mapPart(rank, file);
      file.close();
      if (mapped) continue;
      throw new RangeError(
        `Cannot map the memory of ${this.#files.size} processes: lower LAMELLAR_HEAP_SIZE, ` +
          "or set LAMELLAR_SHARE_MEMORY=0",
      );
    }
  }

  #mapPart(rank: number, file: MemoryFile): boolean {
    const { layout } = this;
    const pe = rank * layout.nearPes;
    const control = this.#base + BigInt(controlOf(layout, pe));
    const open = this.#base + BigInt(openOf(layout, pe));
    return file.mapAt(control, 0, layout.controlBytes) &&
      file.mapAt(open, layout.controlBytes, layout.openBytes);
  }

  /**
   * Wakes PEs of this process that others call, until `stop`.
   *
   * @param rank This process.
   * @param look Called at each look, at least every 250 ms.
   */
  async serve(rank: number, look: () => void): Promise<void> {
    const words = this.views.i32;
    const asleep = this.word(rank, HOST.asleep);
    while (!this.#left) {
      atomicStore(words, asleep, 1);
      this.#wakeCalled();
      look();
      await this.#futex.waitAside(this.#base + BigInt(4 * asleep), 1, SLEEP_MS);
      atomicStore(words, asleep, 0);
    }
  }

  /** Ends `serve`. */
  stop(): void {
    this.#left = true;
  }

  #wakeCalled(): void {
    for (const pe of ownPesOf(this.layout)) {
      const called = (blockOf(this.layout, pe) + BLOCK.called) >>> 2;
      if (atomicCompareExchange(this.views.i32, called, 1, 0) === 1) {
        wakePe(this.layout, this.views, pe);
      }
    }
  }

  /**
   * @param rank A process of this host.
   * @param word One of `HOST`.
   * @returns The index of its word in the memory.
   */
  word(rank: number, word: number): number {
    return hostWordOf(this.layout, rank, word) >>> 2;
  }

  /**
   * Has the supervisor of a process of this host look.
   *
   * @param rank The process.
   */
  wakeSupervisor(rank: number): void {
    this.#wake(this.word(rank, HOST.asleep), 1);
  }

  /** Wakes the PEs of this process, wherever they sleep. */
  wakeOwn(): void {
    for (const pe of ownPesOf(this.layout)) {
      wakePe(this.layout, this.views, pe);
      this.#wake((blockOf(this.layout, pe) + BLOCK.bell) >>> 2, ASLEEP.outside);
    }
  }

  /** Wakes the thread that sleeps in futex(2) by a word of the memory. */
  #wake(word: number, asleep: number): void {
    if (atomicCompareExchange(this.views.i32, word, asleep, 0) !== asleep) return;
    this.#futex.wake(this.#base + BigInt(4 * word));
  }
}
