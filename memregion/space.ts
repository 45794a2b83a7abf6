/**
 * The regions of a world, seen from one PE: allocates them, frees them, and turns handles into
 * numbers that travel.
 *
 * @module
 */

import { ClosedError, OutOfMemoryError, ProtocolError } from "../internal/errors.ts";
import {
  callProgram,
  CollectiveHandle,
  type Generation,
  type Lamella,
  PART_HEADER,
  PART_HEADER_BYTES,
  type PeGroup,
  type Progress,
  type Transfers,
  WORLD_ID,
} from "../lamellae/mod.ts";
import { accessOf } from "./transfer/access.ts";
import {
  Allocation,
  type AllocationHost,
  type Places,
  type SpaceState,
} from "./memory/allocation.ts";
import { Batches } from "./transfer/batch.ts";
import {
  type ElementInfo,
  elementInfo,
  type ElementType,
  type ElementTypeLike,
  type ElementValue,
} from "../internal/elements.ts";
import { FarWork, type WorkCounter } from "./transfer/pending.ts";
import { RmaHandle } from "./transfer/handle.ts";
import { OneSidedMemoryRegion } from "./one_sided_region.ts";
import type { RegionServices } from "./region.ts";
import type { ArrayShape } from "./memory/array_shape.ts";
import {
  type Access,
  MEMORY,
  type RegionHost,
  RegionMemory,
  type Rest,
} from "./memory/region_memory.ts";
import { SharedMemoryRegion } from "./shared_region.ts";
import { Waits } from "./waits/waits.ts";
import type { AllocationResult } from "./allocation_result.ts";
import { RegionCollectives } from "./collectives/region_collectives.ts";
import { noRoomIn, type Placing, placingTurns } from "./placing.ts";
import { SpanSpace } from "./span_space.ts";
import { SharedParts, tableBytesOf } from "./shared_parts.ts";
import { firstNumberOf, sessionOf, shownNumber } from "../internal/session_numbers.ts";
import { readOffer, readOneSided, readShared, readStrange } from "./wire.ts";

/** The regions of a world, seen from one PE. */
export class RegionSpace {
  readonly #lamella: Lamella;
  readonly #group: PeGroup | undefined;
  readonly #far: FarWork;
  readonly #host: RegionHost;
  readonly #services: RegionServices;
  readonly #access = new Map<ElementType, Access<unknown>>();
  readonly #shared: SharedParts;
  /** The elements of arrays. */
  readonly spans: SpanSpace;
  /** One-sided allocations of this PE, by number. */
  readonly #own = new Map<number, Allocation>();
  #nextOwn: number;
  #isComingBack: () => boolean = () => false;
  readonly #state: SpaceState = { closed: "", failure: undefined };
  readonly #ownHost: AllocationHost;

