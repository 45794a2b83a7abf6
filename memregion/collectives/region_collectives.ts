/**
 * The collectives of regions: over a range of every part. PEs go by their numbers in the region.
 *
 * @module
 */

import { elementOp, type ReductionOp } from "../../internal/element_ops.ts";
import type { CollectiveHandle, PeGroup, Transfers } from "../../lamellae/mod.ts";
import { labelOf } from "../memory/refusals.ts";
import { type RegionMemory, regionOf } from "../memory/region_memory.ts";
import { ElementCollectives, operationFor, type Target } from "./element_collectives.ts";
import { type Elements, elementsOf, rangeOf } from "./elements.ts";

/** What a method of a region was called with. */
export interface RegionCall {
  /** Its name. */
  readonly op: string;
  /** Index of the first element in each part. */
  readonly start: number;
  /** How many elements; all of a part of an array if left out. */
  readonly count?: number | undefined;
  /** The PE that gives or gets all; every PE if left out. */
  readonly root?: number;
  /** What to fill; a new array if left out. */
  readonly into?: unknown;
  /** Whether to fill the range itself. */
  readonly inPlace?: boolean;
}

/** The collectives of the regions of a PE. */
export class RegionCollectives {
  readonly #transfers: Transfers;
  readonly #groupOf: (id: number) => PeGroup;

  /**
   * @param transfers What moves the data.
   * @param groupOf Gives a group of PEs by its number.
   */
  constructor(transfers: Transfers, groupOf: (id: number) => PeGroup) {
    this.#transfers = transfers;
    this.#groupOf = groupOf;
  }

  /**
   * Combines the ranges of all parts.
   *
   * @param memory The region.
   * @param name The operation.
   * @param call What was called.
   * @returns A handle for the result.
   */
  reduce<T>(memory: RegionMemory<T>, name: ReductionOp, call: RegionCall): CollectiveHandle<never> {
    const source = this.#rangeOf(memory, call);
    const op = operationFor(elementOp(name).reduction!.name, source.info, call.op);
    const target = call.inPlace
      ? { elements: source, value: undefined }
      : this.#target(source, source.length, call);
    const kind = call.root === undefined ? "allReduce" : "reduce";
    return this.#of(memory).reduce(kind, source, op, this.#root(memory, call), target) as never;
  }

  /**
   * Combines the ranges of all parts, and gives each PE as much of the result.
   *
   * @param memory The region.
   * @param name The operation.
   * @param call What was called.
   * @returns A handle for this PE's part of the result.
   */
  reduceScatter<T>(
    memory: RegionMemory<T>,
    name: ReductionOp,
    call: RegionCall,
  ): CollectiveHandle<never> {
    const source = this.#rangeOf(memory, call);
    const op = operationFor(elementOp(name).reduction!.name, source.info, call.op);
    const counts = this.#counts(memory, source.length, call);
    const target = this.#target(source, counts[0]!, call);
    return this.#of(memory).reduceScatter(source, op, counts, target) as never;
  }

  /**
   * Collects the ranges of all parts.
   *
   * @param memory The region.
   * @param call What was called.
   * @returns A handle for them, in the order of the PEs.
   */
  gather<T>(memory: RegionMemory<T>, call: RegionCall): CollectiveHandle<never> {
    const source = this.#rangeOf(memory, call);
    const { length } = memory.allocation.pes;
    const target = this.#target(source, source.length * length, call);
    const kind = call.root === undefined ? "allGather" : "gather";
    return this.#of(memory).gather(kind, source, this.#root(memory, call), target) as never;
  }

  /**
   * Gives each PE a piece of the ranges of all parts, or of that of one PE.
   *
   * @param memory The region.
   * @param call What was called.
   * @returns A handle for what this PE gets.
   */
  exchange<T>(memory: RegionMemory<T>, call: RegionCall): CollectiveHandle<never> {
    const source = this.#rangeOf(memory, call);
    const [count] = this.#counts(memory, source.length, call);
    const length = call.root === undefined ? source.length : count!;
    const target = this.#target(source, length, call);
    const kind = call.root === undefined ? "allToAll" : "scatter";
    return this.#of(memory).exchange(kind, source, this.#root(memory, call), target) as never;
  }

