/**
 * What every region offers: its size and type, direct access to the elements on this PE, and
 * waiting for values there.
 *
 * @module
 */

import { unchecked } from "../internal/checked_slice.ts";
import type { Batches } from "./transfer/batch.ts";
import {
  type AnyElement,
  type ElementArray,
  elementInfo,
  type ElementSlice,
  type ElementType,
  type ElementValue,
} from "../internal/elements.ts";
import { type RmaHandle, settled } from "./transfer/handle.ts";
import type { RegionCollectives } from "./collectives/region_collectives.ts";
import { labelOf } from "./memory/refusals.ts";
import {
  type Given,
  MEMORY,
  type RegionMemory,
  regionOf,
  type Rest,
} from "./memory/region_memory.ts";
import { shownNumber } from "../internal/session_numbers.ts";
import { AllHold, AnyHolds, holds, OneHolds, SomeHold } from "./waits/wait_conditions.ts";
import type { WaitOptions } from "../lamellae/mod.ts";
import { WaitHandle } from "./waits/wait_handle.ts";
import type { Comparison, Waits } from "./waits/waits.ts";

/** What the regions of a PE share. */
export interface RegionServices {
  /** The handle of everything that is complete and gives nothing. */
  readonly done: RmaHandle<void>;
  /** The batches of this PE. */
  readonly batches: Batches;
  /** The waits of this PE. */
  readonly waits: Waits;
  /** The collectives of regions. */
  readonly collectives: RegionCollectives;
  /** Makes the handle of an operation that gives nothing. */
  ended(rest: Rest): RmaHandle<void>;
  /** Makes the handle of an operation that gives a value. */
  given<T>(value: Given<T>): RmaHandle<T>;
  /** Like `given`, for a value that is made once another operation is complete. */
  givenAfter<T>(rest: Rest, give: () => T): RmaHandle<T>;
}

/**
 * How a put signals its arrival: it sets an element that the target PE waits for, or adds to it.
 *
 * @category Memory regions
 */
export interface RegionSignal<S extends ElementType = ElementType> {
  /** The region of the element: a shared region, or a one-sided region of the same PE. */
  readonly region: MemoryRegion<S>;
  /** Index of the element. */
  readonly index: number;
  /** The value to set or to add. */
  readonly value: ElementValue<S>;
  /** Whether to set or to add; `"set"` if left out. */
  readonly op?: "set" | "add";
}

/**
 * A list of indices. A list in the shared heap, such as a region, is not copied.
 *
 * @category Memory regions
 */
export type IndexSource =
  | Uint32Array
  | BigUint64Array
  | Float64Array
  | readonly number[]
  | MemoryRegion<"u32">
  | MemoryRegion<"u64">
  | MemoryRegion<"bigu64">;

/**
 * What compare-and-exchange found.
 *
 * @category Memory regions
 */
export interface CompareExchangeResult<E extends AnyElement> {
  /** Whether the element was as expected and was therefore replaced. */
  readonly ok: boolean;
  /** What the element was. */
  readonly value: ElementValue<E>;
}

/**
 * What compare-and-exchange of a list of elements found.
 *
 * @category Memory regions
 */
export interface BatchCompareExchangeResult<E extends AnyElement> {
  /** For each: 1 if it was as expected and was therefore replaced, else 0. */
  readonly ok: Uint8Array;
  /** What each was. */
  readonly values: ElementArray<E>;
}

/**
 * What can be filled with elements. For 64-bit integers this may be an array of numbers or of
 * BigInts.
 *
 * @category Memory regions
 */
export type GetTarget<E extends AnyElement> =
  | ElementArray<E>
  | ElementSlice<E>
  | MemoryRegion<E & ElementType>;

/**
 * A source of several elements; a region gives its part on this PE.
 *
 * @category Memory regions
 */
export type BulkSource<E extends AnyElement> =
  | GetTarget<E>
  | readonly ElementValue<E>[];

/**
 * What can be put: several elements or a single value.
 *
 * @category Memory regions
 */
export type PutSource<E extends AnyElement> = BulkSource<E> | ElementValue<E>;

/**
 * Like `PutSource`, for integer types only.
 *
 * @category Memory regions
 */
export type IntegerSource<E extends AnyElement> = E extends "f32" | "f64" | "bool" ? never
  : PutSource<E>;

/**
 * Like `PutSource`, for integers and booleans only.
 *
 * @category Memory regions
 */
export type BitsSource<E extends AnyElement> = E extends "f32" | "f64" ? never : PutSource<E>;

/**
 * Like `PutSource`, for numbers only.
 *
 * @category Memory regions
 */