  /**
   * @param progress The engine that waits.
   * @param group All PEs of the world; nothing for a client, which is not one of them.
   * @param transfers What moves the data of collectives.
   * @internal
   */
  constructor(progress: Progress, group: PeGroup | undefined, transfers: Transfers) {
    const { lamella } = progress;
    const done = new RmaHandle<void>(progress, undefined);
    this.#lamella = lamella;
    this.#group = group;
    this.#nextOwn = firstNumberOf(lamella.session);
    const far = new FarWork(progress);
    this.#far = far;
    this.#shared = new SharedParts(far, this.#state);
    this.#ownHost = { lamella, state: this.#state, release: (...left) => this.#release(...left) };
    this.#host = { lamella, bytesPut: 0, far };
    this.#services = {
      done,
      batches: new Batches(this.#host),
      waits: new Waits(progress),
      collectives: new RegionCollectives(transfers, (id) => this.#shared.groupOf(id)),
      ended: (rest) => rest === undefined ? done : new RmaHandle<void>(progress, rest),
      given: (value) => new RmaHandle(progress, value),
      givenAfter<T>(rest: Rest, give: () => T): RmaHandle<T> {
        return new RmaHandle<T>(progress, far.after(rest, give));
      },
    };
    this.spans = new SpanSpace({
      services: this.#services,
      check: (type) => this.check(type, 1),
      place: (group, placing) => this.#place(group, placing),
      memory: (...range) => this.#memory(...range) as never,
      nowhere: () => this.#newOneSided(0, lamella.pe, { low: 0, high: 0 }),
      regionOf: (numbers) => this.decodeShared(numbers)[MEMORY],
    });
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

  /**
   * Lets somebody say that memory comes back that programs have given up.
   *
   * @param isComingBack Whether some does, as soon as other PEs have said that they gave it up.
   */
  whenShort(isComingBack: () => boolean): void {
    this.#isComingBack = isComingBack;
  }

  /**
   * Everything that this PE has started so far at any region, as one operation.
   *
   * @returns Its handle: complete once all of that is visible at its targets, to every PE.
   */
  quiet(): RmaHandle<void> {
    this.#services.waits.progress.checkFailure();
    const { kernels, staging } = this.#lamella;
    // Plain stores of this PE come before its next ones on every processor, by an atomic operation.
    kernels.or32(staging, 0);
    return this.#services.ended(this.#far.all());
  }

  /** How many waits for values are being awaited. */
  get pendingWaits(): number {
    return this.#services.waits.count;
  }

  /**
   * Allocates a region with a part on every PE of a group; all of them have to call it, in the same
   * order and with the same arguments.
   *
   * @param type The element type.
   * @param length Elements on each PE, all 0 at first.
   * @param group The PEs: all of the world, if left out.
   * @returns A handle for the region. It fails on every PE with an `OutOfMemoryError` if a PE has
   * no room.
   * @throws {TypeError} If there is no such type.
   * @throws {RangeError} If the length is not an integer of at least 1.
   */
  allocShared<E extends ElementType>(
    type: ElementTypeLike<E>,
    length: number,
    group: PeGroup = this.#group!,
  ): CollectiveHandle<SharedMemoryRegion<E>> {
    return this.#allocShared<E, SharedMemoryRegion<E>>(type, length, group, (result) => {
      if ("error" in result) throw result.error;
      return result.region;
    });
  }

