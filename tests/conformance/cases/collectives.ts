/**
 * Collectives of the world and of teams: what they give is what a serial loop over the
 * contributions of all PEs gives, which each PE can make for itself.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  BlockedArch,
  type LamellarSubteam,
  type LamellarWorld,
  type OperatorName,
  type ReducibleArray,
} from "../../../mod.ts";
import { type Case, errorOf, leftOf, type Tools } from "../case.ts";
import { ListArch } from "./teams.ts";
import { randomNumbers } from "../../../internal/random_test_numbers.ts";

/** Lengths that travel with a turn, through a slot in one piece, and in several. */
const LENGTHS = [0, 1, 3, 63, 64, 500, 4097, 20_001, 70_003];

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)]!;
}

function pesOf(world: LamellarWorld): number[] {
  return Array.from({ length: world.numPes }, (_, pe) => pe);
}

type ArrayClass = new (length: number) => ReducibleArray;

const CLASSES: readonly ArrayClass[] = [
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
];

/** What a PE contributes: the same wherever it is made. */
function arrayOf(kind: ArrayClass, length: number, seed: number, pe: number): ReducibleArray {
  const array = new kind(length);
  const random = randomNumbers(seed + 7919 * pe);
  const isBig = array instanceof BigUint64Array || array instanceof BigInt64Array;
  for (let i = 0; i < length; i++) {
    const value = Math.floor(random() * 2 ** 32) - 2 ** 31;
    if (isBig) array[i] = BigInt(value) * 0x1_2345_6789n;
    else array[i] = kind === Float64Array || kind === Float32Array ? value / 2 ** 20 : value;
  }
  return array;
}

/** What an operator gives for two elements; the array wraps or rounds it. */
function combined(
  op: OperatorName,
  left: number | bigint,
  right: number | bigint,
): number | bigint {
  const [a, b] = [left as number, right as number];
  switch (op) {
    case "sum":
      return a + b;
    case "prod":
      // Exact in 64 bits, of which an array of less keeps what it has.
      return Number.isInteger(a) && Number.isInteger(b)
        ? Number(BigInt.asIntN(32, BigInt(a) * BigInt(b)))
        : a * b;
    case "min":
      return a < b ? a : b;
    case "max":
      return a > b ? a : b;
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
  }
}

function serial(op: OperatorName, arrays: readonly ReducibleArray[]): ReducibleArray {
  const [first, ...others] = arrays.map((array) => array.slice());
  for (const other of others) {
    for (let i = 0; i < other.length; i++) first![i] = combined(op, first![i]!, other[i]!) as never;
  }
  return first!;
}

function isFloat(array: ReducibleArray): array is Float32Array | Float64Array {
  return array instanceof Float32Array || array instanceof Float64Array;
}

function operatorsOf(array: ReducibleArray): OperatorName[] {
  const all: OperatorName[] = ["sum", "min", "max"];
  return isFloat(array) ? all : [...all, "prod", "and", "or", "xor"];
}

/** Integers exactly, floats by the bound of a sum in any order. */
function assertReduced(
  got: ReducibleArray,
  arrays: readonly ReducibleArray[],
  op: OperatorName,
): void {
  const expected = serial(op, arrays);
  assertEquals(got.constructor, expected.constructor);
  assertEquals(got.length, expected.length);
  if (!isFloat(expected) || op !== "sum") return assertEquals(got, expected, op);
  const epsilon = expected instanceof Float32Array ? 2 ** -23 : 2 ** -52;
  for (let i = 0; i < expected.length; i++) {
    const size = arrays.reduce((sum, array) => sum + Math.abs(array[i] as number), 0);
    const bound = arrays.length * epsilon * size;
    const error = Math.abs((got[i] as number) - expected[i]!);
    assert(error <= bound, `element ${i}: ${got[i]} is ${error} from ${expected[i]}`);
  }
}

