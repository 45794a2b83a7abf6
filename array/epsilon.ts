/**
 * Compare-and-exchange by a difference: an element is replaced if it is near enough to what it has
 * to be. It is made of a load and a compare-and-exchange of what was found, again as long as others
 * change the element in between, so it needs nothing of the memory of other PEs beyond these.
 *
 * @module
 */

import type { Handle } from "../lamellae/mod.ts";
import {
  type AnyElement,
  type BatchCompareExchangeResult,
  type CompareExchangeResult,
  type ElementArray,
  type ElementValue,
  isWithin,
} from "../memregion/mod.ts";
import { elementsOf, type LamellarArray, spanOf } from "./base.ts";
import { type Chain, chained } from "./chain.ts";
import type { ArrayElements } from "./elements.ts";

/** What an element has to be, how near, and what it becomes. */
export interface Exchange<E extends AnyElement> {
  readonly expected: ElementValue<E>;
  readonly replacement: ElementValue<E>;
  readonly epsilon: ElementValue<E>;
}

/**
 * Replaces an element that is near enough to what it has to be.
 *
 * @param array The array.
 * @param index Index of the element.
 * @param exchange What it has to be, how near, and what it becomes.
 * @returns A handle for what it was, and whether it was replaced.
 */
export function exchangeNear<E extends AnyElement>(
  array: LamellarArray<E>,
  index: number,
  exchange: Exchange<E>,
): Handle<CompareExchangeResult<E>> {
  const op = "compareExchangeEpsilon";
  const { replacement, epsilon } = exchange;
  const span = spanOf(array);
  span.tools.checkDifference(op, epsilon, [exchange.expected, replacement]);
  span.partOf(op, index);
  const expected = asElement(array, exchange.expected);
  const all = exchangeOne(elementsOf(array), index, { expected, replacement, epsilon });
  return chained(array, op, all);
}

function* exchangeOne<E extends AnyElement>(
  elements: ArrayElements<E>,
  index: number,
  { expected, replacement, epsilon }: Exchange<E>,
): Chain<CompareExchangeResult<E>> {
  for (;;) {
    const value: ElementValue<E> = yield elements.load(index);
    if (!isWithin(value, expected, epsilon)) return { ok: false, value };
    const result: CompareExchangeResult<E> = yield elements.compareExchange(
      index,
      value,
      replacement,
    );
    if (result.ok) return result;
  }
}

/** The same for lists. */
export interface Exchanges<E extends AnyElement> {
  readonly indices: unknown;
  readonly expected: unknown;
  readonly replacements: unknown;
  readonly epsilon: ElementValue<E>;
}

/**
 * Replaces each element of a list that is near enough to what it has to be.
 *
 * @param array The array.
 * @param exchanges The list, what the elements have to be, how near, and what they become.
 * @returns A handle for what they were, and which were replaced.
 * @throws {RangeError} If an index is out of range, or lengths differ; nothing has been done.
 */
export function exchangeAllNear<E extends AnyElement>(
  array: LamellarArray<E>,
  { indices, expected, replacements, epsilon }: Exchanges<E>,
): Handle<BatchCompareExchangeResult<E>> {
  const op = "batchCompareExchangeEpsilon";
  const { tools } = spanOf(array);
  tools.checkDifference(op, epsilon, []);
  const lists = tools.lists("batchCompareExchange", indices, [expected, replacements]);
  const [wanted, becoming] = lists.operands.map((operand): (item: number) => ElementValue<E> => {
    if (typeof operand !== "object" || operand === null) {
      const value = asElement(array, operand as ElementValue<E>);
      return () => value;
    }
    const values = tools.copyOf(op, operand as never);
    return (item) => values[item] as ElementValue<E>;
  }) as [(item: number) => ElementValue<E>, (item: number) => ElementValue<E>];
  const elements = elementsOf(array);
  const { length } = lists.indices;
  const ok = new Uint8Array(length);
  const values = tools.copyOf(op, tools.newArray(length));
  let queues = queuesOf(lists.indices);
  function* all(): Chain<BatchCompareExchangeResult<E>> {
    while (queues.length > 0) {
      const items = queues.map((queue) => queue.at(-1)!);
      const found: ElementArray<E> = yield elements.batchFetch("batchLoad", keysOf(items));
      items.forEach((item, i) => values[item] = found[i]!);
      const near = items.filter((item) => isWithin(values[item]!, wanted(item), epsilon));
      const before: BatchCompareExchangeResult<E> = yield elements.batchCompareExchange(
        keysOf(near),
        near.map((item) => values[item]!),
        near.map(becoming),
      );
      near.forEach((item, i) => ok[item] = before.ok[i]!);
      // What others changed in between is looked at again.
      const again = new Set(near.filter((item) => ok[item] === 0));
      queues = queues.filter((queue) => {
        if (!again.has(queue.at(-1)!)) queue.pop();
        return queue.length > 0;
      });
    }
    return { ok, values };
  }
  const keysOf = (items: readonly number[]): Float64Array =>
    Float64Array.from(items, (item) => lists.indices[item]!);
  return chained(array, op, all());
}

/** What memory makes of a value: it is compared with what elements are. */
function asElement<E extends AnyElement>(
  { type }: LamellarArray<E>,
  value: ElementValue<E>,
): ElementValue<E> {
  return type === "f32" ? Math.fround(value as number) as ElementValue<E> : value;
}

/** The items of each element, the first one last: those of one element take turns. */
function queuesOf(indices: Uint32Array | Float64Array): number[][] {
  const queues = new Map<number, number[]>();
  for (let item = indices.length - 1; item >= 0; item--) {
    const queue = queues.get(indices[item]!);
    if (queue) queue.push(item);
    else queues.set(indices[item]!, [item]);
  }
  return [...queues.values()];
}