  /**
   * As `allocShared`, with a result that tells whether there was room.
   *
   * @param type The element type.
   * @param length Elements on each PE, all 0 at first.
   * @param group The PEs: all of the world, if left out.
   * @returns A handle for the result.
   */
  tryAllocShared<E extends ElementType>(
    type: ElementTypeLike<E>,
    length: number,
    group: PeGroup = this.#group!,
  ): CollectiveHandle<AllocationResult<SharedMemoryRegion<E>>> {
    return this.#allocShared<E, AllocationResult<SharedMemoryRegion<E>>>(
      type,
      length,
      group,
      (result) => result,
    );
  }

  #allocShared<E extends ElementType, R>(
    type: ElementTypeLike<E>,
    length: number,
    group: PeGroup,
    give: (result: AllocationResult<SharedMemoryRegion<E>>) => R,
  ): CollectiveHandle<R> {
    const info = this.check(type, length);
    return this.#place<AllocationResult<SharedMemoryRegion<E>>>(group, {
      kind: "allocSharedMemRegion",
      args: `${info.type}, ${length}`,
      info,
      roomFor: () => length,
      give: (result) => {
        if (result instanceof OutOfMemoryError) return { ok: false, error: result };
        const memory = this.#memory<E>(info, result, 0, length);
        result.root = memory;
        return { ok: true, region: new SharedMemoryRegion<E>(this.#services, memory) };
      },
    }).mapped(give);
  }

  /** What becomes of an allocation does so once all have answered: messages may be about it. */
  #place<R>(group: PeGroup, placing: Placing<R>): CollectiveHandle<R> {
    const { args, info, kind } = placing;
    const shared = this.#shared;
    const allocation = shared.begin(group);
    const tableBytes = tableBytesOf(group.id, group.pes.length);
    const room = {
      far: this.#far,
      isComingBack: () => this.#isComingBack(),
      take: (length: number): number | OutOfMemoryError => {
        const room = this.#allocate(tableBytes, info, length);
        if (typeof room === "number") shared.mark(allocation, room);
        return room;
      },
      settle(own: number | OutOfMemoryError, offers: readonly Uint8Array[]) {
        const error = noRoomIn(offers);
        if (error) shared.forget(allocation, typeof own === "number" ? own : undefined);
        else shared.place(allocation, offers.map(readOffer) as number[]);
        return error ?? allocation;
      },
    };
    let result: R | undefined;
    const turns = placingTurns(room, group.me, placing, (gave) => result = gave);
    const collective = callProgram(group, this.#lamella, kind, args, turns);
    return new CollectiveHandle(collective, () => result!);
  }

  /**
   * Allocates a region on this PE only.
   *
   * @param type The element type.
   * @param length Its elements, all 0 at first.
   * @returns The region.
   * @throws {TypeError} If there is no such type.
   * @throws {RangeError} If the length is not an integer of at least 1.
   * @throws {OutOfMemoryError} If this PE has no room.
   */
  allocOneSided<E extends ElementType>(
    type: ElementTypeLike<E>,
    length: number,
  ): OneSidedMemoryRegion<E> {
    const result = this.tryAllocOneSided(type, length);
    if ("error" in result) throw result.error;
    return result.region;
  }

  /**
   * As `allocOneSided`, with a result that tells whether there was room.
   *
   * @param type The element type.
   * @param length Its elements, all 0 at first.
   * @returns The result.
   */
  tryAllocOneSided<E extends ElementType>(
    type: ElementTypeLike<E>,
    length: number,
  ): AllocationResult<OneSidedMemoryRegion<E>> {
    const info = this.check(type, length);
    let offset = this.#allocate(0, info, length);
    // What this PE has disposed is free once nothing is under way to or from it.
    if (typeof offset !== "number" && this.#far.passFences()) {
      offset = this.#allocate(0, info, length);
    }
    if (offset instanceof OutOfMemoryError) return { ok: false, error: offset };
    const { pe, views } = this.#lamella;
    const [low = 0, high = 0] = crypto.getRandomValues(new Uint32Array(2));
    // A segment that was never used holds zeros.
    const generation: Generation = { low: low | 1, high: high | 0 };
    const header = this.#lamella.address(pe, offset - PART_HEADER_BYTES) / 4;
    views.i32[header + PART_HEADER.generation / 4] = generation.low;
    views.i32[header + PART_HEADER.generation / 4 + 1] = generation.high;
    const allocation = this.#newOneSided(this.#nextOwn++, pe, generation);
    allocation.place([offset]);
    this.#own.set(allocation.id, allocation);
    const memory = this.#memory<E>(info, allocation, 0, length);
    allocation.root = memory;
    return { ok: true, region: new OneSidedMemoryRegion<E>(this.#services, memory) };
  }

  /**
   * Checks what is about to be allocated.
   *
   * @param type The element type.
   * @param length Elements on each PE.
   * @returns The type.
   * @throws {TypeError} If there is no such type.
   * @throws {RangeError} If the length is not an integer of at least 1.
   */
  check(type: ElementTypeLike<ElementType>, length: number): ElementInfo {
    const info = elementInfo(type);
    this.#services.waits.progress.checkFailure();
    const { closed } = this.#state;
    if (closed) throw new ClosedError(`Cannot allocate a region: ${closed}`);
    if (Number.isSafeInteger(length) && length >= 1) return info;
    const text = `Cannot allocate a region of ${Deno.inspect(length)} elements: ` +
      "the length must be an integer of at least 1";
    throw typeof length === "number" ? new RangeError(text) : new TypeError(text);
  }

  /** Takes zeroed memory of this PE; returns the offset of the first element. */
  #allocate(
    tableBytes: number,
    info: ElementInfo,
    length: number,
  ): number | OutOfMemoryError {
    const { heap, pe, kernels, views } = this.#lamella;
    this.#shared.sweep();
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

  #newOneSided(id: number, pe: number, guard: Generation): Allocation {
    const label = `one-sided region ${shownNumber(id)}`;
    const owners = { id, label, group: undefined, groupId: WORLD_ID, pes: [pe], guard };
    return new Allocation(this.#ownHost, owners);
  }

  #memory<E extends ElementType>(
    info: ElementInfo,
    allocation: Allocation,
    start: number,
    length: number,
    shape?: ArrayShape,
  ): RegionMemory<ElementValue<E>> {
    let access = this.#access.get(info.type);
    if (!access) this.#access.set(info.type, access = accessOf(info, this.#host));
    return new RegionMemory<unknown>(
      this.#host,
      access,
      allocation,
      start,
      length,
      shape,
    ) as unknown as RegionMemory<ElementValue<E>>;
  }

  /** Frees memory of this PE once nothing is under way any more to or from it. */
  #release({ id }: Allocation, { addresses, offsets }: Places): void {
    const { heap, kernels } = this.#lamella;
    this.#own.delete(id);
    kernels.fill(addresses[0]! - PART_HEADER_BYTES, 0, PART_HEADER_BYTES);
    this.#far.fence(() => heap.release(offsets[0]! - PART_HEADER_BYTES));
  }

  /**
   * Makes a handle of the numbers that `encodeShared` gave on another PE.
   *
   * @param numbers The numbers.
   * @returns The region as this PE sees it; a closed one if this PE has disposed it.
   * @throws {ProtocolError} If the numbers describe no region.
   */
  decodeShared(numbers: ArrayLike<number>): SharedMemoryRegion<ElementType> {
    if (sessionOf(numbers[1]!) !== this.#lamella.session) {
      return new SharedMemoryRegion<ElementType>(this.#services, this.#strange(numbers));
    }
    const wire = readShared(numbers, this.#lamella);
    const { info, start, length } = wire;
    const allocation = this.#shared.find(wire);
    const part = Math.max(0, allocation.localPart);
    this.#checkRange(allocation, part, (start + length) * info.bytes);
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
    if (sessionOf(numbers[1]!) !== this.#lamella.session) {
      return new OneSidedMemoryRegion<ElementType>(this.#services, this.#strange(numbers));
    }
    const wire = readOneSided(numbers, this.#lamella);
    const { info, id, owner, offset, start, length, generation } = wire;
    let allocation = owner === this.#lamella.pe ? this.#own.get(id) : undefined;
    if (!allocation) {
      allocation = this.#newOneSided(id, owner, generation);
      allocation.place([offset]);
    }
    this.#checkRange(allocation, 0, (start + length) * info.bytes);
    const memory = this.#memory<ElementType>(info, allocation, start, length);
    return new OneSidedMemoryRegion<ElementType>(this.#services, memory);
  }

  /** The memory of a region of another session, of which nothing can be used here. */
  #strange(numbers: ArrayLike<number>): RegionMemory<ElementValue<ElementType>> {
    const { id, info, length } = readStrange(numbers);
    const label = `region ${shownNumber(id)}`;
    const owners = { id, label, group: undefined, groupId: WORLD_ID, pes: [0], guard: undefined };
    const allocation = new Allocation(this.#ownHost, owners);
    allocation.close("it belongs to another session");
    return this.#memory<ElementType>(info, allocation, 0, length);
  }

  /**
   * Makes the handle of a region that PEs allocated for a client, which gives it up by disposing of
   * this handle.
   *
   * @param numbers What `encodeShared` gave on a PE.
   * @param release Has the PEs give it up.
   * @returns The region.
   */
  adoptShared(numbers: ArrayLike<number>, release: () => void): SharedMemoryRegion<ElementType> {
    const region = this.decodeShared(numbers);
    const memory = region[MEMORY];
    memory.allocation.root = memory;
    this.#shared.adopt(memory.allocation, release);
    return region;
  }

  /** Refuses a handle that reaches beyond its memory; what a closed one says does not matter. */
  #checkRange(allocation: Allocation, part: number, end: number): void {
    const address = allocation.addresses[part];
    // A far PE checks the range of each operation against its own header.
    if (address === undefined || address < 0 || !allocation.isCurrent(part)) return;
    const bytes = this.#lamella.views.f64[(address - PART_HEADER_BYTES + PART_HEADER.bytes) / 8]!;
    if (end <= bytes) return;
    throw new ProtocolError(
      `Cannot read the handle of region ${
        shownNumber(allocation.id)
      }: it ends at byte ${end} of ${bytes}`,
    );
  }

  /**
   * Makes every region unusable; called when the world closes.
   *
   * @param what What is closed.
   */
  close(what = "the world"): void {
    if (this.#state.closed) return;
    const why = `${what} is closed`;
    this.#closeAll(why);
    this.#services.waits.failAll(
      new ClosedError(`Cannot wait for a value in a region: ${why}`),
    );
    this.#far.failAll(new ClosedError(`Cannot finish the operation: ${why}`));
  }

  #closeAll(reason: string): void {
    this.#state.closed = reason;
    this.#shared.closeAll(reason);
    for (const allocation of this.#own.values()) allocation.close(reason);
  }
}
