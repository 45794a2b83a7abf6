/**
 * Reductions of arrays: each PE reduces the elements that it has, and the one that asks combines
 * what comes of them, in the order of the PEs.
 *
 * @module
 */

import { am, type AmHandle, observed } from "../am/mod.ts";
import { ELEMENT_OPS, type ElementOpInfo } from "../internal/element_ops.ts";
import type { Handle } from "../lamellae/mod.ts";
import type { AnyElement, ElementType, ElementValue, RawElement, Span } from "../memregion/mod.ts";
import { countedBy, elementsOf, type LamellarArray, spanOf, travelling } from "./base.ts";
import { ArrayWork, type WorkStep } from "./work.ts";

/**
 * Combines two values; has to be associative.
 *
 * @category Arrays
 */
export type Reducer<V> = (a: V, b: V) => V;

/** Elements of another PE that are reduced here, where a message would take longer. */
const HERE_MAX = 4096;

const BUILT_IN: ReadonlyMap<string, ElementOpInfo> = new Map(
  ELEMENT_OPS.flatMap((op) => op.reduction ? [[op.reduction.name, op]] : []),
);

// deno-lint-ignore no-explicit-any -- a name stands for values of any type
const registered = new Map<string, Reducer<any>>();

/**
 * Gives a reduction a name, by which each PE finds it in its own program. Call it at module level.
 *
 * @category Arrays
 * @param name The name; `"sum"` and the like are taken.
 * @param fn Combines two values; it has to be associative.
 * @returns The name.
 * @throws {TypeError} If there is another reduction of that name.
 */
export function reduction<V>(name: string, fn: Reducer<V>): string {
  if (typeof name !== "string" || typeof fn !== "function") {
    throw new TypeError("Cannot register a reduction: it takes a name and a function");
  }
  if (BUILT_IN.has(name) || registered.has(name)) {
    throw new TypeError(`Cannot register the reduction "${name}": there is one of that name`);
  }
  registered.set(name, fn);
  return name;
}

/** What comes of the elements of a PE. */
type PartResult = readonly [value: unknown] | readonly [];

/**
 * Reduces what a PE has. Whoever asks holds the lock, if there is one: a handler that had to wait
 * for it would not be over as long as its PE blocks.
 */
const Part = am(
  "lamellar.reducePart",
  ({ array, name }: { array: LamellarArray<ElementType>; name: string }): PartResult =>
    partReducer(spanOf(array), name, "reduce")(countedBy(array).record.me),
);

/** Makes what reduces the elements of a near part. */
function partReducer(
  span: Span<ElementType>,
  name: string,
  op: string,
): (part: number) => PartResult {
  const info = BUILT_IN.get(name);
  if (info !== undefined) {
    const reduction = span.tools.reduction(op, info);
    return (part) => {
      const raw = reduction.part(part);
      return raw === undefined ? [] : [raw];
    };
  }
  const fn = registered.get(name);
  if (fn === undefined) {
    throw new TypeError(
      `Cannot call ${op} by ${
        Deno.inspect(name)
      } in ${span.label}: there is no reduction of that name; ` +
        "register it at module level with reduction(name, fn)",
    );
  }
  return (part) => folded(span.tools.valuesOf(part), fn);
}

function folded<V>(values: Iterable<V>, fn: Reducer<V>): readonly [V] | readonly [] {
  let total: readonly [V] | readonly [] = [];
  for (const value of values) total = total.length === 0 ? [value] : [fn(total[0], value)];
  return total;
}

/**
 * Reduces an array.
 *
 * @param array The array.
 * @param by The name of a reduction, or a function.
 * @param op What the user called.
 * @returns A handle for the result; undefined if the array is empty.
 * @throws {TypeError} If there is no such reduction, or not for the element type.
 */
