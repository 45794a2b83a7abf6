/**
 * What shared and one-sided regions have in common: a range of an allocation, in parts, each on a
 * PE, with every operation checked. The part of a shared region is its PE; a one-sided region has
 * part 0 only.
 *
 * @module
 */

import { Distribution } from "../../internal/distribution.ts";
import type { FetchOp, UpdateOp } from "../../internal/element_ops.ts";
import type { ElementInfo, TypedArrayClass, TypedArrayLike } from "../../internal/elements.ts";
import type { ElementKernels, IntegerKernels } from "../../internal/kernels_element.ts";
import type { Lamella } from "../../lamellae/mod.ts";
import type { FarElements } from "../transfer/far.ts";
import type { FarWork, Pending } from "../transfer/pending.ts";
import type { Allocation } from "./allocation.ts";
import type { ArrayShape } from "./array_shape.ts";
import { labelOf, refuseClosed, refuseFar, refusePosition, refuseRemote } from "./refusals.ts";

/** The property under which regions keep their memory. */
export const MEMORY: unique symbol = Symbol("lamellar.regionMemory");

/** What a region needs of its space. */
export interface RegionHost {
  readonly lamella: Lamella;
  /** Bytes written to other PEs without the lamella's `put`. */
  bytesPut: number;
  /** What is under way at far PEs. */
  readonly far: FarWork;
}

/** How blocks of elements stand in a part and in an array. */
export interface Steps {
  /** Elements of each block. */
  readonly block: number;
  /** How many blocks there are. */
  readonly count: number;
  /** Elements from the beginning of one to that of the next, in the part. */
  readonly stride: number;
  /** The same in the array. */
  readonly step: number;
}

/** What is left of an operation that gives nothing: nothing where its PE is near. */
export type Rest = Pending<void> | undefined;

/** What an operation gives: the value where its PE is near. */
export type Given<T> = T | Pending<T>;

/** Changes one element, by part and index. */
export type Update<V> = (memory: RegionMemory<V>, part: number, index: number, value: V) => Rest;

/** As `Update`, giving what the element was. */
export type FetchUpdate<V> = (
  memory: RegionMemory<V>,
  part: number,
  index: number,
  value: V,
) => Given<V>;

/**
 * Reads and writes elements of one type; `V` is a value. Every method checks what it is given.
 * `transfer/access.ts` makes it.
 */
export interface Access<V> {
  /** The element type. */
  readonly info: ElementInfo;
  /** Kernels that take and give values of the type. */
  readonly kernels: ElementKernels<V> & Partial<IntegerKernels<V>>;
  /** Whether a value is one of the type. */
  accepts(value: unknown): value is V;
  /** Copies a typed array, a value, a list of values or a local region to a part. */
  put(memory: RegionMemory<V>, part: number, index: number, source: unknown): Rest;
  /** Fills a typed array or a local region from a part. */
  get(memory: RegionMemory<V>, part: number, index: number, target: unknown): Rest;
  /** Copies elements of a part into a new typed array. */
  getBuffer(
    memory: RegionMemory<V>,
    part: number,
    index: number,
    count: number,
  ): Given<TypedArrayLike<unknown>>;
  /** Reads one element, not atomically. */
  read(memory: RegionMemory<V>, part: number, index: number): Given<V>;
  /** Writes one element, not atomically; the value has been checked. */
  write(at: number, value: V): void;
  /** Copies between a typed array and addresses in steps. */
  putStrided(at: number, steps: Steps, source: unknown): void;
  /** Copies between addresses in steps and a typed array. */
  getStrided(at: number, steps: Steps, target: unknown): void;
  /** Atomic load. */
  load: (memory: RegionMemory<V>, part: number, index: number) => Given<V>;
  /** Changing operations that give nothing. */
  readonly update: Readonly<Record<UpdateOp, Update<V>>>;
  /** Changing operations that give what was before. */
  readonly fetch: Readonly<Record<FetchOp, FetchUpdate<V>>>;
  /** Writes if the element is as expected; gives what it was. */
  compareExchange(
    memory: RegionMemory<V>,
    part: number,
    index: number,
    expected: V,
    replacement: V,
  ): Given<{ ok: boolean; value: V }>;
  /** One element that holds a value, until the next call; in memory that kernels reach. */
  cellOf(value: V): TypedArrayLike<unknown>;
  /** The same at far PEs. */
  readonly far: FarElements<V>;
  /** Compares an element of this process by a code of the kernels. */
  test(at: number, code: number, value: V): boolean;
}

/** A range of an allocation, as one handle sees it; `V` is a value of its element type. */
export class RegionMemory<V> {
  readonly space: RegionHost;
  readonly access: Access<V>;
  /** Where it is; another one, closed, once a sub-region's handle is disposed. */
  allocation: Allocation;
  /** Index of the first element of the range in the allocation. */
  readonly start: number;
  /** Elements of each part. */
  readonly length: number;
  /** The part in this PE's memory, -1 if there is none. */
  readonly localPart: number;
  /** What an array is; undefined for a region. */
  readonly shape: ArrayShape | undefined;
  /** Where its spread is kept, if the slot still is its own. */
  spreadSlot = -1;
  readonly #bytes: number;
  readonly #lamella: Lamella;
  #slice: TypedArrayLike<unknown> | undefined;
  #distribution: Distribution | undefined;

