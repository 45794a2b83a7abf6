/**
 * What those need who use records part by part, such as locks of parts.
 *
 * @module
 */

import type { ElementOpInfo } from "../../internal/element_ops.ts";
import type { TypedArrayLike } from "../../internal/elements.ts";
import type { Handle } from "../../lamellae/mod.ts";
import {
  type AtomicElement,
  type CheckedLists,
  checkLists,
  collected,
  type CopyTarget,
  type ElementArray,
  type PartItems,
  type RecordElement,
  type RegionMemory,
  type RegionServices,
  SpanTools,
} from "../../memregion/mod.ts";
import { RecordAtomicElement, refuseDifference } from "./record_element.ts";
import type { RecordAccess } from "./record_access.ts";

type Raw = TypedArrayLike<unknown>;
type Name = Parameters<typeof checkLists>[1];

/**
 * @param given A record, or a list of records.
 * @returns Whether it is a list.
 */
export function isList(given: unknown): given is readonly unknown[] {
  return Array.isArray(given);
}

/**
 * @param given A record for all, or a list.
 * @returns A list of one for all, or the list.
 */
export function listOf<V>(given: unknown): readonly V[] {
  return isList(given) ? given as readonly V[] : [given as V];
}

/** Uses the records of an array part by part. */
export class RecordTools<V> extends SpanTools<RecordElement<V>> {
  readonly #span: RecordAccess<V>;
  readonly #memory: RegionMemory<V>;

  /**
   * @param span The records.
   * @param memory Their memory.
   * @param services What regions share.
   */
  constructor(span: RecordAccess<V>, memory: RegionMemory<V>, services: RegionServices) {
    super(memory as never, services);
    this.#span = span;
    this.#memory = memory;
  }

  /** The indices of as many elements as a source or target has. */
  range(op: string, index: number, given: unknown): number[] {
    const count = this.countOf(given);
    this.checkRange(op, index, count);
    return Array.from({ length: count }, (_, i) => index + i);
  }

  /** As `range`, of the elements of a part. */
  rangeIn(op: string, part: number, offset: number, count: number): number[] {
    this.checkIn(op, part, offset, count);
    const { distribution } = this.#span;
    const { place } = distribution.inPart(part);
    return Array.from({ length: count }, (_, i) => distribution.indexOf(part, place + offset + i));
  }

  override countOf(given: unknown): number {
    return isList(given) ? given.length : 1;
  }

  override put(index: number, source: unknown): { part: number; run: () => Handle<void> }[] {
    const list = listOf<V>(isList(source) ? source : collected(source));
    return this.#byPart(
      this.range("put", index, list),
      (indices, items) => this.#span.write("put", indices, items.map((item) => list[item]!)),
    );
  }

  override get(index: number, target: Raw): { part: number; run: () => Handle<void> }[] {
    const into = target as unknown as V[];
    return this.#byPart(
      this.range("get", index, into),
      (indices, items) =>
        this.#span.read("get", indices, (records) => {
          records.forEach((record, i) => into[items[i]!] = record);
        }),
    );
  }

  override putEverywhere(
    offset: number,
    source: unknown,
  ): { part: number; run: () => Handle<void> }[] {
    const { parts } = this.#span.distribution;
    const count = this.countOf(source);
    for (let part = 0; part < parts; part++) this.checkIn("putAll", part, offset, count);
    return Array.from({ length: parts }, (_, part) => ({
      part,
      run: () => this.#span.putIn("putAll", part, offset, source),
    }));
  }

  override fill(value: unknown): { part: number; run: () => Handle<void> }[] {
    const indices = Array.from({ length: this.#span.length }, (_, i) => i);
    return this.#byPart(indices, (some) => this.#span.write("fill", some, [value]));
  }

  #byPart(
    indices: readonly number[],
    run: (indices: number[], items: number[]) => Handle<void>,
  ): { part: number; run: () => Handle<void> }[] {
    const { distribution } = this.#span;
    const parts = Map.groupBy(
      indices.map((_, item) => item),
      (item) => distribution.partOf(indices[item]!),
    );
    return [...parts].sort(([a], [b]) => a - b)
      .map(([part, items]) => ({
        part,
        run: () => run(items.map((item) => indices[item]!), items),
      }));
  }

  override lists(name: Name, indices: unknown, lists: readonly unknown[]): CheckedLists {
    const given = lists.map((one) => isList(one) ? one : collected(one));
    const count = given.find(isList)?.length ?? 1;
    const keys = typeof indices === "number" ? Array<number>(count).fill(indices) : indices;
    const checked = checkLists(this.#memory, name, keys, []);
    const { length } = checked.indices;
    const wrong = given.find((one) => isList(one) && one.length !== length);
    if (wrong !== undefined) {
      throw new RangeError(
        `Cannot ${name} in ${this.#span.label}: the lists have different lengths; nothing has ` +
          "been done",
      );
    }
    const parts = (): PartItems[] =>
      checked.parts().map((part) => ({
        ...part,
        operands: given.map((one) => isList(one) ? [...part.items].map((item) => one[item]) : one),
      }));
    return { indices: checked.indices, operands: given, parts };
  }

  override newArray(length: number): Raw {
    return Array<V>(length) as unknown as Raw;
  }

  override arrayFor(op: string, index: number, count: number): Raw {
    super.arrayFor(op, index, count);
    return this.newArray(count);
  }

  override copyOf(_op: string, array: Raw): ElementArray<RecordElement<V>> {
    return array as never;
  }

  override targetOf(op: string, target: unknown): CopyTarget {
    if (isList(target)) return { array: target as never, finish: undefined };
    throw new TypeError(
      `Cannot ${op} from ${this.#span.label} of ${this.#span.recordType} into ${
        Deno.inspect(target)
      }: records go into an array`,
    );
  }

  override scatter(into: Raw, items: Uint32Array, from: Raw): void {
    items.forEach((item, i) => into[item] = from[i]);
  }

  override elementAt(op: string, offset: number): AtomicElement<RecordElement<V>> {
    const [index] = this.rangeIn(op, this.#memory.own(op), offset, 1);
    const places = (place: number): number =>
      this.#span.distribution.indexOf(this.#memory.own(op), place);
    return new RecordAtomicElement(this.#span, index!, places) as never;
  }

  override reduction(name: string, op: ElementOpInfo): never {
    const fn = this.#span.recordType.ops.get(op.name);
    if (fn === undefined) {
      throw new TypeError(
        `Cannot call ${name} of ${this.#span.label} of ${this.#span.recordType}: its records ` +
          `have no "${op.name}"; give it to element()`,
      );
    }
    const fold = (records: Iterable<V>): V | undefined => {
      let total: V | undefined;
      for (const record of records) total = total === undefined ? record : fn(total, record);
      return total;
    };
    return { part: (part: number) => fold(this.valuesOf(part)), all: fold } as never;
  }

  override *valuesOf(part: number): IterableIterator<V> {
    const { count } = this.#span.distribution.inPart(part);
    for (const index of this.rangeIn("reduce", part, 0, count)) {
      yield this.#span.read("reduce", [index], ([record]) => record!).block();
    }
  }

  override checkDifference(op: string): void {
    refuseDifference(this.#span, op);
  }
}
