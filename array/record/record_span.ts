/**
 * The records of an array under one index. What is near happens at once, each record under a lock
 * of its own; the rest is done by their PEs.
 *
 * @module
 */

import { type AmHandle, observed } from "../../am/mod.ts";
import type { DarcRecord } from "../../darc/mod.ts";
import { ELEMENT_OPS, type FetchOp, type UpdateOp } from "../../internal/element_ops.ts";
import type { Handle } from "../../lamellae/mod.ts";
import {
  type BatchCompareExchangeResult,
  type CompareExchangeResult,
  type ElementArray,
  type ElementSlice,
  type RecordElement,
  type RegionMemory,
  type RegionServices,
  type RunName,
  Span,
} from "../../memregion/mod.ts";
import { lockBytes } from "../lock/shared_lock.ts";
import { ArrayWork, type WorkStep } from "../work.ts";
import type { RecordAccess } from "./record_access.ts";
import type { RecordCall, RecordCallOp, RecordReceiver, RecordResult } from "./record_am.ts";
import { RecordMemory } from "./record_memory.ts";
import { RecordSlice } from "./record_slice.ts";
import { isList, listOf, RecordTools } from "./record_tools.ts";
import type { RecordType } from "./record_type.ts";

/** What is done to records by their indices. */
export interface IndexedCall<V> {
  /** What the user called. */
  readonly name: string;
  readonly op: RecordCallOp;
  readonly indices: ArrayLike<number>;
  readonly operands: readonly V[];
  readonly expected?: readonly V[];
  /** Whether what they were is wanted. */
  readonly gives: boolean;
}

/** The operation that each batched method does, and whether it gives what was. */
const BATCHES = new Map<string, readonly [op: RecordCallOp, gives: boolean]>([
  ["batchLoad", ["load", true]],
]);
for (const { batchFetchName, batchName, name } of ELEMENT_OPS) {
  BATCHES.set(batchName, [name, false]).set(batchFetchName, [name, true]);
}

const NOTHING: readonly never[] = new Array<never>(0);

