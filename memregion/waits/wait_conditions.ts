/**
 * What waits wait for: that one element of this PE's part, or one, some or all of several, compare
 * with values as told. Everything is checked and copied when a condition is made.
 *
 * @module
 */

import { checkedList, sourceOf } from "../transfer/copies.ts";
import { checkLength, indexList } from "../transfer/index_list.ts";
import { type Described, labelOf, refuseValue } from "../memory/refusals.ts";
import type { RegionMemory } from "../memory/region_memory.ts";
import { codeOf, type Comparison } from "./waits.ts";

/** What is waited for, and what it gives. */
export interface Condition<T> {
  readonly memory: Described & { readonly localPart: number };
  /** What the user called. */
  readonly op: string;
  /** Whether it holds now; throws if the region was disposed. */
  holds(): boolean;
  /** What the wait gives, once it holds. */
  readonly result: T;
  /** What is lacking, to continue "until". */
  toString(): string;
}

/** What the elements of a condition are, as the user gave it. */
export interface Wanted<V> {
  readonly memory: RegionMemory<V>;
  /** What the user called. */
  readonly op: string;
  readonly comparison: Comparison;
}

/** That one element compares with a value. */
export class OneHolds<V> implements Condition<void> {
  readonly memory: RegionMemory<V>;
  readonly op: string;
  readonly result: void = undefined;
  readonly #index: number;
  readonly #comparison: Comparison;
  readonly #value: V;
  readonly #code: number;
  readonly #part: number;

  /**
   * @param wanted Where and how.
   * @param index Index of the element.
   * @param value What with.
   * @throws {TypeError} If there is no such comparison, or the value has the wrong type.
   */
  constructor({ memory, op, comparison }: Wanted<V>, index: number, value: V) {
    this.memory = memory;
    this.op = op;
    this.#index = index;
    this.#comparison = comparison;
    this.#value = value;
    holds(memory, op, index, comparison, value);
    this.#code = codeOf(memory, op, comparison);
    this.#part = memory.own(op);
  }

