/**
 * A span: the elements of all parts of a shared region, or a range of them, under one index. Arrays
 * are made of it. Everything is done directly: near by kernels, far by requests to the memory.
 *
 * @module
 */

import { Distribution, type DistributionKind } from "../../internal/distribution.ts";
import type { FetchOp, UpdateOp } from "../../internal/element_ops.ts";
import type {
  AnyElement,
  ElementArray,
  ElementInfo,
  ElementSlice,
  ElementValue,
} from "../../internal/elements.ts";
import { extraPlace } from "../memory/array_shape.ts";
import { type Given, RegionMemory } from "../memory/region_memory.ts";
import type { RegionServices } from "../region.ts";
import type { Handle } from "../../lamellae/mod.ts";
import { settled } from "../transfer/handle.ts";
import { exchangeAll, runAll, type RunName, valuesOf } from "./lists.ts";
import { SpanTools } from "./tools.ts";
import { fill, placeIn, putEverywhere, putIn } from "./parts.ts";
import { getRange, putRange } from "./pieces.ts";
import { refuseCount, refuseIndex, refuseRange } from "./refusals.ts";

/** The elements of all parts, or a range of them. */
export class Span<E extends AnyElement> {
  /** The memory, by part and place. */
  readonly memory: RegionMemory<ElementValue<E>>;
  /** Which part has an element. */
  readonly distribution: Distribution;
  readonly #services: RegionServices;
  #tools: SpanTools<E> | undefined;

  /**
   * @param services What regions share.
   * @param memory The memory, which has a shape.
   */
  constructor(services: RegionServices, memory: RegionMemory<ElementValue<E>>) {
    this.#services = services;
    this.memory = memory;
    this.distribution = memory.distribution;
  }

  /** What those need who use it part by part. */
  get tools(): SpanTools<E> {
    return this.#tools ??= new SpanTools(this.memory, this.#services);
  }

  /** What does collectives over the memory. */
  get collectives(): RegionServices["collectives"] {
    return this.#services.collectives;
  }

  /** The element type. */
  get info(): ElementInfo {
    return this.memory.access.info;
  }

  /** How many elements there are. */
  get length(): number {
    return this.distribution.length;
  }

  /** How messages call it. */
  get label(): string {
    return this.memory.shape!.label;
  }

  /**
   * The same elements, or some of them, in another way.
   *
   * @param distribution Which part has an element.
   * @param label How messages call it.
   * @returns The span.
   */
  with(distribution: Distribution, label = this.label): Span<E> {
    const { space, access, allocation, start, length } = this.memory;
    const shape = { distribution, label };
    return this.made(new RegionMemory(space, access, allocation, start, length, shape));
  }

  /**
   * @param memory The memory of other elements of the same kind.
   * @returns Their span.
   */
  protected made(memory: RegionMemory<ElementValue<E>>): Span<E> {
    return new Span(this.#services, memory);
  }

  /**
   * Tells it what counts the array.
   *
   * @param _record What the array is.
   */
  bind(_record: unknown): void {}

  /** What the elements are. */
  get type(): E {
    return this.info.type as E;
  }

  /**
   * A range of this range.
   *
   * @param begin Index of its first element.
   * @param end Index after its last.
   * @returns The range.
   * @throws {RangeError} If it is not one.
   */
  range(begin: number, end: number): Span<E> {
    const isRange = Number.isSafeInteger(begin) && Number.isSafeInteger(end) && begin >= 0 &&
      begin <= end && end <= this.length;
    if (!isRange) refuseRange(this.label, this.length, begin, end);
    return this.with(this.distribution.range(begin, end));
  }

  /**
   * The same memory by another distribution.
   *
   * @param kind By blocks or cyclic.
   * @returns The span.
   */
  as(kind: DistributionKind): Span<E> {
    return this.with(this.distribution.as(kind));
  }

  /**
   * The part that has an element.
   *
   * @param op What the user called.
   * @param index Its index.
   * @returns The part.
   * @throws {RangeError} If there is no such element.
   */
  partOf(op: string, index: number): number {
    const { distribution } = this;
    if (
      typeof index !== "number" || !(index >= 0 && index < distribution.length) ||
      (index >>> 0 !== index && !Number.isSafeInteger(index))
    ) refuseIndex(this.memory, op, index, 1);
    return distribution.partOf(index);
  }

  /**
   * Reads an element.
   *
   * @param index Its index.
   * @returns A handle for its value.
   */
  getOne(index: number): Handle<ElementValue<E>> {
    return this.#services.given(this.#read(index));
  }

  /**
   * Reads an element at once.
   *
   * @param index Its index.
   * @returns Its value.
   */
  at(index: number): ElementValue<E> {
    return settled(this.#read(index));
  }

  #read(index: number): Given<ElementValue<E>> {
    const { distribution, memory } = this;
    const part = this.partOf("get", index);
    return memory.access.read(memory, part, distribution.placeOf(index, part));
  }

  /**
   * Reads an element atomically.
   *
   * @param index Its index.
   * @returns A handle for its value.
   */
  load(index: number): Handle<ElementValue<E>> {
    const { distribution, memory } = this;
    const part = this.partOf("load", index);
    const place = distribution.placeOf(index, part);
    return this.#services.given(memory.access.load(memory, part, place));
  }

  /**
   * Changes an element.
   *
   * @param name The operation.
   * @param index Index of the element.
   * @param value The operand.
   * @returns A handle.
   */
  update(name: UpdateOp, index: number, value: ElementValue<E>): Handle<void> {
    const { distribution, memory } = this;
    const part = this.partOf(name, index);
    const place = distribution.placeOf(index, part);
    return this.#services.ended(memory.access.update[name](memory, part, place, value));
  }

  /**
   * Changes an element and tells what it was.
   *
   * @param name The operation.
   * @param op What the user called.
   * @param index Index of the element.
   * @param value The operand.
   * @returns A handle for the previous value.
   */
  fetch(
    name: FetchOp,
    op: string,
    index: number,
    value: ElementValue<E>,
  ): Handle<ElementValue<E>> {
    const { distribution, memory } = this;
    const part = this.partOf(op, index);
    const place = distribution.placeOf(index, part);
    return this.#services.given(memory.access.fetch[name](memory, part, place, value));
  }

  /**
   * Replaces an element if it is as expected.
   *
   * @param index Index of the element.
   * @param expected What it has to be.
   * @param replacement Its new value.
   * @returns A handle for what it was.
   */
  compareExchange(
    index: number,
    expected: ElementValue<E>,
    replacement: ElementValue<E>,
  ): Handle<{ ok: boolean; value: ElementValue<E> }> {
    const { distribution, memory } = this;
    const part = this.partOf("compareExchange", index);
    const place = distribution.placeOf(index, part);
    return this.#services.given(
      memory.access.compareExchange(memory, part, place, expected, replacement),
    );
  }

