/**
 * Every operation of every type of array, by both distributions, at elements of every type, against
 * a serial model; lengths, forms of the call, kinds of lists and views in all pairs.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { ElementOpInfo } from "../../../internal/element_ops.ts";
import {
  AtomicArray,
  type DistributionKind,
  type ElementType,
  GlobalLockArray,
  type LamellarWorld,
  LocalLockArray,
  type ReadableArray,
  UnsafeArray,
  type WritableArray,
} from "../../../mod.ts";
import { type Case, errorOf, type Tools } from "../case.ts";
import {
  after,
  held,
  opsOf,
  reduced,
  REDUCTION_CALLS,
  type ReductionCall,
  sameBits,
  takes,
  type Value,
} from "../element_model.ts";
import { LIMITS, type NumberType, small, TYPES } from "./region_values.ts";

// deno-lint-ignore no-explicit-any -- methods are called by name
type Any = any;

const KINDS = [
  "UnsafeArray",
  "ReadOnlyArray",
  "AtomicArray",
  "LocalLockArray",
  "GlobalLockArray",
] as const;

/** What makes them; that to be read only is converted. */
const CLASSES = {
  UnsafeArray,
  ReadOnlyArray: UnsafeArray,
  AtomicArray,
  LocalLockArray,
  GlobalLockArray,
};
const DISTRIBUTIONS: readonly DistributionKind[] = ["block", "cyclic"];
const LENGTHS = [0, 1, 3, 4, 19, 128, 5000] as const;
const FORMS = ["single", "many to one", "many to many", "one to many"] as const;
const LISTS = ["numbers", "Uint32Array", "Float64Array", "BigUint64Array", "iterable"] as const;
const VIEWS = ["whole", "half", "part"] as const;

/** What a case varies beside array, distribution, type and operation. */
interface Variant {
  readonly length: number;
  readonly form: (typeof FORMS)[number];
  readonly list: (typeof LISTS)[number];
  readonly view: (typeof VIEWS)[number];
}

/** Variants that have all pairs of two of their values. */
const VARIANTS = pairwise();

function pairwise(): Variant[] {
  const all = LENGTHS.flatMap((length) =>
    FORMS.flatMap((form) =>
      LISTS.flatMap((list) => VIEWS.map((view): Variant => ({ length, form, list, view })))
    )
  );
  const pairs = (one: Variant): string[] => {
    const values = Object.entries(one).map(([key, value]) => `${key} ${value}`);
    return values.flatMap((a, i) => values.slice(i + 1).map((b) => `${a}, ${b}`));
  };
  const left = new Set(all.flatMap(pairs));
  const chosen: Variant[] = [];
  while (left.size > 0) {
    const gain = (one: Variant): number => pairs(one).filter((pair) => left.has(pair)).length;
    const best = all.reduce((a, b) => gain(b) > gain(a) ? b : a);
    chosen.push(best);
    for (const pair of pairs(best)) left.delete(pair);
  }
  return chosen;
}

/** Variants that each array, distribution, type and operation is tried in. */
const VARIANTS_EACH = 3;

/** What is called. */
interface Operation {
  readonly name: string;
  /** The operation of the table, if it is one. */
  readonly op?: ElementOpInfo;
  readonly fetches?: boolean;
  readonly reduction?: ReductionCall;
}

function readsOf(type: ElementType): Operation[] {
  const reductions = type === "bool" ? [] : REDUCTION_CALLS;
  return [
    { name: "load" },
    { name: "get" },
    ...reductions.map((reduction) => ({
      name: `reduce to the ${reduction}`,
      reduction,
    })),
  ];
}

function operationsOf(kind: (typeof KINDS)[number], type: ElementType): Operation[] {
  if (kind === "ReadOnlyArray") return readsOf(type);
  return [
    ...readsOf(type),
    { name: "put" },
    { name: "fill" },
    { name: "compareExchange" },
    ...opsOf(type).flatMap((op): Operation[] => [
      ...op.updates ? [{ name: op.name, op }] : [],
      ...op.fetches ? [{ name: op.fetchName, op, fetches: true }] : [],
    ]),
  ];
}

/** One case, as far as it is known before it runs. */
interface Row extends Variant, Operation {
  readonly kind: (typeof KINDS)[number];
  readonly distribution: DistributionKind;
  readonly type: ElementType;
}

function* rows(): Generator<Row> {
  let next = 0;
  for (const kind of KINDS) {
    for (const distribution of DISTRIBUTIONS) {
      for (const type of [...TYPES, "bool"] as const) {
        for (const operation of operationsOf(kind, type)) {
          for (let i = 0; i < VARIANTS_EACH; i++) {
            const variant = VARIANTS[next++ % VARIANTS.length]!;
            yield { kind, distribution, type, ...operation, ...variant };
          }
        }
      }
    }
  }
}

function candidates(type: ElementType): Value[] {
  if (type === "bool") return [true, false];
  const number = type as NumberType;
  return [...[1, 0, 2, 3, 7, 100].map((n) => small(number, n)), ...LIMITS[number]];
}

