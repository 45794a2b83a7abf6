/**
 * The types of arrays.
 *
 * @module
 */

import type { LamellarEnv } from "../am/mod.ts";
import type { DarcHandle } from "../darc/mod.ts";
import type { DistributionKind } from "../internal/distribution.ts";
import type { CollectiveHandle } from "../lamellae/mod.ts";
import type { ElementSlice, ElementType, ElementTypeLike } from "../memregion/mod.ts";
import { type ArrayParts, countedBy, type LamellarArray, type ReadonlySlice } from "./base.ts";
import type { ArrayReadGuard, ArrayWriteGuard } from "./lock_guards.ts";
import { convertArray } from "./conversion.ts";
import { create } from "./create.ts";
import { AtomicLocalData } from "./local_data.ts";
import { LockableArray } from "./locked_array.ts";
import { ReadableArray } from "./readable_array.ts";
import { WritableArray } from "./writable_array.ts";

/**
 * An array that nothing protects: what one PE writes while others use the same elements is for the
 * program to order, with barriers. Operations on one element are atomic among each other all the
 * same; what is written to `localAsMutSlice()` is not.
 *
 * @category Arrays
 */
export class UnsafeArray<E extends ElementType> extends WritableArray<E> {
  /**
   * Makes an array. Collective: all PEs of the world or of the team call it alike.
   *
   * @param team The world, a team, or what belongs to one, such as another array.
   * @param type The element type, such as `"f64"`.
   * @param length Number of elements on all PEs together, all 0 at first; it may be 0.
   * @param distribution `"block"`: each PE has its share of neighbours; the first have one more if
   * the length does not divide. `"cyclic"`: element i is on PE i mod P.
   * @returns A handle for the array. It fails on every PE with an `OutOfMemoryError` if one of them
   * has no room.
   * @throws {IdError} If this PE is not a member of the team.
   */
  static create<E extends ElementType>(
    team: LamellarEnv,
    type: ElementTypeLike<E>,
    length: number,
    distribution: DistributionKind = "block",
  ): CollectiveHandle<UnsafeArray<E>> {
    const wanted = { type, length, distribution };
    return create(team, "UnsafeArray", wanted, (parts) => new UnsafeArray(parts));
  }

  /**
   * The elements that this PE has, as a live view in the order of their indices.
   *
   * @returns A typed array over the memory. Do not use it after the array was disposed of or
   * converted.
   */
  localAsSlice(): ElementSlice<E> {
    return this.openSpan("localAsSlice").local("localAsSlice");
  }

  /**
   * The same as `localAsSlice`.
   *
   * @returns A typed array over the memory.
   */
  localAsMutSlice(): ElementSlice<E> {
    return this.openSpan("localAsMutSlice").local("localAsMutSlice");
  }

  /**
   * Turns it into an array that is only read. Collective: all PEs of its team call it, for the same
   * elements. It waits until no PE has a `clone`, a guard, an operation under way or a payload with
   * the array; after the time of `LAMELLAR_DEADLOCK_WARNING_TIMEOUT` it reports which PE has what.
   *
   * @returns A handle for the new array, with the same elements in the same memory. This one and
   * its sub-arrays cannot be used any more.
   */
  intoReadOnly(): DarcHandle<ReadOnlyArray<E>> {
    return intoReadOnly(this);
  }

  /**
   * Turns it into an array whose elements are used atomically, as `intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoAtomic(): DarcHandle<AtomicArray<E>> {
    return intoAtomic(this);
  }

  /**
   * Turns it into an array with a lock for the elements of each PE, as `intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoLocalLock(): DarcHandle<LocalLockArray<E>> {
    return intoLocalLock(this);
  }

  /**
   * Turns it into an array with one lock for all elements, as `intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoGlobalLock(): DarcHandle<GlobalLockArray<E>> {
    return intoGlobalLock(this);
  }
}

/**
 * An array that nobody changes as long as it is one. It is made by a conversion, or is all 0.
 *
 * @category Arrays
 */
export class ReadOnlyArray<E extends ElementType> extends ReadableArray<E> {
  /**
   * Makes an array of zeros, as `UnsafeArray.create` does.
   *
   * @param team The world, a team, or what belongs to one, such as another array.
   * @param type The element type, such as `"f64"`.
   * @param length Number of elements on all PEs together.
   * @param distribution `"block"` or `"cyclic"`.
   * @returns A handle for the array.
   */
  static create<E extends ElementType>(
    team: LamellarEnv,
    type: ElementTypeLike<E>,
    length: number,
    distribution: DistributionKind = "block",
  ): CollectiveHandle<ReadOnlyArray<E>> {
    const wanted = { type, length, distribution };
    return create(team, "ReadOnlyArray", wanted, (parts) => new ReadOnlyArray(parts));
  }

  /**
   * The elements that this PE has, as a live view in the order of their indices.
   *
   * @returns A typed array over the memory, which TypeScript does not let write. Do not use it
   * after the array was disposed of or converted.
   */
  localAsSlice(): ReadonlySlice<E> {
    return this.openSpan("localAsSlice").local("localAsSlice") as unknown as ReadonlySlice<E>;
  }

