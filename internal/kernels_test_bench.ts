/**
 * What the tests of the kernels share: a small memory, where things stand in it, and random
 * numbers.
 *
 * @module
 */

import { instantiateKernels, type Kernels } from "./kernels.ts";
import { type MemoryViews, memoryViews } from "./memory_views.ts";

/** An address. */
export const SCRATCH = 64;
/** An address. */
export const SPREAD = 4096;
/** An address. */
export const INDICES = 8192;
/** An address. */
export const VALUES = 24576;
/** An address. */
export const OUT = 40960;
/** An address. */
export const EXPECTED = 49152;
/** An address. */
export const DATA = 65536;

/** A memory with its kernels and views. */
export interface Bench {
  /** The memory, four pages. */
  memory: WebAssembly.Memory;
  /** Views of it. */
  views: MemoryViews;
  /** Kernels over it. */
  kernels: Kernels;
}

/**
 * Makes a memory and its kernels.
 *
 * @param memory64 Whether it is addressed by 64 bits.
 * @returns Both, and views.
 */
export function bench(memory64: boolean): Bench {
  const descriptor = memory64
    ? { initial: 4n, maximum: 16n, shared: true, address: "i64" }
    : { initial: 4, maximum: 16, shared: true };
  // The declaration of the constructor does not know 64-bit memories yet.
  const memory = new WebAssembly.Memory(descriptor as WebAssembly.MemoryDescriptor);
  const kernels = instantiateKernels(memory, { memory64, scratch: SCRATCH });
  return { memory, views: memoryViews(memory.buffer), kernels };
}

/**
 * A small deterministic generator: the same numbers in every run.
 *
 * @param seed Where it begins.
 * @returns A function that returns an integer below its argument.
 */
export function randomizer(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}
