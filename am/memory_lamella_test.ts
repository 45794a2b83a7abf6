/** A lamella of PEs that live in one thread, for the tests of this folder. */

import { assert, assertEquals } from "@std/assert";
import { type LamellarError, PeFailedError, ProtocolError } from "../internal/errors.ts";
import type { Kernels } from "../internal/kernels.ts";
import { type MemoryViews, memoryViews } from "../internal/memory_views.ts";
import {
  type FrameSink,
  type Lamella,
  Progress,
  SegmentHeap,
  WAIT_EVENT,
  WAIT_FAILED,
  WAIT_TIMEOUT,
} from "../lamellae/mod.ts";

/** Frames from one PE to another; the counters never wrap. */
interface Ring {
  readonly base: number;
  written: number;
  published: number;
  head: number;
  want: boolean;
}

/** What the PEs share. Who waits lets the others step, so that blocking works in one thread. */
export class Network {
  readonly views: MemoryViews;
  readonly rings: Ring[] = [];
  readonly lamellas: MemoryLamella[];
  readonly progress: Progress[];
  failure: LamellarError | null = null;
  #stepping = false;

  /**
   * @param numPes Number of PEs.
   * @param ringBytes Bytes of each ring.
   */
  constructor(readonly numPes: number, readonly ringBytes = 4096) {
    this.views = memoryViews(new ArrayBuffer(numPes * numPes * ringBytes));
    for (let i = 0; i < numPes * numPes; i++) {
      this.rings.push({ base: i * ringBytes, written: 0, published: 0, head: 0, want: false });
    }
    this.lamellas = Array.from({ length: numPes }, (_, pe) => new MemoryLamella(this, pe));
    this.progress = this.lamellas.map((lamella) => new Progress(lamella, true));
  }

  /** The ring of a pair. */
  ring(from: number, to: number): Ring {
    return this.rings[to * this.numPes + from]!;
  }

  /** Steps every PE but one; returns how much they did. */
  stepOthers(pe: number): number {
    assert(!this.#stepping, "a handler waits");
    this.#stepping = true;
    try {
      return this.progress.reduce((sum, one, other) => sum + (other === pe ? 0 : one.step()), 0);
    } finally {
      this.#stepping = false;
    }
  }

  /** Steps every PE until none has anything to do; returns how much they did. */
  settle(): number {
    let all = 0;
    for (let round = 0;; round++) {
      const done = this.stepOthers(-1);
      if (done === 0) return all;
      all += done;
      assert(round < 100_000, "the PEs never come to rest");
    }
  }

  /** Ends the pumps. */
  close(): void {
    for (const progress of this.progress) progress.close();
  }
}

/** One PE's side of it. */
export class MemoryLamella implements Lamella {
  readonly mustLook = false;
  readonly name = "memory";
  readonly views: MemoryViews;
  readonly numPes: number;
  readonly numNodes: number;
  readonly session = 0;
  readonly neighbours = 1;
  readonly heap: SegmentHeap;
  readonly staging = 0;
  readonly collectiveOffset = 0;
  readonly frameBytesMax: number;
  readonly slotsMax = 0;
  readonly operationBytesMax = 0;
  readonly wakeMs = 0.03;
  bytesPut = 0;
  readonly #network: Network;
  #events = 0;
  #next = 0;
  #bell = Promise.withResolvers<void>();
  #idleSince = 0;

  /**
   * @param network What the PEs share.
   * @param pe This PE.
   */
  constructor(network: Network, readonly pe: number) {
    this.#network = network;
    this.views = network.views;
    this.numPes = network.numPes;
    this.numNodes = network.numPes;
    this.heap = new SegmentHeap(pe, 0);
    this.frameBytesMax = network.ringBytes / 4;
  }

  get kernels(): Kernels {
    throw new Error("there are no kernels");
  }

  address(): number {
    throw new Error("there is no heap");
  }

  isNear(): boolean {
    return true;
  }

  put(): number {
    throw new Error("there is no heap");
  }

  get(): number {
    throw new Error("there is no heap");
  }

  putBytes(): number {
    throw new Error("there is no heap");
  }

  getBytes(): number {
    throw new Error("there is no heap");
  }

  operate(): number {
    throw new Error("there is no heap");
  }

  isPending(): boolean {
    return false;
  }