  holds(): boolean {
    const { memory, op } = this;
    const at = memory.address(op, this.#part, this.#index, 1);
    return memory.access.test(at, this.#code, this.#value);
  }

  toString(): string {
    return `index ${this.#index} of ${labelOf(this.memory)} is ${this.#comparison} ${this.#value}`;
  }
}

/** A comparison of several elements, each with a value of its own or all with the same one. */
abstract class Several<V> {
  readonly memory: RegionMemory<V>;
  readonly op: string;
  /** The elements. */
  protected readonly indices: readonly number[];
  readonly #comparison: Comparison;
  /** The value of each element, or one for all. */
  readonly #values: readonly V[];
  readonly #step: number;
  readonly #code: number;
  readonly #part: number;

  /**
   * @param wanted Where and how.
   * @param indices The elements.
   * @param values What with: one for all, or one for each.
   * @throws {RangeError} If an index is out of range, or there are not as many values.
   * @throws {TypeError} If something has the wrong type.
   */
  constructor({ memory, op, comparison }: Wanted<V>, indices: unknown, values: unknown) {
    this.memory = memory;
    this.op = op;
    this.#comparison = comparison;
    this.#code = codeOf(memory, op, comparison);
    this.#part = memory.own(op);
    memory.position(op, this.#part, 0, 0);
    const list = indexList(memory, op, indices);
    this.indices = Array.from<number | bigint, number>(list.array, Number);
    for (const index of this.indices) memory.position(op, this.#part, index, 1);
    if (list.array.length < list.count) memory.refuse(op, this.#part, list.bad as number, 1);
    const each = listOf(memory, op, values);
    if (each) checkLength(memory, op, each.length, this.indices.length);
    this.#values = checkedList(memory, op, each ?? [values]);
    this.#step = each ? 1 : 0;
  }

  /** Refuses a region that cannot be used any more. */
  protected check(): void {
    this.memory.position(this.op, this.#part, 0, 0);
  }

  /** Compares one of the elements. */
  protected test(item: number): boolean {
    const { memory, indices } = this;
    const at = memory.address(this.op, this.#part, indices[item]!, 1);
    return memory.access.test(at, this.#code, this.#values[item * this.#step]!);
  }

  /** What is compared, to continue "until all". */
  protected describe(verb: "is" | "are"): string {
    const values = this.#step === 0
      ? this.#values[0]
      : verb === "is"
      ? "its value"
      : "their values";
    const of = `of ${this.indices.length} elements of ${labelOf(this.memory)}`;
    return `${of} ${verb} ${this.#comparison} ${values}`;
  }
}

/** That each of several elements was seen to compare, not necessarily at the same time. */
export class AllHold<V> extends Several<V> implements Condition<void> {
  readonly result: void = undefined;
  /** The first element that was not seen to. */
  #next = 0;

  holds(): boolean {
    this.check();
    while (this.#next < this.indices.length && this.test(this.#next)) this.#next++;
    return this.#next === this.indices.length;
  }

  override toString(): string {
    return `all ${this.describe("are")}, as index ${this.indices[this.#next]} is not`;
  }
}

/** That at least one of several elements compares. */
export class AnyHolds<V> extends Several<V> implements Condition<number> {
  #found = -1;

  constructor(wanted: Wanted<V>, indices: unknown, values: unknown) {
    super(wanted, indices, values);
    refuseNone(this.memory, this.op, this.indices);
  }

  /** Index of the first one of the list. */
  get result(): number {
    return this.#found;
  }

  holds(): boolean {
    this.check();
    const item = this.indices.findIndex((_, i) => this.test(i));
    this.#found = this.indices[item] ?? -1;
    return item >= 0;
  }

  override toString(): string {
    return `any ${this.describe("is")}`;
  }
}

/** As `AnyHolds`, giving all that compare. */
export class SomeHold<V> extends Several<V> implements Condition<number[]> {
  #found: number[] = [];

  constructor(wanted: Wanted<V>, indices: unknown, values: unknown) {
    super(wanted, indices, values);
    refuseNone(this.memory, this.op, this.indices);
  }

  /** Their indices, in the order of the list. */
  get result(): number[] {
    return this.#found;
  }

  holds(): boolean {
    this.check();
    this.#found = this.indices.filter((_, i) => this.test(i));
    return this.#found.length > 0;
  }

  override toString(): string {
    return `some ${this.describe("are")}`;
  }
}

function refuseNone(memory: Described, op: string, indices: readonly number[]): void {
  if (indices.length > 0) return;
  throw new RangeError(`Cannot ${op} in ${labelOf(memory)}: the list of indices is empty`);
}

/** The values of a list or array, as the type has them; undefined for a single value. */
function listOf<V>(
  memory: RegionMemory<V>,
  op: string,
  values: unknown,
): readonly unknown[] | undefined {
  if (Array.isArray(values)) return values;
  if (typeof values !== "object" || values === null) return undefined;
  const array = sourceOf(memory, op, values);
  switch (memory.access.info.kind) {
    case "exact":
      return Array.from(array.values(), Number);
    case "boolean":
      return Array.from(array.values(), Boolean);
    default:
      return Array.from(array.values());
  }
}

/**
 * Compares an element of this PE's part with a value.
 *
 * @param memory The region.
 * @param op What the user called.
 * @param index Index of the element.
 * @param comparison How.
 * @param value What with.
 * @returns Whether it holds.
 * @throws {TypeError} If there is no such comparison, or the value has the wrong type.
 */
export function holds<V>(
  memory: RegionMemory<V>,
  op: string,
  index: number,
  comparison: Comparison,
  value: V,
): boolean {
  const code = codeOf(memory, op, comparison);
  const at = memory.address(op, memory.own(op), index, 1);
  if (!memory.access.accepts(value)) refuseValue(memory, op, value);
  return memory.access.test(at, code, value);
}