/** What a case draws: the same on all PEs. */
class Draw {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  value(type: ElementType): Value {
    const all = candidates(type);
    return all[this.below(all.length)]!;
  }
}

/** An array and what should be in it. */
interface Subject {
  readonly world: LamellarWorld;
  /** The view that is used. */
  readonly array: ReadableArray<ElementType>;
  /** All of it. */
  readonly whole: ReadableArray<ElementType>;
  /** What the whole should hold. */
  readonly model: Value[];
  /** Where the view begins. */
  readonly first: number;
}

async function subjectOf(world: LamellarWorld, row: Row, draw: Draw): Promise<Subject> {
  const { distribution, kind, length, type, view } = row;
  const model = Array.from({ length }, () => held(type, draw.value(type)));
  const made: WritableArray<ElementType> = await CLASSES[kind].create(
    world,
    type,
    length,
    distribution,
  );
  if (world.myPe === world.numPes - 1) await made.put(0, model as never);
  await world.asyncBarrier();
  const whole = kind === "ReadOnlyArray"
    ? await (made as UnsafeArray<ElementType>).intoReadOnly()
    : made;
  const pe = draw.below(world.numPes);
  const [first, end] = view === "whole"
    ? [0, length]
    : view === "half"
    ? [Math.floor(length / 4), Math.floor(3 * length / 4)]
    : [whole.firstGlobalIndexForPe(pe) ?? 0, (whole.lastGlobalIndexForPe(pe) ?? -1) + 1];
  const array = view === "whole" ? whole : whole.subArray(first, end);
  return { world, array, whole, model, first };
}

/** Indices and operands of a call, each operand one whose result has a value. */
interface Items {
  readonly indices: number[];
  readonly operands: Value[];
}

/** Draws what is done, and does it to the model; `found` gets what the elements were. */
function drawItems(subject: Subject, row: Row, draw: Draw, found: Value[]): Items {
  const { form, op, type } = row;
  const { array: { length }, first, model } = subject;
  const indices: number[] = [];
  const operands: Value[] = [];
  const count = length === 0
    ? 0
    : form === "single"
    ? 4
    : 1 + draw.below(Math.min(3 * length, 300));
  const index = draw.below(Math.max(1, length));
  for (let i = 0; i < count; i++) indices.push(form === "one to many" ? index : draw.below(length));
  const trial = (operand: Value, at: number): Value | undefined => {
    if (op === undefined) return model[at];
    return takes(op, type, operand) ? after(type, op.name, model[at]!, operand) : undefined;
  };
  const neutral = candidates(type)[op?.operand === "shift" ? 1 : 0]!;
  const all = [draw.value(type), draw.value(type), neutral, ...candidates(type)];
  const same = form === "many to one" ? commonOperand(subject, row, indices, all) : undefined;
  for (const i of indices) {
    const operand = same ?? all.find((one) => trial(one, first + i) !== undefined)!;
    operands.push(operand);
    found.push(model[first + i]!);
    model[first + i] = trial(operand, first + i)!;
    all.unshift(all.pop()!);
  }
  return { indices, operands };
}

/** An operand that all items can have, one after the other. */
function commonOperand(
  { first, model }: Subject,
  { op, type }: Row,
  indices: readonly number[],
  all: readonly Value[],
): Value {
  if (op === undefined) return all[0]!;
  return all.find((operand) => {
    const now = new Map<number, Value | undefined>();
    return takes(op, type, operand) && indices.every((i) => {
      const next = after(type, op.name, now.get(i) ?? model[first + i]!, operand);
      now.set(i, next);
      return next !== undefined;
    });
  })!;
}

function listOf(kind: Row["list"], indices: readonly number[]): Any {
  switch (kind) {
    case "numbers":
      return indices;
    case "Uint32Array":
      return Uint32Array.from(indices);
    case "Float64Array":
      return Float64Array.from(indices);
    case "BigUint64Array":
      return BigUint64Array.from(indices, BigInt);
    case "iterable":
      return indices.values();
  }
}

function valuesOf(kind: Row["list"], values: readonly Value[]): Any {
  return kind === "iterable" ? values.values() : values;
}

/** Values as the model has them: arrays of booleans have 0 and 1. */
function shown(type: ElementType, values: Iterable<number | bigint | boolean>): Value[] {
  return Array.from(values, (value) => type === "bool" ? Boolean(value) : value);
}