export type NumericSource<E extends AnyElement> = E extends "bool" ? never : PutSource<E>;

/**
 * A region of memory that other PEs can read and write.
 *
 * @category Memory regions
 */
export abstract class MemoryRegion<E extends ElementType> implements Disposable {
  /**
   * The memory behind it.
   *
   * @ignore
   */
  readonly [MEMORY]: RegionMemory<ElementValue<E>>;
  /**
   * What it shares with other regions.
   *
   * @ignore
   */
  protected readonly services: RegionServices;
  /** The element type. */
  readonly type: E;
  /** How many elements it has on each PE that has a part of it. */
  readonly length: number;

  /**
   * @param services What regions share.
   * @param memory The memory behind it.
   * @ignore
   */
  constructor(services: RegionServices, memory: RegionMemory<ElementValue<E>>) {
    this.services = services;
    this[MEMORY] = memory;
    this.type = memory.access.info.type as E;
    this.length = memory.length;
  }

  /** Number of the region, as messages name it. */
  get id(): number {
    return shownNumber(this[MEMORY].allocation.id);
  }

  /** Whether it was disposed on this PE. */
  get disposed(): boolean {
    return this[MEMORY].allocation.closed !== "";
  }

  /**
   * The elements on this PE, or on another whose memory this process shares, as a live view: it
   * shows what PEs put.
   *
   * @param pe Whose elements; those of this PE if left out.
   * @returns A typed array over the memory. Do not use it after the region was disposed.
   * @throws {MemNotLocalError} If the data is on another PE and none was named, or in a process
   * that does not share its memory with this one.
   * @throws {RangeError} If there is no such PE.
   * @throws {ClosedError} If the region was disposed.
   */
  asSlice(pe?: number): ElementSlice<E> {
    return sliceOf(this[MEMORY], "asSlice", pe);
  }

  /**
   * The same as `asSlice`: JavaScript does not have read-only arrays.
   *
   * @param pe Whose elements; those of this PE if left out.
   * @returns A typed array over the memory.
   */
  asMutSlice(pe?: number): ElementSlice<E> {
    return sliceOf(this[MEMORY], "asMutSlice", pe);
  }

  /**
   * The values on this PE in order; those of `u64` and `i64` as numbers.
   *
   * @returns An iterator.
   * @throws {RangeError} At a 64-bit integer that no number holds exactly.
   */
  *[Symbol.iterator](): IterableIterator<ElementValue<E>> {
    const memory = this[MEMORY];
    const part = memory.own("iterate over");
    for (let i = 0; i < this.length; i++) yield settled(memory.access.read(memory, part, i));
  }

  /**
   * Compares an element on this PE with a value, without waiting.
   *
   * @param index Index of the element.
   * @param comparison How to compare.
   * @param value What to compare with.
   * @returns Whether the comparison is true.
   */
  test(index: number, comparison: Comparison, value: ElementValue<E>): boolean {
    return holds(this[MEMORY], "test", index, comparison, value);
  }

  /**
   * Waits until a comparison of an element on this PE with a value is true. Puts and atomic
   * operations that other PEs of this process do through regions wake the wait. So does everything
   * from PEs of other processes except a plain `put`, which is noticed within 2 ms: use `putSignal`
   * instead. What is written to `asSlice()` directly is noticed within 50 ms.
   *
   * @param index Index of the element.
   * @param comparison How to compare.
   * @param value What to compare with.
   * @param options When to stop waiting.
   * @returns A handle to await or block on.
   * @throws {MemNotLocalError} If the data is on another PE.
   * @example
   * ```ts
   * import { LamellarWorldBuilder } from "../mod.ts";
   *
   * await using world = await new LamellarWorldBuilder().build();
   * const flags = await world.allocSharedMemRegion("u32", 1);
   * flags.add(0, 0, 1);
   * if (world.myPe === 0) await flags.waitUntil(0, "==", world.numPes, { timeoutMs: 10_000 });
   * ```
   */
  waitUntil(
    index: number,
    comparison: Comparison,
    value: ElementValue<E>,
    options: WaitOptions = {},
  ): WaitHandle {
    const wanted = { memory: this[MEMORY], op: "waitUntil", comparison };
    return new WaitHandle(this.services.waits, new OneHolds(wanted, index, value), options);
  }

