/**
 * What every region offers: its size and type, direct access to what lies on this PE, and waiting
 * for values there.
 *
 * @module
 */

import type { Batches } from "./batch.ts";
import {
  type ElementArray,
  elementInfo,
  type ElementType,
  type ElementValue,
} from "./element_types.ts";
import { type RmaHandle, settled } from "./handle.ts";
import { labelOf, refuseValue } from "./refusals.ts";
import { type Given, MEMORY, type RegionMemory, regionOf, type Rest } from "./region_memory.ts";
import { type Comparison, holds, WaitHandle, type WaitOptions, type Waits } from "./waits.ts";

/** What the regions of a PE share. */
export interface RegionServices {
  /** The handle of everything that is complete and gives nothing. */
  readonly done: RmaHandle<void>;
  /** The batches of this PE. */
  readonly batches: Batches;
  /** The waits of this PE. */
  readonly waits: Waits;
  /** Makes the handle of something that gives nothing. */
  ended(rest: Rest): RmaHandle<void>;
  /** Makes the handle of something that gives a value. */
  given<T>(value: Given<T>): RmaHandle<T>;
  /** As `given`, of a value that is there once something else is complete. */
  givenAfter<T>(rest: Rest, value: T): RmaHandle<T>;
}

/** How a put also tells that it is there: sets or adds to an element that the target waits for. */
export interface RegionSignal<S extends ElementType = ElementType> {
  /** The region of the element: a shared one, or a one-sided one of the same PE. */
  readonly region: MemoryRegion<S>;
  /** Index of the element. */
  readonly index: number;
  /** What to set it to, or to add. */
  readonly value: ElementValue<S>;
  /** Whether to set or to add; `"set"` if left out. */
  readonly op?: "set" | "add";
}

/** A list of indices: zero copies are made if it lies in the shared heap, as regions do. */
export type IndexSource =
  | Uint32Array
  | BigUint64Array
  | readonly number[]
  | MemoryRegion<"u32">
  | MemoryRegion<"u64">
  | MemoryRegion<"bigu64">;

/** What compare-and-exchange found. */
export interface CompareExchangeResult<E extends ElementType> {
  /** Whether the element was as expected, and so was replaced. */
  readonly ok: boolean;
  /** What the element was. */
  readonly value: ElementValue<E>;
}

/** What can be filled with elements. */
export type GetTarget<E extends ElementType> = ElementArray<E> | MemoryRegion<E>;

/** What elements can be taken from, one after the other; a region gives what it has on this PE. */
export type BulkSource<E extends ElementType> =
  | GetTarget<E>
  | readonly ElementValue<E>[];

/** What can be put: many elements or a single value. */
export type PutSource<E extends ElementType> = BulkSource<E> | ElementValue<E>;

/** As `PutSource`, of integer types only. */
export type IntegerSource<E extends ElementType> = E extends "f32" | "f64" ? never : PutSource<E>;

/** A region of memory that other PEs can read and write. */
export abstract class MemoryRegion<E extends ElementType> implements Disposable {
  /**
   * The memory behind it.
   *
   * @internal
   */
  readonly [MEMORY]: RegionMemory<ElementValue<E>>;
  /**
   * What it shares with other regions.
   *
   * @internal
   */
  protected readonly services: RegionServices;
  /** The element type. */
  readonly type: E;
  /** How many elements it has on each PE that has a part of it. */
  readonly length: number;

  /**
   * @param services What regions share.
   * @param memory The memory behind it.
   * @internal
   */
  constructor(services: RegionServices, memory: RegionMemory<ElementValue<E>>) {
    this.services = services;
    this[MEMORY] = memory;
    this.type = memory.access.info.type as E;
    this.length = memory.length;
  }

  /** Number of the region, as messages name it. */
  get id(): number {
    return this[MEMORY].allocation.id;
  }

  /** Whether it was disposed on this PE. */
  get disposed(): boolean {
    return this[MEMORY].allocation.closed !== "";
  }