  /**
   * Does an operation at each of a list of elements.
   *
   * @param name What the user called.
   * @param indices The list, or one index for all values.
   * @param values The operands: one for all, or one for each.
   * @returns A handle.
   */
  batch(name: RunName, indices: unknown, values: unknown): Handle<void> {
    return this.#services.ended(runAll(this.memory, this.#services, name, indices, values));
  }

  /**
   * As `batch`, and tells what the elements were.
   *
   * @param name What the user called.
   * @param indices The list, or one index for all values.
   * @param values The operands, if the operation takes any.
   * @returns A handle for a new array of these.
   */
  batchFetch(name: RunName, indices: unknown, values?: unknown): Handle<ElementArray<E>> {
    const { memory } = this;
    const { rest, give } = valuesOf(memory, this.#services, name, indices, values);
    return this.#services.givenAfter(rest, () => give() as unknown as ElementArray<E>);
  }

  /**
   * As `batchFetch`, into an array.
   *
   * @param name What the user called.
   * @param indices The list, or one index for all values.
   * @param values The operands, if the operation takes any.
   * @param target What to fill.
   * @returns A handle.
   */
  batchInto(
    name: RunName,
    indices: unknown,
    values: unknown,
    target: unknown,
  ): Handle<void> {
    return this.#services.ended(
      runAll(this.memory, this.#services, name, indices, values, target),
    );
  }

  /**
   * Compares and exchanges each of a list of elements.
   *
   * @param indices The list.
   * @param expected What they have to be: a value for all, or one for each.
   * @param replacements Their new values, likewise.
   * @returns A handle for what they were, and which were replaced.
   */
  batchCompareExchange(
    indices: unknown,
    expected: unknown,
    replacements: unknown,
  ): Handle<{ ok: Uint8Array; values: ElementArray<E> }> {
    const [rest, give] = exchangeAll(
      this.memory,
      this.#services,
      indices,
      expected,
      replacements,
    );
    return this.#services.givenAfter(
      rest,
      give as () => { ok: Uint8Array; values: ElementArray<E> },
    );
  }

  /**
   * Copies elements into it, over all the parts that have them.
   *
   * @param index Index of the first element.
   * @param source A value, a typed array, a list of values, or a region's part on this PE.
   * @returns A handle.
   * @throws {RangeError} If they do not fit.
   */
  put(index: number, source: unknown): Handle<void> {
    const { memory } = this;
    if (typeof source === "object" && source !== null) {
      return this.#services.ended(putRange(memory, index, source));
    }
    const part = this.partOf("put", index);
    const place = this.distribution.placeOf(index, part);
    return this.#services.ended(memory.access.put(memory, part, place, source));
  }

  /**
   * Fills something with elements, from all the parts that have them.
   *
   * @param index Index of the first element.
   * @param target A typed array, or a region whose part on this PE is filled.
   * @returns A handle.
   * @throws {RangeError} If there are not as many.
   */
  getInto(index: number, target: unknown): Handle<void> {
    return this.#services.ended(getRange(this.memory, index, target));
  }

