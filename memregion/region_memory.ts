/**
 * What shared and one-sided regions have in common: a range of an allocation, in parts, each on a
 * PE, with every operation checked. The part of a shared region is its PE; a one-sided region has
 * part 0 only.
 *
 * @module
 */

import type { ElementKernels, IntegerKernels } from "../internal/kernels_element.ts";
import type { Lamella } from "../lamellae/mod.ts";
import type { Allocation } from "./allocation.ts";
import type { ElementInfo, TypedArrayLike } from "./element_types.ts";
import type { FarMemory, FarOperation } from "./far.ts";
import type { FarElements } from "./far_elements.ts";
import {
  type Described,
  labelOf,
  refuseClass,
  refuseClosed,
  refuseElements,
  refusePosition,
  refuseRemote,
  refuseValue,
} from "./refusals.ts";

/** The property under which regions keep their memory. */
export const MEMORY: unique symbol = Symbol("lamellar.regionMemory");

/** What a region needs of its space. */
export interface RegionHost {
  readonly lamella: Lamella;
  /** Bytes written to other PEs without the lamella's `put`. */
  bytesPut: number;
  /** What is under way at far PEs. */
  readonly far: FarMemory;
}

/** What is left of an operation that gives nothing: nothing where its PE is near. */
export type Rest = FarOperation<void> | undefined;

/** What an operation gives: the value where its PE is near. */
export type Given<T> = T | FarOperation<T>;

/** Atomic operations that change an element. */
export const UPDATES = ["add", "sub", "and", "or", "xor", "min", "max"] as const;

/** An atomic operation that changes an element. */
export type UpdateName = typeof UPDATES[number];

/** A changing operation on one element, by part and index. */
export type Update<V> = (memory: RegionMemory<V>, part: number, index: number, value: V) => Rest;

/** As `Update`, giving what the element was. */
export type FetchUpdate<V> = (
  memory: RegionMemory<V>,
  part: number,
  index: number,
  value: V,
) => Given<V>;

/** Reads and writes elements of one type; `V` is a value. Every method checks what it is given. */
export interface Access<V> {
  /** The element type. */
  readonly info: ElementInfo;
  /** Kernels that take and give values of the type. */
  readonly kernels: ElementKernels<V> & Partial<IntegerKernels<V>>;
  /** Whether a value is one of the type. */
  accepts(value: unknown): value is V;
  /**
   * Copies a typed array, a value, a list of values or a local region to a part. Here and below
   * `inPlace` says that the caller waits in place at once for whatever is left.
   */
  put(
    memory: RegionMemory<V>,
    part: number,
    index: number,
    source: unknown,
    inPlace?: boolean,
  ): Rest;
  /** Fills a typed array or a local region from a part. */
  get(
    memory: RegionMemory<V>,
    part: number,
    index: number,
    target: unknown,
    inPlace?: boolean,
  ): Rest;
  /** Copies elements of a part into a new typed array. */
  getBuffer(
    memory: RegionMemory<V>,
    part: number,
    index: number,
    count: number,
  ): Given<TypedArrayLike<unknown>>;
  /** Reads one element, not atomically. */
  read(memory: RegionMemory<V>, part: number, index: number, inPlace?: boolean): Given<V>;
  /** Writes one element, not atomically; the value has been checked. */
  write(at: number, value: V): void;
  /** Copies between a typed array and addresses in steps. */
  putStrided(at: number, stride: number, source: unknown, step: number, count: number): void;
  /** Copies between addresses in steps and a typed array. */
  getStrided(at: number, stride: number, target: unknown, step: number, count: number): void;
  /** Typed array over memory of this process. */
  viewOf(address: number, length: number): TypedArrayLike<unknown>;
  /** Atomic load. */
  load: (memory: RegionMemory<V>, part: number, index: number) => Given<V>;
  /** Atomic store. */
  store: Update<V>;
  /** Atomic exchange. */
  swap: FetchUpdate<V>;
  /** Changing operations that give nothing. */
  readonly update: Readonly<Record<UpdateName, Update<V>>>;
  /** Changing operations that give what was before. */
  readonly fetch: Readonly<Record<UpdateName, FetchUpdate<V>>>;
  /** Writes if the element is as expected; gives what it was. */
  compareExchange(
    memory: RegionMemory<V>,
    part: number,
    index: number,
    expected: V,
    replacement: V,
  ): Given<{ ok: boolean; value: V }>;
  /** The same at far PEs. */
  readonly far: FarElements<V>;
  /** Compares an element of this process by a code of the kernels. */
  test(at: number, code: number, value: V): boolean;
}