/** The records of all parts, or a range of them. */
export class RecordSpan<V> extends Span<RecordElement<V>>
  implements RecordAccess<V>, RecordReceiver {
  readonly recordType: RecordType<V>;
  readonly #services: RegionServices;
  readonly #near: RecordMemory<V>;
  #record: DarcRecord | undefined;
  #recordTools: RecordTools<V> | undefined;

  /**
   * @param services What regions share.
   * @param memory The memory, in 64-bit words, with the shape of the records.
   * @param type What the records are.
   */
  constructor(services: RegionServices, memory: RegionMemory<V>, type: RecordType<V>) {
    super(services, memory);
    this.#services = services;
    this.recordType = type;
    this.#near = new RecordMemory(type, services.waits.progress);
  }

  override get type(): RecordElement<V> {
    return this.recordType;
  }

  override bind(record: DarcRecord): void {
    this.#record = record;
  }

  protected override made(memory: RegionMemory<V>): RecordSpan<V> {
    const span = new RecordSpan(this.#services, memory, this.recordType);
    if (this.#record) span.bind(this.#record);
    return span;
  }

  override get tools(): RecordTools<V> {
    return this.#recordTools ??= new RecordTools(this, this.memory, this.#services);
  }

  override get collectives(): never {
    throw new TypeError(
      `Cannot call a collective of ${this.label}: it has records, and collectives take elements ` +
        "of other types",
    );
  }

  /** Does operations on records of this PE's part. */
  perform(call: RecordCall<unknown>): RecordResult<unknown> {
    return this.#performAt(this.memory.own("use records"), call as RecordCall<V>);
  }

  #performAt(part: number, call: RecordCall<V>): RecordResult<V> {
    const { allocation, distribution: { parts } } = this.memory;
    const locks = this.extraAt(part) + lockBytes(parts);
    return this.#near.perform(allocation.addresses[part]!, locks, call, this.label);
  }

  /**
   * Does operations on records.
   *
   * @param call What is done; indices have been checked.
   * @param give Makes the result of what came of it.
   * @returns A handle for the result.
   */
  #run<T>(call: IndexedCall<V>, give: (result: RecordResult<V>) => T): Handle<T> {
    const { gives, indices, name, op } = call;
    if (op !== "load" && op !== "exchange" && !this.recordType.ops.has(op)) {
      throw new TypeError(
        `Cannot ${name} in ${this.label} of ${this.recordType}: its records have no ` +
          `"${op}"; give it to element()`,
      );
    }
    // What is wrong with a record is said before anything is done.
    const cannot = `${name} in ${this.label}`;
    const operands = this.recordType.taken(call.operands, cannot);
    const expected = this.recordType.taken(call.expected ?? NOTHING, cannot);
    const { allocation } = this.memory;
    const before: V[] = [];
    const ok = new Uint8Array(op === "exchange" ? indices.length : 0);
    const take = (items: readonly number[], result: RecordResult<V>): void => {
      result.before.forEach((record, i) => before[items[i]!] = record);
      result.ok.forEach((isDone, i) => ok[items[i]!] = isDone);
    };
    const away: (() => WorkStep)[] = [];
    for (const [part, items] of this.#itemsByPart(indices)) {
      const own = (list: readonly V[]): readonly V[] =>
        list.length <= 1 ? list : items.map((item) => list[item]!);
      const places = Float64Array.from(
        items,
        (item) => this.distribution.placeOf(indices[item]!, part),
      );
      const some = { op, places, operands: own(operands), expected: own(expected), gives };
      if (allocation.addresses[part]! >= 0 && !this.#record?.isGuest) {
        take(items, this.#performAt(part, some));
      } else {
        away.push(() => {
          const handle = this.#send(part, some);
          const done = (value: unknown): void => take(items, value as RecordResult<V>);
          return { part: undefined, run: () => handle, done };
        });
      }
    }
    const result = { before, ok };
    if (away.length === 0) return this.given(give(result));
    // What is near may have failed: then nothing is under way.
    const steps = away.map((send) => send());
    const work = { op: name, mode: "write" as const, steps, give: () => give(result) };
    return new ArrayWork(this.#record!, undefined, work).start((value) => this.given(value));
  }

  #itemsByPart(indices: ArrayLike<number>): Map<number, number[]> {
    const items = new Map<number, number[]>();
    for (let i = 0; i < indices.length; i++) {
      const part = this.distribution.partOf(indices[i]!);
      const some = items.get(part);
      if (some) some.push(i);
      else items.set(part, [i]);
    }
    return items;
  }

  #send(part: number, { places, op, ...call }: RecordCall<V>): AmHandle<RecordResult<V>> {
    const { core, number, pes, teamId } = this.#record!;
    const payload = {
      teamId,
      number,
      op,
      places: places as Float64Array,
      operands: [...call.operands],
      expected: [...call.expected],
      gives: call.gives,
    };
    return observed(core.engine.launch(pes[part]!, this.recordType.am(payload)));
  }

  /** Does something to one record; the index is checked. */
  #one<T>(
    name: string,
    op: RecordCallOp,
    index: number,
    operands: readonly V[],
    give: (before: V) => T,
  ): Handle<T> {
    this.partOf(name, index);
    const gives = op !== "store";
    return this.#run(
      { name, op, indices: [index], operands, gives },
      ({ before }) => give(before[0]!),
    );
  }

  override getOne(index: number): Handle<V> {
    return this.#one("get", "load", index, NOTHING, (record) => record);
  }

  override at(index: number): V {
    if (this.#record?.isGuest) this.#services.waits.progress.refuseBlocking("at");
    return this.getOne(index).block();
  }

  override load(index: number): Handle<V> {
    return this.#one("load", "load", index, NOTHING, (record) => record);
  }

  override update(name: UpdateOp, index: number, value: V): Handle<void> {
    this.partOf(name, index);
    const call = { name, op: name, indices: [index], operands: [value], gives: false };
    return this.#run(call, () => {});
  }

  override fetch(name: FetchOp, op: string, index: number, value: V): Handle<V> {
    return this.#one(op, name, index, [value], (record) => record);
  }

  override compareExchange(
    index: number,
    expected: V,
    replacement: V,
  ): Handle<CompareExchangeResult<RecordElement<V>>> {
    const name = "compareExchange";
    this.partOf(name, index);
    const call = { name, indices: [index], operands: [replacement], expected: [expected] };
    return this.#run(
      { ...call, op: "exchange", gives: true },
      ({ before, ok }) => ({ ok: ok[0] === 1, value: before[0] as never }),
    );
  }

  override batch(name: RunName, indices: unknown, values: unknown): Handle<void> {
    return this.#batch(name, indices, values, () => {});
  }

  override batchFetch(
    name: RunName,
    indices: unknown,
    values?: unknown,
  ): Handle<ElementArray<RecordElement<V>>> {
    return this.#batch(name, indices, values, ({ before }) => before as never);
  }

  override batchInto(
    name: RunName,
    indices: unknown,
    values: unknown,
    target: unknown,
  ): Handle<void> {
    const into = this.tools.targetOf(name, target).array as unknown as V[];
    const take = ({ before }: RecordResult<V>): void =>
      before.forEach((record, i) => into[i] = record);
    return this.#batch(name, indices, values, take, into);
  }

  #batch<T>(
    name: RunName,
    indices: unknown,
    values: unknown,
    give: (result: RecordResult<V>) => T,
    into?: readonly V[],
  ): Handle<T> {
    const [op, gives] = BATCHES.get(name)!;
    const lists = this.tools.lists(name, indices, op === "load" ? [] : [values]);
    if (into) this.tools.checkLength(name, into as never, lists.indices.length);
    const operands = op === "load" ? NOTHING : listOf<V>(lists.operands[0]);
    return this.#run({ name, op, indices: lists.indices, operands, gives }, give);
  }

  override batchCompareExchange(
    indices: unknown,
    expected: unknown,
    replacements: unknown,
  ): Handle<BatchCompareExchangeResult<RecordElement<V>>> {
    const name = "batchCompareExchange";
    const lists = this.tools.lists(name, indices, [expected, replacements]);
    const call = {
      name,
      op: "exchange" as const,
      indices: lists.indices,
      expected: listOf<V>(lists.operands[0]),
      operands: listOf<V>(lists.operands[1]),
      gives: true,
    };
    return this.#run(call, ({ before, ok }) => ({ ok, values: before as never }));
  }

  /** Writes records to a row of indices. */
  write(name: string, indices: readonly number[], source: unknown): Handle<void> {
    const operands = listOf<V>(source);
    return this.#run({ name, op: "store", indices, operands, gives: false }, () => {});
  }

  /** Reads the records of a row of indices. */
  read<T>(name: string, indices: readonly number[], give: (records: V[]) => T): Handle<T> {
    const call = { name, op: "load" as const, indices, operands: NOTHING, gives: true };
    return this.#run(call, ({ before }) => give(before));
  }

  #readInto(name: string, indices: readonly number[], into: V[]): Handle<void> {
    return this.read(name, indices, (records) => {
      records.forEach((record, i) => into[i] = record);
    });
  }

  override put(index: number, source: unknown): Handle<void> {
    return this.write("put", this.tools.range("put", index, source), source);
  }

  override getInto(index: number, target: unknown): Handle<void> {
    const into = this.tools.targetOf("get", target).array as unknown as V[];
    return this.#readInto("get", this.tools.range("get", index, into), into);
  }

  override getBuffer(
    op: string,
    index: number,
    count: number,
  ): Handle<ElementArray<RecordElement<V>>> {
    const array = this.tools.arrayFor(op, index, count);
    return this.read(op, this.tools.range(op, index, array), (records) => records as never);
  }

  override getOneIn(part: number, offset: number): Handle<V> {
    return this.read("getPe", this.tools.rangeIn("getPe", part, offset, 1), ([record]) => record!);
  }

  override getBufferIn(
    part: number,
    offset: number,
    count: number,
  ): Handle<ElementArray<RecordElement<V>>> {
    const indices = this.tools.rangeIn("getPe", part, offset, count);
    return this.read("getPe", indices, (records) => records as never);
  }

  override getIntoIn(part: number, offset: number, target: unknown): Handle<void> {
    const into = this.tools.targetOf("getPe", target).array as unknown as V[];
    const indices = this.tools.rangeIn("getPe", part, offset, into.length);
    return this.#readInto("getPe", indices, into);
  }

  override putIn(op: string, part: number, offset: number, source: unknown): Handle<void> {
    const count = isList(source) ? source.length : 1;
    return this.write(op, this.tools.rangeIn(op, part, offset, count), source);
  }

  override putEverywhere(offset: number, source: unknown): Handle<void> {
    const { parts } = this.distribution;
    const count = isList(source) ? source.length : 1;
    const indices = Array.from(
      { length: parts },
      (_, part) => this.tools.rangeIn("putAll", part, offset, count),
    ).flat();
    const records = listOf<V>(source);
    return this.write("putAll", indices, Array.from({ length: parts }, () => records).flat());
  }

  override fill(value: V): Handle<void> {
    return this.write("fill", Array.from({ length: this.length }, (_, i) => i), [value]);
  }

  override local(op: string): ElementSlice<RecordElement<V>> {
    const { allocation, space: { lamella: { views } } } = this.memory;
    const part = this.memory.own(op);
    const { place, count } = this.distribution.inPart(part);
    const at = allocation.addresses[part]! + place * this.recordType.bytes;
    return new RecordSlice(this.recordType, views, at, count) as never;
  }
}
