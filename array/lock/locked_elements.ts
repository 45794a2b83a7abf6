/**
 * The elements of an array that are used while a lock is held: that of the part that has them, or
 * one for the whole array.
 *
 * @module
 */

import type { DarcRecord } from "../../darc/mod.ts";
import type { FetchOp, UpdateOp } from "../../internal/element_ops.ts";
import type { Handle } from "../../lamellae/mod.ts";
import type {
  AnyElement,
  BatchCompareExchangeResult,
  CheckedLists,
  CompareExchangeResult,
  ElementArray,
  ElementValue,
  PartItems,
  RunName,
  Span,
} from "../../memregion/mod.ts";
import type { TypedArrayLike } from "../../internal/elements.ts";
import type { ArrayElements, LockScope } from "../elements.ts";
import type { ArrayLocks } from "./array_locks.ts";
import { ArrayWork, type WorkStep } from "../work.ts";
import type { LockMode } from "./shared_lock.ts";

type Raw = TypedArrayLike<unknown>;
type Exchanged<E extends AnyElement> = BatchCompareExchangeResult<E>;

/** What elements and guards need of a locked array. */
export interface LockedArray<E extends AnyElement> {
  readonly record: DarcRecord;
  readonly locks: ArrayLocks;
  readonly span: Span<E>;
  readonly scope: LockScope;
}

/** The elements of a locked array, or of a view of it. */
export class LockedElements<E extends AnyElement> implements ArrayElements<E> {
  /** The locks that are held. */
  readonly locked: LockedArray<E>;
  readonly #span: Span<E>;

  /**
   * @param array The array, and its elements.
   */
  constructor(array: LockedArray<E>) {
    this.locked = array;
    this.#span = array.span;
  }

  at(index: number): ElementValue<E> {
    return this.getOne(index).block();
  }

  getOne(index: number): Handle<ElementValue<E>> {
    const part = this.#span.partOf("get", index);
    return this.#at("get", "read", part, () => this.#span.getOne(index));
  }

  getBuffer(op: string, index: number, count: number): Handle<ElementArray<E>> {
    const { tools } = this.#span;
    const raw = tools.arrayFor(op, index, count);
    return this.#get(op, index, raw, () => tools.copyOf(op, raw));
  }

  getInto(index: number, target: unknown): Handle<void> {
    const { array, finish } = this.#span.tools.targetOf("get", target);
    return this.#get("get", index, array, () => finish?.());
  }

  #get<T>(op: string, index: number, raw: Raw, give: () => T): Handle<T> {
    const span = this.#span;
    const steps = this.#isWhole
      ? [this.#whole(() => span.getInto(index, raw))]
      : span.tools.get(index, raw);
    return this.#steps(op, "read", steps, give);
  }

  getOneIn(part: number, offset: number): Handle<ElementValue<E>> {
    this.#span.tools.checkIn("getPe", part, offset, 1);
    return this.#at("getPe", "read", part, () => this.#span.getOneIn(part, offset));
  }

  getBufferIn(part: number, offset: number, count: number): Handle<ElementArray<E>> {
    this.#span.tools.checkIn("getPe", part, offset, count);
    return this.#at("getPe", "read", part, () => this.#span.getBufferIn(part, offset, count));
  }

  getIntoIn(part: number, offset: number, target: unknown): Handle<void> {
    const { tools } = this.#span;
    tools.checkIn("getPe", part, offset, tools.countOf(target));
    return this.#at("getPe", "read", part, () => this.#span.getIntoIn(part, offset, target));
  }

  put(index: number, source: unknown): Handle<void> {
    const span = this.#span;
    if (typeof source !== "object" || source === null) {
      return this.#at("put", "write", span.partOf("put", index), () => span.put(index, source));
    }
    return this.#write("put", () => span.put(index, source), () => span.tools.put(index, source));
  }

  putIn(op: string, part: number, offset: number, source: unknown): Handle<void> {
    const { tools } = this.#span;
    tools.checkIn(op, part, offset, tools.countOf(source));
    return this.#at(op, "write", part, () => this.#span.putIn(op, part, offset, source));
  }

