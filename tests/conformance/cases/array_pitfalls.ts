/**
 * What is easily wrong in a library of arrays, and was in others: shifts in the wrong direction, a
 * range that is forgotten, PEs without elements, answers that come late, waits one after the other.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  AtomicArray,
  type DistributionKind,
  type ElementType,
  GlobalLockArray,
  type LamellarWorld,
  LocalLockArray,
  reduction,
  UnsafeArray,
} from "../../../mod.ts";
import { type Case, pause, rightOf, together } from "../case.ts";
import { after, held, opsOf, sameBits, takes, type Value } from "../element_model.ts";
import { LIMITS, small, TYPES } from "./region_values.ts";

const KINDS: readonly DistributionKind[] = ["block", "cyclic"];
const CLASSES = [UnsafeArray, AtomicArray, LocalLockArray, GlobalLockArray] as const;

/** More elements than a PE reduces for another one whose memory it can read. */
const MANY = 5000;

/** What a reduction tells of when it runs: set by the case that uses it. */
let meets: (() => boolean) | undefined;

const MEET = reduction("conformance meets", (a: number, b: number) => {
  const met = meets?.() ?? true;
  meets = undefined;
  return met ? a + b : NaN;
});

const GREATEST = reduction("conformance greatest", (a: number, b: number) => Math.max(a, b));

function valuesFor(type: ElementType): Value[] {
  if (type === "bool") return [true, false];
  return [...[1, 2, 3, 5].map((n) => small(type, n)), ...LIMITS[type]];
}