/** A range of an allocation, as one handle sees it; `V` is a value of its element type. */
export class RegionMemory<V> {
  readonly space: RegionHost;
  readonly access: Access<V>;
  /** Where it lies; another one, closed, once a sub-region's handle is disposed. */
  allocation: Allocation;
  /** Index of the first element of the range in the allocation. */
  readonly start: number;
  /** Elements of each part. */
  readonly length: number;
  /** The part in this PE's memory, -1 if there is none. */
  readonly localPart: number;
  /** Where its spread is kept, if the slot still is its own. */
  spreadSlot = -1;
  readonly #bytes: number;
  readonly #lamella: Lamella;
  #slice: TypedArrayLike<unknown> | undefined;

  /**
   * @param space The space it belongs to.
   * @param access Access to its element type.
   * @param allocation Where it lies.
   * @param start Index of the first element of the range in the allocation.
   * @param length Elements of the range.
   */
  constructor(
    space: RegionHost,
    access: Access<V>,
    allocation: Allocation,
    start: number,
    length: number,
  ) {
    this.space = space;
    this.access = access;
    this.allocation = allocation;
    this.start = start;
    this.length = length;
    this.#bytes = access.info.bytes;
    this.#lamella = space.lamella;
    const { pe } = space.lamella;
    this.localPart = !allocation.oneSided ? pe : allocation.firstPe === pe ? 0 : -1;
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
      part >>> 0 !== part || part >= allocation.addresses.length ||
      (index >>> 0 !== index && !isLargeIndex(index)) || !(index + count <= this.length) ||
      !allocation.current
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
    refusePosition(this, this.#lamella.numPes, op, part, index, count);
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
    return localPart >= 0 ? localPart : refuseRemote(this, this.#lamella.pe, op);
  }

  /**
   * The elements in this PE's memory.
   *
   * @param op What the user called.
   * @returns A typed array over them, the same at each call.
   */
  slice(op: string): TypedArrayLike<unknown> {
    const at = this.address(op, this.own(op), 0, this.length);
    return this.#slice ??= this.access.viewOf(at, this.length);
  }

  /**
   * A range of this range.
   *
   * @param begin Index of its first element.
   * @param end Index after its last.
   * @returns Its memory.
   * @throws {RangeError} If it is no range of this one.
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
   * Puts a list of values.
   *
   * @param part The part.
   * @param index Index of the first element.
   * @param source The list.
   * @param inPlace Whether the caller waits in place.
   * @returns What is left of it.
   * @throws {TypeError} If it is something else.
   */
  putOther(part: number, index: number, source: object, inPlace?: boolean): Rest {
    if (!Array.isArray(source)) refuseClass(this, "put", "into", source);
    const values = this.checkedList("put", source);
    const at = this.address("put", part, index, values.length);
    if (at < 0) {
      return this.access.far.putValues({ memory: this, op: "put", part, at }, values, inPlace);
    }
    values.forEach((value, i) => this.access.write(at + i * this.#bytes, value));
    this.wrote(part, values.length);
    return undefined;
  }

  /**
   * Puts this PE's part of a region.
   *
   * @param part The part.
   * @param index Index of the first element.
   * @param from The region.
   * @param inPlace Whether the caller waits in place.
   * @returns What is left of it.
   * @throws {MemNotLocalError} If it has no data on this PE.
   */
  putRegion(part: number, index: number, from: RegionMemory<V>, inPlace?: boolean): Rest {
    const { length } = from;
    const position = this.position("put", part, index, length);
    const source = this.#localAddress("put", "into", from);
    const { allocation } = this;
    const at = allocation.addresses[part]! + position;
    if (at < 0) {
      return this.access.far.put({ memory: this, op: "put", part, at }, from.slice("put"), inPlace);
    }
    const pe = allocation.firstPe + part;
    this.#lamella.put(pe, allocation.offsets[part]! + position, source, length * this.#bytes);
    allocation.written(part);
    return undefined;
  }

  /**
   * Gets into this PE's part of a region.
   *
   * @param part The part.
   * @param index Index of the first element.
   * @param into The region.
   * @param inPlace Whether the caller waits in place.
   * @returns What is left of it.
   * @throws {MemNotLocalError} If it has no data on this PE.
   */
  getRegion(part: number, index: number, into: RegionMemory<V>, inPlace?: boolean): Rest {
    const { length } = into;
    const position = this.position("get", part, index, length);
    const target = this.#localAddress("get", "from", into);
    const { allocation } = this;
    const at = allocation.addresses[part]! + position;
    if (at < 0) {
      const place = { memory: this, op: "get", part, at };
      return this.access.far.get<void>(place, into.slice("get"), () => {}, inPlace) as Rest;
    }
    const pe = allocation.firstPe + part;
    this.#lamella.get(pe, allocation.offsets[part]! + position, target, length * this.#bytes);
    return undefined;
  }

  /** Where the data of another region lies on this PE. */
  #localAddress(op: string, how: "into" | "from", other: RegionMemory<V>): number {
    if (other.access !== this.access) this.#checkElements(op, how, other);
    const base = other.allocation.addresses[other.localPart];
    if (base === undefined) return other.address(op, other.own(op), 0, other.length);
    return base + other.start * this.#bytes;
  }

  /**
   * Counts what was written without the lamella's `put`, and wakes who waits for it.
   *
   * @param part The part.
   * @param elements How many elements.
   */
  wrote(part: number, elements: number): void {
    this.space.bytesPut += elements * this.#bytes;
    this.allocation.written(part);
  }

  /**
   * Checks a list of values.
   *
   * @param op What the user called.
   * @param list The list.
   * @returns It.
   * @throws {TypeError} If one is of the wrong type.
   * @throws {RangeError} If one is out of range.
   */
  checkedList(op: string, list: readonly unknown[]): readonly V[] {
    for (const value of list) if (!this.access.accepts(value)) refuseValue(this, op, value);
    return list as readonly V[];
  }

  /**
   * Copies elements that stand in steps in a part.
   *
   * @param put Whether to write to the part, else to read from it.
   * @param part The part.
   * @param index Index of the first element in the part.
   * @param stride Elements from one to the next in the part.
   * @param other A typed array or a region with data on this PE.
   * @param step Elements from one to the next there.
   * @returns What is left of it.
   */
  strided(
    put: boolean,
    part: number,
    index: number,
    stride: number,
    other: unknown,
    step: number,
  ): Rest {
    const [op, how] = put ? ["putStrided", "into"] as const : ["getStrided", "from"] as const;
    this.#checkStride(op, "stride", stride);
    this.#checkStride(op, "stride of the array", step);
    const array = this.arrayOf(op, how, other);
    const elements = Math.ceil(array.length / step);
    if (elements === 0) {
      this.position(op, part, index, 0);
      return undefined;
    }
    const at = this.address(op, part, index, (elements - 1) * stride + 1);
    if (at < 0) {
      const place = { memory: this, op, part, at };
      return this.access.far.strided(place, put, stride, array, step, elements);
    }
    if (!put) this.access.getStrided(at, stride, array, step, elements);
    else {
      this.access.putStrided(at, stride, array, step, elements);
      this.wrote(part, elements);
    }
    return undefined;
  }

  #checkStride(op: string, what: string, stride: number): void {
    if (Number.isInteger(stride) && stride > 0) return;
    throw new RangeError(
      `Cannot ${op} ${labelOf(this)}: the ${what} has to be an integer from 1, got ${stride}`,
    );
  }

  /**
   * The typed array of a bulk source or target.
   *
   * @param op What the user called.
   * @param how "into" or "from".
   * @param other A typed array of the element type, or a region with data on this PE.
   * @returns The array, or a view of the region's data.
   * @throws {TypeError} If it is something else.
   */
  arrayOf(op: string, how: "into" | "from", other: unknown): TypedArrayLike<unknown> {
    const region = regionOf<V>(other);
    if (region) {
      this.#checkElements(op, how, region);
      return region.slice(op);
    }
    if (!(other instanceof this.access.info.arrayClass)) refuseClass(this, op, how, other);
    return other as TypedArrayLike<unknown>;
  }

  #checkElements(op: string, how: "into" | "from", other: Described): void {
    if (other.access.info.arrayClass === this.access.info.arrayClass) return;
    refuseElements(this, op, how, other);
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
