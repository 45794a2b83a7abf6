/**
 * Operations on many elements by a list of indices, in one call of a kernel.
 *
 * Lists that lie in the shared heap are used where they are; others pass through a small area of
 * this PE's segment, a block at a time. An index out of range ends the call with an error; what
 * stands before it in the list is done.
 *
 * @module
 */

import {
  SPREAD_TABLE,
  spreadBytes,
  writeAddress,
  writeSpread,
} from "../internal/kernels_spread.ts";
import type { Lamella } from "../lamellae/mod.ts";
import type { TypedArrayLike } from "./element_types.ts";
import { type BatchUpdateName, FarBatches } from "./far_batch.ts";
import { checkedIndex, checkLength, indexList, indexOutOfRange } from "./index_list.ts";
import { type Described, refuseBitwise, refuseValue } from "./refusals.ts";
import type { RegionHost, RegionMemory, Rest } from "./region_memory.ts";

/** Items of a block that passes through the staging area. */
const BLOCK = 4096;
/** Items of one kernel call at most. */
const ITEMS_MAX = 2 ** 30;
/** Bytes of an item at most. */
const ITEM_BYTES = 8;
/** Regions whose spreads are kept. */
const SLOTS = 16;
/** Bytes in front of the spreads, for a value that goes to all indices. */
const CELL_BYTES = SPREAD_TABLE;

/** Calls a kernel; returns how many items it did. */
type BatchCall = (
  indices: number,
  width: number,
  values: number,
  step: number,
  out: number,
  count: number,
) => number;

/** What a batch works on. */
interface Batch<V> {
  /** The region. */
  readonly memory: RegionMemory<V>;
  /** What the user called. */
  readonly op: string;
  /** The list of indices. */
  readonly indices: unknown;
  /** A value for all, or one for each; left out where the operation takes none. */
  readonly values?: unknown;
  /** Where results go, if there are any. */
  readonly target?: TypedArrayLike<unknown>;
}

/** A list beside the indices or the indices themselves, as a kernel sees it. */
interface Lane {
  /** Address of the first item, -1 if a block has to be staged. */
  readonly at: number;
  /** Bytes from one item to the next. */
  readonly step: number;
  /** Where a staged block lies. */
  readonly area: number;
  /** Writes a block to the staging area. */
  readonly stage: (from: number, count: number) => void;
}

const NO_LANE: Lane = { at: 0, step: 0, area: 0, stage: () => {} };

/** The batches of a PE. */
export class Batches {
  readonly #lamella: Lamella;
  readonly #spreadBytes: number;
  /** Whose spread each slot holds. */
  readonly #owners: unknown[] = [];
  #nextSlot = 0;
  #control = -1;
  #staging = -1;
  readonly #far: FarBatches;

  /**
   * @param host The space of the regions.
   */
  constructor(host: RegionHost) {
    this.#lamella = host.lamella;
    this.#far = new FarBatches(host);
    this.#spreadBytes = spreadBytes(host.lamella.numPes);
  }