  /**
   * The elements that this PE has, as a span of their own.
   *
   * @param op What the user called.
   * @returns It, in the order of their indices.
   */
  ownPart(op: string): Span<E> {
    const part = this.memory.own(op);
    const { place, count } = this.distribution.inPart(part);
    // Parts are as long by blocks as they are cyclic.
    const { kind, parts, whole } = this.distribution;
    const blocks = kind === "block" ? this.distribution : new Distribution("block", parts, whole);
    const first = blocks.indexOf(part, 0) + blocks.first + place;
    return this.with(new Distribution("block", parts, whole, first, count));
  }

  /**
   * The elements that this PE has, in a row.
   *
   * @param op What the user called.
   * @returns A typed array over them.
   */
  local(op: string): ElementSlice<E> {
    const { memory } = this;
    const { place, count } = this.distribution.inPart(memory.own(op));
    return memory.slice(op).subarray(place, place + count) as unknown as ElementSlice<E>;
  }

  /**
   * Copies elements of a range into a new array.
   *
   * @param op What the user called.
   * @param index Index of the first element.
   * @param count How many.
   * @returns A handle for the array.
   * @throws {RangeError} If there are not as many.
   */
  getBuffer(op: string, index: number, count: number): Handle<ElementArray<E>> {
    const array = this.#newArray(op, index, count);
    return this.#services.givenAfter(getRange(this.memory, index, array), () => array);
  }

  #newArray(op: string, index: number, count: number): ElementArray<E> {
    if (!Number.isSafeInteger(count) || count < 0) refuseCount(this.memory, op, count);
    if (!(count <= this.length)) refuseIndex(this.memory, op, index, count);
    return new this.info.copyClass(count) as unknown as ElementArray<E>;
  }

  /**
   * Reads one of the elements that a part has.
   *
   * @param part The part.
   * @param offset Its index among those of the part in this range.
   * @returns A handle for its value.
   */
  getOneIn(part: number, offset: number): Handle<ElementValue<E>> {
    const { memory } = this;
    const place = placeIn(memory, "getPe", part, offset, 1);
    return this.#services.given(memory.access.read(memory, part, place));
  }

  /**
   * As `getBuffer`, of the elements that a part has.
   *
   * @param part The part.
   * @param offset Index of the first one among those of the part in this range.
   * @param count How many.
   * @returns A handle for the array.
   */
  getBufferIn(part: number, offset: number, count: number): Handle<ElementArray<E>> {
    const { memory } = this;
    if (!Number.isSafeInteger(count) || count < 0) refuseCount(memory, "getPe", count);
    const place = placeIn(memory, "getPe", part, offset, count);
    const array = memory.access.getBuffer(memory, part, place, count);
    return this.#services.given(array as unknown as Given<ElementArray<E>>);
  }

  /**
   * As `getInto`, of the elements that a part has.
   *
   * @param part The part.
   * @param offset Index of the first one among those of the part in this range.
   * @param target What to fill.
   * @returns A handle.
   */
  getIntoIn(part: number, offset: number, target: unknown): Handle<void> {
    const { memory } = this;
    const count = (target as ArrayLike<unknown> | null)?.length ?? 0;
    const place = placeIn(memory, "getPe", part, offset, count);
    return this.#services.ended(memory.access.get(memory, part, place, target));
  }

  /**
   * As `put`, to the elements that a part has.
   *
   * @param op What the user called.
   * @param part The part.
   * @param offset Index of the first one among those of the part in this range.
   * @param source What to copy.
   * @returns A handle.
   */
  putIn(op: string, part: number, offset: number, source: unknown): Handle<void> {
    return this.#services.ended(putIn(this.memory, op, part, offset, source));
  }

  /**
   * As `putIn`, to all parts.
   *
   * @param offset Index of the first element among those of each part in this range.
   * @param source What to copy.
   * @returns A handle.
   */
  putEverywhere(offset: number, source: unknown): Handle<void> {
    return this.#services.ended(putEverywhere(this.memory, offset, source));
  }

  /**
   * Gives all elements a value.
   *
   * @param value The value.
   * @returns A handle.
   */
  fill(value: ElementValue<E>): Handle<void> {
    return this.#services.ended(fill(this.memory, value));
  }

  /**
   * @param part A part.
   * @returns The address of what stands behind its elements; below 0 if the PE is far.
   */
  extraAt(part: number): number {
    const { access, allocation, length } = this.memory;
    const address = allocation.addresses[part]!;
    return address < 0 ? address : address + extraPlace(length, access.info);
  }

  /**
   * A handle of something that is over.
   *
   * @param value What it gives.
   * @returns The handle.
   */
  given<T>(value: T): Handle<T> {
    return this.#services.given(value);
  }

  /** Gives the memory of this PE up, if this is what the allocation gave. */
  release(): void {
    this.memory.release();
  }
}
