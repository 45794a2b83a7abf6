/**
 * The regions of a world, seen from one PE: allocates them, frees them, and turns handles into
 * numbers that travel.
 *
 * @module
 */

import { ClosedError, OutOfMemoryError, ProtocolError } from "../internal/errors.ts";
import { ALLOCATION_ALIGN } from "../internal/limits.ts";
import {
  beginRequest,
  CollectiveHandle,
  type Collectives,
  type Generation,
  type Lamella,
  OPERATION,
  PART_HEADER,
  PART_HEADER_BYTES,
  type Progress,
  REPLY_HEAD_BYTES,
  replyDone,
} from "../lamellae/mod.ts";
import { accessOf } from "./access.ts";
import { Allocation, type SpaceState } from "./allocation.ts";
import { Batches } from "./batch.ts";
import {
  type ElementInfo,
  elementInfo,
  type ElementType,
  type ElementValue,
} from "./element_types.ts";
import { FarMemory, type WorkCounter } from "./far.ts";
import { RmaHandle } from "./handle.ts";
import { OneSidedMemoryRegion } from "./one_sided_region.ts";
import type { RegionServices } from "./region.ts";
import { type Access, type RegionHost, RegionMemory, type Rest } from "./region_memory.ts";
import { SharedMemoryRegion } from "./shared_region.ts";
import { Waits } from "./waits.ts";
import { readOffer, readOneSided, readShared, tableBytesOf, writeOffer } from "./wire.ts";

/** A region of either kind: what sources and targets of copies may be. */
export type LamellarMemoryRegion<E extends ElementType> =
  | SharedMemoryRegion<E>
  | OneSidedMemoryRegion<E>;

/** What an allocation that may fail gives. */
export type AllocationResult<R> =
  | { readonly ok: true; readonly region: R }
  | { readonly ok: false; readonly error: OutOfMemoryError };

/** The regions of a world, seen from one PE. */
export class RegionSpace {
  readonly #lamella: Lamella;
  readonly #collectives: Collectives;
  readonly #far: FarMemory;
  readonly #host: RegionHost;
  readonly #services: RegionServices;
  readonly #access = new Map<ElementType, Access<unknown>>();
  /** Shared allocations of which this PE has not disposed its part, by number. */
  readonly #shared = new Map<number, Allocation>();
  /** One-sided allocations of this PE, by number. */
  readonly #own = new Map<number, Allocation>();
  /** Parts of this PE that wait for the other PEs to dispose theirs. */
  #leaving: { offset: number }[] = [];
  #nextShared = 1;
  #nextOwn = 1;
  readonly #state: SpaceState = { closed: "", failure: undefined };

  /**
   * @param progress The engine that waits.
   * @param collectives The collectives of the world.
   * @internal
   */
  constructor(progress: Progress, collectives: Collectives) {
    const { lamella } = progress;
    const done = new RmaHandle<void>(progress, undefined);
    this.#lamella = lamella;
    this.#collectives = collectives;
    const far = new FarMemory(progress);
    this.#far = far;
    this.#host = { lamella, bytesPut: 0, far };
    this.#services = {
      done,
      batches: new Batches(this.#host),
      waits: new Waits(progress),
      ended: (rest) => rest === undefined ? done : new RmaHandle<void>(progress, rest),
      given: (value) => new RmaHandle(progress, value),
      givenAfter<T>(rest: Rest, value: T): RmaHandle<T> {
        if (rest === undefined) return new RmaHandle(progress, value);
        const operation = far.begin<T>(rest.pe);
        operation.adopt(rest);
        return new RmaHandle<T>(progress, operation.seal(() => value));
      },
    };
    progress.onFailure((error) => {
      this.#state.failure = error;
      this.#closeAll("the job is failing");
    });
  }

  /** Bytes written to other PEs that the lamella has not counted. */
  get bytesPut(): number {
    return this.#host.bytesPut;
  }

  /** How many operations at PEs of other processes are under way. */
  get pendingFar(): number {
    return this.#far.pending;
  }

  /**
   * Lets somebody count what is under way at PEs of other processes.
   *
   * @param counter Who.
   */
  countWith(counter: WorkCounter): void {
    this.#far.countWith(counter);
  }

  /** How many waits for values are being awaited. */
  get pendingWaits(): number {
    return this.#services.waits.count;
  }

