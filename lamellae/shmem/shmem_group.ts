/**
 * Processes of one host that share memory: each makes its part of it as a file in memory, and maps
 * those of all others beside its own.
 *
 * @module
 */

import { baseAddress, Futex, MemoryFile } from "../../ffi/host.ts";
import {
  atomicAdd,
  atomicCompareExchange,
  atomicLoad,
  atomicStore,
} from "../../internal/atomics.ts";
import { FeatureLevelError } from "../../internal/errors.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import {
  isFailing,
  readFailure,
  recordFailure,
  ringPe,
  ringSupervisor,
  writeFailure,
} from "../local/failure_record.ts";
import {
  ASLEEP,
  BLOCK,
  blockOf,
  controlOf,
  defaultRingBytes,
  heapsOf,
  type Layout,
  layoutFor,
  MEMORY_BYTES_MAX,
  ownPesOf,
  type Share,
} from "../local/layout.ts";
import { type Joined, ProcessGroup } from "../process/process_group.ts";
import { clockMs, pesOf, type Ranked, tokenOf } from "../process/ranks.ts";
import { Silence } from "../process/silence.ts";
import { HOST, HOST_BYTES, hostWordOf } from "./host_words.ts";

/** Longest sleep of the supervisor between signs of life, in milliseconds. */
const SLEEP_MS = 250;

/** What carries the traffic, in greetings. */
const NAME = "shmem";

/** The processes of a job that share memory. */
export class ShmemGroup extends ProcessGroup {
  readonly share: Share;
  readonly ringBytes: number;
  /** The part of each process, by rank. */
  #files: readonly MemoryFile[] = [];
  #hosts: readonly string[] = [];
  #layout: Layout | undefined;
  #views: MemoryViews | undefined;
  #base = 0n;
  readonly #futex: Futex | undefined;
  #silence: Silence | undefined;
  #left = false;
  #told = false;

  private constructor(joined: Joined) {
    super(joined);
    const { config, pes } = joined;
    this.share = { ...pes, networkBytes: HOST_BYTES, shared: true };
    this.ringBytes = config.ringBytes ?? defaultRingBytes(pes.numPes ** 2);
    this.#futex = Futex.open();
  }

