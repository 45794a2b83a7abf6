/** PEs that share a memory in one thread and are stepped by hand, for the tests of this folder. */

import { assert, assertEquals } from "@std/assert";
import { compileKernels, instantiateKernels } from "../internal/kernels.ts";
import { BLOCK, blockOf, createMemory, type Layout, layoutFor } from "./local/layout.ts";
import { LocalLamella } from "./local/local_lamella.ts";
import { Progress } from "./progress.ts";

/** One PE. */
export interface Pe {
  readonly lamella: LocalLamella;
  readonly progress: Progress;
}

/** PEs and where everything of theirs lies. */
export interface Pes {
  readonly layout: Layout;
  readonly pes: readonly Pe[];
}

const modules = new Map<boolean, WebAssembly.Module>();

/**
 * Makes PEs that share a memory.
 *
 * @param numPes How many.
 * @param ringBytes Bytes of each ring.
 * @param heapBytes Bytes of each heap.
 * @returns The PEs.
 */
export function localPes(numPes: number, ringBytes = 4096, heapBytes = 65536): Pes {
  const layout = layoutFor(numPes, ringBytes, heapBytes);
  const { memory64 } = layout;
  const memory = createMemory(layout);
  const module = modules.get(memory64) ?? compileKernels(memory64);
  modules.set(memory64, module);
  const pes = Array.from({ length: numPes }, (_, pe) => {
    const scratch = blockOf(layout, pe) + BLOCK.scratch;
    const kernels = instantiateKernels(memory, { memory64, module, scratch });
    const lamella = new LocalLamella(layout, memory, kernels, pe);
    return { lamella, progress: new Progress(lamella, true) };
  });
  return { layout, pes };
}

/**
 * Steps PEs until none of them has anything to do.
 *
 * @param pes The PEs.
 * @returns How much they did.
 */
export function settle(pes: readonly Pe[]): number {
  let all = 0;
  // A collective that goes on to its next round counts as nothing done.
  for (let [round, idle] = [0, 0]; idle < 8; round++) {
    const done = pes.reduce((sum, { progress }) => sum + progress.step(), 0);
    idle = done === 0 ? idle + 1 : 0;
    all += done;
    assert(round < 100_000, "the PEs never come to rest");
  }
  return all;
}

Deno.test("PEs of one thread see each other's memory", () => {
  const { pes } = localPes(3);
  pes[0]!.lamella.views.u8[pes[0]!.lamella.address(2, 5)] = 7;
  assertEquals(pes[2]!.lamella.views.u8[pes[2]!.lamella.address(2, 5)], 7);
  assertEquals(settle(pes), 0);
});
