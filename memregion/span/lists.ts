/**
 * Operations at a list of elements of a span, with the lists that arrays take beyond those of
 * regions: one index for many values, and iterables, which are taken in blocks.
 *
 * @module
 */

import { unchecked } from "../../internal/checked_slice.ts";
import type { TypedArrayLike } from "../../internal/elements.ts";
import { type RegionMemory, regionOf, type Rest } from "../memory/region_memory.ts";
import { labelOf } from "../memory/refusals.ts";
import type { Batches } from "../transfer/batch.ts";
import { checkedList, sourceOf } from "../transfer/copies.ts";
import { refuseIndex } from "./refusals.ts";
import { Rests } from "./rests.ts";

/** What an array's user may call. */
export type RunName = Parameters<Batches["run"]>[1];

/** What batches need. */
export interface ListServices {
  readonly batches: Batches;
}

/** Items of an iterable that are taken at once. */
const BLOCK_ITEMS = 65_536;

/** Some items of the lists of a call. */
interface Block {
  readonly indices: unknown;
  /** The other lists, or values for all. */
  readonly lists: readonly unknown[];
  /** Items before them. */
  readonly before: number;
}

/**
 * Runs an operation at each of a list of elements.
 *
 * @param memory The memory of the span.
 * @param services The batches of this PE.
 * @param name What the user called.
 * @param indices The list, or one index for all values.
 * @param values The operands: one for all, or one for each.
 * @param target Where results go, if they go anywhere.
 * @returns What is left of it.
 */
export function runAll<V>(
  memory: RegionMemory<V>,
  { batches }: ListServices,
  name: RunName,
  indices: unknown,
  values: unknown,
  target?: unknown,
): Rest {
  if (!isLazy(indices) && !isLazy(values)) {
    const list = expanded(memory, name, indices, [values]);
    return batches.run(memory, name, { indices: list, values, target });
  }
  const into = target === undefined ? undefined : arrayBehind(target, name);
  let count = 0;
  const rest = inBlocks(memory, name, indices, [values], (block) => {
    const { before, lists: [some] } = block;
    const list = block.indices as { readonly length: number };
    count += list.length;
    const part = into?.subarray(before, count);
    return batches.run(memory, name, { indices: list, values: some, target: part });
  });
  if (into !== undefined && into.length !== count) refuseLengths(memory, name, count);
  return rest;
}

/**
 * As `runAll`, with a new array for the results.
 *
 * @param memory The memory of the span.
 * @param services The batches of this PE.
 * @param name What the user called.
 * @param indices The list, or one index for all values.
 * @param values The operands, if the operation takes any.
 * @returns What is left of it, and what gives the array once that is over.
 */
export function valuesOf<V>(
  memory: RegionMemory<V>,
  services: ListServices,
  name: RunName,
  indices: unknown,
  values: unknown,
): { readonly rest: Rest; readonly give: () => TypedArrayLike<unknown> } {
  const { copyClass } = memory.access.info;
  const newArray = (length: number): TypedArrayLike<unknown> =>
    new copyClass(length) as TypedArrayLike<unknown>;
  if (!isLazy(indices) && !isLazy(values)) {
    const list = expanded(memory, name, indices, [values]);
    const array = newArray(lengthOf(list));
    const rest = services.batches.run(memory, name, { indices: list, values, target: array });
    return { rest, give: () => array };
  }
  const arrays: TypedArrayLike<unknown>[] = [];
  const rest = inBlocks(memory, name, indices, [values], ({ indices: list, lists: [some] }) => {
    const array = newArray(lengthOf(list));
    arrays.push(array);
    return services.batches.run(memory, name, { indices: list, values: some, target: array });
  });
  return { rest, give: () => joined(arrays, newArray) };
}

/**
 * Compares and exchanges each of a list of elements.
 *
 * @param memory The memory of the span.
 * @param services The batches of this PE.
 * @param indices The list, or one index for all values.
 * @param expected What they have to be: a value for all, or one for each.
 * @param replacements Their new values, likewise.
 * @returns What is left of it, and what tells its result once that is over.
 */