/** Computes for a while, as programs do. */
function compute(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Whether all PEs come to the same place before a time is over, each by setting its flag. */
function meeting(world: LamellarWorld, flags: AtomicArray<"u32">, round: number): () => boolean {
  return () => {
    flags.store(world.myPe, round).block();
    const end = performance.now() + 5000;
    for (let pe = 0; pe < world.numPes; pe++) {
      while (flags.load(pe).block() < round) if (performance.now() > end) return false;
    }
    return true;
  };
}

/** What others got wrong. */
export const ARRAY_PITFALL_CASES: readonly Case[] = [
  {
    name: "a local element has every operation of its type, and each does what it says",
    limitMs: 40_000,
    async run(world) {
      for (const type of [...TYPES, "bool"] as const) {
        using array = await AtomicArray.create(world, type, world.numPes, "cyclic");
        // deno-lint-ignore no-explicit-any -- methods are called by name
        const element: any = array.localData().at(0);
        for (const op of opsOf(type)) {
          for (const first of valuesFor(type)) {
            for (const operand of valuesFor(type).filter((value) => takes(op, type, value))) {
              const was = held(type, first);
              const expected = after(type, op.name, was, operand);
              if (expected === undefined) continue;
              const what = `${type} ${first} ${op.name} ${operand}`;
              if (op.updates) {
                element.store(first);
                element[op.name](operand);
                assert(sameBits(element.load(), expected), `${what}: ${element.load()}`);
              }
              if (!op.fetches) continue;
              element.store(first);
              assert(sameBits(element[op.fetchName](operand), was), `${what} gave another value`);
              assert(sameBits(element.load(), expected), `${what}: ${element.load()}`);
            }
          }
        }
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "every call of a sub-array counts from its beginning, by blocks and cyclic",
    limitMs: 60_000,
    async run(world) {
      const { myPe, numPes } = world;
      const length = 3 * numPes + 2;
      for (const kind of KINDS) {
        for (const type of CLASSES) {
          using whole = await type.create(world, "u32", length, kind);
          if (myPe === 0) await whole.put(0, Array.from({ length }, (_, i) => 100 + i));
          await world.asyncBarrier();
          // The first and the last element of a PE, one in the middle, and the last of all.
          for (const start of new Set([0, 1, 2, 3, Math.floor(length / 2), length - 1])) {
            const part = whole.subArray(start);
            const expected = 100 + start;
            const target = new Uint32Array(part.length);
            part.getUnmanaged(0, target);
            await world.awaitAll();
            assertEquals([target[0], target.at(-1)], [expected, 99 + length]);
            part.blockingGet(0, target);
            const { pe, offset } = part.peAndOffsetForGlobalIndex(0)!;
            assertEquals([part.firstGlobalIndexForPe(pe), offset], [0, 0]);
            const found = [
              target[0],
              part.at(0),
              await part.get(0),
              await part.load(0),
              (await part.get(0, 1))[0],
              (await part.getBuffer(0, 1))[0],
              (await part.batchLoad([0]))[0],
              (await part.batchLoad(Uint32Array.of(0)))[0],
              await part.getPe(pe, 0),
              (await part.getPe(pe, 0, 1))[0],
              await part.min(),
              part.subArray(0, 1).at(0),
            ];
            assertEquals(found, found.map(() => expected));
          }
          await world.asyncBarrier();
          if (myPe === numPes - 1) {
            const part = whole.subArray(1, length);
            part.putUnmanaged(0, [1, 2]);
            await world.awaitAll();
            part.blockingPut(2, 3);
            await part.add(0, 10);
            await part.batchAdd([1, 2], 10);
            await part.subArray(1).swap(2, 4);
          }
          await world.asyncBarrier();
          assertEquals([...await whole.get(0, 5)], [100, 11, 12, 13, 4]);
          await world.asyncBarrier();
        }
      }
    },
  },
  {
    name: "PEs without elements take part in nothing, and nobody waits for them",
    async run(world) {
      const { myPe, numPes } = world;
      for (const type of CLASSES) {
        for (const length of [0, 1, 2]) {
          using array = await type.create(world, "i32", length, "block");
          if (myPe === 0) await array.fill(7);
          await world.asyncBarrier();
          const expected = length === 0 ? undefined : 7;
          assertEquals(await array.max(), expected);
          assertEquals(await array.reduce(GREATEST), expected);
          assertEquals(await array.reduce((a, b) => Math.max(a, b)), expected);
          assertEquals(await array.sum(), length === 0 ? undefined : 7 * length);
          assertEquals(await array.subArray(0, 0).prod(), undefined);
          assertEquals([...await array.get(0, length)], Array(length).fill(7));
          assertEquals((await array.batchLoad([])).length, 0);
          assertEquals((await array.batchFetchAdd([], [])).length, 0);
          assertEquals((await array.batchCompareExchange([], 1, 2)).ok.length, 0);
          await array.batchAdd(new Set<number>(), 1);
          assertEquals((await array.getPe(numPes - 1, 0, 0)).length, 0);
          await world.asyncBarrier();
        }
        // One PE has all elements of a range, whoever asks.
        using long = await type.create(world, "i32", MANY * numPes, "block");
        const few = long.subArray(MANY * (numPes - 1));
        if (myPe === 0) await few.fill(2);
        await world.asyncBarrier();
        assertEquals([await few.sum(), await few.reduce(GREATEST)], [2 * MANY, 2]);
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "a reduction has what each PE gives exactly once, however late they are",
    async run(world, t) {
      const { myPe, numPes } = world;
      for (const type of CLASSES) {
        using array = await type.create(world, "f64", MANY * numPes, "block");
        if (myPe === 0) {
          for (let pe = 0; pe < numPes; pe++) await array.putPe(pe, 0, Array(MANY).fill(2 ** pe));
        }
        await world.asyncBarrier();
        const sum = MANY * (2 ** numPes - 1);
        for (let round = 0; round < 4; round++) {
          const asked = [array.sum(), array.reduce(GREATEST), array.reduce("sum")];
          // Answers come in another order each time, before and after the caller looks.
          compute(8 * t.random());
          assertEquals(await Promise.all(asked), [sum, 2 ** (numPes - 1), sum]);
        }
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "all PEs reduce what they have at the same time",
    async run(world) {
      const { myPe, numPes } = world;
      using flags = await AtomicArray.create(world, "u32", numPes, "cyclic");
      for (const [round, type] of [UnsafeArray, AtomicArray, GlobalLockArray].entries()) {
        using array = await type.create(world, "f64", MANY * numPes, "block");
        if (myPe === 0) await array.fill(1);
        meets = meeting(world, flags, round + 1);
        await world.asyncBarrier();
        // Each begins to reduce, and goes on when all have begun.
        if (myPe === 0) assertEquals(await array.reduce(MEET), MANY * numPes);
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "operations whose handles nobody looks at are done all the same",
    async run(world) {
      const { myPe, numPes } = world;
      const right = rightOf(world);
      for (const type of CLASSES) {
        using array = await type.create(world, "i64", 10 * numPes, "block");
        const at = 10 * right;
        array.add(at, 5);
        array.batchAdd([at + 1, at + 2], [6, 7]);
        array.fetchXor(at + 3, 8);
        array.put(at + 4, [9, 10]);
        array.compareExchange(at + 6, 0, 11);
        array.compareExchangeEpsilon(at + 7, 1, 12, 2);
        array.batchFetchMax([at + 8].values(), 13);
        array.putPe(right, 9, 14);
        await together(world);
        const expected = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
        assertEquals([...await array.get(10 * myPe, 10)], expected);
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "a get gives the bits that stand there, whatever they are",
    async run(world, t) {
      const { myPe, numPes } = world;
      const right = rightOf(world);
      using array = await UnsafeArray.create(world, "u8", 1027 * numPes, "block");
      const patterns: ((i: number) => number)[] = [
        () => 0,
        () => 0xff,
        (i) => i % 2 === 0 ? 0xaa : 0x55,
        (i) => [0xde, 0xad, 0xbe, 0xef, 0xca, 0xfe, 0xba, 0xbe][i % 8]!,
        () => Math.floor(256 * t.random()),
      ];
      for (const pattern of patterns) {
        const mine = Uint8Array.from({ length: 1027 }, (_, i) => pattern(i));
        array.localAsMutSlice().set(mine);
        await world.asyncBarrier();
        const theirs = await world.allGather(mine);
        for (const count of [1, 3, 8, 9, 64, 1000, 1023]) {
          // A target that holds the same already, and one that holds something else.
          for (
            const target of [theirs[right]!.slice(4, 4 + count), new Uint8Array(count).fill(1)]
          ) {
            await array.get(1027 * right + 4, target);
            assertEquals(target, theirs[right]!.slice(4, 4 + count));
          }
        }
        await world.asyncBarrier();
      }
      assertEquals(array.numElemsLocal, 1027);
      assertEquals(array.firstGlobalIndexForPe(myPe), 1027 * myPe);
    },
  },
  {
    name: "a writer of an array with locks gets its turn among readers that never stop",
    async run(world) {
      const { myPe, numPes } = world;
      for (const type of [LocalLockArray, GlobalLockArray]) {
        using array = await type.create(world, "u32", numPes, "block");
        using wrote = await AtomicArray.create(world, "u32", 1);
        const read = async (): Promise<void> => {
          // Two of each PE, so that the lock is not free before the writer has had it.
          while (await wrote.load(0) === 0) {
            using guard = myPe === 0 || type === GlobalLockArray
              ? await array.readLock()
              : undefined;
            if (guard === undefined) await array.getPe(0, 0, 1);
            await pause();
          }
        };
        const readers = [read(), read(), read()];
        for (let i = 0; i < 5; i++) await pause();
        if (myPe === 0) {
          using guard = await array.writeLock({ timeoutMs: 10_000 });
          await guard.array.store(0, 5);
          await wrote.store(0, 1);
        }
        await Promise.all(readers);
        assertEquals(await array.load(0), 5);
        await world.asyncBarrier();
      }
    },
  },
];
