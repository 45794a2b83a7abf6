/**
 * Operations on many elements by a list of indices. Where all elements are near they are one call
 * of a kernel; else `far_batch.ts` sorts them by PE. An index out of range ends the batch with an
 * error; what stands before it in the list is done, and nothing behind it.
 *
 * @module
 */

import type { TypedArrayLike } from "../../internal/elements.ts";
import { writeSpread } from "../../internal/kernels_spread.ts";
import { spreadPlace, SPREADS_KEPT } from "../../internal/staging.ts";
import type { Lamella } from "../../lamellae/mod.ts";
import {
  type Batch,
  type BatchCall,
  batchCall,
  type BatchCallName,
  operandsOf,
} from "./batch_call.ts";
import { checkedList, copyOf, finished, sourceOf, targetOf } from "./copies.ts";
import { FarBatches } from "./far_batch.ts";
import { apartFrom, badIndex, checkLength, indexList } from "./index_list.ts";
import { equalTurns, writeTurns } from "./item_bits.ts";
import { blockOf, Lanes, NO_LANE, placeOf } from "./lanes.ts";
import { checkOperands, refuseOperation, refuseValue } from "../memory/refusals.ts";
import type { RegionHost, RegionMemory, Rest } from "../memory/region_memory.ts";

/** The lists of a batch, as the user gave them. */
export interface BatchLists {
  readonly indices: unknown;
  /** A value for all, or one for each; left out where the operation takes none. */
  readonly values?: unknown;
  /** Where results go, if there are any. */
  readonly target?: unknown;
}

/** The lists of a batch at elements of this PE, as memory has them. */
export interface OwnLists {
  readonly places: Uint32Array | Float64Array;
  readonly values: TypedArrayLike<unknown> | undefined;
  /** Whether there are values for one item, which all take. */
  readonly single: boolean;
  readonly target: TypedArrayLike<unknown> | undefined;
}

/** The batches whose indices run over all parts. */
type WholeCallName = Exclude<BatchCallName, PartCallName | "batchCompareExchange">;

/** Those whose indices point into one part. */
type PartCallName = "getIndexed" | "putIndexed";

/** The batches of a PE. */
export class Batches {
  readonly #lamella: Lamella;
  /** Whose spread each slot holds. */
  readonly #owners: unknown[] = [];
  #nextSlot = 0;
  readonly #lanes: Lanes;
  readonly #far: FarBatches;

  /**
   * @param host The space of the regions.
   */
  constructor(host: RegionHost) {
    this.#lamella = host.lamella;
    this.#lanes = new Lanes(host.lamella);
    this.#far = new FarBatches(host, this.#lanes);
  }

  /**
   * Runs a batch whose indices run over all parts.
   *
   * @param memory The region.
   * @param name What the user called.
   * @param lists What it works on.
   * @returns What is left of it.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  run<V>(memory: RegionMemory<V>, name: WholeCallName, lists: BatchLists): Rest {
    const call = batchCall(name);
    check(memory, call);
    return this.#run(memory, call, undefined, lists);
  }

  /**
   * Runs a batch whose indices point into one part.
   *
   * @param memory The region.
   * @param name What the user called.
   * @param part The part, as the user gave it.
   * @param lists What it works on.
   * @returns What is left of it.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  runAt<V>(memory: RegionMemory<V>, name: PartCallName, part: number, lists: BatchLists): Rest {
    memory.position(name, part, 0, 0);
    return this.#run(memory, batchCall(name), part, lists);
  }

  /**
   * Runs a batch at elements of this PE.
   *
   * @param memory The region.
   * @param name What is done.
   * @param lists Where, and by which operands.
   * @throws {RangeError} At a place out of range; what stands before it in the list is done.
   */
  runOwn<V>(memory: RegionMemory<V>, name: BatchCallName, lists: OwnLists): void {
    const { places: array, ...others } = lists;
    const call = batchCall(name);
    check(memory, call);
    const list = { array, count: array.length, bad: undefined };
    this.#start({ memory, call, part: memory.own(name), list, ...others });
  }