async function act(subject: Subject, row: Row, draw: Draw, isActor: boolean): Promise<void> {
  const { form, list, name, op, fetches, type } = row;
  const { first, model } = subject;
  const array: Any = subject.array;
  if (array.length === 0) {
    if (isActor && op) assertThrows(() => array[name](0, candidates(type)[0]), RangeError);
    if (isActor && name === "load") assertThrows(() => array.load(0), RangeError);
  }
  if (row.reduction) {
    return isActor ? await reduceAll(subject, row.type, row.reduction) : undefined;
  }
  if (name === "fill") {
    const value = draw.value(type);
    model.fill(held(type, value), first, first + array.length);
    if (isActor) await array.fill(value);
    return;
  }
  if (name === "put" || name === "get") {
    const from = draw.below(array.length + 1);
    const values = Array.from(
      { length: draw.below(array.length - from + 1) },
      () => draw.value(type),
    );
    if (name === "put") values.forEach((value, i) => model[first + from + i] = held(type, value));
    if (!isActor) return;
    if (name === "put") await array.put(from, values);
    const there = shown(type, await array.get(from, values.length));
    assertEquals(there, model.slice(first + from, first + from + values.length));
    return;
  }
  if (name === "compareExchange") return await exchange(subject, row, draw, isActor);
  const found: Value[] = [];
  const { indices, operands } = drawItems(subject, row, draw, found);
  if (!isActor) return;
  if (form === "single") {
    for (const [i, index] of indices.entries()) {
      const was = await (name === "load" ? array.load(index) : array[name](index, operands[i]));
      if (name === "load" || fetches) assertEquals(was, found[i]);
    }
    return;
  }
  const keys = form === "one to many" && indices.length > 0 ? indices[0] : listOf(list, indices);
  const given = form === "many to one"
    ? operands[0] ?? candidates(type)[0]
    : valuesOf(list, operands);
  if (name === "load") {
    assertEquals(shown(type, await array.batchLoad(listOf(list, indices))), found);
  } else if (!fetches) await array[op!.batchName](keys, given);
  else assertEquals(shown(type, await array[op!.batchFetchName](keys, given)), found);
}

async function reduceAll(
  { array, first, model }: Subject,
  type: ElementType,
  call: ReductionCall,
): Promise<void> {
  const values = model.slice(first, first + array.length);
  const expected = reduced(type, call, values);
  if (expected === "inexact") {
    const error = await errorOf(() => (array as Any)[call]());
    assert(error instanceof RangeError, `${error}`);
    return;
  }
  for (const handle of [(array as Any)[call](), array.reduce(call)]) {
    const found = await handle;
    if (typeof expected !== "number" || (type !== "f32" && type !== "f64")) {
      assertEquals(found, expected);
    } else if (call === "min" || call === "max" || !Number.isFinite(expected)) {
      // Another order may overflow where a serial one does not, or the other way round.
      if (call === "min" || call === "max") assertEquals(found, expected);
    } else {
      const scale = values.reduce<number>((sum, value) => sum + Math.abs(value as number), 1);
      const error = Math.abs(found - expected);
      assert(error <= 1e-3 * scale || call === "prod", `${found}, not ${expected}`);
    }
  }
}

async function exchange(subject: Subject, row: Row, draw: Draw, isActor: boolean): Promise<void> {
  const { form, list, type } = row;
  const { first, model } = subject;
  const array: Any = subject.array;
  const found: Value[] = [];
  const { indices } = drawItems(subject, { ...row, name: "load" }, draw, []);
  const ok: number[] = [];
  const common = draw.value(type);
  const [expected, instead] = [[], []] as [Value[], Value[]];
  for (const i of indices) {
    const now = model[first + i]!;
    expected.push(form === "many to one" || draw.below(2) === 0 ? common : now);
    instead.push(form === "many to one" ? candidates(type)[0]! : draw.value(type));
    const isSame = sameBits(now, held(type, expected.at(-1)!));
    ok.push(isSame ? 1 : 0);
    found.push(now);
    if (isSame) model[first + i] = held(type, instead.at(-1)!);
  }
  if (!isActor) return;
  if (form === "single") {
    for (const [i, index] of indices.entries()) {
      const { ok: done, value } = await array.compareExchange(index, expected[i], instead[i]);
      assertEquals([done, value], [ok[i] === 1, found[i]]);
    }
    return;
  }
  const keys = form === "one to many" && indices.length > 0 ? indices[0] : listOf(list, indices);
  const isOne = form === "many to one";
  const result = await array.batchCompareExchange(
    keys,
    isOne ? common : valuesOf(list, expected),
    isOne ? candidates(type)[0] : valuesOf(list, instead),
  );
  assertEquals([...result.ok], ok);
  assertEquals(shown(type, result.values), found);
}

async function runRow(world: LamellarWorld, row: Row, t: Tools): Promise<void> {
  const draw = new Draw(() => t.sharedRandom());
  const subject = await subjectOf(world, row, draw);
  const { array, whole, model, first } = subject;
  const actor = draw.below(world.numPes);
  await act(subject, row, draw, world.myPe === actor);
  await world.asyncBarrier();
  assertEquals(shown(row.type, await whole.get(0, whole.length)), model);
  if (array.length > 0) assertEquals(await array.load(0), model[first]);
  await world.asyncBarrier();
  whole.dispose();
}

/** All cases of the table. */
export const ARRAY_TABLE: readonly Case[] = [...rows()].map((row, i) => {
  const { distribution, form, kind, length, list, name, type, view } = row;
  return {
    name: `${i}: ${kind} ${distribution} ${type} ${name}: ${form}, ${list}, ${view} of ${length}`,
    run: (world, t) => runRow(world, row, t),
  };
});