  /**
   * Turns it into an array that nothing protects, as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoUnsafe(): DarcHandle<UnsafeArray<E>> {
    return intoUnsafe(this);
  }

  /**
   * Turns it into an array whose elements are used atomically, as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoAtomic(): DarcHandle<AtomicArray<E>> {
    return intoAtomic(this);
  }

  /**
   * Turns it into an array with a lock for the elements of each PE, as
   * `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoLocalLock(): DarcHandle<LocalLockArray<E>> {
    return intoLocalLock(this);
  }

  /**
   * Turns it into an array with one lock for all elements, as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoGlobalLock(): DarcHandle<GlobalLockArray<E>> {
    return intoGlobalLock(this);
  }
}

/**
 * An array whose elements are used atomically: an operation on an element happens at once, whatever
 * other PEs do there. Floats too are atomic. Elements that are next to each other are independent.
 *
 * ```ts
 * import { AtomicArray, LamellarWorldBuilder } from "../mod.ts";
 *
 * await using world = await new LamellarWorldBuilder().build();
 * using histogram = await AtomicArray.create(world, "u64", 100, "block");
 * await histogram.batchAdd([7, 7, 42], 1);
 * await world.asyncBarrier();
 * console.log(histogram.at(7) === 2 * world.numPes);
 * ```
 *
 * @category Arrays
 */
export class AtomicArray<E extends ElementType> extends WritableArray<E> {
  /**
   * Makes an array of zeros, as `UnsafeArray.create` does.
   *
   * @param team The world, a team, or what belongs to one, such as another array.
   * @param type The element type, such as `"f64"`.
   * @param length Number of elements on all PEs together.
   * @param distribution `"block"` or `"cyclic"`.
   * @returns A handle for the array.
   */
  static create<E extends ElementType>(
    team: LamellarEnv,
    type: ElementTypeLike<E>,
    length: number,
    distribution: DistributionKind = "block",
  ): CollectiveHandle<AtomicArray<E>> {
    const wanted = { type, length, distribution };
    return create(team, "AtomicArray", wanted, (parts) => new AtomicArray(parts));
  }

  /**
   * The elements that this PE has, to use them one by one and atomically, without handles.
   *
   * @returns They, in the order of their indices.
   */
  localData(): AtomicLocalData<E> {
    const span = this.openSpan("localData");
    return new AtomicLocalData(span, () => countedBy(this), 0, this.numElemsLocal);
  }

  /**
   * Turns it into an array that nothing protects, as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoUnsafe(): DarcHandle<UnsafeArray<E>> {
    return intoUnsafe(this);
  }

  /**
   * Turns it into an array that is only read, as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoReadOnly(): DarcHandle<ReadOnlyArray<E>> {
    return intoReadOnly(this);
  }

  /**
   * Turns it into an array with a lock for the elements of each PE, as
   * `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoLocalLock(): DarcHandle<LocalLockArray<E>> {
    return intoLocalLock(this);
  }

  /**
   * Turns it into an array with one lock for all elements, as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoGlobalLock(): DarcHandle<GlobalLockArray<E>> {
    return intoGlobalLock(this);
  }
}

/**
 * An array with a lock for the elements of each PE: a reader shares it with others, a writer has it
 * alone. Every operation holds the lock of the PE whose elements it uses, one PE after the other
 * where there are several; inside, nothing is atomic, which is faster for many elements of one PE.
 * PEs that share memory take each other's locks without a message.
 *
 * ```ts
 * import { LamellarWorldBuilder, LocalLockArray } from "../mod.ts";
 *
 * await using world = await new LamellarWorldBuilder().build();
 * using sums = await LocalLockArray.create(world, "f64", 100, "block");
 * await sums.batchAdd([7, 7, 42], 0.5);
 * {
 *   using guard = await sums.writeLock(); // nobody else uses the elements of this PE
 *   const mine = guard.localData();
 *   mine.forEach((value, i) => mine[i] = 2 * value);
 * }
 * await world.asyncBarrier();
 * console.log(sums.length === 100);
 * ```
 *
 * @category Arrays
 */
export class LocalLockArray<E extends ElementType> extends LockableArray<E> {
  /**
   * Programs get arrays from `create`, from conversions, and in payloads.
   *
   * @ignore
   * @param parts What it is made of.
   */
  constructor(parts: ArrayParts<E>) {
    super(parts, "part", ReadOnlyArray, UnsafeArray);
  }

  /**
   * Takes the lock of this PE's elements to read, if it is free and nobody waits for it.
   *
   * @returns The guard, or undefined.
   */
  tryReadLock(): ArrayReadGuard<E> | undefined {
    return this.takeToRead();
  }

  /**
   * Takes the lock of this PE's elements to write, if it is free.
   *
   * @returns The guard, or undefined.
   */
  tryWriteLock(): ArrayWriteGuard<E> | undefined {
    return this.takeToWrite();
  }