  /**
   * Finds out whether the processes can share memory. All of them find the same.
   *
   * @param joined What is known of them.
   * @returns The processes, or undefined if they cannot.
   * @throws {HandshakeError} If the processes differ; says in what.
   * @throws {FeatureLevelError} If they cannot share memory although that was asked for; says why.
   */
  static async join(joined: Joined): Promise<ShmemGroup | undefined> {
    const group = new ShmemGroup(joined);
    const obstacle = await group.#findParts();
    if (obstacle === undefined) return group;
    for (const file of group.#files) file.close();
    if (joined.config.backend === undefined) return undefined;
    throw new FeatureLevelError(
      `Cannot use the shmem lamella: ${obstacle}; use LAMELLAR_BACKEND=rofi`,
      { op: "build" },
    );
  }

  /** Makes the part of this process and opens those of the others; returns why they cannot. */
  async #findParts(): Promise<string | undefined> {
    const { bootstrap, config } = this.joined;
    const layout = layoutFor(this.share, this.ringBytes, config.heapBytes ?? 0);
    const bytes = layout.controlBytes + layout.nearPes * layout.heapBytes;
    const tag = tokenOf(bootstrap.job);
    const tagAt = layout.network + HOST.tag;
    const fits = layout.totalBytes <= MEMORY_BYTES_MAX;
    const own = this.#futex && fits && MemoryFile.create("lamellar_memory", bytes) || undefined;
    const made = own?.write32(tagAt, tag) === true;
    const met = await this.meet(this.hello(layout, NAME), { memory: made ? own.path : "" });
    this.#hosts = met.map(({ host }) => host);
    const paths = met.map(({ text }) => memoryIn(text));
    const files = paths.map((path, rank) => {
      if (rank === bootstrap.rank) return own;
      // What another host calls so may be anything here.
      if (path === "" || this.#hosts[rank] !== this.#hosts[bootstrap.rank]) return undefined;
      return MemoryFile.open(path, bytes);
    });
    this.#files = files.filter((file) => file !== undefined);
    const lacking = files.findIndex((file) => file?.read32(tagAt) !== tag);
    const votes = await bootstrap.exchange(String(lacking));
    const voter = votes.findIndex((vote) => vote !== "-1");
    if (voter < 0) return undefined;
    const hosts = new Set(this.#hosts);
    if (hosts.size > 1) return `the processes are on ${hosts.size} hosts`;
    if (!fits) {
      return `its memory would take ${layout.totalBytes} bytes, ` +
        `and one process maps at most ${MEMORY_BYTES_MAX}`;
    }
    if (paths.includes("")) {
      return `${this.#nameOf(paths.indexOf(""))} cannot make files in memory ` +
        "(that needs Linux, --allow-ffi, and no limit by ulimit -f)";
    }
    return `${this.#nameOf(voter)} cannot open the memory of ${this.#nameOf(Number(votes[voter]))}`;
  }

  #nameOf(rank: number): string {
    return pesOf({ pesPerProcess: this.share.nearPes }, rank);
  }

  override adopt(layout: Layout, memory: WebAssembly.Memory): void {
    this.#base = baseAddress(memory.buffer);
    this.#files.forEach((file, rank) => {
      const pe = rank * layout.nearPes;
      const control = this.#base + BigInt(controlOf(layout, pe));
      const heaps = this.#base + BigInt(heapsOf(layout, pe));
      const mapped = file.mapAt(control, 0, layout.controlBytes) &&
        file.mapAt(heaps, layout.controlBytes, layout.nearPes * layout.heapBytes);
      file.close();
      if (mapped) return;
      throw new RangeError(
        `Cannot map ${file.bytes} bytes of ${this.#nameOf(rank)}: lower LAMELLAR_HEAP_SIZE, or ` +
          "use LAMELLAR_BACKEND=rofi",
      );
    });
  }

  override open(layout: Layout, memory: WebAssembly.Memory): Promise<undefined> {
    this.#layout = layout;
    const views = this.#views = memoryViews(memory.buffer);
    const { rank } = this.joined.bootstrap;
    const all: Ranked = {
      rank,
      pesPerProcess: layout.nearPes,
      peers: this.#hosts.map((host) => ({ host })),
    };
    const beatsOf = (other: number): number => this.#load(other, HOST.beats);
    this.#silence = new Silence(all, beatsOf, performance.now());
    views.i32[this.#word(rank, HOST.moved)] = clockMs();
    this.#serve();
    return Promise.resolve(undefined);
  }

  #word(rank: number, word: number): number {
    return hostWordOf(this.#layout!, rank, word) >>> 2;
  }

  #load(rank: number, word: number): number {
    return atomicLoad(this.#views!.i32, this.#word(rank, word));
  }

  /** Wakes PEs that others have called, and gives signs of life, until the end. */
  async #serve(): Promise<void> {
    const words = this.#views!.i32;
    const { rank } = this.joined.bootstrap;
    const asleep = this.#word(rank, HOST.asleep);
    const address = this.#base + BigInt(4 * asleep);
    while (!this.#left) {
      atomicStore(words, asleep, 1);
      this.#wakeCalled();
      atomicAdd(words, this.#word(rank, HOST.beats), 1);
      const silent = this.#silence!.look(performance.now());
      if (silent) writeFailure(this.#layout!, this.#views!, -1, 1, silent);
      if (isFailing(this.#views!)) this.tell();
      await this.#futex!.waitAside(address, 1, SLEEP_MS);
      atomicStore(words, asleep, 0);
    }
  }

  #wakeCalled(): void {
    const words = this.#views!.i32;
    for (const pe of ownPesOf(this.#layout!)) {
      const called = (blockOf(this.#layout!, pe) + BLOCK.called) >>> 2;
      if (atomicCompareExchange(words, called, 1, 0) === 1) {
        ringPe(this.#layout!, this.#views!, pe);
      }
    }
  }

  /** Writes it where they look for it, once, and wakes everybody. */
  override tell(): boolean {
    if (this.#told || !this.#views) return true;
    this.#told = true;
    const failure = readFailure(this.#views);
    const { rank, size } = this.joined.bootstrap;
    for (let other = 0; other < size; other++) {
      if (other === rank || failure.far) continue;
      const control = controlOf(this.#layout!, other * this.#layout!.nearPes);
      recordFailure(this.#views, control, { ...failure, far: true });
      this.#wake(this.#word(other, HOST.asleep), 1);
    }
    for (const pe of ownPesOf(this.#layout!)) {
      ringPe(this.#layout!, this.#views, pe);
      this.#wake((blockOf(this.#layout!, pe) + BLOCK.bell) >>> 2, ASLEEP.outside);
    }
    ringSupervisor(this.#views);
    return true;
  }

  /** Wakes who sleeps in futex(2) by a word of the memory. */
  #wake(word: number, asleep: number): void {
    if (atomicCompareExchange(this.#views!.i32, word, asleep, 0) !== asleep) return;
    this.#futex!.wake(this.#base + BigInt(4 * word));
  }

  override shareStalled(stalledMs: number): number {
    const { rank, size } = this.joined.bootstrap;
    const now = clockMs();
    this.#views!.i32[this.#word(rank, HOST.moved)] = now - stalledMs;
    const all = Array.from({ length: size }, (_, other) => this.#load(other, HOST.moved));
    return Math.max(0, Math.min(...all.map((moved) => (now - moved) | 0)));
  }

  protected override leave(): Promise<void> {
    this.#left = true;
    return Promise.resolve();
  }
}

/** Where a process has its part, below /proc, as it says; an empty text if it does not. */
function memoryIn(text: string): string {
  const { memory } = JSON.parse(text) as { memory?: unknown };
  return typeof memory === "string" && /^\d{1,10}\/fd\/\d{1,10}$/.test(memory) ? memory : "";
}