export function reduceArray<E extends AnyElement>(
  array: LamellarArray<E>,
  by: string | Reducer<ElementValue<E>>,
  op: string,
): Handle<ElementValue<E> | undefined> {
  const span = spanOf(array);
  const { record } = countedBy(array);
  const locked = elementsOf(array).locked;
  const hold = locked?.scope === "whole" ? locked.locks.wholePart : undefined;
  const found: PartResult[] = [];
  const isFunction = typeof by === "function";
  let kept: LamellarArray<E> | undefined;
  const sent = (): LamellarArray<E> => kept ?? travelling(array);
  const steps = isFunction
    ? fetchingSteps(span, by, found, nearPartsOf(span, record.isGuest), locked?.scope === "part")
    : partSteps(array, sent, by, op, found);
  const give = (): ElementValue<E> | undefined => {
    const values = found.flatMap((one) => [...one ?? []]);
    const info = isFunction ? undefined : BUILT_IN.get(by);
    if (info !== undefined) return span.tools.reduction(op, info).all(values as RawElement[]);
    const fn = (isFunction ? by : registered.get(by)!) as Reducer<unknown>;
    return folded(values, fn)[0] as ElementValue<E> | undefined;
  };
  // The program may give the array up while this waits for locks.
  if (locked !== undefined) kept = array.clone();
  const over = (): void => kept?.dispose();
  const call = { op, mode: "read" as const, steps, give, hold, over };
  return new ArrayWork(record, locked?.locks, call).start((value) => span.given(value));
}

/**
 * Each PE reduces what it has: all at the same time, or one after the other if each part has a
 * lock.
 */
function partSteps<E extends AnyElement>(
  array: LamellarArray<E>,
  sent: () => LamellarArray<E>,
  name: string,
  op: string,
  found: PartResult[],
): WorkStep[] {
  const span = spanOf(array) as unknown as Span<ElementType>;
  const { me, core, isGuest, pes } = countedBy(array).record;
  const isNear = nearPartsOf(span, isGuest);
  const hasPartLocks = elementsOf(array).locked?.scope === "part";
  const reduce = partReducer(span, name, op);
  const { distribution } = span;
  const handles: (AmHandle<PartResult> | undefined)[] = [];
  const launch = (part: number): AmHandle<PartResult> =>
    handles[part] ??= observed(
      core.engine.launch(pes[part]!, Part({ array: sent() as never, name })),
    );
  const isHere = (part: number): boolean =>
    part === me ||
    (isNear(part) && distribution.inPart(part).count <= HERE_MAX);
  const stepAt = (part: number): WorkStep => {
    const done = (value: unknown): void => void (found[part] = value as PartResult);
    const lock = hasPartLocks ? part : undefined;
    if (isHere(part)) return { part: lock, run: () => span.given(reduce(part)), done };
    return { part: lock, run: () => launch(part), done };
  };
  const parts = partsOf(span);
  const steps = parts.map(stepAt);
  if (hasPartLocks) return steps;
  const there = parts.filter((part) => !isHere(part));
  const launchAll = (): Handle<void> => {
    for (const part of there) launch(part);
    // Before this PE computes, so that the others do meanwhile.
    core.engine.outbox.flush();
    return span.given(undefined);
  };
  return there.length === 0 ? steps : [{ part: undefined, run: launchAll }, ...steps];
}

/** Whether a part is read here: records are not in a client, which waits for no lock of theirs. */
function nearPartsOf<E extends AnyElement>(
  { memory: { allocation }, type }: Span<E>,
  isGuest: boolean,
): (part: number) => boolean {
  return (part) => allocation.addresses[part]! >= 0 && !(isGuest && typeof type !== "string");
}

/** The parts that have elements. */
function partsOf<E extends AnyElement>({ distribution }: Span<E>): number[] {
  return Array.from({ length: distribution.parts }, (_, part) => part)
    .filter((part) => distribution.inPart(part).count > 0);
}

/** This PE reduces everything: a function is here only. */
function fetchingSteps<E extends AnyElement>(
  span: Span<E>,
  fn: Reducer<ElementValue<E>>,
  found: PartResult[],
  isNear: (part: number) => boolean,
  hasPartLocks: boolean,
): WorkStep[] {
  const { distribution } = span;
  return partsOf(span).map((part): WorkStep => {
    const { count } = distribution.inPart(part);
    const isHere = isNear(part);
    return {
      part: hasPartLocks ? part : undefined,
      run: () =>
        isHere
          ? span.given(folded(span.tools.valuesOf(part), fn))
          : span.getBufferIn(part, 0, count),
      done: (value) => {
        found[part] = isHere ? value as PartResult : folded(value as Iterable<ElementValue<E>>, fn);
      },
    };
  });
}
