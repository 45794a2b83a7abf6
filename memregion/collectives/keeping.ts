/**
 * Keeps the memory of regions for collectives that use it.
 *
 * @module
 */

import type { Allocation } from "../memory/allocation.ts";

/** What may be in a region. */
export interface InMemory {
  readonly allocation?: Allocation | undefined;
}

/**
 * Keeps the memory of regions, though the program may dispose of them.
 *
 * @param used What a collective reads and writes on this PE.
 * @returns Gives the memory back; undefined if nothing is in a region.
 */
export function keepUsed(used: readonly (InMemory | undefined)[]): (() => void) | undefined {
  const kept = used.flatMap((use) => use?.allocation ?? []);
  if (kept.length === 0) return undefined;
  for (const allocation of kept) allocation.keep();
  return () => kept.forEach((allocation) => allocation.giveBack());
}