  /**
   * Makes an array of zeros, as `UnsafeArray.create` does.
   *
   * @param team The world, a team, or what belongs to one, such as another array.
   * @param type The element type, such as `"f64"`.
   * @param length Number of elements on all PEs together.
   * @param distribution `"block"` or `"cyclic"`.
   * @returns A handle for the array.
   */
  static create<E extends ElementType>(
    team: LamellarEnv,
    type: ElementTypeLike<E>,
    length: number,
    distribution: DistributionKind = "block",
  ): CollectiveHandle<LocalLockArray<E>> {
    const wanted = { type, length, distribution };
    return create(team, "LocalLockArray", wanted, (parts) => new LocalLockArray(parts));
  }

  /**
   * Turns it into an array that nothing protects, as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoUnsafe(): DarcHandle<UnsafeArray<E>> {
    return intoUnsafe(this);
  }

  /**
   * Turns it into an array that is only read, as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoReadOnly(): DarcHandle<ReadOnlyArray<E>> {
    return intoReadOnly(this);
  }

  /**
   * Turns it into an array whose elements are used atomically, as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoAtomic(): DarcHandle<AtomicArray<E>> {
    return intoAtomic(this);
  }

  /**
   * Turns it into an array with one lock for all elements, as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoGlobalLock(): DarcHandle<GlobalLockArray<E>> {
    return intoGlobalLock(this);
  }
}

/**
 * An array with one lock for all of its elements, wherever they are: many PEs can read, or one can
 * write.
 *
 * ```ts
 * import { GlobalLockArray, LamellarWorldBuilder } from "../mod.ts";
 *
 * await using world = await new LamellarWorldBuilder().build();
 * using table = await GlobalLockArray.create(world, "u32", 10, "cyclic");
 * {
 *   using guard = await table.writeLock(); // no other PE uses any of the elements
 *   const next = 1 + await guard.array.load(9);
 *   await guard.array.fill(next);
 * }
 * await world.asyncBarrier();
 * console.log(table.at(0) === world.numPes);
 * ```
 *
 * @category Arrays
 */
export class GlobalLockArray<E extends ElementType> extends LockableArray<E> {
  /**
   * Programs get arrays from `create`, from conversions, and in payloads.
   *
   * @ignore
   * @param parts What it is made of.
   */
  constructor(parts: ArrayParts<E>) {
    super(parts, "whole", ReadOnlyArray, UnsafeArray);
  }

  /**
   * Makes an array of zeros, as `UnsafeArray.create` does.
   *
   * @param team The world, a team, or what belongs to one, such as another array.
   * @param type The element type, such as `"f64"`.
   * @param length Number of elements on all PEs together.
   * @param distribution `"block"` or `"cyclic"`.
   * @returns A handle for the array.
   */
  static create<E extends ElementType>(
    team: LamellarEnv,
    type: ElementTypeLike<E>,
    length: number,
    distribution: DistributionKind = "block",
  ): CollectiveHandle<GlobalLockArray<E>> {
    const wanted = { type, length, distribution };
    return create(team, "GlobalLockArray", wanted, (parts) => new GlobalLockArray(parts));
  }

  /**
   * Turns it into an array that nothing protects, as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoUnsafe(): DarcHandle<UnsafeArray<E>> {
    return intoUnsafe(this);
  }

  /**
   * Turns it into an array that is only read, as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoReadOnly(): DarcHandle<ReadOnlyArray<E>> {
    return intoReadOnly(this);
  }

  /**
   * Turns it into an array whose elements are used atomically, as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoAtomic(): DarcHandle<AtomicArray<E>> {
    return intoAtomic(this);
  }

  /**
   * Turns it into an array with a lock for the elements of each PE, as
   * `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoLocalLock(): DarcHandle<LocalLockArray<E>> {
    return intoLocalLock(this);
  }
}

function intoUnsafe<E extends ElementType>(array: LamellarArray<E>): DarcHandle<UnsafeArray<E>> {
  return convertArray(array, "intoUnsafe", "UnsafeArray", (parts) => new UnsafeArray(parts));
}

function intoReadOnly<E extends ElementType>(
  array: LamellarArray<E>,
): DarcHandle<ReadOnlyArray<E>> {
  return convertArray(array, "intoReadOnly", "ReadOnlyArray", (parts) => new ReadOnlyArray(parts));
}

function intoAtomic<E extends ElementType>(array: LamellarArray<E>): DarcHandle<AtomicArray<E>> {
  return convertArray(array, "intoAtomic", "AtomicArray", (parts) => new AtomicArray(parts));
}

function intoLocalLock<E extends ElementType>(
  array: LamellarArray<E>,
): DarcHandle<LocalLockArray<E>> {
  return convertArray(
    array,
    "intoLocalLock",
    "LocalLockArray",
    (parts) => new LocalLockArray(parts),
  );
}

function intoGlobalLock<E extends ElementType>(
  array: LamellarArray<E>,
): DarcHandle<GlobalLockArray<E>> {
  return convertArray(
    array,
    "intoGlobalLock",
    "GlobalLockArray",
    (parts) => new GlobalLockArray(parts),
  );
}
