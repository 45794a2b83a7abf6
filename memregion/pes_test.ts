import { assert } from "@std/assert";
import { instantiateKernels } from "../internal/kernels.ts";
import { BLOCK, blockOf, createMemory, layoutFor } from "../lamellae/local/layout.ts";
import { LocalLamella } from "../lamellae/local/local_lamella.ts";
import { PeGroups, Progress } from "../lamellae/mod.ts";
import type { ElementType } from "../internal/elements.ts";
import { FarLamella, Network, type NetworkOptions } from "./far_lamella_test.ts";
import type { SharedMemoryRegion } from "./shared_region.ts";
import { RegionSpace } from "./space.ts";

/** A PE of a world that lives in one thread. */
export interface Pe {
  readonly pe: number;
  readonly lamella: LocalLamella;
  readonly progress: Progress;
  readonly regions: RegionSpace;
}

/** PEs over one memory, all in this thread: each has to be stepped in turn. */
export class Pes implements Disposable {
  /** A PE that waits in its event loop does not keep that alive, its Worker does. */
  readonly #alive = setInterval(() => {}, 1000);
  readonly all: Pe[] = [];
  /** Between the processes, if there are several. */
  readonly network: Network | undefined;

  constructor(count: number, heapBytes = 1 << 20, options?: NetworkOptions) {
    const layout = layoutFor(count, 4096, heapBytes);
    const memory = createMemory(layout);
    const network = options && new Network(options);
    this.network = network;
    for (let pe = 0; pe < count; pe++) {
      const kernels = instantiateKernels(memory, {
        memory64: layout.memory64,
        scratch: blockOf(layout, pe) + BLOCK.scratch,
      });
      const lamella = network
        ? new FarLamella(network, layout, memory, kernels, pe)
        : new LocalLamella(layout, memory, kernels, pe);
      const progress = new Progress(lamella, true);
      const groups = new PeGroups(progress);
      const regions = new RegionSpace(progress, groups.world(1), groups.transfers);
      this.all.push({ pe, lamella, progress, regions });
    }
  }

  /** Lets every PE make progress until none has work, and nothing is under way. */
  settle(): void {
    for (let round = 0, busy = true; busy; round++) {
      assert(round < 100_000, "the PEs never come to rest");
      busy = false;
      for (const { progress, lamella } of this.all) {
        if (progress.step() > 0) busy = true;
        if (lamella instanceof FarLamella && lamella.open > 0) busy = true;
      }
    }
  }

  /** Allocates a shared region; returns the handle of each PE. */
  allocShared<E extends ElementType>(type: E, length: number): SharedMemoryRegion<E>[] {
    const handles = this.all.map(({ regions }) => regions.allocShared(type, length));
    this.settle();
    return handles.map((handle) => handle.block());
  }

  [Symbol.dispose](): void {
    clearInterval(this.#alive);
    for (const { progress, regions } of this.all) {
      regions.close();
      progress.close();
    }
  }
}

/** Makes the PEs of a test. */
export type NewPes = (count: number, heapBytes?: number) => Pes;

/**
 * A test of what holds alike whether PEs share a process or not: it runs with all of them in one,
 * with one in each, and with two in each.
 */
export function regionTest(name: string, body: (newPes: NewPes) => void | Promise<void>): void {
  Deno.test(name, () => body((count, heapBytes) => new Pes(count, heapBytes)));
  for (const pesPerProcess of [1, 2]) {
    Deno.test(`${name} (processes of ${pesPerProcess})`, async () => {
      const seed = Number(Deno.env.get("TEST_SEED") ?? Date.now() % 2 ** 31);
      try {
        await body((count, heapBytes) => new Pes(count, heapBytes, { pesPerProcess, seed }));
      } catch (error) {
        throw new Error(`with the seed ${seed}`, { cause: error });
      }
    });
  }
}
