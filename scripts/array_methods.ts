/**
 * The methods of arrays that the table of element operations makes, as text.
 *
 * @module
 */

import { ELEMENT_OPS, type ElementOpInfo } from "../internal/element_ops.ts";
import { SOURCES, VALUES } from "./region_op_methods.ts";

const AN_ELEMENT = "an element";
const EACH = "each element of a list";

/** The operations of arrays that can be written. */
export function arrayOperations(): string {
  return ELEMENT_OPS.flatMap((op) => [...single(op), ...batched(op)]).join("\n");
}

function single(op: ElementOpInfo): string[] {
  const { domain, name, fetchName, updates, fetches } = op;
  const value = VALUES[domain];
  const operand = name === "store" || name === "swap" ? "Its new value." : "The operand.";
  const does = op.does.replace("…", AN_ELEMENT);
  const fetched = name === "swap" ? does : `${does}, and gives its previous value`;
  const head = (what: string, returns: string): string => `
  /**
   * ${what}.
   *
   * @param index Index of the element.
   * @param value ${operand}
   * @returns A handle${returns}.
   */`;
  const update = name === "min" || name === "max"
    ? `
  /**
   * Finds the ${
      name === "min" ? "least" : "greatest"
    } of all elements, as \`${name}\` of any array does.
   *
   * @returns A handle for it; undefined if the array is empty.
   */
  override ${name}(): Handle<ElementValue<E> | undefined>;
  ${head(does, ", done when the element is changed")}
  override ${name}(index: number, value: ${value}): Handle<void>;
  override ${name}(
    index?: number,
    value?: ${value},
  ): Handle<ElementValue<E> | undefined> | Handle<void> {
    if (index === undefined && value === undefined) return super.${name}();
    return this.open("${name}").update("${name}", index!, value!);
  }`
    : `${head(does, ", done when the element is changed")}
  ${name}(index: number, value: ${value}): Handle<void> {
    return this.open("${name}").update("${name}", index, value);
  }`;
  return [
    ...updates ? [update] : [],
    ...fetches
      ? [`${head(fetched, " for its previous value")}
  ${fetchName}(index: number, value: ${value}): Handle<ElementValue<E>> {
    return this.open("${fetchName}").fetch("${name}", "${fetchName}", index, value);
  }`]
      : [],
  ];
}

function batched(op: ElementOpInfo): string[] {
  const { domain, updates, fetches, batchName, batchFetchName } = op;
  const does = op.does.replace("…", EACH);
  const values = `${SOURCES[domain]} | Iterable<${VALUES[domain]}>`;
  const head = (what: string, tail: string): string => `
  /**
   * ${what}.
   *
   * @param indices The indices.
   * @param values One value for each index, or one for all.
   ${tail}
   * @throws {RangeError} If an index is out of range; those before it have been processed.
   */`;
  const update = `
  ${head(does, "* @returns A handle, done when all elements are changed.")}
  ${batchName}(indices: ArrayIndices, values: ${values}): Handle<void> {
    return this.open("${batchName}").batch("${batchName}", indices, values);
  }`;
  const tells = `${does}, and gives their previous values`;
  const fetch = `
  ${head(tells, "* @returns A handle for a new typed array of these.")}
  ${batchFetchName}(indices: ArrayIndices, values: ${values}): Handle<ElementArray<E>>;
  ${
    head(
      tells,
      "* @param target What to fill.\n   * @returns A handle, done when the target is filled.",
    )
  }
  ${batchFetchName}(
    indices: ArrayIndices,
    values: ${values},
    target: GetTarget<E>,
  ): Handle<void>;
  ${batchFetchName}(
    indices: ArrayIndices,
    values: ${values},
    target?: GetTarget<E>,
  ): Handle<ElementArray<E>> | Handle<void> {
    const elements = this.open("${batchFetchName}");
    return target === undefined
      ? elements.batchFetch("${batchFetchName}", indices, values)
      : elements.batchInto("${batchFetchName}", indices, values, target);
  }`;
  return [...updates ? [update] : [], ...fetches ? [fetch] : []];
}