  /**
   * Waits until the comparison of each of several elements on this PE with its value has been seen
   * to be true, not necessarily all at the same time. Writes are noticed as in `waitUntil`.
   *
   * @param indices The elements; the list may be empty.
   * @param comparison How to compare.
   * @param values What to compare with: one value for all, or one for each.
   * @param options When to stop waiting.
   * @returns A handle to await or block on.
   * @throws {RangeError} If an index is out of range, or the number of values is wrong.
   * @throws {MemNotLocalError} If the data is on another PE.
   * @example
   * ```ts
   * import { LamellarWorldBuilder } from "../mod.ts";
   *
   * await using world = await new LamellarWorldBuilder().build();
   * const flags = await world.allocSharedMemRegion("u32", world.numPes);
   * flags.store(0, world.myPe, 1 + world.myPe);
   * const all = Array.from(flags, (_, pe) => pe);
   * if (world.myPe === 0) await flags.waitUntilAll(all, "==", all.map((pe) => 1 + pe));
   * ```
   */
  waitUntilAll(
    indices: IndexSource,
    comparison: Comparison,
    values: PutSource<E>,
    options: WaitOptions = {},
  ): WaitHandle {
    const wanted = { memory: this[MEMORY], op: "waitUntilAll", comparison };
    return new WaitHandle(this.services.waits, new AllHold(wanted, indices, values), options);
  }

  /**
   * Waits until the comparison of at least one of several elements on this PE with its value is
   * true.
   *
   * @param indices The elements, at least one.
   * @param comparison How to compare.
   * @param values What to compare with: one value for all, or one for each.
   * @param options When to stop waiting.
   * @returns A handle to await or block on; it gives the index of the element, or the first in the
   * list if there are several.
   * @throws {RangeError} If an index is out of range, or the number of values is wrong.
   * @throws {MemNotLocalError} If the data is on another PE.
   */
  waitUntilAny(
    indices: IndexSource,
    comparison: Comparison,
    values: PutSource<E>,
    options: WaitOptions = {},
  ): WaitHandle<number> {
    const wanted = { memory: this[MEMORY], op: "waitUntilAny", comparison };
    return new WaitHandle(this.services.waits, new AnyHolds(wanted, indices, values), options);
  }

  /**
   * Like `waitUntilAny`, but gives all elements whose comparison is true.
   *
   * @param indices The elements, at least one.
   * @param comparison How to compare.
   * @param values What to compare with: one value for all, or one for each.
   * @param options When to stop waiting.
   * @returns A handle to await or block on; it gives the indices of these elements, in the order of
   * the list.
   * @throws {RangeError} If an index is out of range, or the number of values is wrong.
   * @throws {MemNotLocalError} If the data is on another PE.
   */
  waitUntilSome(
    indices: IndexSource,
    comparison: Comparison,
    values: PutSource<E>,
    options: WaitOptions = {},
  ): WaitHandle<number[]> {
    const wanted = { memory: this[MEMORY], op: "waitUntilSome", comparison };
    return new WaitHandle(this.services.waits, new SomeHold(wanted, indices, values), options);
  }

  /**
   * Tells whether another handle is for the same elements.
   *
   * @param other Any value.
   * @returns Whether it is a region over the same range of the same memory.
   */
  equals(other: unknown): boolean {
    const mine = this[MEMORY];
    const theirs = regionOf<unknown>(other);
    return theirs !== undefined && theirs.allocation === mine.allocation &&
      theirs.start === mine.start && theirs.length === mine.length &&
      theirs.access.info.type === mine.access.info.type;
  }

  /** Gives up the handle; the classes of regions say what happens to the memory. */
  abstract dispose(): void;

  /** The same as `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * How the console shows it.
   *
   * @ignore
   */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** Such as "region 7 of f64[1024]". */
  toString(): string {
    return `${labelOf(this[MEMORY])} of ${this.type}[${this.length}]`;
  }
}

/**
 * Makes a typed array of an element type.
 *
 * @param type The type.
 * @param length How many elements.
 * @returns The array, in memory of its own.
 */
export function newArray<E extends ElementType>(type: E, length: number): ElementArray<E> {
  return new (elementInfo(type).copyClass)(length) as unknown as ElementArray<E>;
}

/**
 * Makes a typed array for what is read at indices.
 *
 * @param type The element type.
 * @param indices The list of indices; nothing has been checked.
 * @returns An array as long as the list; an empty one if it is not a list.
 */
export function arrayFor<E extends ElementType>(
  type: E,
  indices: IndexSource,
): ElementArray<E> {
  const isList = Array.isArray(indices) || ArrayBuffer.isView(unchecked(indices)) ||
    regionOf(indices);
  return newArray(type, isList ? indices.length : 0);
}

function sliceOf<E extends ElementType>(
  memory: RegionMemory<ElementValue<E>>,
  op: string,
  pe: number | undefined,
): ElementSlice<E> {
  const slice = pe === undefined ? memory.slice(op) : memory.sliceOf(op, pe);
  return slice as unknown as ElementSlice<E>;
}
