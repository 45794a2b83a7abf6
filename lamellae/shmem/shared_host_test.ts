import { baseAddress, MemoryFile } from "../../ffi/host.ts";
import { instantiateKernels, type Kernels } from "../../internal/kernels.ts";
import {
  BLOCK,
  blockOf,
  controlOf,
  createMemory,
  type Layout,
  layoutFor,
  openOf,
} from "../local/layout.ts";
import type { LocalLamella } from "../local/local_lamella.ts";
import { HOST_BYTES } from "./host_words.ts";
import { shmemLamella } from "./shmem_lamella.ts";

/** A process of several that share memory, as far as its memory goes. */
export interface SharedProcess {
  readonly layout: Layout;
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
  /** Makes the lamella of one of its PEs. */
  lamella(pe: number): LocalLamella;
}

/**
 * Makes the memories of several processes in this one, which sees each where that would.
 *
 * @param processes How many there are.
 * @param nearPes PEs of each.
 * @param heapBytes The heap of each PE.
 * @returns The processes.
 */
export function shareMemory(
  processes: number,
  nearPes: number,
  heapBytes = 65536,
): SharedProcess[] {
  const numPes = processes * nearPes;
  const layouts = Array.from({ length: processes }, (_, rank) => {
    const share = { numPes, nearPes, firstPe: rank * nearPes, networkBytes: HOST_BYTES };
    const host = { ranks: [...Array(processes).keys()], places: processes };
    return layoutFor({ ...share, host }, 4096, heapBytes);
  });
  const { controlBytes, openBytes } = layouts[0]!;
  const files = layouts.map(() => {
    const file = MemoryFile.create("lamellar_test")!;
    if (!file.resize(controlBytes + openBytes)) throw new Error("not resized");
    return file;
  });
  const all = layouts.map((layout) => {
    const memory = createMemory(layout);
    const base = baseAddress(memory.buffer);
    files.forEach((file, rank) => {
      const pe = rank * nearPes;
      const control = file.mapAt(base + BigInt(controlOf(layout, pe)), 0, controlBytes);
      const at = base + BigInt(openOf(layout, pe));
      if (!control || !file.mapAt(at, controlBytes, openBytes)) throw new Error("not mapped");
    });
    return processOf(layout, memory);
  });
  for (const file of files) file.close();
  return all;
}

function processOf(layout: Layout, memory: WebAssembly.Memory): SharedProcess {
  const { memory64 } = layout;
  const kernels = instantiateKernels(memory, { memory64 });
  return {
    layout,
    memory,
    kernels,
    lamella(pe) {
      const scratch = blockOf(layout, pe) + BLOCK.scratch;
      const own = instantiateKernels(memory, { memory64, module: kernels.module, scratch });
      return shmemLamella(layout, memory, own, pe, undefined);
    },
  };
}
