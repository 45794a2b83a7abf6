/**
 * Printing arrays. One PE reads the first elements of each PE and prints them in the order of the
 * PEs: what several processes print would come in any order, however they took turns.
 *
 * @module
 */

import { spaceOf } from "../darc/mod.ts";
import { callProgram, CollectiveHandle, type Program, turn } from "../lamellae/mod.ts";
import type { AnyElement } from "../memregion/mod.ts";
import { insideOf } from "../world/mod.ts";
import {
  countedBy,
  elementsOf,
  type LamellarArray,
  openOf,
  refuseGuarded,
  spanOf,
} from "./base.ts";
import { type Chain, chained } from "./chain.ts";

/** As many elements of a PE are printed: as many of a list as the console shows. */
const SHOWN = 100;

/**
 * Prints an array. Collective over its team.
 *
 * @param array The array.
 * @returns A handle, done when all of it is printed.
 * @throws {ClosedError} If the array was disposed of or converted.
 */
export function printArray<E extends AnyElement>(array: LamellarArray<E>): CollectiveHandle<void> {
  const op = "print";
  openOf(array, op);
  refuseGuarded(array, op);
  const { record } = countedBy(array);
  const { core, team } = record;
  const group = insideOf(team).group(op);
  core.progress.checkFailure();
  const reference = spaceOf(core).take(record, `print of ${record.name}`);
  function* turns(): Program {
    try {
      yield turn();
      const printed = group.me === 0 ? chained(array, op, printing(array)) : undefined;
      yield turn(undefined, () => printed?.done ?? true);
    } finally {
      reference.giveBack("it is printed");
    }
  }
  const { kind, first, length } = spanOf(array).distribution;
  const args = `${record.number}, ${kind} ${first} to ${first + length}`;
  return new CollectiveHandle(callProgram(group, core.lamella, op, args, turns()), () => {});
}

function* printing<E extends AnyElement>(array: LamellarArray<E>): Chain<void> {
  const { distribution } = spanOf(array);
  const lines = [`${array}, ${distribution.kind}`];
  for (let pe = 0; pe < distribution.parts; pe++) {
    const { count } = distribution.inPart(pe);
    const list = yield* shownOf(array, pe, Math.min(count, SHOWN));
    // What is missing at the end is counted, not shown.
    list.length = Math.min(count, 2 ** 32 - 1);
    lines.push(`PE ${pe}: ${Deno.inspect(list)}`);
  }
  console.log(lines.join("\n"));
}

/** The first elements of a PE, as they are shown. */
function* shownOf<E extends AnyElement>(
  array: LamellarArray<E>,
  pe: number,
  count: number,
): Chain<unknown[]> {
  const elements = elementsOf(array);
  const { info } = spanOf(array);
  if (info.kind !== "exact") {
    const values: Iterable<unknown> = yield elements.getBufferIn(pe, 0, count);
    return info.kind === "boolean" ? Array.from(values, (value) => value === 1) : [...values];
  }
  // Numbers do not hold all 64-bit integers.
  const values = new info.arrayClass(count);
  yield elements.getIntoIn(pe, 0, values);
  return Array.from(values as ArrayLike<number | bigint>, (value) => {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  });
}
