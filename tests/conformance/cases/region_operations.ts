/**
 * Every operation of the table, in all its forms, at elements of every type.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { ELEMENT_OPS, type ElementOpInfo } from "../../../internal/element_ops.ts";
import { type Case, rightOf } from "../case.ts";
import { after, opsOf, takes } from "../element_model.ts";
import {
  type AnyRegion,
  arrayOf,
  forTypes,
  LIMITS,
  type NumberType,
  small,
  TYPES,
} from "./region_values.ts";

// deno-lint-ignore no-explicit-any -- methods are called by name
type Any = any;
type Value = number | bigint;

/** Elements and operands: small ones, which every type has, and the ends of its range. */
function valuesOf(type: NumberType): Value[] {
  return [...[0, 1, 2, 3, 7, 100].map((n) => small(type, n)), ...LIMITS[type]];
}

function isFloat(type: NumberType): boolean {
  return type === "f32" || type === "f64";
}

/** All pairs of an element and an operand whose result has a value. */
function pairsOf(type: NumberType, op: ElementOpInfo): [before: Value, operand: Value][] {
  const all = valuesOf(type);
  return all.flatMap((a) => all.map((b): [Value, Value] => [a, b])).filter(([a, b]) =>
    takes(op, type, b) && after(type, op.name, a, b) !== undefined
  );
}

/** What is in memory, as values. */
async function contents(region: AnyRegion, pe: number, count: number): Promise<Value[]> {
  const all: Value[] = [];
  for (let i = 0; i < count; i++) all.push(await region.load(pe, i));
  return all;
}

async function checkOne(region: Any, type: NumberType, op: ElementOpInfo, pe: number) {
  for (const [before, operand] of pairsOf(type, op).filter((_, i) => i % 5 === 0)) {
    const expected = after(type, op.name, before, operand);
    if (op.updates) {
      await region.store(pe, 0, before);
      await region[op.name](pe, 0, operand);
      assertEquals(await region.load(pe, 0), expected, `${op.name} ${before} ${operand}`);
    }
    if (!op.fetches) continue;
    await region.store(pe, 0, before);
    assertEquals(await region[op.fetchName](pe, 0, operand), before);
    assertEquals(await region.load(pe, 0), expected, `${op.fetchName} ${before} ${operand}`);
  }
}

async function checkMany(region: Any, type: NumberType, op: ElementOpInfo, pe: number) {
  const pairs = pairsOf(type, op);
  const [befores, operands] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
  const expected = pairs.map(([a, b]) => after(type, op.name, a, b)) as Value[];
  const indices = pairs.map((_, i) => pe * region.length + i);
  const fill = (): Promise<void> => region.putIndexed(pe, pairs.map((_, i) => i), befores).then();
  if (op.updates) {
    await fill();
    await region[op.batchName](indices, operands);
    assertEquals(await contents(region, pe, pairs.length), expected, op.batchName);
  }
  if (!op.fetches) return;
  for (const target of [undefined, arrayOf(type, pairs.map(() => 0))]) {
    await fill();
    const given = await region[op.batchFetchName](indices, operands, target);
    const found = Array.from(
      (target ?? given) as ArrayLike<Value>,
      (value, i) => typeof befores[i] === "bigint" ? value : Number(value),
    );
    assertEquals(found, befores, op.batchFetchName);
    assertEquals(await contents(region, pe, pairs.length), expected, op.batchFetchName);
  }
}

/** Exchanges where elements, what is expected and what comes instead are all pairs of values. */
async function checkExchanges(region: Any, type: NumberType, mine: number, other: number) {
  const values = [...valuesOf(type), ...isFloat(type) ? [NaN, -0] : []];
  const pairs = values.flatMap((a) => values.map((b): [Value, Value] => [a, b]));
  const [befores, expected] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
  const [instead] = values;
  // Half of them on this PE and half on another.
  const indices = Float64Array.from(
    pairs,
    (_, i) => (i % 2 === 0 ? mine : other) * region.length + i,
  );
  const numbersOf = (array: ArrayLike<Value>): Value[] =>
    Array.from(array, (value, i) => typeof befores[i] === "bigint" ? value : Number(value));
  const round = (value: Value): Value => type === "f32" ? Math.fround(value as number) : value;
  const check = async (wanted: Value | Any, isWanted: (i: number) => boolean): Promise<void> => {
    await region.scatter(indices, befores);
    const { ok, values: found } = await region.batchCompareExchange(indices, wanted, instead);
    assertEquals(numbersOf(found), befores.map(round));
    assertEquals([...ok], pairs.map((_, i) => isWanted(i) ? 1 : 0));
    assertEquals(
      numbersOf(await region.gather(indices)),
      befores.map((before, i) => round(isWanted(i) ? instead! : before)),
    );
  };
  // Bits are compared: of two zeros one is as expected, and NaN is what it is.
  const same = (i: number, other: Value): boolean => Object.is(round(befores[i]!), round(other));
  await check(expected, (i) => same(i, expected[i]!));
  await region.scatter(indices, expected);
  await check(await region.gather(indices), (i) => same(i, expected[i]!));
  await check(values.at(-1), (i) => same(i, values.at(-1)!));
}

