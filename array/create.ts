/**
 * Making arrays.
 *
 * @module
 */

import type { LamellarEnv } from "../am/mod.ts";
import { Distribution, type DistributionKind } from "../internal/distribution.ts";
import { OutOfMemoryError } from "../internal/errors.ts";
import { elementInfo } from "../internal/elements.ts";
import type { CollectiveHandle } from "../lamellae/mod.ts";
import {
  type AnyElement,
  collected,
  type ElementType,
  type ElementTypeLike,
} from "../memregion/mod.ts";
import { spaceOf } from "../darc/mod.ts";
import { insideOfEnv, type LamellarTeam, type WorldCore } from "../world/mod.ts";
import { type ArrayParts, checkDistribution } from "./base.ts";
import { lockBytes } from "./lock/shared_lock.ts";
import { listOf } from "./record/record_tools.ts";
import { recordTypeOf } from "./record/record_type.ts";
import { ArrayStorage } from "./storage.ts";

/**
 * The name of a type of arrays.
 *
 * @category Arrays
 */
export type ArrayKind =
  | "UnsafeArray"
  | "ReadOnlyArray"
  | "AtomicArray"
  | "LocalLockArray"
  | "GlobalLockArray";

/** The types of arrays, as messages call them; their places travel. */
export const ARRAY_KINDS: readonly ArrayKind[] = [
  "UnsafeArray",
  "ReadOnlyArray",
  "AtomicArray",
  "LocalLockArray",
  "GlobalLockArray",
];

/** What an array is to be. */
export interface ArrayWanted<E extends AnyElement> {
  readonly type: ElementTypeLike<E>;
  readonly distribution: DistributionKind;
  /** Elements on all PEs together. */
  readonly length?: number;
  /** What this PE gives, if the elements are what PEs give. */
  readonly values?: unknown;
}

/**
 * Makes an array. Collective over the team.
 *
 * @param env The world, a team, or what belongs to one.
 * @param kind The type of the array.
 * @param wanted What it is to be.
 * @param make Makes the object.
 * @returns A handle for it.
 * @throws {IdError} If this PE is not a member of the team.
 */
export function create<E extends AnyElement, A>(
  env: LamellarEnv,
  kind: ArrayKind,
  wanted: ArrayWanted<E>,
  make: (parts: ArrayParts<E>) => A,
): CollectiveHandle<A> {
  const { type, distribution, length } = wanted;
  const isGiven = "values" in wanted;
  const op = isGiven ? `${kind}.from` as const : `${kind}.create` as const;
  const team = (env as LamellarEnv | undefined)?.team as LamellarTeam;
  const inside = insideOfEnv(team, `call ${op}`);
  const group = inside.group(op);
  const recordType = recordTypeOf(type);
  const memory = recordType ? "bigu64" : elementInfo(type as ElementTypeLike<ElementType>).type;
  checkDistribution(op, distribution);
  if (!isGiven) checkLength(op, length);
  const { core, pes } = inside;
  core.progress.checkFailure();
  // Before anything is counted: other PEs do not know what is wrong with the values of this one.
  const values = isGiven ? given(core, kind, wanted) : undefined;
  const space = spaceOf(core);
  const storage = new ArrayStorage(recordType);
  const record = space.add(kind, team, inside, { value: storage });
  const reference = space.reference(record, kind);
  const parts = pes.pes.length;
  const shown = String(recordType ?? memory);
  const handle = core.regions.spans.allocate<E>(memory, group, {
    kind: op,
    args: isGiven ? `${shown}, ${distribution}` : `${shown}, ${length}, ${distribution}`,
    words: recordType && recordType.bytes / 8,
    make: storage.make,
    shapeFor: (given) => ({
      distribution: new Distribution(distribution, parts, length ?? given),
      label: record.name,
    }),
    ...values && { values },
    extraBytes: (longest) => lockBytes(parts) + (recordType ? 4 * longest : 0),
    placed: (span) => storage.place(span),
  });
  return handle.mapped((result) => {
    if (result instanceof OutOfMemoryError) {
      reference.giveBack("its allocation failed");
      throw result;
    }
    return make({ reference, span: result });
  });
}

/** Checks what this PE gives. */
function given<E extends AnyElement>(
  { regions }: WorldCore,
  kind: ArrayKind,
  { type, values }: ArrayWanted<E>,
): ArrayLike<unknown> {
  const recordType = recordTypeOf(type);
  if (recordType === undefined) {
    const { type: memory } = elementInfo(type as ElementTypeLike<ElementType>);
    const elements = regions.spans.elementsFor(memory, `a new ${kind}`, values);
    // As many as there are now, even if they are in a buffer that grows.
    return elements.subarray(0, elements.length);
  }
  return recordType.taken(listOf(collected(values)), `put into a new ${kind}`);
}

/**
 * @param op What the user called.
 * @param length How many elements an array is to have.
 * @throws {RangeError} If that is not an integer of at least 0.
 * @throws {TypeError} If it is not a number.
 */
export function checkLength(op: string, length: unknown): void {
  if (Number.isSafeInteger(length) && length as number >= 0) return;
  const text = `Cannot call ${op} for ${String(length)} elements: ` +
    "the length must be an integer of at least 0";
  throw typeof length === "number" ? new RangeError(text) : new TypeError(text);
}
