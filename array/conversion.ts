/**
 * Conversions: the elements of an array go on as an array of another type.
 *
 * @module
 */

import { convert, type DarcHandle, spaceOf } from "../darc/mod.ts";
import type { CollectiveKind } from "../lamellae/mod.ts";
import type { AnyElement } from "../memregion/mod.ts";
import { type ArrayParts, countedBy, type LamellarArray, refuseGuarded, spanOf } from "./base.ts";
import type { ArrayKind } from "./create.ts";

/**
 * Converts an array. Collective over its team.
 *
 * @param array The array, or a view of it: what comes out has its elements.
 * @param op What the user called.
 * @param kind The type it becomes.
 * @param make Makes the object.
 * @returns A handle for it.
 * @throws {ClosedError} If the array was disposed of or converted.
 */
export function convertArray<E extends AnyElement, A>(
  array: LamellarArray<E>,
  op: CollectiveKind,
  kind: ArrayKind,
  make: (parts: ArrayParts<E>) => A,
): DarcHandle<A> {
  refuseGuarded(array, op);
  const reference = countedBy(array);
  const record = reference.check(op, `call ${op} of`);
  const { core } = record;
  const space = spaceOf(core);
  const span = spanOf(array);
  // What this PE has under way at far PEs keeps the array as it is.
  const underWay = core.regions.pendingFar > 0
    ? space.take(record, `operations on ${record.name} under way`)
    : undefined;
  try {
    const { distribution } = span;
    const { first, kind: how, length } = distribution;
    // All PEs have to convert the same elements.
    const args = `${how} ${first} to ${first + length}`;
    return convert(space, reference, { op, kind, args }, (converted) => {
      return make({ reference: converted, span: span.with(distribution, converted.record.name) });
    });
  } finally {
    if (underWay) {
      const giveBack = (): void => underWay.giveBack("it is over");
      core.regions.quiet().then(giveBack, giveBack);
    }
  }
}