export function exchangeAll<V>(
  memory: RegionMemory<V>,
  { batches }: ListServices,
  indices: unknown,
  expected: unknown,
  replacements: unknown,
): readonly [rest: Rest, give: () => { ok: Uint8Array; values: unknown }] {
  const name = "batchCompareExchange";
  const lists = [expected, replacements];
  if (![indices, ...lists].some(isLazy)) {
    const list = expanded(memory, name, indices, lists);
    return batches.exchange(memory, list, expected, replacements);
  }
  const gives: (() => { ok: Uint8Array; values: unknown })[] = [];
  const rest = inBlocks(
    memory,
    name,
    indices,
    lists,
    ({ indices: list, lists: [some, others] }) => {
      const [rest, give] = batches.exchange(memory, list, some, others);
      gives.push(give);
      return rest;
    },
  );
  return [rest, () => {
    const all = gives.map((give) => give());
    const { copyClass } = memory.access.info;
    return {
      ok: joined(
        all.map(({ ok }) => ok as never),
        (length) => new Uint8Array(length) as never,
      ) as never,
      values: joined(
        all.map(({ values }) => values as TypedArrayLike<unknown>),
        (length) => new copyClass(length) as TypedArrayLike<unknown>,
      ),
    };
  }];
}

/** Runs something for each block of lists of which at least one is an iterable. */
function inBlocks<V>(
  memory: RegionMemory<V>,
  name: string,
  indices: unknown,
  lists: readonly unknown[],
  run: (block: Block) => Rest,
): Rest {
  const rests = new Rests(memory.space);
  try {
    for (const block of blocksOf(memory, name, indices, lists)) rests.add(runBlock(block, run));
  } catch (error) {
    rests.refuse(error);
  }
  return rests.sealed();
}

function runBlock(block: Block, run: (block: Block) => Rest): Rest {
  try {
    return run(block);
  } catch (error) {
    const { before } = block;
    if (error instanceof RangeError && before > 0) {
      error.message += `; this counts from item ${before} on, and those before it have been done`;
    }
    throw error;
  }
}

/** Takes iterables in blocks, and the same items of the other lists. */
function* blocksOf<V>(
  memory: RegionMemory<V>,
  name: string,
  indices: unknown,
  lists: readonly unknown[],
): Generator<Block> {
  const given = typeof indices === "number" ? repeated(indices) : indices;
  const keys = new Items(given, name, true);
  const others = lists.map((list) => new Items(list, name, false));
  try {
    yield* blocks(memory, name, indices, keys, others);
  } finally {
    for (const one of [keys, ...others]) one.close();
  }
}

function* blocks<V>(
  memory: RegionMemory<V>,
  name: string,
  indices: unknown,
  keys: Items,
  others: readonly Items[],
): Generator<Block> {
  // One index goes on for ever: the values say how many there are.
  const leader = typeof indices === "number" ? others.find(({ isList }) => isList)! : keys;
  for (let before = 0;; before += BLOCK_ITEMS) {
    const first = leader.take(BLOCK_ITEMS);
    const count = lengthOf(first);
    const blocks = [keys, ...others].map((one) => one === leader ? first : one.take(count));
    const isShort = (one: Items, i: number): boolean => one.isList && lengthOf(blocks[i]) < count;
    const goesOn = (one: Items): boolean =>
      one !== leader && one !== keys && one.isList && lengthOf(one.take(1)) > 0;
    if ([keys, ...others].some(isShort) || (count < BLOCK_ITEMS && others.some(goesOn))) {
      refuseLengths(memory, name, before);
    }
    // A call with empty lists is checked, too.
    if (count === 0 && before > 0) return;
    yield { indices: blocks[0], lists: blocks.slice(1), before };
    if (count < BLOCK_ITEMS) return;
  }
}

/** Something that is taken block by block. */
class Items {
  /** Whether it has an item for each index. */
  readonly isList: boolean;
  readonly #single: unknown;
  readonly #array: TypedArrayLike<unknown> | readonly unknown[] | undefined;
  readonly #iterator: Iterator<unknown> | undefined;
  readonly #areIndices: boolean;
  #at = 0;
  #isOver = false;

  constructor(given: unknown, name: string, areIndices: boolean) {
    this.#areIndices = areIndices;
    this.isList = typeof given === "object" && given !== null;
    if (!this.isList) this.#single = given;
    else if (isLazy(given)) this.#iterator = given[Symbol.iterator]();
    else this.#array = Array.isArray(given) ? given : arrayBehind(given, name);
  }