  /**
   * The elements on this PE, live: what others put shows in it.
   *
   * @returns A typed array over the memory. Do not use it after the region was disposed.
   * @throws {MemNotLocalError} If the data is on another PE.
   * @throws {ClosedError} If the region was disposed.
   */
  asSlice(): ElementArray<E> {
    return this[MEMORY].slice("asSlice") as unknown as ElementArray<E>;
  }

  /**
   * The same as `asSlice`: JavaScript has no arrays that can only be read.
   *
   * @returns A typed array over the memory.
   */
  asMutSlice(): ElementArray<E> {
    return this[MEMORY].slice("asMutSlice") as unknown as ElementArray<E>;
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
   * Compares an element on this PE with a value, once.
   *
   * @param index Index of the element.
   * @param comparison How.
   * @param value What with.
   * @returns Whether it holds.
   */
  test(index: number, comparison: Comparison, value: ElementValue<E>): boolean {
    return holds(this[MEMORY], "test", index, comparison, value);
  }

  /**
   * Waits until an element on this PE compares with a value as told. Puts and atomic operations of
   * other PEs of this process through regions wake the wait, and so does everything of PEs of other
   * processes but a plain `put`, which is noticed within 2 ms: use `putSignal`. What is written to
   * `asSlice()` directly is noticed within 50 ms.
   *
   * @param index Index of the element.
   * @param comparison How to compare.
   * @param value What with.
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
  ): WaitHandle<ElementValue<E>> {
    return new WaitHandle(this.services.waits, this[MEMORY], index, comparison, value, options);
  }

  /**
   * Whether another handle stands for the same elements.
   *
   * @param other Anything.
   * @returns Whether it is a region over the same range of the same memory.
   */
  equals(other: unknown): boolean {
    const mine = this[MEMORY];
    const theirs = regionOf<unknown>(other);
    return theirs !== undefined && theirs.allocation === mine.allocation &&
      theirs.start === mine.start && theirs.length === mine.length &&
      theirs.access.info.type === mine.access.info.type;
  }

  /** Gives the handle up; see the classes of regions for what becomes of the memory. */
  abstract dispose(): void;

  /** The same as `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** How the console shows it. */
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
  return new (elementInfo(type).arrayClass)(length) as unknown as ElementArray<E>;
}

/**
 * Puts the same elements to every PE.
 *
 * @param memory The region.
 * @param index Index of the first element.
 * @param source What to copy.
 * @returns What is left of it.
 */
export function putAll<V>(memory: RegionMemory<V>, index: number, source: unknown): Rest {
  const { far, lamella } = memory.space;
  const { numPes, pe: own } = lamella;
  let all: Rest;
  for (let i = 1; i < numPes; i++) {
    const pe = (own + i) % numPes;
    const rest = memory.access.put(memory, pe, index, source);
    if (rest) (all ??= far.begin(pe)).adopt(rest);
  }
  all?.seal(() => {});
  // This PE comes last: the source may be a part of what is overwritten.
  if (all && isInHeap(source, lamella.views.buffer)) all.wait();
  memory.access.put(memory, own, index, source);
  return all;
}

function isInHeap(source: unknown, heap: ArrayBufferLike): boolean {
  if (regionOf(source)) return true;
  return ArrayBuffer.isView(source) && source.buffer === heap;
}

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
  const pe = memory.allocation.firstPe + part;
  const flagPart = pe - flag.allocation.firstPe;
  if (flag.allocation.oneSided && flagPart !== 0) {
    throw new TypeError(
      `Cannot putSignal into ${labelOf(memory)} on PE ${pe}: the signal is on PE ` +
        flag.allocation.firstPe,
    );
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
  if (op === "set") return flag.access.store(flag, flagPart, signal.index, signal.value);
  return flag.access.update.add(flag, flagPart, signal.index, signal.value);
}
