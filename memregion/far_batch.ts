/**
 * Operations on many elements by a list of indices, where some of the elements are at far PEs. The
 * items are sorted by PE, and go there in pieces that fit a memory operation; those of near PEs are
 * done in the same way, by the code that serves them.
 *
 * @module
 */

import {
  type AtomicName,
  isWide,
  itemsPerRequest,
  OPERATION,
  REPLY_HEAD_BYTES,
  replyRings,
  type Request,
  serveOperation,
} from "../lamellae/mod.ts";
import { FAR_ADDRESS } from "./allocation.ts";
import type { TypedArrayLike } from "./element_types.ts";
import type { FarOperation } from "./far.ts";
import type { FarPlace } from "./far_atomics.ts";
import { checkedIndex, checkLength, indexList, indexOutOfRange } from "./index_list.ts";
import { refuseValue } from "./refusals.ts";
import type { RegionHost, RegionMemory, Rest } from "./region_memory.ts";

/** Operations that change elements at global indices. */
export type BatchUpdateName =
  | "batchAdd"
  | "batchSub"
  | "batchMin"
  | "batchMax"
  | "batchAnd"
  | "batchOr"
  | "batchXor"
  | "batchStore"
  | "scatter";

/** What the user called. */
type BatchName = BatchUpdateName | "batchFetchAdd" | "gather" | "putIndexed" | "getIndexed";

/** What each is at the PE that has the elements. */
const REQUESTS: Readonly<Record<BatchName, readonly [operation: number, atomic?: AtomicName]>> = {
  batchAdd: [OPERATION.updateIndexed, "add"],
  batchSub: [OPERATION.updateIndexed, "sub"],
  batchMin: [OPERATION.updateIndexed, "min"],
  batchMax: [OPERATION.updateIndexed, "max"],
  batchAnd: [OPERATION.updateIndexed, "and"],
  batchOr: [OPERATION.updateIndexed, "or"],
  batchXor: [OPERATION.updateIndexed, "xor"],
  batchStore: [OPERATION.updateIndexed, "store"],
  scatter: [OPERATION.putIndexed],
  batchFetchAdd: [OPERATION.fetchIndexed, "add"],
  gather: [OPERATION.getIndexed],
  putIndexed: [OPERATION.putIndexed],
  getIndexed: [OPERATION.getIndexed],
};

/** What a batch works on, as the user gave it. */
export interface FarBatch<V> {
  readonly memory: RegionMemory<V>;
  readonly op: BatchName;
  /** The part the indices point into; left out where they run over all parts. */
  readonly part?: number;
  readonly indices: unknown;
  readonly values?: unknown;
  readonly target?: unknown;
}

/** Items of one part that wait to be sent. */
interface Bucket {
  readonly indices: number[];
  /** Their places in the list. */
  readonly items: number[];
}

/** A batch whose lists have been checked. */
interface Running<V> {
  readonly memory: RegionMemory<V>;
  readonly op: BatchName;
  readonly operation: FarOperation<void>;
  /** Elements for each item, or one for all. */
  readonly values: ArrayLike<unknown> | undefined;
  readonly single: boolean;
  readonly target: TypedArrayLike<unknown> | undefined;
}

/** The batches of a PE that reach far PEs. */
export class FarBatches {
  readonly #host: RegionHost;

  /**
   * @param host The space of the regions.
   */
  constructor(host: RegionHost) {
    this.#host = host;
  }

  /**
   * Runs a batch.
   *
   * @param batch What it works on.
   * @returns What is left of it.
   * @throws {RangeError} At an index out of range; what stands before it in the list is done.
   */
  run<V>(batch: FarBatch<V>): Rest {
    const { memory, op } = batch;
    memory.position(op, batch.part ?? 0, 0, 0);
    const list = indexList(memory, op, batch.indices);
    const [values, single] = this.#values(batch, list.length);
    const target = "target" in batch ? memory.arrayOf(op, "from", batch.target) : undefined;
    if (target) checkLength(memory, op, target.length, list.length);
    const firstFar = memory.allocation.addresses.findIndex((address) => address < 0);
    const pe = memory.allocation.firstPe + (batch.part ?? firstFar);
    const operation = this.#host.far.begin<void>(pe);
    const running = { memory, op, operation, values, single, target };
    try {
      this.#sort(running, batch.part, list);
    } catch (error) {
      operation.seal(() => {}).wait();
      throw error;
    }
    return operation.seal(() => {});
  }