  /**
   * @param space The space it belongs to.
   * @param access Access to its element type.
   * @param allocation Where it is.
   * @param start Index of the first element of the range in the allocation.
   * @param length Elements of the range.
   * @param shape What an array is; left out for a region.
   */
  constructor(
    space: RegionHost,
    access: Access<V>,
    allocation: Allocation,
    start: number,
    length: number,
    shape?: ArrayShape,
  ) {
    this.space = space;
    this.access = access;
    this.allocation = allocation;
    this.start = start;
    this.length = length;
    this.#bytes = access.info.bytes;
    this.#lamella = space.lamella;
    this.localPart = allocation.localPart;
    this.shape = shape;
  }

  /**
   * Checks an operation.
   *
   * @param op What the user called.
   * @param part The part.
   * @param index Index of the first element in the range.
   * @param count How many elements.
   * @returns Where they begin, in bytes from the beginning of the part.
   * @throws {RangeError} If the part or the elements are out of range.
   * @throws {ClosedError} If the region was disposed.
   */
  position(op: string, part: number, index: number, count: number): number {
    const { allocation } = this;
    if (
      typeof part !== "number" || part >>> 0 !== part || part >= allocation.addresses.length ||
      typeof index !== "number" || (index >>> 0 !== index && !isLargeIndex(index)) ||
      !(index + count <= this.length) || !allocation.isCurrent(part)
    ) this.refuse(op, part, index, count);
    return (this.start + index) * this.#bytes;
  }

  /**
   * Finds out what is wrong with a position, and throws it.
   *
   * @param op What the user called.
   * @param part The part.
   * @param index Index of the first element in the range.
   * @param count How many elements.
   */
  refuse(op: string, part: number, index: number, count: number): never {
    refusePosition(this, op, part, index, count);
  }

  /**
   * As `position`, as an address where this process reaches the memory directly.
   *
   * @param op What the user called.
   * @param part The part.
   * @param index Index of the first element in the range.
   * @param count How many elements.
   * @returns Their address, below 0 at a far PE.
   */
  address(op: string, part: number, index: number, count: number): number {
    const position = this.position(op, part, index, count);
    return this.allocation.addresses[part]! + position;
  }

  /**
   * The part in this PE's memory.
   *
   * @param op What the user called.
   * @returns It.
   * @throws {MemNotLocalError} If the region has no memory on this PE.
   */
  own(op: string): number {
    const { localPart } = this;
    return localPart >= 0 ? localPart : refuseRemote(this, this.#lamella, op);
  }

  /**
   * The elements in this PE's memory.
   *
   * @param op What the user called.
   * @returns A typed array over them, the same at each call.
   */
  slice(op: string): TypedArrayLike<unknown> {
    const at = this.address(op, this.own(op), 0, this.length);
    return this.#slice ??= this.#viewOf(at);
  }

  /**
   * The elements of a PE whose memory this process has mapped.
   *
   * @param op What the user called.
   * @param pe The PE.
   * @returns A typed array over them.
   * @throws {MemNotLocalError} If this process does not reach them.
   */
  sliceOf(op: string, pe: number): TypedArrayLike<unknown> {
    const { oneSided, pes } = this.allocation;
    const part = oneSided ? pes.indexOf(pe) : pe;
    if (oneSided && part < 0) refuseRemote(this, this.#lamella, op);
    const at = this.address(op, part, 0, this.length);
    if (at < 0) refuseFar(this, pe, op);
    return part === this.localPart ? this.slice(op) : this.#viewOf(at);
  }

  #viewOf(address: number): TypedArrayLike<unknown> {
    const arrayClass = this.access.info.arrayClass as TypedArrayClass<unknown>;
    return new arrayClass(this.#lamella.views.buffer, address, this.length);
  }

  /** Which part has an element, by its index over all parts. */
  get distribution(): Distribution {
    if (this.shape !== undefined) return this.shape.distribution;
    const parts = this.allocation.pes.length;
    return this.#distribution ??= new Distribution("block", parts, parts * this.length);
  }

  /**
   * A range of this range.
   *
   * @param begin Index of its first element.
   * @param end Index after its last.
   * @returns Its memory.
   * @throws {RangeError} If it is not a range of this one.
   */
  subRange(begin: number, end: number): RegionMemory<V> {
    if (
      !Number.isInteger(begin) || !Number.isInteger(end) || begin < 0 || end < begin ||
      end > this.length
    ) {
      throw new RangeError(
        `Cannot make a sub-region from ${begin} to ${end} of ${labelOf(this)}: ` +
          `the region has ${this.length} elements`,
      );
    }
    if (this.allocation.closed) refuseClosed(this, "make a sub-region of");
    return new RegionMemory(
      this.space,
      this.access,
      this.allocation,
      this.start + begin,
      end - begin,
    );
  }

  /**
   * Gives the handle up: the one that allocation gave gives up the allocation, any other only
   * closes itself.
   */
  release(): void {
    const { allocation } = this;
    if (allocation.closed) return;
    if (allocation.root === this) allocation.release();
    else this.allocation = allocation.closedCopy();
  }

  /**
   * Counts what was written without the lamella's `put`, and wakes a PE that waits for it.
   *
   * @param part The part.
   * @param elements How many elements.
   */
  wrote(part: number, elements: number): void {
    this.space.bytesPut += elements * this.#bytes;
    this.allocation.written(part);
  }
}

/**
 * The memory of a region.
 *
 * @param value Anything.
 * @returns The memory if it is a region.
 */
export function regionOf<V>(value: unknown): RegionMemory<V> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as { [MEMORY]?: RegionMemory<V> })[MEMORY];
}

/** The first look at an index takes what fits 32 bits. */
function isLargeIndex(index: unknown): boolean {
  return Number.isSafeInteger(index) && (index as number) >= 0;
}