/** The cases of the table of operations. */
export const REGION_OPERATION_CASES: readonly Case[] = [
  {
    name: "Every operation does to an element of every type what its name says, in every form",
    limitMs: 60_000,
    async run(world) {
      await forTypes(world, TYPES, 100, async (region, type) => {
        for (const op of opsOf(type)) await checkOne(region, type, op, rightOf(world));
      });
    },
  },
  {
    name: "Every operation does to many elements of every type what its name says, in every form",
    limitMs: 60_000,
    async run(world) {
      await forTypes(world, TYPES, 100, async (region, type) => {
        for (const op of opsOf(type)) await checkMany(region, type, op, rightOf(world));
      });
    },
  },
  {
    name: "batchCompareExchange() replaces what is as expected, and tells what was there",
    limitMs: 60_000,
    async run(world) {
      await forTypes(world, TYPES, 200, async (region, type) => {
        const { myPe, numPes } = world;
        await checkExchanges(region, type, myPe, rightOf(world));
        await world.asyncBarrier();
        if (myPe === 0) {
          const last = region.length * numPes;
          await region.store(0, 0, small(type, 5));
          assertThrows(
            () => region.batchCompareExchange([0, last], small(type, 5), small(type, 6)),
            RangeError,
            `Cannot batchCompareExchange at index ${last} (item 1)`,
          );
          assertEquals(await region.load(0, 0), small(type, 6));
          assertThrows(
            () => region.batchCompareExchange([0, 0], [small(type, 5)], small(type, 6)),
            RangeError,
            "2 indices do not fit an array of 1 elements",
          );
        }
      });
    },
  },
  {
    name: "Booleans are true and false, and have what bits have",
    async run(world) {
      const right = rightOf(world);
      using region = await world.allocSharedMemRegion("bool", 8);
      await region.put(right, 0, true);
      await region.put(right, 1, [true, false, true]);
      await world.asyncBarrier();
      assertEquals([...region], [true, true, false, true, false, false, false, false]);
      assertEquals([...region.asSlice()], [1, 1, 0, 1, 0, 0, 0, 0]);
      await region.waitUntilAll([0, 1, 2], "==", [true, true, false]);
      assertEquals([region.test(3, "==", true), region.test(3, "!=", true)], [true, false]);
      await world.asyncBarrier();
      const values = [false, true];
      const models = {
        and: (a: boolean, b: boolean) => a && b,
        or: (a: boolean, b: boolean) => a || b,
        xor: (a: boolean, b: boolean) => a !== b,
        store: (_: boolean, b: boolean) => b,
        swap: (_: boolean, b: boolean) => b,
      };
      const named = region as Any;
      for (const op of ELEMENT_OPS) {
        const model = models[op.name as keyof typeof models];
        if (!model) {
          const call = (): void => named[op.name](right, 4, true);
          assertThrows(call, TypeError, /^sh/.test(op.name) ? "shifts take" : "arithmetic takes");
          assertThrows(() => named[op.batchName]([0], true), TypeError, "of bool");
          continue;
        }
        const index = right * 8 + 4;
        for (const [a, b] of values.flatMap((x) => values.map((y) => [x, y] as const))) {
          if (op.updates) {
            await region.store(right, 4, a);
            await named[op.name](right, 4, b);
            assertEquals(await region.load(right, 4), model(a, b), op.name);
            await region.scatter([index], a);
            await named[op.batchName](new Uint32Array([index]), [b]);
            assertEquals(await region.get(right, 4), model(a, b), op.batchName);
          }
          if (!op.fetches) continue;
          await region.put(right, 4, a);
          assertEquals(await named[op.fetchName](right, 4, b), a, op.fetchName);
          assertEquals(region.at(right, 4), model(a, b), op.fetchName);
          await region.put(right, 4, a);
          const before = await named[op.batchFetchName]([index], b);
          assertEquals(before, Uint8Array.of(a ? 1 : 0), op.batchFetchName);
          assertEquals(await region.getBuffer(right, 4, 1), Uint8Array.of(model(a, b) ? 1 : 0));
        }
      }
      await region.store(right, 5, true);
      assertEquals(await region.compareExchange(right, 5, false, true), {
        ok: false,
        value: true,
      });
      assertEquals(await region.compareExchange(right, 5, true, false), { ok: true, value: true });
      const both = [right * 8 + 5, right * 8 + 6];
      assertEquals(await region.batchCompareExchange(both, [true, false], true), {
        ok: Uint8Array.of(0, 1),
        values: Uint8Array.of(0, 0),
      });
      assertThrows(() => named.put(right, 0, 1), TypeError, "it takes true or false");
      assertThrows(() => named.store(right, 0, "yes"), TypeError, "it takes true or false");
      await world.asyncBarrier();
    },
  },
  {
    name: "A divisor of 0 and a shift by more bits than there are are refused, near and far",
    async run(world) {
      const types = TYPES.filter((type) => !isFloat(type));
      await forTypes(world, types, 2, async (region: Any, type) => {
        for (const op of ELEMENT_OPS.filter(({ operand }) => operand !== undefined)) {
          const bits = Number(/\d+/.exec(type)![0]);
          const bad = op.operand === "divisor" ? small(type, 0) : small(type, bits);
          const good = small(type, 1);
          for (const pe of [world.myPe, rightOf(world)]) {
            const first = pe * region.length;
            const array = arrayOf(type, [1, Number(bad)]);
            for (
              const call of [
                () => region[op.name](pe, 0, bad),
                () => region[op.fetchName](pe, 0, bad),
                () => region[op.batchName]([first], bad),
                () => region[op.batchName]([first, first + 1], [good, bad]),
                () => region[op.batchName]([first, first + 1], array),
                () => region[op.batchFetchName]([first], bad),
                () => region[op.batchFetchName]([first, first + 1], array),
              ]
            ) assertThrows(call, RangeError, "it takes");
          }
        }
        await world.asyncBarrier();
        assertEquals(Array.from(region.asSlice(), Number), [0, 0]);
      });
    },
  },
];
