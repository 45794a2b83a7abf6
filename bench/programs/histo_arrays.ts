/**
 * The variants of histo that call operations of arrays.
 *
 * @module
 */
import { AtomicArray, UnsafeArray, type WritableArray } from "../../mod.ts";
import type { Histo, Updates } from "./histo_ams.ts";

/** How much longer than in `atomic_array` the compared arrays are. */
const COMPARED_TIMES = 10;
/** Elements of the compared arrays in the original, on all PEs together. */
const COMPARED_ORIGINALLY = 100_000_000;

function adding(array: WritableArray<"u64">, indices: Uint32Array): Updates {
  return {
    run: async () => await array.batchAdd(indices, 1),
    sum: async () => await array.sum() ?? 0,
  };
}

/** One call for all updates. */
export async function atomicArray(histo: Histo): Promise<void> {
  const { world, tableLength } = histo;
  const length = tableLength * world.numPes;
  using array = await AtomicArray.create(world, "u64", length, "cyclic");
  await histo.measure(adding(array, histo.indicesBelow(length)));
}

/** The same for an array as three types, one after the other. */
export async function arrayComparison(histo: Histo): Promise<void> {
  const { world } = histo;
  const length = histo.tableLength * world.numPes * COMPARED_TIMES;
  const indices = histo.indicesBelow(length);
  const scaled = length < COMPARED_ORIGINALLY
    ? { scaled: `array of ${length} elements, originally ${COMPARED_ORIGINALLY}` }
    : {};
  const measure = (name: string, array: WritableArray<"u64">) =>
    histo.measure({ ...adding(array, indices), name: `array_comparison_${name}`, ...scaled });
  const unsafe = await UnsafeArray.create(world, "u64", length, "cyclic");
  await measure("unsafe", unsafe);
  await unsafe.fill(0);
  const locked = await unsafe.intoLocalLock();
  await measure("local_lock", locked);
  await locked.fill(0);
  using atomic = await locked.intoAtomic();
  await measure("atomic", atomic);
}
