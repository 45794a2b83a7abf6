/**
 * A put to every PE.
 *
 * @module
 */

import { type RegionMemory, regionOf, type Rest } from "../memory/region_memory.ts";

/**
 * Puts the same elements to every PE that has a part.
 *
 * @param memory The region.
 * @param index Index of the first element.
 * @param source What to copy.
 * @returns What is left of it.
 */
export function putAll<V>(memory: RegionMemory<V>, index: number, source: unknown): Rest {
  const { far, lamella } = memory.space;
  const { pes, localPart: own } = memory.allocation;
  let all: Rest;
  for (let i = 1; i < pes.length + (own < 0 ? 1 : 0); i++) {
    const part = (own + i) % pes.length;
    const rest = memory.access.put(memory, part, index, source);
    if (rest) (all ??= far.begin(pes[part]!)).adopt(rest);
  }
  all?.seal(() => {});
  if (own < 0) return all;
  // This PE comes last: the source may be a part of what is overwritten.
  if (all && isInHeap(source, lamella.views.buffer)) all.wait();
  memory.access.put(memory, own, index, source);
  return all;
}

function isInHeap(source: unknown, heap: ArrayBufferLike): boolean {
  if (regionOf(source)) return true;
  return ArrayBuffer.isView(source) && source.buffer === heap;
}
