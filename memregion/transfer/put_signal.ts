/**
 * A put that also tells that it is there.
 *
 * @module
 */

import type { ElementType } from "../../internal/elements.ts";
import { labelOf, refuseValue } from "../memory/refusals.ts";
import type { RegionSignal } from "../region.ts";
import { MEMORY, type RegionMemory, type Rest } from "../memory/region_memory.ts";

/**
 * Puts elements, then changes the element that tells so.
 *
 * @param memory The region.
 * @param part The part.
 * @param index Index of the first element.
 * @param source What to copy.
 * @param signal Which element to change and how.
 * @returns What is left of it.
 * @throws {TypeError} If the signal is not on the same PE.
 */
export function putSignal<V, S extends ElementType>(
  memory: RegionMemory<V>,
  part: number,
  index: number,
  source: unknown,
  signal: RegionSignal<S>,
): Rest {
  const flag = signal.region[MEMORY];
  const { op = "set" } = signal;
  const pe = memory.allocation.pes[part] ?? part;
  const flagPart = flag.allocation.pes.indexOf(pe);
  if (flagPart < 0) {
    const where = flag.allocation.oneSided
      ? `the signal is on PE ${flag.allocation.pes[0]}`
      : `${labelOf(flag)}, which has the signal, has no part there`;
    throw new TypeError(`Cannot putSignal into ${labelOf(memory)} on PE ${pe}: ${where}`);
  }
  if (op !== "set" && op !== "add") {
    throw new TypeError(`Cannot putSignal into ${labelOf(memory)}: "${op}" is neither set nor add`);
  }
  // Whatever is wrong with the signal has to show before the elements are changed.
  memory.position("putSignal", part, index, 0);
  const at = flag.address("putSignal", flagPart, signal.index, 1);
  if (!flag.access.accepts(signal.value)) refuseValue(flag, "putSignal", signal.value);
  const data = memory.access.put(memory, part, index, source);
  if (at < 0) {
    const place = { memory: flag, op: "putSignal", part: flagPart, at };
    return flag.access.far.signalAfter(data, place, op === "set" ? "store" : "add", signal.value);
  }
  if (op === "set") return flag.access.update.store(flag, flagPart, signal.index, signal.value);
  return flag.access.update.add(flag, flagPart, signal.index, signal.value);
}