  reserve(pe: number, bytes: number): number {
    assert(bytes % 8 === 0 && bytes <= this.frameBytesMax, `a frame of ${bytes} bytes`);
    const size = this.#network.ringBytes;
    const ring = this.#network.ring(this.pe, pe);
    const left = size - ring.written % size;
    const need = bytes > left ? bytes + left : bytes;
    if (size - (ring.written - ring.head) < need) return -1;
    if (bytes > left) {
      this.views.i32[(ring.base + ring.written % size) / 4] = 0;
      ring.written += left;
    }
    return ring.base + ring.written % size;
  }

  commit(pe: number, bytes: number): void {
    this.#network.ring(this.pe, pe).written += bytes;
  }

  publish(pe: number): void {
    const ring = this.#network.ring(this.pe, pe);
    ring.published = ring.written;
    this.wake(pe);
  }

  wantRoom(pe: number): void {
    this.#network.ring(this.pe, pe).want = true;
  }

  poll(sink: FrameSink): number {
    for (let i = 0; i < this.numPes; i++) {
      const source = (this.#next + i) % this.numPes;
      const ring = this.#network.ring(source, this.pe);
      if (ring.head === ring.published) continue;
      this.#next = (source + 1) % this.numPes;
      return this.#consume(source, ring, sink);
    }
    return 0;
  }

  #consume(source: number, ring: Ring, sink: FrameSink): number {
    const size = this.#network.ringBytes;
    const { head } = ring;
    const left = size - head % size;
    if (ring.published < head) throw new ProtocolError("the ring holds less than nothing");
    const start = ring.base + head % size;
    const end = start + Math.min(ring.published - head, left);
    const stop = sink(source, this.views, start, end);
    const padded = stop < end && this.views.i32[stop / 4] === 0;
    ring.head += padded ? left : stop - start;
    if (ring.want) {
      ring.want = false;
      this.wake(source);
    }
    return ring.head - head;
  }

  events(): number {
    return this.#events;
  }

  wait(seen: number, _spins: number, _yields: number, timeoutMs: number): number {
    if (this.#network.failure) return WAIT_FAILED;
    if (seen !== this.#events || this.#network.stepOthers(this.pe) > 0) {
      this.#idleSince = 0;
      return WAIT_EVENT;
    }
    if (timeoutMs > 0) {
      this.#idleSince ||= performance.now();
      // Nobody else is there to do anything, now or later.
      assert(performance.now() - this.#idleSince < 3000, `PE ${this.pe} waits for ever`);
    }
    return WAIT_TIMEOUT;
  }

  waitAsync(seen: number): Promise<unknown> | null {
    this.#idleSince = 0;
    return seen !== this.#events || this.#network.failure ? null : this.#bell.promise;
  }

  wake(pe: number): void {
    const other = this.#network.lamellas[pe]!;
    other.#events++;
    other.#bell.resolve();
    other.#bell = Promise.withResolvers();
  }

  signal(): void {
    throw new Error("there are no collectives");
  }

  signalled(): boolean {
    return false;
  }

  tagOf(): number {
    return 0;
  }

  waitSignal(): number {
    return WAIT_TIMEOUT;
  }

  exchange(): Uint8Array {
    return new Uint8Array(0);
  }

  report(): void {}
  note(): void {}

  countProgress(): void {}

  failure(): LamellarError | null {
    return this.#network.failure;
  }

  retire(): void {}

  fail(error: unknown): void {
    const cause = error instanceof Error ? error : undefined;
    this.#network.failure ??= new PeFailedError(`PE ${this.pe} failed: ${error}`, {
      pe: this.pe,
      cause,
    });
    for (let pe = 0; pe < this.numPes; pe++) this.wake(pe);
  }
}

Deno.test("The lamella of the tests carries frames in order, round the end of its rings", () => {
  const network = new Network(2, 4096);
  const [a, b] = network.lamellas as [MemoryLamella, MemoryLamella];
  let received = 0;
  for (let sent = 0; received < 500;) {
    for (let at = a.reserve(1, 936); at >= 0; at = a.reserve(1, 936)) {
      a.views.i32.set([936, sent++], at / 4);
      a.commit(1, 936);
    }
    a.publish(1);
    b.poll((source, views, at, end) => {
      assertEquals(source, 0);
      for (; at < end && views.i32[at / 4] !== 0; at += 936) {
        assertEquals([views.i32[at / 4], views.i32[at / 4 + 1]], [936, received++]);
      }
      return at;
    });
  }
});
