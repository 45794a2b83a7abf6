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
import { cloned, type LamellarArray, type ReadonlySlice } from "./base.ts";
import { convertArray } from "./conversion.ts";
import { create } from "./create.ts";
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
    return this.open("localAsSlice").local("localAsSlice");
  }

  /**
   * The same as `localAsSlice`: JavaScript does not have read-only arrays.
   *
   * @returns A typed array over the memory.
   */
  localAsMutSlice(): ElementSlice<E> {
    return this.open("localAsMutSlice").local("localAsMutSlice");
  }

  /**
   * Turns it into an array that is only read. Collective: all PEs of its team call it. It waits
   * until no PE has a `clone`, an operation under way or a payload with the array; after the time
   * of `LAMELLAR_DEADLOCK_WARNING_TIMEOUT` it reports which PE has what.
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
   * Makes another array object that keeps the elements by itself: it is disposed of by itself, and
   * a conversion waits for it.
   *
   * @returns The object.
   */
  clone(): UnsafeArray<E> {
    return cloned(this, (parts) => new UnsafeArray(parts));
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
    return this.open("localAsSlice").local("localAsSlice") as unknown as ReadonlySlice<E>;
  }

  /**
   * Turns it into an array that nothing protects, as `intoAtomic` does.
   *
   * @returns A handle for the new array.
   */
  intoUnsafe(): DarcHandle<UnsafeArray<E>> {
    return intoUnsafe(this);
  }

  /**
   * Turns it into an array whose elements are used atomically. Collective: all PEs of its team call
   * it. It waits as `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array, with the same elements in the same memory.
   */
  intoAtomic(): DarcHandle<AtomicArray<E>> {
    return intoAtomic(this);
  }

  /**
   * Makes another array object, as that of an `UnsafeArray` does.
   *
   * @returns The object.
   */
  clone(): ReadOnlyArray<E> {
    return cloned(this, (parts) => new ReadOnlyArray(parts));
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
   * @param type The element type, such as `"u64"`.
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
   * Turns it into an array that nothing protects, as `intoReadOnly` does.
   *
   * @returns A handle for the new array.
   */
  intoUnsafe(): DarcHandle<UnsafeArray<E>> {
    return intoUnsafe(this);
  }

  /**
   * Turns it into an array that is only read. Collective: all PEs of its team call it. It waits as
   * `UnsafeArray.intoReadOnly` does.
   *
   * @returns A handle for the new array, with the same elements in the same memory.
   */
  intoReadOnly(): DarcHandle<ReadOnlyArray<E>> {
    return intoReadOnly(this);
  }

  /**
   * Makes another array object, as that of an `UnsafeArray` does.
   *
   * @returns The object.
   */
  clone(): AtomicArray<E> {
    return cloned(this, (parts) => new AtomicArray(parts));
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
