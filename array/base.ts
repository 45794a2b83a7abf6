/**
 * What all arrays have in common: their length and layout, views of them, and their end.
 *
 * @module
 */

import type { DistributionKind } from "../internal/distribution.ts";
import { ClosedError, LamellarError } from "../internal/errors.ts";
import { giveBackWith, type Reference, referenceOf, spaceOf, TeamObject } from "../darc/mod.ts";
import type { BarrierHandle } from "../lamellae/mod.ts";
import type { AnyElement, ElementSlice, Span } from "../memregion/mod.ts";
import type { ArrayElements } from "./elements.ts";
import type { ArrayStorage } from "./storage.ts";

/**
 * Where an element of an array is.
 *
 * @category Arrays
 */
export interface ElementPlace {
  /** The PE that has it, by its number in the array's team. */
  readonly pe: number;
  /** Its index among the elements of the array that this PE has. */
  readonly offset: number;
}

/** What an array object is made of. */
export interface ArrayParts<E extends AnyElement> {
  /** Counts that this PE has the array. */
  readonly reference: Reference;
  /** Its elements. */
  readonly span: Span<E>;
  /** The array of which it is a view. */
  readonly whole?: LamellarArray<E>;
  /** If it is what a guard has, which keeps the reference: the class of the array it locks. */
  readonly guarded?: ArrayClass;
}

/** Makes array objects of one type. */
export interface ArrayClass {
  new <E extends AnyElement>(parts: ArrayParts<E>): LamellarArray<E>;
}

/** The elements of an array. */
export let spanOf: <E extends AnyElement>(array: LamellarArray<E>) => Span<E>;

/** How the elements of an array are used. */
export let elementsOf: <E extends AnyElement>(array: LamellarArray<E>) => ArrayElements<E>;

/** The same, if the array can be used; the user called `op`. */
export let openOf: <E extends AnyElement>(
  array: LamellarArray<E>,
  op: string,
) => ArrayElements<E>;

/**
 * What counts an array, as long as anything does. One that came in a payload is counted until the
 * handler is over, and afterwards it is as good as the array that its PE has anyway.
 *
 * @param array The array.
 * @returns The reference.
 */
export function countedBy<E extends AnyElement>(array: LamellarArray<E>): Reference {
  const reference = referenceOf(array);
  const whole = wholeOf(array);
  return reference.isOpen || whole === undefined ? reference : countedBy(whole);
}

/**
 * An array as it travels. That of a guard has no type of its own elsewhere.
 *
 * @param array The array.
 * @returns It, or the same elements as an array of the type that the guard locks.
 */
export function travelling<E extends AnyElement>(array: LamellarArray<E>): LamellarArray<E> {
  const guarded = guardedOf(array);
  if (guarded === undefined) return array;
  return new guarded({ reference: countedBy(array), span: spanOf(array), guarded });
}

/** The class of the array that a guard locks, if this is what the guard has, or a view of that. */
let guardedOf: <E extends AnyElement>(array: LamellarArray<E>) => ArrayClass | undefined;

let wholeOf: <E extends AnyElement>(array: LamellarArray<E>) => LamellarArray<E> | undefined;

/**
 * An array whose elements are distributed over the PEs of a team. Any PE can use any element by its
 * index in the whole array; the types of arrays say what may happen at the same time.
 *
 * @category Arrays
 */
export abstract class LamellarArray<E extends AnyElement> extends TeamObject {
  readonly #span: Span<E>;
  readonly #elements: ArrayElements<E>;
  readonly #whole: LamellarArray<E> | undefined;
  readonly #guarded: ArrayClass | undefined;
  /** The element type. */
  readonly type: E;
  /** How many elements it has, on all PEs together. */
  readonly length: number;
  /** How its elements are distributed: in blocks, or one by one in turn. */
  readonly distribution: DistributionKind;

  /**
   * Programs get arrays from `create`, from conversions, and in payloads.
   *
   * @ignore
   * @param parts What it is made of.
   * @param elements How its elements are used: directly, if left out.
   */
  constructor(parts: ArrayParts<E>, elements: ArrayElements<E> = parts.span) {
    const { guarded, reference, span, whole } = parts;
    super(reference);
    this.#span = span;
    this.#elements = elements;
    this.#whole = whole;
    this.type = span.type;
    span.bind(reference.record);
    this.length = span.length;
    this.distribution = span.distribution.kind;
    this.#guarded = guarded ?? (whole === undefined ? undefined : guardedOf(whole));
    if (whole !== undefined || guarded !== undefined) return;
    (reference.record.cell.value as ArrayStorage).adopt(this);
    giveBackWith(this, reference);
  }