  #run<V>(
    memory: RegionMemory<V>,
    call: BatchCall,
    part: number | undefined,
    lists: BatchLists,
  ): Rest {
    const { name } = call;
    const { target } = lists;
    const list = indexList(memory, name, apartFrom(lists.indices, target));
    const values = call.operands === 0
      ? undefined
      : elementsOf(memory, call, apartFrom(lists.values, target), list.count);
    const into = target === undefined ? undefined : targetOf(memory, name, target);
    if (into) checkLength(memory, name, into.array.length, list.count);
    const single = values !== undefined && !isList(lists.values);
    const batch = { memory, call, part, list, values, single, target: into?.array };
    return finished(memory, this.#start(batch), into?.finish);
  }

  /**
   * Runs a compare-and-exchange at each of a list of elements of all parts.
   *
   * @param memory The region.
   * @param indices The list of indices.
   * @param expected What they have to be: a value for all, or one for each.
   * @param replacements Their new values, likewise.
   * @returns What is left of it, and what tells its result once that is over.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  exchange<V>(
    memory: RegionMemory<V>,
    indices: unknown,
    expected: unknown,
    replacements: unknown,
  ): readonly [rest: Rest, give: () => { ok: Uint8Array; values: unknown }] {
    const call = batchCall("batchCompareExchange");
    check(memory, call);
    const list = indexList(memory, call.name, indices);
    const single = !isList(expected) && !isList(replacements);
    const { far, info: { bytes } } = memory.access;
    const pairs = far.newArray(2 * (single ? 1 : list.count));
    writeTurns(pairs, 0, elementsOf(memory, call, expected, list.count), bytes);
    writeTurns(pairs, 1, elementsOf(memory, call, replacements, list.count), bytes);
    const target = far.newArray(list.count);
    const rest = this.#start({
      memory,
      call,
      part: undefined,
      list,
      values: pairs,
      single,
      target,
    });
    const give = (): { ok: Uint8Array; values: unknown } => ({
      ok: equalTurns(target, pairs, bytes),
      values: copyOf(memory, call.name, target),
    });
    return [rest, give];
  }

  #start<V>(batch: Batch<V>): Rest {
    const { call, memory, part } = batch;
    const { allocation } = memory;
    const { addresses, hasFar } = allocation;
    if (hasFar && (part === undefined || addresses[part]! < 0)) return this.#far.run(batch);
    try {
      this.#runHere(batch);
    } finally {
      if (call.writes) {
        if (part === undefined) allocation.allWritten();
        else allocation.written(part);
      }
    }
    return undefined;
  }

  #runHere<V>(batch: Batch<V>): void {
    const { call, list, memory, single, target } = batch;
    const { info, kernels } = memory.access;
    const kernel = kernels[call.kernel]!;
    const indices = this.#lanes.indices(list);
    const values = batch.values
      ? this.#lanes.values(batch.values, call.operands * info.bytes)
      : NO_LANE;
    const out = target ? this.#lanes.results(target, info.bytes) : NO_LANE;
    const spread = this.#spreadFor(batch);
    const { length } = list.array;
    const block = blockOf(indices, values, out);
    if (single) values.stage(0, 1);
    for (let from = 0; from < length; from += block) {
      const some = Math.min(block, length - from);
      indices.stage(from, some);
      if (!single) values.stage(from, some);
      const done = kernel(
        spread,
        placeOf(indices, from),
        indices.step,
        placeOf(values, single ? 0 : from),
        single ? 0 : values.step,
        placeOf(out, from),
        some,
      );
      out.stage(from, done);
      if (done < some) throw badIndex(memory, call.name, list, from + done);
    }
    if (length < list.count) throw badIndex(memory, call.name, list, length);
  }

  #spreadFor<V>({ memory, part }: Batch<V>): number {
    const { bytes } = memory.access.info;
    return part === undefined ? this.#spreadOf(memory) : this.#lamella.kernels.spreadOver(
      memory.allocation.addresses[part]! + memory.start * bytes,
      memory.length,
      bytes,
    );
  }

  /** The address of the spread of a region, written anew if another region took its slot. */
  #spreadOf<V>(memory: RegionMemory<V>): number {
    let slot = memory.spreadSlot;
    if (slot < 0 || this.#owners[slot] !== memory) {
      slot = this.#nextSlot;
      this.#nextSlot = (slot + 1) % SPREADS_KEPT;
      this.#owners[slot] = memory;
      memory.spreadSlot = slot;
      const { distribution, start } = memory;
      const elementBytes = memory.access.info.bytes;
      writeSpread(this.#lamella.views.u32, this.#slotAt(slot), {
        bases: memory.allocation.addresses.map((address) => address + start * elementBytes),
        distribution,
        elementBytes,
      });
    }
    return this.#slotAt(slot);
  }

  #slotAt(slot: number): number {
    const { numPes, staging } = this.#lamella;
    return staging + spreadPlace(numPes, slot);
  }
}

/** Refuses a region that cannot be used, and an operation that the type does not have. */
function check<V>(memory: RegionMemory<V>, { kernel, name, op }: BatchCall): void {
  if (!memory.access.kernels[kernel]) refuseOperation(memory, name, op!.domain);
  memory.position(name, 0, 0, 0);
  const { guard, pes } = memory.allocation;
  // Parts of a region of which this PE has none may be freed one after the other.
  if (guard) pes.forEach((_, part) => memory.position(name, part, 0, 0));
}

/**
 * The operands of a batch, checked, as elements of the type.
 *
 * @param memory The region.
 * @param name What the user called.
 * @param given A list, or a value for all.
 * @param count Number of indices.
 * @returns They; one element, in memory of its own, if it is a value for all; nothing if the
 * operation takes none.
 */
export function operandsFor<V>(
  memory: RegionMemory<V>,
  name: BatchCallName,
  given: unknown,
  count: number,
): TypedArrayLike<unknown> | undefined {
  const call = batchCall(name);
  check(memory, call);
  if (call.operands === 0) return undefined;
  const elements = elementsOf(memory, call, given, count);
  if (isList(given)) return elements;
  const own = memory.access.far.newArray(1);
  own.set(elements as unknown as ArrayLike<unknown>);
  return own;
}

/** A list as elements of the type, one element if it is a value for all. */
function elementsOf<V>(
  memory: RegionMemory<V>,
  call: BatchCall,
  given: unknown,
  count: number,
): TypedArrayLike<unknown> {
  const { access } = memory;
  const operand = operandsOf(call, memory);
  if (!isList(given)) {
    if (!access.accepts(given)) refuseValue(memory, call.name, given);
    checkOperands(memory, call.name, operand, [given]);
    return access.cellOf(given);
  }
  const list = Array.isArray(given) ? checkedList(memory, call.name, given) : undefined;
  const array = list ? access.far.arrayOf(list) : sourceOf(memory, call.name, given);
  checkLength(memory, call.name, array.length, count);
  checkOperands(memory, call.name, operand, list ?? array);
  return array;
}

function isList(given: unknown): boolean {
  return typeof given === "object" && given !== null;
}