  /** Takes no more: an iterator that is not at its end is told. */
  close(): void {
    if (!this.#isOver) this.#iterator?.return?.();
  }

  /** The next items, fewer if there are fewer; a value for all is the same for each block. */
  take(count: number): unknown {
    const from = this.#at;
    this.#at += count;
    if (this.#iterator) {
      const items = (this.#areIndices ? takenIndices : taken)(this.#iterator, count);
      this.#isOver = items.length < count;
      return items;
    }
    const array = this.#array;
    if (array === undefined) return this.#single;
    return Array.isArray(array)
      ? array.slice(from, from + count)
      : (array as TypedArrayLike<unknown>).subarray(
        Math.min(from, array.length),
        Math.min(from + count, array.length),
      );
  }
}

function taken(iterator: Iterator<unknown>, count: number): unknown[] {
  const items: unknown[] = [];
  while (items.length < count) {
    const { done, value } = iterator.next();
    if (done) break;
    items.push(value);
  }
  return items;
}

/** Most indices fit 32 bits, and come as an array of such. */
function takenIndices(iterator: Iterator<unknown>, count: number): Uint32Array | unknown[] {
  const narrow = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const { done, value } = iterator.next();
    if (done) return narrow.subarray(0, i);
    if (typeof value !== "number" || value >>> 0 !== value) {
      return [...narrow.subarray(0, i), value, ...taken(iterator, count - i - 1)];
    }
    narrow[i] = value;
  }
  return narrow;
}

function* repeated(index: number): Generator<number> {
  for (;;) yield index;
}

/**
 * @param given A list, an iterable or a value.
 * @returns The items of an iterable as a list; anything else as it is.
 */
export function collected(given: unknown): unknown {
  return isLazy(given) ? [...given] : given;
}

/**
 * The elements that a user gives.
 *
 * @param memory The memory of the span that they are for.
 * @param op What the user called.
 * @param given A value, a typed array, a list or an iterable of values, or a region's part here.
 * @returns They, as memory has them.
 * @throws {TypeError} If it is something else, or of another type.
 * @throws {RangeError} If a value is out of range.
 */
export function elementsGiven<V>(
  memory: RegionMemory<V>,
  op: string,
  given: unknown,
): TypedArrayLike<unknown> {
  const source = typeof given === "object" && given !== null ? collected(given) : [given];
  return Array.isArray(source)
    ? memory.access.far.arrayOf(checkedList<V>(memory, op, source))
    : sourceOf(memory, op, source);
}

/**
 * One index stands for as many as there are values.
 *
 * @param memory The memory of the span.
 * @param name What the user called.
 * @param indices A list, or one index.
 * @param lists The lists of values.
 * @returns The list of indices.
 * @throws {RangeError} If the one index is out of range.
 */
export function expanded<V>(
  memory: RegionMemory<V>,
  name: string,
  indices: unknown,
  lists: readonly unknown[],
): unknown {
  if (typeof indices !== "number") return indices;
  if (!Number.isSafeInteger(indices) || indices < 0 || indices >= memory.distribution.length) {
    refuseIndex(memory, name, indices, 1);
  }
  const list = lists.find((list) => typeof list === "object" && list !== null);
  const count = list === undefined
    ? 1
    : lengthOf(Array.isArray(list) ? list : arrayBehind(list, name));
  return new (indices >>> 0 === indices ? Uint32Array : Float64Array)(count).fill(indices);
}

function refuseLengths<V>(memory: RegionMemory<V>, name: string, before: number): never {
  const done = before === 0 ? "nothing has been done" : `the first ${before} items have been done`;
  throw new RangeError(
    `Cannot ${name} in ${labelOf(memory)}: the lists have different lengths; ${done}`,
  );
}

/** Whether it is an iterable whose items are not there yet. */
function isLazy(given: unknown): given is Iterable<unknown> {
  return typeof given === "object" && given !== null && !Array.isArray(given) &&
    !ArrayBuffer.isView(unchecked(given)) && regionOf(given) === undefined &&
    typeof (given as Partial<Iterable<unknown>>)[Symbol.iterator] === "function";
}

function arrayBehind(given: unknown, name: string): TypedArrayLike<unknown> {
  const array = regionOf<unknown>(given)?.slice(name) ?? unchecked(given);
  if (ArrayBuffer.isView(array) && !(array instanceof DataView)) return array as never;
  throw new TypeError(
    `Cannot ${name} with ${
      Deno.inspect(given)
    }: a list is an array, a typed array, a region or an ` +
      "iterable",
  );
}

function lengthOf(list: unknown): number {
  const length = (list as { readonly length?: unknown } | undefined)?.length;
  return typeof length === "number" ? length : 0;
}

function joined(
  arrays: readonly TypedArrayLike<unknown>[],
  newArray: (length: number) => TypedArrayLike<unknown>,
): TypedArrayLike<unknown> {
  const all = newArray(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array as unknown as ArrayLike<unknown>, at);
    at += array.length;
  }
  return all;
}
