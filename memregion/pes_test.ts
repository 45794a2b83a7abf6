import { instantiateKernels } from "../internal/kernels.ts";
import { BLOCK, blockOf, createMemory, layoutFor } from "../lamellae/local/layout.ts";
import { LocalLamella } from "../lamellae/local/local_lamella.ts";
import { Collectives, Progress } from "../lamellae/mod.ts";
import type { ElementType } from "./element_types.ts";
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
  readonly all: Pe[] = [];

  constructor(count: number, heapBytes = 1 << 20) {
    const layout = layoutFor(count, 4096, heapBytes);
    const memory = createMemory(layout);
    for (let pe = 0; pe < count; pe++) {
      const kernels = instantiateKernels(memory, {
        memory64: layout.memory64,
        scratch: blockOf(layout, pe) + BLOCK.scratch,
      });
      const lamella = new LocalLamella(layout, memory, kernels, pe);
      const progress = new Progress(lamella, true);
      const regions = new RegionSpace(progress, new Collectives(progress, 1));
      this.all.push({ pe, lamella, progress, regions });
    }
  }

  /** Lets every PE make progress until none has work. */
  settle(): void {
    while (this.all.some(({ progress }) => progress.step() > 0));
  }

  /** Allocates a shared region; returns the handle of each PE. */
  allocShared<E extends ElementType>(type: E, length: number): SharedMemoryRegion<E>[] {
    const handles = this.all.map(({ regions }) => regions.allocShared(type, length));
    this.settle();
    return handles.map((handle) => handle.block());
  }

  [Symbol.dispose](): void {
    for (const { progress, regions } of this.all) {
      regions.close();
      progress.close();
    }
  }
}