  /** The address of the spread of a region, written anew if another region took its slot. */
  #spreadOf<V>(memory: RegionMemory<V>): number {
    let slot = memory.spreadSlot;
    if (slot < 0 || this.#owners[slot] !== memory) {
      slot = this.#nextSlot;
      this.#nextSlot = (slot + 1) % SLOTS;
      this.#owners[slot] = memory;
      memory.spreadSlot = slot;
      const { addresses } = memory.allocation;
      const elementBytes = memory.access.info.bytes;
      writeSpread(this.#lamella.views.u32, this.#slotAt(slot), {
        bases: addresses.map((address) => address + memory.start * elementBytes),
        total: addresses.length * memory.length,
        elementBytes,
        blockLength: Math.max(1, memory.length),
      });
    }
    return this.#slotAt(slot);
  }

  #slotAt(slot: number): number {
    return this.#controlAt() + CELL_BYTES + slot * this.#spreadBytes;
  }

  #controlAt(): number {
    if (this.#control < 0) this.#control = this.#allocate(CELL_BYTES + SLOTS * this.#spreadBytes);
    return this.#control;
  }

  #stagingAt(lane: number): number {
    if (this.#staging < 0) this.#staging = this.#allocate(3 * BLOCK * ITEM_BYTES);
    return this.#staging + lane * BLOCK * ITEM_BYTES;
  }

  #allocate(bytes: number): number {
    const { heap, pe } = this.#lamella;
    return this.#lamella.address(pe, heap.allocate(bytes));
  }

  #run<V>(batch: Batch<V>, call: BatchCall): void {
    const { memory, op, target } = batch;
    const [indices, count] = this.#indexLane(memory, op, batch.indices);
    const values = "values" in batch ? this.#valueLane(memory, op, batch.values, count) : NO_LANE;
    const out = target ? this.#outLane(memory, op, target, count) : NO_LANE;
    const staged = indices.at < 0 || values.at < 0 || out.at < 0;
    const block = staged ? BLOCK : ITEMS_MAX;
    for (let from = 0; from < count; from += block) {
      const some = Math.min(block, count - from);
      const done = call(
        place(indices, from, some),
        indices.step,
        place(values, from, some),
        values.step,
        out.at < 0 ? out.area : out.at + from * out.step,
        some,
      );
      if (out.at < 0) out.stage(from, done);
      if (done < some) {
        throw indexOutOfRange(memory, op, indexList(memory, op, batch.indices), from + done);
      }
    }
  }

  /**
   * Changes elements at global indices.
   *
   * @param memory The region.
   * @param op The kernel, as the user called it.
   * @param indices The list of indices.
   * @param values A value for all, or one for each.
   * @returns What is left of it.
   */
  update<V>(
    memory: RegionMemory<V>,
    op: BatchUpdateName,
    indices: unknown,
    values: unknown,
  ): Rest {
    const kernel = memory.access.kernels[op];
    if (!kernel) refuseBitwise(memory, op);
    if (memory.allocation.hasFar) return this.#far.run({ memory, op, indices, values });
    const spread = this.#spreadFor(memory, op);
    this.#run({ memory, op, indices, values }, (at, width, from, step, _out, count) => {
      return kernel(spread, at, width, from, step, count);
    });
    memory.allocation.allWritten();
    return undefined;
  }

  /**
   * Adds to elements at global indices and tells what they were.
   *
   * @param memory The region.
   * @param indices The list of indices.
   * @param values A value for all, or one for each.
   * @param target Where results go.
   * @returns What is left of it.
   */
  fetchAdd<V>(
    memory: RegionMemory<V>,
    indices: unknown,
    values: unknown,
    target: unknown,
  ): Rest {
    const { batchFetchAdd } = memory.access.kernels;
    const op = "batchFetchAdd";
    if (memory.allocation.hasFar) return this.#far.run({ memory, op, indices, values, target });
    const spread = this.#spreadFor(memory, op);
    const into = memory.arrayOf(op, "from", target);
    this.#run(
      { memory, op, indices, values, target: into },
      (at, width, from, step, out, count) => {
        return batchFetchAdd(spread, at, width, from, step, out, count);
      },
    );
    memory.allocation.allWritten();
    return undefined;
  }

  /**
   * Reads elements at global indices.
   *
   * @param memory The region.
   * @param indices The list of indices.
   * @param target Where they go.
   * @returns What is left of it.
   */
  gather<V>(memory: RegionMemory<V>, indices: unknown, target: unknown): Rest {
    if (memory.allocation.hasFar) {
      return this.#far.run({ memory, op: "gather", indices, target });
    }
    const { gather } = memory.access.kernels;
    const spread = this.#spreadFor(memory, "gather");
    const into = memory.arrayOf("gather", "from", target);
    this.#run({ memory, op: "gather", indices, target: into }, (at, width, _v, _s, out, count) => {
      return gather(spread, at, width, out, count);
    });
    return undefined;
  }

  /**
   * Writes elements of one part.
   *
   * @param memory The region.
   * @param part The part.
   * @param indices The list of indices.
   * @param values A value for all, or one for each.
   * @returns What is left of it.
   */
  putIndexed<V>(memory: RegionMemory<V>, part: number, indices: unknown, values: unknown): Rest {
    const { indexedPut } = memory.access.kernels;
    const base = memory.address("putIndexed", part, 0, 0);
    if (base < 0) return this.#far.run({ memory, op: "putIndexed", part, indices, values });
    const batch = { memory, op: "putIndexed", indices, values };
    this.#run(batch, (at, width, from, step, _out, count) => {
      return indexedPut(base, memory.length, at, width, from, step, count);
    });
    memory.allocation.written(part);
    return undefined;
  }

  /**
   * Reads elements of one part.
   *
   * @param memory The region.
   * @param part The part.
   * @param indices The list of indices.
   * @param target Where they go.
   * @returns What is left of it.
   */
  getIndexed<V>(memory: RegionMemory<V>, part: number, indices: unknown, target: unknown): Rest {
    const { indexedGet } = memory.access.kernels;
    const base = memory.address("getIndexed", part, 0, 0);
    if (base < 0) return this.#far.run({ memory, op: "getIndexed", part, indices, target });
    const into = memory.arrayOf("getIndexed", "from", target);
    const batch = { memory, op: "getIndexed", indices, target: into };
    this.#run(batch, (at, width, _values, _step, out, count) => {
      return indexedGet(base, memory.length, at, width, out, count);
    });
    return undefined;
  }

  #spreadFor<V>(memory: RegionMemory<V>, op: string): number {
    memory.position(op, 0, 0, 0);
    return this.#spreadOf(memory);
  }

  #indexLane(memory: Described, op: string, indices: unknown): [Lane, number] {
    const list = indexList(memory, op, indices);
    if (list instanceof Uint32Array || list instanceof BigUint64Array) {
      const array = list as unknown as TypedArrayLike<unknown>;
      const step = list.BYTES_PER_ELEMENT;
      return [this.#arrayLane(array, step, 0), list.length];
    }
    const area = this.#stagingAt(0);
    const words = this.#lamella.views.u32;
    const stage = (from: number, count: number): void => {
      for (let i = 0; i < count; i++) {
        const index = checkedIndex(memory, op, list[from + i], from + i);
        writeAddress(words, area + i * ITEM_BYTES, index);
      }
    };
    return [{ at: -1, step: ITEM_BYTES, area, stage }, list.length];
  }

  /** A typed array: where it is if that is the heap, else staged. */
  #arrayLane(array: TypedArrayLike<unknown>, step: number, lane: number): Lane {
    const { buffer, u8 } = this.#lamella.views;
    if (array.buffer === buffer) return { ...NO_LANE, at: array.byteOffset, step };
    const area = this.#stagingAt(lane);
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const stage = (from: number, count: number): void =>
      u8.set(bytes.subarray(from * step, (from + count) * step), area);
    return { at: -1, step, area, stage };
  }

  #valueLane<V>(memory: RegionMemory<V>, op: string, values: unknown, count: number): Lane {
    const { access } = memory;
    const step = access.info.bytes;
    if (Array.isArray(values)) {
      checkLength(memory, op, values.length, count);
      const list = memory.checkedList(op, values);
      const area = this.#stagingAt(1);
      const stage = (from: number, some: number): void => {
        for (let i = 0; i < some; i++) access.write(area + i * step, list[from + i]!);
      };
      return { at: -1, step, area, stage };
    }
    if (typeof values === "object" && values !== null) {
      const array = memory.arrayOf(op, "into", values);
      checkLength(memory, op, array.length, count);
      return this.#arrayLane(array, step, 1);
    }
    if (!access.accepts(values)) refuseValue(memory, op, values);
    const cell = this.#controlAt();
    access.write(cell, values);
    return { ...NO_LANE, at: cell };
  }

  #outLane<V>(
    memory: RegionMemory<V>,
    op: string,
    target: TypedArrayLike<unknown>,
    count: number,
  ): Lane {
    checkLength(memory, op, target.length, count);
    const step = memory.access.info.bytes;
    if (target.buffer === this.#lamella.views.buffer) {
      return { ...NO_LANE, at: target.byteOffset, step };
    }
    const area = this.#stagingAt(2);
    const { u8 } = this.#lamella.views;
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    const stage = (from: number, some: number): void =>
      bytes.set(u8.subarray(area, area + some * step), from * step);
    return { at: -1, step, area, stage };
  }
}

function place(lane: Lane, from: number, count: number): number {
  if (lane.at >= 0) return lane.at + from * lane.step;
  lane.stage(from, count);
  return lane.area;
}