/** A team of some PEs that all choose alike, or the world. */
async function anyTeam(world: LamellarWorld, t: Tools): Promise<LamellarWorld | LamellarSubteam> {
  const chosen = pesOf(world).filter(() => t.sharedRandom() < 0.6);
  const order = chosen.map((pe) => [t.sharedRandom(), pe] as const).sort(([a], [b]) => a - b);
  const whole = t.sharedRandom() < 0.4 || chosen.length === 0;
  return whole ? world : await world.createTeamFromArch(new ListArch(order.map(([, pe]) => pe)));
}

export const COLLECTIVE_CASES: readonly Case[] = [
  {
    name: "A broadcast gives every PE a copy of the root's value, of any kind",
    async run(world) {
      const values = [7, -0, "text", undefined, null, { a: [1, { b: new Map([[1, 2n]]) }] }];
      for (const root of pesOf(world)) {
        for (const value of values) {
          const mine = world.myPe === root ? value : "ignored";
          assertEquals(await world.broadcast(mine as unknown, { root }), value);
        }
        for (const length of LENGTHS) {
          const array = arrayOf(Float64Array, length, root, 0);
          const mine = world.myPe === root ? array : new Float64Array(0);
          const got = await world.broadcast(mine, { root });
          assertEquals(got, array);
          assert(got !== mine, "a copy on the root, too");
        }
      }
    },
  },
  {
    name: "Gather and all-gather give the values of all PEs in their order, arrays of any lengths",
    async run(world, t) {
      const { myPe } = world;
      for (let round = 0; round < 12; round++) {
        const root = Math.floor(t.sharedRandom() * world.numPes);
        const seed = Math.floor(t.sharedRandom() * 2 ** 30);
        const kind = pick(CLASSES, t.sharedRandom);
        const lengths = pesOf(world).map(() => pick(LENGTHS, t.sharedRandom));
        const all = lengths.map((length, pe) => arrayOf(kind, length, seed, pe));
        assertEquals(await world.allGather(all[myPe]!), all);
        const gathered = await world.gather(all[myPe]!, { root });
        assertEquals(gathered, myPe === root ? all : null);
      }
      const texts = pesOf(world).map((pe) => ({ text: "x".repeat(pe * 1000), pe }));
      assertEquals(await world.allGather(texts[myPe]!), texts);
      assertEquals(await world.allGather(myPe), pesOf(world));
    },
  },
  {
    name: "Scatter and all-to-all give each PE its part, of any length",
    async run(world, t) {
      const { myPe, numPes } = world;
      for (let round = 0; round < 8; round++) {
        const root = Math.floor(t.sharedRandom() * numPes);
        const seed = Math.floor(t.sharedRandom() * 2 ** 30);
        const kind = pick(CLASSES, t.sharedRandom);
        const table = pesOf(world).map((from) =>
          pesOf(world).map((to) =>
            arrayOf(kind, pick(LENGTHS, t.sharedRandom), seed, from * numPes + to)
          )
        );
        const got = await world.allToAll(table[myPe]!);
        assertEquals(got, table.map((row) => row[myPe]!));
        const one = await world.scatter(myPe === root ? table[root] : undefined, { root });
        assertEquals(one, table[root]![myPe]);
      }
      const mixed = pesOf(world).map((pe) => pe % 2 === 0 ? { pe } : new Uint8Array(pe));
      const parts = await world.allToAll<unknown>(mixed);
      assertEquals(parts, pesOf(world).map(() => mixed[myPe]));
      const whole = new Int32Array(3 * numPes).map((_, i) => 100 * myPe + i);
      const pieces = await world.allToAll(whole);
      const expected = pesOf(world).map((pe) =>
        Int32Array.from([0, 1, 2], (i) => 100 * pe + 3 * myPe + i)
      );
      assertEquals(pieces, expected);
      assertEquals(await world.scatter(whole), expected[0]);
      using region = await world.allocSharedMemRegion("i32", 3 * numPes);
      region.asMutSlice().set(whole);
      assertEquals(await world.allToAll(region), expected);
      const sum = await world.allReduce(region, "max", { into: region });
      assertEquals([sum === region.asSlice(), region.at(3 * numPes - 1)], [
        true,
        100 * numPes - 101 + 3 * numPes,
      ]);
      await world.asyncBarrier();
    },
  },
  {
    name: "Named operators reduce arrays of any type and length as a serial loop does",
    limitMs: 60_000,
    async run(world, t) {
      for (let round = 0; round < 20; round++) {
        const team = await anyTeam(world, t);
        const seed = Math.floor(t.sharedRandom() * 2 ** 30);
        const kind = pick(CLASSES, t.sharedRandom);
        const length = pick(LENGTHS, t.sharedRandom);
        const all = Array.from({ length: team.numPes }, (_, pe) => arrayOf(kind, length, seed, pe));
        const op = pick(operatorsOf(all[0]!), t.sharedRandom);
        const root = Math.floor(t.sharedRandom() * team.numPes);
        const cuts = all.map(() => t.sharedRandom());
        if ("isMember" in team && !team.isMember) continue;
        const mine = all[team.myPe]!.slice();
        assertReduced(await team.allReduce(mine, op), all, op);
        const one = await team.reduce(mine, op, { root });
        assertEquals(one === null, team.myPe !== root);
        if (one) assertReduced(one, all, op);
        const bounds = [
          0,
          ...cuts.slice(1).map((cut) => Math.floor(cut * (length + 1))).sort((a, b) => a - b),
          length,
        ];
        const counts = all.map((_, pe) => bounds[pe + 1]! - bounds[pe]!);
        const part = await team.reduceScatter(mine, op, { counts });
        const ranges = all.map((array) => array.slice(bounds[team.myPe]!, bounds[team.myPe + 1]));
        assertReduced(part, ranges, op);
        const into = mine.slice();
        assert(await team.allReduce(into, op, { into }) === into, "in place");
        assertReduced(into, all, op);
        assertEquals(mine, all[team.myPe], "what was given is as it was");
      }
    },
  },
  {
    name: "Scans combine the PEs up to each, in their order",
    async run(world, t) {
      const { myPe } = world;
      for (let round = 0; round < 8; round++) {
        const seed = Math.floor(t.sharedRandom() * 2 ** 30);
        const kind = pick(CLASSES, t.sharedRandom);
        const length = pick(LENGTHS, t.sharedRandom);
        const all = pesOf(world).map((pe) => arrayOf(kind, length, seed, pe));
        const op = pick(operatorsOf(all[0]!), t.sharedRandom);
        const before = await world.exscan(all[myPe]!, op);
        if (myPe > 0) assertReduced(before, all.slice(0, myPe), op);
        assertReduced(await world.scan(all[myPe]!, op), all.slice(0, myPe + 1), op);
      }
      assertEquals(await world.scan(myPe + 1, "sum"), (myPe + 1) * (myPe + 2) / 2);
      const firsts = [await world.exscan(5, "sum"), await world.exscan(5, "prod")];
      if (myPe === 0) assertEquals(firsts, [0, 1]);
      const ends = [await world.exscan(5, "min"), await world.exscan(-5, "max")];
      if (myPe === 0) assertEquals(ends, [Infinity, -Infinity]);
      const letters = await world.scan(String.fromCharCode(97 + myPe % 26), (a, b) => a + b);
      assertEquals(letters.length, myPe + 1);
      const none = await world.exscan("x", (a, b) => a + b);
      assertEquals(none, myPe === 0 ? undefined : "x".repeat(myPe));
    },
  },
  {
    name: "Numbers, BigInts and booleans reduce; NaN, zeros and ties are as promised",
    async run(world) {
      const { myPe, numPes } = world;
      const sum = numPes * (numPes - 1) / 2;
      assertEquals(await world.allReduce(myPe, "sum"), sum);
      assertEquals(await world.allReduce(BigInt(myPe), "sum"), BigInt(sum));
      assertEquals(await world.allReduce(myPe === 0, "or"), true);
      assertEquals(await world.allReduce(myPe === 0, "and"), numPes === 1);
      assertEquals(await world.allReduce(2 ** 40 + myPe, "and") >= 2 ** 40, true);
      assertEquals(await world.allReduce(myPe === numPes - 1 ? NaN : 1, "max"), NaN);
      assertEquals(await world.allReduce(myPe === numPes - 1 ? -0 : 0, "min"), -0);
      assertEquals(await world.allReduce(myPe === 0 ? 0 : -0, "max"), 0);
      assertEquals(await world.allReduce(3, "minLoc"), { value: 3, pe: 0 });
      assertEquals(await world.allReduce(-myPe, "minLoc"), {
        value: 1 - numPes || -0,
        pe: numPes - 1,
      });
      const last = myPe === numPes - 1 ? NaN : myPe;
      assertEquals(await world.allReduce(last, "maxLoc"), { value: NaN, pe: numPes - 1 });
      const each = await world.allReduce(Float64Array.of(myPe, -myPe), "maxLoc");
      assertEquals(each.pes, Uint32Array.of(numPes - 1, 0));
      assertEquals(
        await world.reduce(1, "sum", { root: numPes - 1 }),
        myPe === numPes - 1 ? numPes : null,
      );
    },
  },
  {
    name: "Functions combine values of any kind in the order of the PEs",
    async run(world) {
      const { myPe, numPes } = world;
      const join = (a: string, b: string): string => `${a} ${b}`;
      const all = pesOf(world).join(" ");
      assertEquals(await world.allReduce(String(myPe), join), all);
      assertEquals(await world.reduce(String(myPe), join, { root: 0 }), myPe === 0 ? all : null);
      const merged = await world.allReduce(
        new Map([[myPe, "x".repeat(300)]]),
        (a, b) => new Map([...a, ...b]),
      );
      assertEquals([...merged.keys()], pesOf(world));
      const late = world.allReduce(myPe, (() => Promise.reject(1)) as unknown as () => number);
      const refused = await errorOf(async () => void await late);
      assertEquals(`${refused}`.includes("gives promises"), numPes > 1);
      const wrong = world.allReduce(myPe, () => {
        throw new RangeError("no such sum");
      });
      const error = numPes === 1 ? undefined : await errorOf(() => wrong);
      if (error) assertMatch(`${error}`, /no such sum/);
      else await wrong;
    },
  },
  {
    name: "Floats have the same bits on every PE and in every run",
    async run(world) {
      for (const length of [1, 50, 30_000]) {
        const mine = new Float64Array(length).map((_, i) =>
          Math.sin(i + 1) * 10 ** (world.myPe * 3)
        );
        const first = await world.allReduce(mine, "sum");
        for (let run = 0; run < 3; run++) {
          const again = await world.allReduce(mine, "sum");
          const all = await world.allGather(new Uint8Array(again.buffer));
          for (const bits of all) assertEquals(bits, new Uint8Array(first.buffer));
        }
      }
    },
  },
  {
    name: "Several collectives may be under way at once, and are awaited in any order",
    async run(world, t) {
      const { myPe, numPes } = world;
      const handles = Array.from({ length: 12 }, (_, i) => {
        const array = new Int32Array(i % 3 === 0 ? 9000 : 5).fill(i + myPe);
        return { i, handle: world.allReduce(array, "sum") };
      });
      const barrier = world.asyncBarrier();
      const text = world.broadcast(`from ${myPe}`, { root: numPes - 1 });
      for (const { i, handle } of handles.sort(() => t.random() - 0.5)) {
        const sum = numPes * (numPes - 1) / 2 + i * numPes;
        assert((await handle).every((value) => value === sum));
      }
      assertEquals(text.block(), `from ${numPes - 1}`);
      await barrier;
    },
  },
  {
    name: "Teams that overlap run collectives at the same time",
    async run(world) {
      const { myPe, numPes } = world;
      const half = Math.ceil(numPes / 2);
      const low = await world.createTeamFromArch(new BlockedArch(0, half));
      const high = await world.createTeamFromArch(new BlockedArch(numPes - half, half));
      const handles = [low, high].filter(({ isMember }) => isMember).flatMap((team) =>
        Array.from({ length: 4 }, (_, i) => ({
          team,
          i,
          handle: team.allReduce(new Uint32Array(20_000).fill(i), "sum"),
        }))
      );
      const all = world.allGather(new Uint8Array(50_000).fill(myPe));
      for (const { team, i, handle } of handles.toReversed()) {
        assertEquals((await handle)[19_999], i * team.numPes);
      }
      assertEquals((await all).map((bytes) => bytes[49_999]), pesOf(world));
    },
  },
  {
    name: "What cannot be called is refused on the PE that calls it, and nothing was begun",
    async run(world) {
      const { numPes } = world;
      assertThrows(() => world.broadcast(1, { root: numPes }), RangeError, "with the root");
      assertThrows(() => world.broadcast(1, { root: -1 }), RangeError, "with the root -1");
      assertThrows(() => world.allGather(() => 1), TypeError, "a function");
      assertThrows(() => world.allReduce(1, "avg" as "sum"), TypeError, '"avg" for f64');
      assertThrows(
        () => world.allReduce(new Float32Array(2), "xor"),
        TypeError,
        'Cannot call allReduce with "xor" for f32: the operators are "sum"',
      );
      assertThrows(() => world.allReduce(1.5, "and"), RangeError, "not a safe integer");
      assertThrows(() => world.allReduce(1n as never, "minLoc"), TypeError, "for bigi64");
      assertThrows(() => world.allReduce("x" as never, "maxLoc"), TypeError, "named operators");
      assertThrows(() => world.allReduce(true as never, "maxLoc"), TypeError, "for bool");
      const into = new Float64Array(2);
      const located = [into, "minLoc", { into }] as unknown as [number, "sum"];
      assertThrows(() => world.allReduce(...located), TypeError, "Cannot call allReduce into");
      assertThrows(() => world.allReduce(2n ** 63n, "sum"), RangeError, "more than 64 bits");
      assertThrows(() => world.allReduce("text" as never, "sum"), TypeError, "named operators");
      assertThrows(() => world.allToAll([1, 2, 3].slice(0, numPes === 3 ? 2 : 3)), RangeError);
      assertThrows(
        () => world.reduceScatter(new Int32Array(4), "sum", { counts: [5] }),
        RangeError,
        "with the counts 5",
      );
      assertThrows(
        () => world.allReduce(new Int32Array(4), "sum", { into: new Int32Array(3) }),
        RangeError,
        "into 3 elements: the result has 4",
      );
      assertThrows(
        () => world.allReduce(new Int32Array(4), "sum", { into: new Uint32Array(4) }),
        TypeError,
        "does not hold i32",
      );
      const gone = new Int32Array(4);
      structuredClone(gone, { transfer: [gone.buffer] });
      assertThrows(() => world.allReduce(gone, "sum"), TypeError, "was transferred");
      assertEquals(await world.allReduce(1, "sum"), numPes);
    },
  },
  {
    name: "Handles of regions travel inside values, and their elements at the top",
    async run(world) {
      const region = world.allocOneSidedMemRegion("i32", 3);
      region.asMutSlice().set([world.myPe, 1, 2]);
      const arrays = await world.allGather(region);
      assertEquals(arrays[leftOf(world)], Int32Array.of(leftOf(world), 1, 2));
      const [handles] = [await world.allGather({ region })];
      assertEquals(await handles[leftOf(world)]!.region.get(0), leftOf(world));
      await world.asyncBarrier();
    },
  },
];