  #values<V>(
    { memory, op, values }: FarBatch<V>,
    count: number,
  ): [ArrayLike<unknown> | undefined, boolean] {
    if (op === "gather" || op === "getIndexed") return [undefined, false];
    const { access } = memory;
    if (Array.isArray(values)) {
      checkLength(memory, op, values.length, count);
      const list = memory.checkedList(op, values);
      return [list.map((value) => access.far.elementOf(value)), false];
    }
    if (typeof values === "object" && values !== null) {
      const array = memory.arrayOf(op, "into", values);
      checkLength(memory, op, array.length, count);
      return [array, false];
    }
    if (!access.accepts(values)) refuseValue(memory, op, values);
    return [[access.far.elementOf(values)], true];
  }

  /** Sends the items of a list, those of a part in the order of the list. */
  #sort<V>(running: Running<V>, part: number | undefined, list: ArrayLike<unknown>): void {
    const { memory, op } = running;
    const { length } = memory;
    const parts = part === undefined ? memory.allocation.addresses.length : 1;
    const buckets: Bucket[] = Array.from({ length: parts }, () => ({ indices: [], items: [] }));
    const some = this.#itemsPerRequest(running);
    try {
      for (let item = 0; item < list.length; item++) {
        const value = list[item];
        const index = typeof value === "bigint"
          ? Number(value)
          : checkedIndex(memory, op, value, item);
        const place = Math.floor(index / length);
        const bucket = buckets[place];
        if (!bucket) throw indexOutOfRange(memory, op, list as number[], item);
        bucket.indices.push(index - place * length);
        bucket.items.push(item);
        if (bucket.items.length === some) this.#flush(running, part ?? place, bucket);
      }
    } finally {
      buckets.forEach((bucket, place) => {
        if (bucket.items.length > 0) this.#flush(running, part ?? place, bucket);
      });
    }
  }

  #itemsPerRequest<V>({ memory, values, single, target }: Running<V>): number {
    const { operationBytesMax } = this.#host.lamella;
    const { bytes } = memory.access.info;
    const valueBytes = values && !single ? bytes : 0;
    const indexBytes = isWide(memory.length) ? 8 : 4;
    return itemsPerRequest(operationBytesMax, indexBytes, valueBytes, target ? bytes : 0);
  }

  #flush<V>(running: Running<V>, part: number, bucket: Bucket): void {
    const { memory, op, operation, target } = running;
    const items = bucket.items.splice(0);
    const indices = bucket.indices.splice(0);
    const at = memory.allocation.addresses[part]!;
    const first = memory.start * memory.access.info.bytes;
    const place = { memory, op, part, at: FAR_ADDRESS + first };
    const request = this.#request(running, place, indices, items);
    const { far, info } = memory.access;
    const replyBytes = target ? items.length * info.bytes : 0;
    const take = (reply: Uint8Array): void => {
      if (!target) return;
      const values = far.arrayOver(reply, REPLY_HEAD_BYTES, items.length);
      for (let i = 0; i < items.length; i++) target[items[i]!] = values[i]!;
    };
    if (at < 0) {
      this.#host.far.makeRoom();
      return far.send(operation, place, request, replyBytes, take);
    }
    take(this.#serveHere(memory.allocation.firstPe + part, request, replyBytes));
  }

  #request<V>(
    { memory, op, values, single }: Running<V>,
    place: FarPlace,
    indices: readonly number[],
    items: readonly number[],
  ): Request {
    const { far, info } = memory.access;
    const [operation, atomic] = REQUESTS[op];
    const count = items.length;
    const head = { operation, atomic, single, count, span: memory.length };
    const operands = values ? (single ? 1 : count) : 0;
    const request = far.request(place, head, count, operands * info.bytes);
    const { bytes, indicesAt, valuesAt } = request;
    const list = isWide(memory.length)
      ? new Float64Array(bytes.buffer, indicesAt, count)
      : new Uint32Array(bytes.buffer, indicesAt, count);
    list.set(indices);
    const elements = far.arrayOver(bytes, valuesAt, operands);
    for (let i = 0; i < operands; i++) elements[i] = values![single ? 0 : items[i]!];
    return request;
  }

  /** Does what a request says at a near PE. */
  #serveHere(pe: number, { bytes }: Request, replyBytes: number): Uint8Array {
    const { lamella } = this.#host;
    const { heap, kernels, views } = lamella;
    const reply = new Uint8Array(REPLY_HEAD_BYTES + replyBytes);
    serveOperation(kernels, views, lamella.address(pe, 0), heap.capacity, bytes, reply);
    if (replyRings(reply)) lamella.ring(pe);
    return reply;
  }
}
