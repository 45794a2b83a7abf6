/**
 * Operations on many elements by a list of indices, where some of the elements are at far PEs. The
 * items are sorted by PE, and go there in pieces that fit a memory operation; those of near PEs are
 * done here, by the kernels that would do them there.
 *
 * @module
 */

import { Distribution } from "../../internal/distribution.ts";
import type { TypedArrayLike } from "../../internal/elements.ts";
import { laneItems } from "../../internal/staging.ts";
import { isWide, itemsPerRequest, REPLY_HEAD_BYTES, type Request } from "../../lamellae/mod.ts";
import { FAR_ADDRESS } from "../memory/allocation.ts";
import type { Batch } from "./batch_call.ts";
import type { Pending } from "./pending.ts";
import type { FarPlace } from "./far.ts";
import { badIndex, indexBlock } from "./index_list.ts";
import { gatherItems, scatterItems } from "./item_bits.ts";
import { type Lanes, writeIndices } from "./lanes.ts";
import { type IndexBlock, Partition } from "./partition.ts";
import type { RegionHost } from "../memory/region_memory.ts";

/** Where the only value is. */
const FIRST = new Uint32Array(1);

/** Items of a list that are looked at together. */
const BLOCK_ITEMS = 4096;

/** A batch that is under way. */
interface Running<V> extends Batch<V> {
  readonly operation: Pending<void>;
}

/** The batches of a PE that reach far PEs. */
export class FarBatches {
  readonly #host: RegionHost;
  readonly #lanes: Lanes;

  /**
   * @param host The space of the regions.
   * @param lanes Where what is done here is staged.
   */
  constructor(host: RegionHost, lanes: Lanes) {
    this.#host = host;
    this.#lanes = lanes;
  }

  /**
   * Runs a batch.
   *
   * @param batch What it works on.
   * @returns What is left of it.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  run<V>(batch: Batch<V>): Pending<void> {
    const { memory, part } = batch;
    const { addresses, pes } = memory.allocation;
    const pe = pes[part ?? addresses.findIndex((address) => address < 0)]!;
    const operation = this.#host.far.begin<void>(pe);
    try {
      this.#sort({ ...batch, operation });
    } catch (error) {
      operation.seal(() => {}).wait();
      throw error;
    }
    return operation.seal(() => {});
  }

  /** Sends the items of a list, those of a part in the order of the list. */
  #sort<V>(running: Running<V>): void {
    const { call, list, memory, part } = running;
    const { length } = list.array;
    const distribution = part === undefined
      ? memory.distribution
      : new Distribution("block", 1, memory.length);
    const most = Math.min(this.#itemsPerRequest(running), length);
    const keepsItems = running.target !== undefined || (call.operands > 0 && !running.single);
    const partition = new Partition(distribution, most, keepsItems);
    const flush = (place: number): void => this.#flush(running, part ?? place, partition, place);
    try {
      for (let from = 0; from < length; from += BLOCK_ITEMS) {
        const block = indexBlock(list, from, Math.min(from + BLOCK_ITEMS, length));
        const added = partition.add(block, from, flush);
        if (added < block.length) throw badIndex(memory, call.name, list, from + added);
      }
      if (length < list.count) throw badIndex(memory, call.name, list, length);
    } finally {
      for (let place = 0; place < distribution.parts; place++) {
        if (partition.waits(place)) flush(place);
      }
    }
  }

  #itemsPerRequest<V>({ call, memory, single, target }: Running<V>): number {
    const { operationBytesMax } = this.#host.lamella;
    const { bytes } = memory.access.info;
    const valueBytes = single ? 0 : call.operands * bytes;
    const indexBytes = isWide(memory.length) ? 8 : 4;
    return itemsPerRequest(operationBytesMax, indexBytes, valueBytes, target ? bytes : 0);
  }

  #flush<V>(running: Running<V>, part: number, partition: Partition, place: number): void {
    const { places, items } = partition.take(place);
    if (running.memory.allocation.addresses[part]! < 0) this.#send(running, part, places, items);
    else this.#runHere(running, part, places, items);
  }

  /** Has the items of a far part done by its PE. */
  #send<V>(running: Running<V>, part: number, places: IndexBlock, items: Uint32Array): void {
    const { call, memory, operation, target } = running;
    const { far, info: { bytes } } = memory.access;
    const place = { memory, op: call.name, part, at: FAR_ADDRESS + memory.start * bytes };
    const request = this.#request(running, place, places, items);
    this.#host.far.makeRoom();
    if (!target) return far.send(operation, place, request);
    const kept = items.slice();
    far.send(operation, place, request, kept.length * bytes, (reply) => {
      scatterItems(target, kept, far.arrayOver(reply, REPLY_HEAD_BYTES, kept.length), bytes);
    });
  }

  /** Does the items of a near part, a block at a time in the staging area. */
  #runHere<V>(running: Running<V>, part: number, all: IndexBlock, allItems: Uint32Array): void {
    const { call, memory, single, target, values } = running;
    const { allocation, length, start } = memory;
    const { far, info: { bytes }, kernels } = memory.access;
    const { kernels: core, views } = this.#host.lamella;
    const kernel = kernels[call.kernel]!;
    const lanes = this.#lanes;
    const [indices, operands, results] = [
      lanes.areaOf("indices"),
      lanes.areaOf("values"),
      lanes.areaOf("results"),
    ];
    const itemBytes = call.operands * bytes;
    const lane = (at: number, count: number): TypedArrayLike<unknown> =>
      far.arrayOver(views.u8, at, count);
    const spread = core.spreadOver(allocation.addresses[part]! + start * bytes, length, bytes);
    if (single) gatherItems(lane(operands, call.operands), values!, FIRST, itemBytes);
    const block = laneItems(itemBytes);
    for (let from = 0; from < all.length; from += block) {
      const places = all.subarray(from, from + block);
      const items = allItems.subarray(from, from + block);
      const count = places.length;
      const width = writeIndices(views.u32, indices, places);
      if (values && !single) {
        gatherItems(lane(operands, call.operands * count), values, items, itemBytes);
      }
      kernel(spread, indices, width, operands, single ? 0 : itemBytes, results, count);
      if (target) scatterItems(target, items, lane(results, count), bytes);
    }
    if (call.writes) allocation.written(part);
  }

  #request<V>(
    { call, memory, values, single }: Running<V>,
    place: FarPlace,
    places: IndexBlock,
    items: Uint32Array,
  ): Request {
    const { far, info: { bytes: elementBytes } } = memory.access;
    const { operands, operation, op } = call;
    const count = places.length;
    const head = { operation, atomic: op?.name, single, count, span: memory.length };
    const elements = operands * (single ? 1 : count);
    const request = far.request(place, head, count, elements * elementBytes);
    const { bytes, indicesAt, valuesAt } = request;
    writeIndices(new Uint32Array(bytes.buffer, 0, valuesAt / 4), indicesAt, places);
    const into = far.arrayOver(bytes, valuesAt, elements);
    if (values) gatherItems(into, values, single ? FIRST : items, operands * elementBytes);
    return request;
  }
}