  /**
   * Copies the range of one part to all others.
   *
   * @param memory The region.
   * @param call What was called.
   * @returns A handle.
   */
  broadcast<T>(memory: RegionMemory<T>, call: RegionCall): CollectiveHandle<void> {
    const range = this.#rangeOf(memory, call);
    return this.#of(memory).broadcast(range, this.#root(memory, call)!);
  }

  #of<T>(memory: RegionMemory<T>): ElementCollectives {
    const group = this.#groupOf(memory.allocation.owners.groupId);
    return new ElementCollectives(this.#transfers, group);
  }

  #rangeOf<T>(memory: RegionMemory<T>, { op, start, count: wanted }: RegionCall): Elements {
    const { info } = memory.access;
    const { buffer, byteOffset, byteLength } = memory.slice(op);
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const { length } = memory;
    const { place } = memory.shape ? memory.distribution.inPart(memory.localPart) : { place: 0 };
    const most = memory.shape ? Math.min(...countsOf(memory)) : length;
    const count = wanted ?? this.#restOf(memory, op, start, most);
    const fits = Number.isSafeInteger(start) && Number.isSafeInteger(count) && start >= 0 &&
      count >= 0 && start + count <= most;
    const { allocation } = memory;
    if (fits) return rangeOf({ info, length, bytes, allocation }, place + start, count);
    throw new RangeError(
      `Cannot call ${op} for ${Math.ceil(count)} elements at index ${start} of ${
        labelOf(memory)
      }: ` + (memory.shape ? `a PE has ${most} of its elements` : `it has ${length} elements`),
    );
  }

  /** How many elements there are from an index on, if that is the same on every PE. */
  #restOf<T>(memory: RegionMemory<T>, op: string, start: number, least: number): number {
    const { distribution } = memory;
    const most = Math.max(...countsOf(memory));
    if (most === least) return least - start;
    throw new RangeError(
      `Cannot call ${op} of ${labelOf(memory)} without a number of elements: of its ` +
        `${distribution.length}, PEs have ${least} to ${most}`,
    );
  }

  #root<T>(memory: RegionMemory<T>, { op, root }: RegionCall): number | undefined {
    const { length } = memory.allocation.pes;
    if (root === undefined || (Number.isInteger(root) && root >= 0 && root < length)) return root;
    throw new RangeError(
      `Cannot call ${op} with PE ${String(root)} of ${labelOf(memory)}: it has PEs 0 to ` +
        `${length - 1}`,
    );
  }

  #counts<T>(memory: RegionMemory<T>, length: number, { op }: RegionCall): number[] {
    const { pes } = memory.allocation;
    const count = length / pes.length;
    if (Number.isInteger(count)) return pes.map(() => count);
    throw new RangeError(
      `Cannot call ${op} for ${length} elements of ${labelOf(memory)} on ${pes.length} PEs: each ` +
        "gets as many",
    );
  }

  #target({ info }: Elements, length: number, { op, into }: RegionCall): Target | undefined {
    if (into === undefined) return undefined;
    const elements = elementsOf(into, op);
    if (elements?.info.memory !== info.memory) {
      const given = regionOf(into) ? `a region of ${elements!.info.type}` : "such a target";
      throw new TypeError(`Cannot call ${op} into ${given}: the elements are ${info.type}`);
    }
    if (elements.length === length) return { elements, value: undefined };
    throw new RangeError(
      `Cannot call ${op} into ${elements.length} elements: the result has ${length}`,
    );
  }
}

/** How many elements of an array each PE has. */
function countsOf<T>({ distribution }: RegionMemory<T>): number[] {
  return Array.from({ length: distribution.parts }, (_, part) => distribution.inPart(part).count);
}