  putEverywhere(offset: number, source: unknown): Handle<void> {
    const span = this.#span;
    return this.#write(
      "putAll",
      () => span.putEverywhere(offset, source),
      () => span.tools.putEverywhere(offset, source),
    );
  }

  fill(value: ElementValue<E>): Handle<void> {
    const span = this.#span;
    return this.#write("fill", () => span.fill(value), () => span.tools.fill(value));
  }

  /** Writes in one step where one lock is for all, else part by part. */
  #write(op: string, all: () => Handle<void>, parts: () => WorkStep[]): Handle<void> {
    return this.#steps(op, "write", this.#isWhole ? [this.#whole(all)] : parts(), () => {});
  }

  load(index: number): Handle<ElementValue<E>> {
    const part = this.#span.partOf("load", index);
    return this.#at("load", "read", part, () => this.#span.load(index));
  }

  update(name: UpdateOp, index: number, value: ElementValue<E>): Handle<void> {
    const part = this.#span.partOf(name, index);
    return this.#at(name, "write", part, () => this.#span.update(name, index, value));
  }

  fetch(
    name: FetchOp,
    op: string,
    index: number,
    value: ElementValue<E>,
  ): Handle<ElementValue<E>> {
    const part = this.#span.partOf(op, index);
    return this.#at(op, "write", part, () => this.#span.fetch(name, op, index, value));
  }

  compareExchange(
    index: number,
    expected: ElementValue<E>,
    replacement: ElementValue<E>,
  ): Handle<CompareExchangeResult<E>> {
    const op = "compareExchange";
    const part = this.#span.partOf(op, index);
    const run = (): Handle<CompareExchangeResult<E>> =>
      this.#span.compareExchange(index, expected, replacement);
    return this.#at(op, "write", part, run);
  }

  batch(name: RunName, indices: unknown, values: unknown): Handle<void> {
    const span = this.#span;
    const lists = span.tools.lists(name, indices, [values]);
    return this.#write(
      name,
      () => span.batch(name, lists.indices, lists.operands[0]),
      () =>
        lists.parts().map(({ part, indices, operands: [some] }) => ({
          part,
          run: () => span.batch(name, indices, some),
        })),
    );
  }

  batchFetch(name: RunName, indices: unknown, values?: unknown): Handle<ElementArray<E>> {
    const { tools } = this.#span;
    const lists = tools.lists(name, indices, [values]);
    const raw = tools.newArray(lists.indices.length);
    return this.#fetch(name, lists, raw, () => tools.copyOf(name, raw));
  }

  batchInto(name: RunName, indices: unknown, values: unknown, target: unknown): Handle<void> {
    const { tools } = this.#span;
    const lists = tools.lists(name, indices, [values]);
    const { array, finish } = tools.targetOf(name, target);
    tools.checkLength(name, array, lists.indices.length);
    return this.#fetch(name, lists, array, () => finish?.());
  }

  #fetch<T>(name: RunName, lists: CheckedLists, raw: Raw, give: () => T): Handle<T> {
    const span = this.#span;
    const { tools } = span;
    const mode = name === "batchLoad" ? "read" : "write";
    const run = (keys: unknown, some: unknown, found: Raw): Handle<void> =>
      span.batchInto(name, keys, some, found);
    if (this.#isWhole) {
      const step = this.#whole(() => run(lists.indices, lists.operands[0], raw));
      return this.#steps(name, mode, [step], give);
    }
    const parts = lists.parts().map((one) => ({ ...one, found: tools.newArray(one.items.length) }));
    const steps = parts.map(({ part, indices, operands: [some], found }) => ({
      part,
      run: () => run(indices, some, found),
    }));
    return this.#steps(name, mode, steps, () => {
      for (const { items, found } of parts) tools.scatter(raw, items, found);
      return give();
    });
  }

  batchCompareExchange(
    indices: unknown,
    expected: unknown,
    replacements: unknown,
  ): Handle<BatchCompareExchangeResult<E>> {
    const span = this.#span;
    const name = "batchCompareExchange";
    const lists = span.tools.lists(name, indices, [expected, replacements]);
    const { length } = lists.indices;
    const whole: PartItems = {
      part: 0,
      ...lists,
      items: Uint32Array.from({ length }, (_, i) => i),
    };
    const found: { readonly items: Uint32Array; readonly result: Exchanged<E> }[] = [];
    const steps = (this.#isWhole ? [whole] : lists.parts()).map((
      { part, indices, items, operands },
    ) => ({
      part: this.#isWhole ? this.locked.locks.wholePart : part,
      run: () => span.batchCompareExchange(indices, operands[0], operands[1]),
      done: (result: unknown): void => void found.push({ items, result: result as Exchanged<E> }),
    }));
    return this.#steps(name, "write", steps, () => {
      const ok = new Uint8Array(length);
      const values = span.tools.copyOf(name, span.tools.newArray(length));
      for (const { items, result } of found) {
        items.forEach((item, i) => {
          ok[item] = result.ok[i]!;
          values[item] = result.values[i]!;
        });
      }
      return { ok, values };
    });
  }

  get #isWhole(): boolean {
    return this.locked.scope === "whole";
  }

  #whole(run: () => Handle<unknown>): WorkStep {
    return { part: this.locked.locks.wholePart, run };
  }

  /** Does something to elements of one part. */
  #at<T>(op: string, mode: LockMode, part: number, run: () => Handle<T>): Handle<T> {
    const step = this.#isWhole ? this.#whole(run) : { part, run };
    return this.#steps(op, mode, [step], (last) => last as T);
  }

  #steps<T>(
    op: string,
    mode: LockMode,
    steps: readonly WorkStep[],
    give: (last: unknown) => T,
  ): Handle<T> {
    const { locks, record } = this.locked;
    const work = new ArrayWork(record, locks, {
      op,
      mode,
      steps: startingAt(record.me, steps),
      give,
    });
    return work.start((value) => this.#span.given(value));
  }
}

/** The steps from a part on, and then the others: PEs that all began at one part would queue up. */
function startingAt(part: number, steps: readonly WorkStep[]): readonly WorkStep[] {
  const at = steps.findIndex((step) => step.part !== undefined && step.part >= part);
  return at <= 0 ? steps : [...steps.slice(at), ...steps.slice(0, at)];
}