  /**
   * The elements, if the array can be used.
   *
   * @ignore
   * @param op What the user called.
   * @returns They.
   * @throws {ClosedError} If the array was disposed of or converted.
   */
  protected open(op: string): ArrayElements<E> {
    const reference = referenceOf(this);
    if (!reference.isOpen) countedBy(this).check(op, `call ${op} of`);
    if (reference.record.core.closed) this.#refuseClosed(op);
    return this.#elements;
  }

  /**
   * Refuses what a client would have to block for; called before anything is done.
   *
   * @ignore
   * @param op What the user called.
   * @throws {LamellarError} If this is a client, and other PEs have to answer.
   */
  protected checkBlocking(op: string): void {
    const { record: { core, isGuest } } = referenceOf(this);
    const isDirect = this.#elements.locked === undefined && typeof this.type === "string";
    if (isGuest && !isDirect) core.progress.refuseBlocking(op);
  }

  #refuseClosed(op: string): never {
    const { isGuest, name, pe, place } = referenceOf(this).record;
    const what = isGuest ? "session" : "world";
    const text = `Cannot call ${op} of ${name} ${place}: the ${what} is closed`;
    throw new ClosedError(text, { pe, op });
  }

  /**
   * Where the elements are, if the array can be used and this PE has a part.
   *
   * @ignore
   * @param op What the user called.
   * @returns It.
   * @throws {ClosedError} If the array was disposed of or converted.
   * @throws {MemNotLocalError} If this is a client, which has no part.
   */
  protected ownSpan(op: string): Span<E> {
    const span = this.openSpan(op);
    span.memory.own(op);
    return span;
  }

  /**
   * Where the elements are, if the array can be used.
   *
   * @ignore
   * @param op What the user called.
   * @returns It.
   * @throws {ClosedError} If the array was disposed of or converted.
   */
  protected openSpan(op: string): Span<E> {
    this.open(op);
    return this.#span;
  }

  /** Whether this PE has given the array up: disposed of it, or converted it. */
  get disposed(): boolean {
    return !countedBy(this).isOpen;
  }

  /** Number of elements on this PE; 0 in the program that started a session. */
  get numElemsLocal(): number {
    const { myPe } = this;
    return myPe < 0 ? 0 : this.#span.distribution.inPart(myPe).count;
  }

  /**
   * The range of the whole array that this is: all of it, or a sub-array.
   *
   * @returns Index of the first element in the whole array, and index after the last.
   */
  get subArrayRange(): { readonly start: number; readonly end: number } {
    const { first, length } = this.#span.distribution;
    return { start: first, end: first + length };
  }

  /**
   * Where an element is.
   *
   * @param index Its index.
   * @returns Its PE, and its index among the elements there; undefined if there is no such element.
   */
  peAndOffsetForGlobalIndex(index: number): ElementPlace | undefined {
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.length) return undefined;
    const { distribution } = this.#span;
    const pe = distribution.partOf(index);
    const offset = distribution.placeOf(index, pe) - distribution.inPart(pe).place;
    return { pe, offset };
  }

  /**
   * The first element of a PE.
   *
   * @param pe The PE, by its number in the array's team.
   * @returns Its index; undefined if the PE has none.
   */
  firstGlobalIndexForPe(pe: number): number | undefined {
    return this.#globalIndex(pe, (place) => place);
  }

  /**
   * The last element of a PE.
   *
   * @param pe The PE, by its number in the array's team.
   * @returns Its index; undefined if the PE has none.
   */
  lastGlobalIndexForPe(pe: number): number | undefined {
    return this.#globalIndex(pe, (place, count) => place + count - 1);
  }

  #globalIndex(
    pe: number,
    choose: (place: number, count: number) => number,
  ): number | undefined {
    const { distribution } = this.#span;
    if (!Number.isInteger(pe) || pe < 0 || pe >= distribution.parts) return undefined;
    const { place, count } = distribution.inPart(pe);
    return count === 0 ? undefined : distribution.indexOf(pe, choose(place, count));
  }

  /**
   * Where an element of this array is in the whole array.
   *
   * @param index Its index in this array.
   * @returns Its index in the array of which this is a sub-array, however many lie between.
   * @throws {RangeError} If there is no such element.
   */
  globalIndex(index: number): number {
    const { first, length } = this.#span.distribution;
    if (Number.isSafeInteger(index) && index >= 0 && index < length) return first + index;
    throw new RangeError(
      `Cannot call globalIndex for index ${String(index)} of ${this.#span.label}: ` +
        `the array has ${length} elements`,
    );
  }

  /**
   * Makes an array of a range of this one. Both have the same elements; their indices count from
   * the beginning of the range. A sub-array does not keep the elements: once the array is disposed
   * of or converted, it cannot be used either.
   *
   * @param start Index of its first element.
   * @param end Index after its last; the end of this array if left out.
   * @returns The sub-array, of the same type.
   * @throws {RangeError} If it is not a range of this array.
   */
  subArray(start: number, end: number = this.length): this {
    return this.#view(this.openSpan("subArray").range(start, end));
  }

  /**
   * Makes an array of the same memory whose elements are counted by another distribution: no
   * element moves, but the same index may be another element.
   *
   * @param distribution `"block"` or `"cyclic"`.
   * @returns The array, which is a view as a sub-array is.
   */
  useDistribution(distribution: DistributionKind): this {
    checkDistribution("useDistribution", distribution);
    return this.#view(this.openSpan("useDistribution").as(distribution));
  }

  #view(span: Span<E>): this {
    const kind = this.constructor as new (parts: ArrayParts<E>) => this;
    return new kind({ reference: countedBy(this), span, whole: this.#whole ?? this });
  }

  /**
   * Makes another array object that keeps the elements by itself: it is disposed of by itself, and
   * a conversion waits for it.
   *
   * @returns The object, of the same type and with the same elements.
   */
  clone(): this {
    refuseGuarded(this, "clone");
    const record = countedBy(this).check("clone", "call clone of");
    const reference = spaceOf(record.core).take(record, `clone of ${record.name}`);
    const kind = this.constructor as new (parts: ArrayParts<E>) => this;
    return new kind({ reference, span: this.#span });
  }

  /**
   * Blocks until every PE of the array's team has called it, as `barrier` of the team does.
   */
  barrier(): void {
    this.team.barrier();
  }

  /**
   * Enters a barrier of the PEs of the array's team.
   *
   * @returns A handle, done when all of them have entered it.
   */
  asyncBarrier(): BarrierHandle {
    return this.team.asyncBarrier();
  }

  /**
   * Gives this PE's array up; its sub-arrays too cannot be used any more. The memory is free once
   * no PE has the array, and none is under way in a payload. A sub-array that is disposed of
   * changes nothing. It does nothing the second time.
   */
  dispose(): void {
    if (this.#whole === undefined && this.#guarded === undefined) referenceOf(this).giveBack();
  }

  /** Such as "AtomicArray 3 of f64[100]". */
  override toString(): string {
    return `${this.#span.label} of ${this.type}[${this.length}]`;
  }

  /**
   * How the console shows it.
   *
   * @ignore
   */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  static {
    spanOf = (array) => array.#span;
    elementsOf = (array) => array.#elements;
    openOf = (array, op) => array.open(op);
    wholeOf = (array) => array.#whole;
    guardedOf = (array) => array.#guarded;
  }
}

/**
 * Refuses what would outlast a guard.
 *
 * @param array An array.
 * @param op What the user called.
 * @throws {LamellarError} If it is what a guard has, or a view of that.
 */
export function refuseGuarded<E extends AnyElement>(array: LamellarArray<E>, op: string): void {
  if (guardedOf(array) === undefined) return;
  const { name, pe, place } = countedBy(array).record;
  throw new LamellarError(
    "ERR_GUARDED",
    `Cannot call ${op} of the array of a guard of ${name} ${place}: it ends with the guard`,
    { pe, op },
  );
}

/**
 * Refuses what is not a distribution.
 *
 * @param op What the user called.
 * @param distribution What was given.
 * @throws {TypeError} If it is none.
 */
export function checkDistribution(op: string, distribution: unknown): void {
  if (distribution === "block" || distribution === "cyclic") return;
  throw new TypeError(
    `Cannot call ${op} with the distribution ${Deno.inspect(distribution)}: ` +
      'there are "block" and "cyclic"',
  );
}

/**
 * The elements of a PE, to be read only: a typed array without what writes to it.
 *
 * @category Arrays
 */
export type ReadonlySlice<E extends AnyElement> =
  & {
    readonly [
      K in keyof ElementSlice<E> as K extends
        "copyWithin" | "fill" | "reverse" | "set" | "sort" | "subarray" | "buffer" ? never : K
    ]: ElementSlice<E>[
      K
    ];
  }
  & {
    /** Some of the elements. */
    subarray(begin?: number, end?: number): ReadonlySlice<E>;
  };