/** The methods of arrays that can be written, beside those of the table. */
export const ARRAY_WRITES = `
  /**
   * Copies elements into the array, to as many PEs as have them. Each element is written by itself.
   * Until the handle is done, the source must not change.
   *
   * @param index Index of the first element.
   * @param source A typed array of the element type, a list of values, one value, a region, whose
   * part on this PE is copied, or another array, all of which is copied.
   * @returns A handle, done when the elements are there.
   * @throws {RangeError} If they do not fit.
   * @throws {TypeError} If the source has another element type.
   */
  put(index: number, source: ArraySource<E>): Handle<void> {
    if (isArray<E>(source)) return this.#from("put", index, source);
    return this.open("put").put(index, source);
  }

  #from(op: string, index: number, source: LamellarArray<E>): Handle<void> {
    return copyArray(op, { array: source, index: 0 }, { array: this, index }, source.length);
  }

  /**
   * Like \`put\`, but returns only when the source may be changed.
   *
   * @param index Index of the first element.
   * @param source What to copy.
   */
  blockingPut(index: number, source: ArraySource<E>): void {
    this.checkBlocking("blockingPut");
    if (isArray<E>(source)) this.#from("blockingPut", index, source).block();
    else this.open("blockingPut").put(index, source).block();
  }

  /**
   * Like \`put\`, but without a handle: \`waitAll\` of the world waits for it.
   *
   * @param index Index of the first element.
   * @param source What to copy.
   */
  putUnmanaged(index: number, source: ArraySource<E>): void {
    if (isArray<E>(source)) this.#from("putUnmanaged", index, source);
    else this.open("putUnmanaged").put(index, source);
  }

  /**
   * Copies elements to those that a PE has.
   *
   * @param pe The PE, by its number in the array's team.
   * @param offset Index of the first element among those of this array that the PE has.
   * @param source What to copy.
   * @returns A handle, done when the elements are there.
   * @throws {RangeError} If the PE has not as many.
   */
  putPe(pe: number, offset: number, source: PutSource<E>): Handle<void> {
    return this.open("putPe").putIn("putPe", pe, offset, source);
  }

  /**
   * Copies the same elements to those that each PE has.
   *
   * @param offset Index of the first element among those of this array that a PE has.
   * @param source What to copy.
   * @returns A handle, done when all are there.
   * @throws {RangeError} If a PE has not as many; nothing is copied then.
   */
  putAll(offset: number, source: PutSource<E>): Handle<void> {
    return this.open("putAll").putEverywhere(offset, source);
  }

  /**
   * Gives all elements the same value.
   *
   * @param value The value.
   * @returns A handle, done when all have it.
   */
  fill(value: ElementValue<E>): Handle<void> {
    return this.open("fill").fill(value);
  }

  /**
   * Replaces an element atomically if it is as expected. The bits are compared, so the two zeros of
   * a float differ, and NaN is equal to itself.
   *
   * @param index Index of the element.
   * @param expected What it has to be.
   * @param replacement Its new value.
   * @returns A handle for what it was, and whether it was replaced.
   */
  compareExchange(
    index: number,
    expected: ElementValue<E>,
    replacement: ElementValue<E>,
  ): Handle<CompareExchangeResult<E>> {
    return this.open("compareExchange").compareExchange(index, expected, replacement);
  }

  /**
   * Replaces each element of a list that is as expected.
   *
   * @param indices The indices.
   * @param expected What they have to be: one value for each index, or one for all.
   * @param replacements Their new values, likewise.
   * @returns A handle for what they were, and which were replaced.
   * @throws {RangeError} If an index is out of range; those before it have been processed.
   */
  batchCompareExchange(
    indices: ArrayIndices,
    expected: PutSource<E> | Iterable<ElementValue<E>>,
    replacements: PutSource<E> | Iterable<ElementValue<E>>,
  ): Handle<BatchCompareExchangeResult<E>> {
    return this.open("batchCompareExchange").batchCompareExchange(indices, expected, replacements);
  }

  /**
   * Replaces an element atomically if it differs from what is expected by less than \`epsilon\`.
   * NaN differs from everything.
   *
   * @param index Index of the element.
   * @param expected What it has to be near to.
   * @param replacement Its new value.
   * @param epsilon The difference, of at least 0.
   * @returns A handle for what it was, and whether it was replaced.
   */
  compareExchangeEpsilon(
    index: number,
    expected: NumericValue<E>,
    replacement: NumericValue<E>,
    epsilon: NumericValue<E>,
  ): Handle<CompareExchangeResult<E>> {
    this.open("compareExchangeEpsilon");
    return exchangeNear(this, index, { expected, replacement, epsilon });
  }

  /**
   * Replaces each element of a list that differs from what is expected by less than \`epsilon\`.
   *
   * @param indices The indices.
   * @param expected What they have to be near to: one value for each index, or one for all.
   * @param replacements Their new values, likewise.
   * @param epsilon The difference, of at least 0.
   * @returns A handle for what they were, and which were replaced.
   * @throws {RangeError} If an index is out of range, or lengths differ; nothing has been done.
   */
  batchCompareExchangeEpsilon(
    indices: ArrayIndices,
    expected: NumericSource<E> | Iterable<NumericValue<E>>,
    replacements: NumericSource<E> | Iterable<NumericValue<E>>,
    epsilon: NumericValue<E>,
  ): Handle<BatchCompareExchangeResult<E>> {
    this.open("batchCompareExchangeEpsilon");
    return exchangeAllNear(this, { indices, expected, replacements, epsilon });
  }
`;

/** The operations of one element of an `AtomicArray` on this PE. */
export function elementOperations(): string {
  return ELEMENT_OPS.flatMap(({ domain, does, fetchName, fetches, name, updates }) => {
    const value = VALUES[domain];
    const operand = name === "store" || name === "swap" ? "Its new value." : "The operand.";
    const what = does.replace("…", "the element");
    const access = "this.#memory.access";
    return [
      ...updates
        ? [`
  /**
   * ${what}.
   *
   * @param value ${operand}
   */
  ${name}(value: ${value}): void {
    ${access}.update.${name}(this.#memory, this.#part, this.#place, value);
  }`]
        : [],
      ...fetches
        ? [`
  /**
   * ${name === "swap" ? what : `${what}, and gives its previous value`}.
   *
   * @param value ${operand}
   * @returns Its previous value.
   */
  ${fetchName}(value: ${value}): ElementValue<E> {
    return settled(${access}.fetch.${name}(this.#memory, this.#part, this.#place, value));
  }`]
        : [],
    ];
  }).join("\n");
}