  /**
   * Allocates a region with a part on every PE; all PEs have to call it, in the same order and with
   * the same arguments.
   *
   * @param type The element type.
   * @param length Elements on each PE, all 0 at first.
   * @returns A handle for the region. It fails on every PE with an `OutOfMemoryError` if a PE has
   * no room.
   * @throws {TypeError} If there is no such type.
   * @throws {RangeError} If the length is no integer from 1.
   */
  allocShared<E extends ElementType>(
    type: E,
    length: number,
  ): CollectiveHandle<SharedMemoryRegion<E>> {
    return this.#allocShared<E, SharedMemoryRegion<E>>(type, length, (result) => {
      if (result.ok) return result.region;
      throw result.error;
    });
  }

  /**
   * As `allocShared`, with a result that tells whether there was room.
   *
   * @param type The element type.
   * @param length Elements on each PE, all 0 at first.
   * @returns A handle for the result.
   */
  tryAllocShared<E extends ElementType>(
    type: E,
    length: number,
  ): CollectiveHandle<AllocationResult<SharedMemoryRegion<E>>> {
    return this.#allocShared<E, AllocationResult<SharedMemoryRegion<E>>>(
      type,
      length,
      (result) => result,
    );
  }

  #allocShared<E extends ElementType, R>(
    type: E,
    length: number,
    give: (result: AllocationResult<SharedMemoryRegion<E>>) => R,
  ): CollectiveHandle<R> {
    const info = this.#check(type, length);
    const tableBytes = tableBytesOf(this.#lamella.numPes);
    const room = this.#allocate(tableBytes, info, length);
    const allocation = this.#newAllocation(this.#nextShared++, 0);
    this.#shared.set(allocation.id, allocation);
    const collective = this.#collectives.call(
      "allocSharedMemRegion",
      `${type}, ${length}`,
      writeOffer(room),
    );
    return new CollectiveHandle(collective, (offers) => {
      const error = offers.map(readOffer).find((offer) => offer instanceof OutOfMemoryError);
      if (error instanceof OutOfMemoryError) {
        this.#shared.delete(allocation.id);
        allocation.close("its allocation failed");
        if (typeof room === "number") {
          this.#lamella.heap.release(room - tableBytes - PART_HEADER_BYTES);
        }
        return give({ ok: false, error });
      }
      if (allocation.addresses.length === 0 && !allocation.closed) {
        this.#place(allocation, offers.map(readOffer) as number[]);
      }
      const memory = this.#memory<E>(info, allocation, 0, length);
      allocation.root = memory;
      return give({ ok: true, region: new SharedMemoryRegion<E>(this.#services, memory) });
    });
  }

  /**
   * Allocates a region on this PE only.
   *
   * @param type The element type.
   * @param length Its elements, all 0 at first.
   * @returns The region.
   * @throws {TypeError} If there is no such type.
   * @throws {RangeError} If the length is no integer from 1.
   * @throws {OutOfMemoryError} If this PE has no room.
   */
  allocOneSided<E extends ElementType>(type: E, length: number): OneSidedMemoryRegion<E> {
    const result = this.tryAllocOneSided(type, length);
    if (result.ok) return result.region;
    throw result.error;
  }

  /**
   * As `allocOneSided`, with a result that tells whether there was room.
   *
   * @param type The element type.
   * @param length Its elements, all 0 at first.
   * @returns The result.
   */
  tryAllocOneSided<E extends ElementType>(
    type: E,
    length: number,
  ): AllocationResult<OneSidedMemoryRegion<E>> {
    const info = this.#check(type, length);
    const offset = this.#allocate(0, info, length);
    if (offset instanceof OutOfMemoryError) return { ok: false, error: offset };
    const { pe, views } = this.#lamella;
    const [low = 0, high = 0] = crypto.getRandomValues(new Uint32Array(2));
    // A segment that was never used holds zeros.
    const generation: Generation = { low: low | 1, high: high | 0 };
    const header = this.#lamella.address(pe, offset - PART_HEADER_BYTES) / 4;
    views.i32[header + PART_HEADER.generation / 4] = generation.low;
    views.i32[header + PART_HEADER.generation / 4 + 1] = generation.high;
    const allocation = this.#newAllocation(this.#nextOwn++, pe, generation);
    allocation.place([offset]);
    this.#own.set(allocation.id, allocation);
    const memory = this.#memory<E>(info, allocation, 0, length);
    allocation.root = memory;
    return { ok: true, region: new OneSidedMemoryRegion<E>(this.#services, memory) };
  }

  #check(type: ElementType, length: number): ElementInfo {
    const info = elementInfo(type);
    this.#services.waits.progress.checkFailure();
    const { closed } = this.#state;
    if (closed) throw new ClosedError(`Cannot allocate a region: ${closed}`);
    if (Number.isSafeInteger(length) && length >= 1) return info;
    const text = `Cannot allocate a region of ${String(length)} elements: ` +
      "the length has to be an integer from 1";
    throw typeof length === "number" ? new RangeError(text) : new TypeError(text);
  }

  /** Takes zeroed memory of this PE; returns the offset of the first element. */
  #allocate(
    tableBytes: number,
    info: ElementInfo,
    length: number,
  ): number | OutOfMemoryError {
    const { heap, pe, kernels, views } = this.#lamella;
    this.#sweep();
    const head = tableBytes + PART_HEADER_BYTES;
    const clear = (from: number, count: number): void => {
      kernels.fill(this.#lamella.address(pe, from), 0, count);
    };
    try {
      const offset = heap.allocate(head + length * info.bytes, { head, clear });
      const address = this.#lamella.address(pe, offset);
      views.f64[(address + tableBytes + PART_HEADER.bytes) / 8] = length * info.bytes;
      return offset + head;
    } catch (error) {
      if (error instanceof OutOfMemoryError) return error;
      throw error;
    }
  }

  #newAllocation(id: number, firstPe: number, generation?: Generation): Allocation {
    const release = (allocation: Allocation): void => this.#release(allocation);
    return new Allocation(this.#lamella, this.#state, release, id, firstPe, generation);
  }

  #memory<E extends ElementType>(
    info: ElementInfo,
    allocation: Allocation,
    start: number,
    length: number,
  ): RegionMemory<ElementValue<E>> {
    let access = this.#access.get(info.type);
    if (!access) this.#access.set(info.type, access = accessOf(info, this.#host));
    return new RegionMemory<unknown>(
      this.#host,
      access,
      allocation,
      start,
      length,
    ) as unknown as RegionMemory<ElementValue<E>>;
  }

  /**
   * Frees one's own memory, and a part of a shared region when all PEs have left it; in both cases
   * nothing may still be under way to or from it.
   */
  #release(allocation: Allocation): void {
    const { heap, kernels, pe } = this.#lamella;
    const { addresses, generation, id, offsets } = allocation;
    if (generation) {
      this.#own.delete(id);
      kernels.fill(addresses[0]! - PART_HEADER_BYTES, 0, PART_HEADER_BYTES);
      this.#far.fence(() => heap.release(offsets[0]! - PART_HEADER_BYTES));
      return;
    }
    this.#shared.delete(id);
    this.#far.fence(() => {
      addresses.forEach((address, other) => {
        if (address < 0) return this.#leave(other, offsets[other]!);
        kernels.add32(address - PART_HEADER_BYTES + PART_HEADER.disposals, 1);
      });
      this.#leaving.push({ offset: offsets[pe]! });
      this.#sweep();
    });
  }

  /** Tells a far PE that this one has disposed a shared region. */
  #leave(pe: number, part: number): void {
    const head = { operation: OPERATION.leave, type: "u8", count: 0, part, position: 0 } as const;
    const { bytes } = beginRequest(head, 0, 0);
    const reply = new Uint8Array(REPLY_HEAD_BYTES);
    const operation = this.#far.begin<void>(pe);
    operation.start(
      () => this.#lamella.operate(pe, bytes, reply),
      () => void replyDone(reply, "dispose a region", pe),
    );
    operation.seal(() => {});
  }

  #sweep(): void {
    if (this.#leaving.length === 0) return;
    const { heap, kernels, numPes, pe } = this.#lamella;
    const before = PART_HEADER_BYTES + tableBytesOf(numPes);
    this.#leaving = this.#leaving.filter(({ offset }) => {
      const header = this.#lamella.address(pe, offset - PART_HEADER_BYTES);
      if (kernels.load32(header + PART_HEADER.disposals) !== numPes) return true;
      heap.release(offset - before);
      return false;
    });
  }

  /**
   * Makes a handle of the numbers that `encodeShared` gave on another PE.
   *
   * @param numbers The numbers.
   * @returns The region as this PE sees it; a closed one if this PE has disposed it.
   * @throws {ProtocolError} If the numbers describe no region.
   */
  decodeShared(numbers: ArrayLike<number>): SharedMemoryRegion<ElementType> {
    const { info, id, sender, offset, start, length } = readShared(numbers, this.#lamella);
    let allocation = this.#shared.get(id);
    if (!allocation) {
      allocation = this.#newAllocation(id, 0);
      allocation.close(`it was disposed by PE ${this.#lamella.pe}`);
    } else if (allocation.addresses.length === 0 && !allocation.closed) {
      // The sender knows already that the collective is over: its table tells where the parts are.
      this.#place(allocation, this.#tableOf(sender, offset));
    }
    this.#checkRange(allocation, this.#lamella.pe, (start + length) * info.bytes);
    const memory = this.#memory<ElementType>(info, allocation, start, length);
    return new SharedMemoryRegion<ElementType>(this.#services, memory);
  }

  /**
   * Makes a handle of the numbers that `encodeOneSided` gave on another PE.
   *
   * @param numbers The numbers.
   * @returns The region.
   * @throws {ProtocolError} If the numbers describe no region.
   */
  decodeOneSided(numbers: ArrayLike<number>): OneSidedMemoryRegion<ElementType> {
    const wire = readOneSided(numbers, this.#lamella);
    const { info, id, owner, offset, start, length, generation } = wire;
    let allocation = owner === this.#lamella.pe ? this.#own.get(id) : undefined;
    if (!allocation) {
      allocation = this.#newAllocation(id, owner, generation);
      allocation.place([offset]);
    }
    this.#checkRange(allocation, 0, (start + length) * info.bytes);
    const memory = this.#memory<ElementType>(info, allocation, start, length);
    return new OneSidedMemoryRegion<ElementType>(this.#services, memory);
  }

  /** Where the parts of a shared region are, as a PE knows that has finished its allocation. */
  #tableOf(pe: number, offset: number): number[] {
    const { heap, numPes, views } = this.#lamella;
    const before = PART_HEADER_BYTES + tableBytesOf(numPes);
    const table = offset - before;
    const offsets = new Float64Array(numPes);
    if (table >= 0 && this.#lamella.isNear(pe)) {
      const at = this.#lamella.address(pe, table) / 8;
      offsets.set(views.f64.subarray(at, at + numPes));
    } else if (table >= 0) {
      const operation = this.#far.begin<void>(pe);
      operation.start(() => this.#lamella.getBytes(pe, table, new Uint8Array(offsets.buffer)));
      operation.seal(() => {}).wait();
    }
    const held = (part: number): boolean =>
      part % ALLOCATION_ALIGN === 0 && part >= before && part <= heap.capacity;
    if (offsets[pe] === offset && offsets.every(held)) return [...offsets];
    throw new ProtocolError(
      `Cannot read the handle of a region: PE ${pe} has none at offset ${offset}`,
      { pe },
    );
  }

  /** Refuses a handle that reaches beyond its memory; what a closed one says does not matter. */
  #checkRange(allocation: Allocation, part: number, end: number): void {
    const address = allocation.addresses[part];
    // A far PE checks the range of each operation against its own header.
    if (address === undefined || address < 0 || !allocation.current) return;
    const bytes = this.#lamella.views.f64[(address - PART_HEADER_BYTES + PART_HEADER.bytes) / 8]!;
    if (end <= bytes) return;
    throw new ProtocolError(
      `Cannot read the handle of region ${allocation.id}: it ends at byte ${end} of ${bytes}`,
    );
  }

  /** Notes where the parts are, for this PE and for those that it sends the region to. */
  #place(allocation: Allocation, offsets: readonly number[]): void {
    const { numPes, pe, views } = this.#lamella;
    allocation.place(offsets);
    const table = offsets[pe]! - PART_HEADER_BYTES - tableBytesOf(numPes);
    views.f64.set(offsets, this.#lamella.address(pe, table) / 8);
  }

  /** Makes every region unusable; called when the world closes. */
  close(): void {
    if (this.#state.closed) return;
    this.#closeAll("the world is closed");
    this.#services.waits.failAll(
      new ClosedError("Cannot wait for a value in a region: the world is closed"),
    );
    this.#far.failAll(new ClosedError("Cannot finish the operation: the world is closed"));
  }

  #closeAll(reason: string): void {
    this.#state.closed = reason;
    for (const allocation of this.#shared.values()) allocation.close(reason);
    for (const allocation of this.#own.values()) allocation.close(reason);
  }
}
