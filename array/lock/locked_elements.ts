/**
 * The elements of an array that are used while a lock is held: that of the part that has them, or
 * one for the whole array.
 *
 * @module
 */

import type { DarcRecord } from "../../darc/mod.ts";
import {
  batchFetchName,
  batchName,
  type FetchOp,
  type UpdateOp,
} from "../../internal/element_ops.ts";
import type { Handle } from "../../lamellae/mod.ts";
import type {
  AnyElement,
  BatchCompareExchangeResult,
  CheckedLists,
  CompareExchangeResult,
  ElementArray,
  ElementValue,
  PartCall,
  PartItems,
  PartResult,
  RunName,
  SentCall,
  Span,
} from "../../memregion/mod.ts";
import type { TypedArrayLike } from "../../internal/elements.ts";
import type { ArrayElements, LockScope } from "../elements.ts";
import type { ArrayLocks } from "./array_locks.ts";
import type { FarCall } from "./far_lock.ts";
import { ArrayWork, type WorkStep } from "../work.ts";
import type { LockMode } from "./shared_lock.ts";

type Raw = TypedArrayLike<unknown>;
type Exchanged<E extends AnyElement> = BatchCompareExchangeResult<E>;

/** Elements of one message to the PE that has them: enough to make its way not matter. */
const CALL_ITEMS = 2 ** 18;

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
    const { core, isGuest } = this.locked.record;
    if (isGuest) core.progress.refuseBlocking("at");
    return this.getOne(index).block();
  }

  getOne(index: number): Handle<ElementValue<E>> {
    const part = this.#span.partOf("get", index);
    if (this.#isThere(part)) return this.#load("get", index, part);
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
    if (this.#isThere(part)) return this.#load("load", index, part);
    return this.#at("load", "read", part, () => this.#span.load(index));
  }

  #load(op: string, index: number, part: number): Handle<ElementValue<E>> {
    const { calls } = this.#span.tools;
    const call = { name: "batchLoad", indices: [index], operands: [] } as const;
    const give = ({ found }: PartResult): ElementValue<E> =>
      calls.valueOf(op, index, found[0], true);
    return this.#there(op, "read", part, call, give);
  }

  update(name: UpdateOp, index: number, value: ElementValue<E>): Handle<void> {
    const span = this.#span;
    const part = span.partOf(name, index);
    if (this.#isThere(part)) {
      span.tools.calls.check(name, name, value);
      const call = { name: batchName(name), indices: [index], operands: [value] };
      return this.#there(name, "write", part, call, () => {});
    }
    return this.#at(name, "write", part, () => this.#span.update(name, index, value));
  }

  fetch(
    name: FetchOp,
    op: string,
    index: number,
    value: ElementValue<E>,
  ): Handle<ElementValue<E>> {
    const part = this.#span.partOf(op, index);
    if (this.#isThere(part)) {
      const { calls } = this.#span.tools;
      calls.check(op, name, value);
      const call = { name: batchFetchName(name), indices: [index], operands: [value] };
      const give = ({ found }: PartResult): ElementValue<E> =>
        calls.valueOf(op, index, found[0], false);
      return this.#there(op, "write", part, call, give);
    }
    return this.#at(op, "write", part, () => this.#span.fetch(name, op, index, value));
  }

  compareExchange(
    index: number,
    expected: ElementValue<E>,
    replacement: ElementValue<E>,
  ): Handle<CompareExchangeResult<E>> {
    const op = "compareExchange";
    const part = this.#span.partOf(op, index);
    if (this.#isThere(part)) {
      const { calls } = this.#span.tools;
      const operands = [expected, replacement];
      for (const value of operands) calls.checkValue(op, value);
      const call = { name: "batchCompareExchange", indices: [index], operands } as const;
      return this.#there(op, "write", part, call, ({ found, ok }) => ({
        ok: ok[0] === 1,
        value: calls.valueOf(op, index, found[0], false),
      }));
    }
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
        lists.parts().flatMap((items) => {
          const { part, indices, operands: [some] } = items;
          if (this.#isThere(part)) return this.#callsOf("write", name, items, () => {});
          return { part, run: () => span.batch(name, indices, some) };
        }),
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
    const steps = parts.flatMap((items) => {
      const { part, indices, operands: [some], found } = items;
      if (!this.#isThere(part)) return { part, run: () => run(indices, some, found) };
      return this.#callsOf(mode, name, items, (result, from) => {
        found.set(result.found as unknown as ArrayLike<unknown>, from);
      });
    });
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
    const ok = new Uint8Array(length);
    const values = span.tools.copyOf(name, span.tools.newArray(length));
    const take = (items: Uint32Array, result: Exchanged<E>): void => {
      items.forEach((item, i) => {
        ok[item] = result.ok[i]!;
        values[item] = result.values[i]!;
      });
    };
    const whole: PartItems = {
      part: 0,
      ...lists,
      items: Uint32Array.from({ length }, (_, i) => i),
    };
    const steps = (this.#isWhole ? [whole] : lists.parts()).flatMap((some) => {
      const { part, indices, items, operands } = some;
      if (this.#isThere(part)) {
        return this.#callsOf("write", name, some, ({ ok, found }, from) => {
          const values = span.tools.copyOf(name, found);
          take(items.subarray(from, from + ok.length), { ok, values });
        });
      }
      return {
        part: this.#isWhole ? this.locked.locks.wholePart : part,
        run: () => span.batchCompareExchange(indices, operands[0], operands[1]),
        done: (result: unknown): void => take(items, result as Exchanged<E>),
      };
    });
    return this.#steps(name, "write", steps, () => ({ ok, values }));
  }

  /** Whether the PE of a part takes its lock, and does what is to be done while it holds it. */
  #isThere(part: number): boolean {
    const span = this.#span;
    return !this.#isWhole && typeof span.type === "string" &&
      (span.extraAt(part) < 0 || this.locked.record.isGuest);
  }

  /** Has a PE do something to elements of its part. */
  #there<T>(
    op: string,
    mode: LockMode,
    part: number,
    call: PartCall,
    give: (result: PartResult) => T,
  ): Handle<T> {
    let result: PartResult | undefined;
    const step = this.#callOf(mode, part, call, (some) => result = some);
    return this.#steps(op, mode, [step], () => give(result!));
  }

  #callOf(
    mode: LockMode,
    part: number,
    call: PartCall,
    done: (result: PartResult) => void,
  ): WorkStep {
    let sent: SentCall;
    return {
      part,
      isThere: true,
      run: (tell): FarCall => {
        sent = this.#span.tools.calls.write(part, call);
        return this.locked.locks.far(part).call(mode, sent.bytes, tell);
      },
      done: (reply) => done(sent.resultOf(reply as Uint8Array<ArrayBuffer>)),
    };
  }

  /** As `#callOf`, for a list of elements, some at a time. */
  #callsOf(
    mode: LockMode,
    name: PartCall["name"],
    { part, indices, operands }: PartItems,
    done: (result: PartResult, from: number) => void,
  ): WorkStep[] {
    const steps: WorkStep[] = [];
    for (let from = 0; from < indices.length; from += CALL_ITEMS) {
      const end = from + CALL_ITEMS;
      const call = {
        name,
        indices: indices.subarray(from, end),
        operands: operands.map((operand) =>
          typeof operand === "object" && operand !== null
            ? (operand as Uint8Array).subarray(from, end)
            : operand
        ),
      };
      steps.push(this.#callOf(mode, part, call, (result) => done(result, from)));
    }
    return steps;
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
