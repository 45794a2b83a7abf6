/**
 * Arrays with locks: writers are alone, readers together, batches hold one part's lock at a time,
 * and guards keep it for several operations.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  am,
  AtomicArray,
  ClosedError,
  GlobalLockArray,
  LamellarError,
  LocalLockArray,
  localLockArray,
  TimeoutError,
  u32,
  UnsafeArray,
} from "../../../mod.ts";
import { type Case, errorOf, pause, rightOf, several, together } from "../case.ts";

const Increment = am(
  "array_locks.Increment",
  { at: localLockArray("u32"), n: u32 },
  async ({ at, n }) => {
    using guard = await at.writeLock();
    const data = guard.localData();
    const before = data[0]!;
    await pause();
    data[0] = before + n;
  },
);
const AddTo = am("array_locks.AddTo", { at: localLockArray("u32"), n: u32 }, async ({ at, n }) => {
  await at.batchAdd(Uint32Array.from({ length: at.length }, (_, i) => i), n);
});
const Lengths = am(
  "array_locks.Lengths",
  (arrays: { readonly length: number }[]) => arrays.map(({ length }) => length),
);
const BlocksOn = am("array_locks.BlocksOn", { at: localLockArray("u32") }, ({ at }) => {
  try {
    at.writeLock().block().dispose();
    return "got it";
  } catch (error) {
    return (error as LamellarError).code;
  }
});

/** What a PE holds that blocks. */
let held: { dispose(): void } | undefined;
const LetGo = am("array_locks.LetGo", {}, () => held?.dispose());

/** The cases of arrays with locks. */
export const ARRAY_LOCK_CASES: readonly Case[] = [
  {
    name: "a LocalLockArray lets readers of a PE in together and a writer alone",
    async run(world) {
      const { myPe, numPes } = world;
      using array = await LocalLockArray.create(world, "i32", 3 * numPes, "cyclic");
      {
        using one = await array.readLock();
        using two = array.readLock().block();
        using three = array.tryReadLock();
        assertEquals([one, two, three].map((guard) => guard!.localData().length), [3, 3, 3]);
        assertEquals(array.tryWriteLock(), undefined);
        assertEquals(one.array.at(2), 0);
      }
      await world.asyncBarrier();
      {
        using guard = await array.writeLock();
        guard.localData().set([1, 2, 3]);
        await guard.array.add(1, 10);
        assertEquals([...guard.localData()], [1, 12, 3]);
        assertEquals(guard.localChunks(2).map((chunk) => [...chunk]), [[1, 12], [3]]);
        assertThrows(() => guard.localChunks(0), RangeError);
        assertEquals([array.tryReadLock(), array.tryWriteLock()], [undefined, undefined]);
        const late = array.readLock();
        assertThrows(() => late.block(), LamellarError, "this PE has to give it back");
        late.then((other) => other.dispose());
        const add = array.add(array.firstGlobalIndexForPe(myPe)!, 1);
        const error = assertThrows(() => add.block(), LamellarError);
        assertEquals(error.code, "ERR_NEEDS_EVENT_LOOP");
        assertMatch(
          error.message,
          /the write lock of PE \d+'s part of LocalLockArray \d+, which PE/,
        );
        add.then(() => {});
        guard.dispose();
        guard.dispose();
        assertThrows(() => guard.localData(), ClosedError, "its lock was given back");
        assertThrows(() => guard.array.at(0), ClosedError, "its lock was given back");
        await add;
      }
      await together(world);
      assertEquals([...await array.getPe(rightOf(world), 0, 3)], [2, 12, 3]);
      await world.asyncBarrier();
    },
  },
  {
    name: "handlers that read, wait and write while they hold a lock lose no update",
    async run(world) {
      using array = await LocalLockArray.create(world, "u32", world.numPes, "block");
      const rounds = 10;
      for (let i = 0; i < rounds; i++) world.execAmAll(Increment({ at: array, n: 1 }));
      await together(world);
      assertEquals(await array.load(world.myPe), rounds * world.numPes);
      await world.asyncBarrier();
    },
  },
  {
    name: "batches of many PEs under locks lose no update, with guards in between",
    async run(world) {
      const { numPes } = world;
      for (const kind of ["block", "cyclic"] as const) {
        using local = await LocalLockArray.create(world, "u32", 500, kind);
        using global = await GlobalLockArray.create(world, "u32", 500, kind);
        const indices = Uint32Array.from({ length: 2000 }, (_, i) => i % 500);
        const pending = [];
        for (let round = 0; round < 10; round++) {
          pending.push(local.batchAdd(indices, 1), global.batchAdd(indices, 1));
          pending.push(local.add(round, 1000), global.fetchAdd(round, 1000));
          if (round % 3 !== 0) continue;
          using guard = await global.writeLock();
          const before = await guard.array.get(0, 500);
          await pause();
          await guard.array.put(0, before.map((value) => value + 5));
        }
        await Promise.all(pending);
        await together(world);
        const wanted = (more: number) => (_: unknown, i: number) =>
          numPes * (40 + more + (i < 10 ? 1000 : 0));
        assertEquals([...await local.get(0, 500)], Array.from({ length: 500 }, wanted(0)));
        assertEquals([...await global.get(0, 500)], Array.from({ length: 500 }, wanted(20)));
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "the lock of a GlobalLockArray is for all of its elements",
    async run(world) {
      const { myPe, numPes } = world;
      using array = await GlobalLockArray.create(world, "i64", 4 * numPes, "block");
      for (let round = 0; round < 5; round++) {
        using guard = await array.writeLock();
        const all = await guard.array.get(0, array.length);
        assert(all.every((value) => value === all[0]), `PE ${myPe} found ${all}`);
        for (let i = 0; i < array.length; i++) await guard.array.store(i, all[0]! + 1);
      }
      await world.asyncBarrier();
      {
        // Readers of all PEs at once.
        using guard = await array.readLock();
        await world.asyncBarrier();
        assertEquals(await guard.array.load(0), 5 * numPes);
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "all PEs hold the lock of a GlobalLockArray together, and nobody else meanwhile",
    async run(world) {
      const { myPe, numPes } = world;
      const array = await GlobalLockArray.create(world, "i64", 3 * numPes, "cyclic");
      for (let round = 0; round < 6; round++) {
        // Others want the lock too, and one PE has it at first.
        const before = myPe === round % numPes ? await array.writeLock() : undefined;
        const together = array.collectiveWriteLock();
        const later = array.add(myPe, 100);
        before?.dispose();
        const guard = round % 2 === 0 ? await together : together.block();
        const mine = guard.localData();
        assertEquals(mine.length, 3);
        assertEquals(guard.array.length, 3);
        mine.forEach((value, i) => mine[i] = value + 1n);
        // All have theirs at this point, and what was asked for later waits.
        await world.asyncBarrier();
        assertEquals(await guard.array.load(0), Number(mine[0]));
        guard.dispose();
        guard.dispose();
        assertThrows(() => guard.localData(), ClosedError, "its lock was given back");
        await later;
      }
      await world.asyncBarrier();
      const sums = await array.get(0, array.length);
      const [low = 0, ...others] = sums.map((value, i) => value - (i < numPes ? 600 : 0));
      assertEquals([low, ...others], Array(3 * numPes).fill(6));
      await world.asyncBarrier();
      const guard = await array.collectiveWriteLock();
      const converting = array.intoAtomic();
      for (let i = 0; i < 10; i++) await new Promise(setImmediate);
      assertEquals(converting.done, false);
      guard.dispose();
      using atomic = await converting;
      assertEquals(await atomic.sum(), 3 * 6 * numPes + 600 * numPes);
      await world.asyncBarrier();
    },
  },
  {
    name: "a lock that is held is waited for, given up by time or signal, and got when it is free",
    pes: several,
    async run(world) {
      const { myPe } = world;
      using array = await GlobalLockArray.create(world, "f32", 10, "block");
      const guard = myPe === 0 ? await array.writeLock() : undefined;
      await world.asyncBarrier();
      if (myPe !== 0) {
        const error = await errorOf(() => array.readLock({ timeoutMs: 20 }));
        assert(error instanceof TimeoutError, String(error));
        assertMatch(error.message, /the read lock of GlobalLockArray \d+/);
        const abort = new AbortController();
        const wanted = array.writeLock({ signal: abort.signal });
        abort.abort(new Error("no more"));
        assertEquals((await errorOf(() => wanted))?.message, "no more");
        assertThrows(() => array.writeLock({ timeoutMs: 5 }).block(), TimeoutError);
      }
      const later = myPe === 0 ? undefined : array.put(myPe % 10, 1.5);
      for (let i = 0; i < 10; i++) await world.asyncBarrier();
      assertEquals(later?.done ?? false, false);
      await world.asyncBarrier();
      guard?.dispose();
      await later;
      await together(world);
      if (myPe !== 0) assertEquals(array.at(myPe % 10), 1.5);
      await world.asyncBarrier();
    },
  },
  {
    name: "who waits for a lock of a PE that computes gets it as soon as it is free",
    pes: several,
    async run(world) {
      using array = await LocalLockArray.create(world, "u32", world.numPes, "block");
      const rounds = 200;
      const handles = [];
      for (let i = 0; i < rounds; i++) {
        handles.push(array.batchAdd(Uint32Array.from({ length: world.numPes }, (_, pe) => pe), 1));
        if (world.myPe === 1 && i % 50 === 0) {
          const end = performance.now() + 5;
          while (performance.now() < end);
        }
      }
      await Promise.all(handles);
      await together(world);
      assertEquals(await array.load(rightOf(world)), rounds * world.numPes);
      await world.asyncBarrier();
    },
  },
  {
    name: "an operation gets its lock although the PE that has the elements blocks",
    pes: several,
    async run(world) {
      const { myPe, numPes } = world;
      using array = await LocalLockArray.create(world, "u64", numPes, "block");
      if (myPe === 0) held = await array.writeLock();
      await world.asyncBarrier();
      if (myPe > 0) {
        const found = array.fetchAdd(0, 1);
        const list = array.batchFetchAdd([0, 0], [2, 3]);
        const exchanged = array.batchCompareExchange([0], 1e9, 9);
        if (myPe === 1) await world.execAmPe(0, LetGo({}));
        assert(found.block() < 6 * numPes);
        const [first, second] = list.block();
        assertEquals(second! - first!, 2);
        assertEquals(exchanged.block().ok, Uint8Array.of(0));
      }
      world.barrier();
      assertEquals(array.at(0), 6 * (numPes - 1));
      await world.asyncBarrier();
    },
  },
  {
    name: "a conversion waits for guards, and nothing of a lock is left behind",
    async run(world) {
      const { myPe, numPes } = world;
      const array = await LocalLockArray.create(world, "u16", numPes, "block");
      const guard = await array.writeLock();
      const converting = array.intoAtomic();
      await world.asyncBarrier();
      for (let i = 0; i < 10; i++) await world.asyncBarrier();
      assert(!converting.done);
      guard.localData()[0] = 7 + myPe;
      guard.dispose();
      const atomic = await converting;
      assert(atomic instanceof AtomicArray);
      assertEquals(await atomic.load(myPe), 7 + myPe);
      await atomic.asyncBarrier();
      const global = await atomic.intoGlobalLock();
      {
        using held = await global.writeLock();
        await held.array.add(0, 1);
      }
      // What was refused keeps nothing.
      assertThrows(() => global.reduce("no such"), TypeError, "no such");
      const local = await global.intoLocalLock();
      {
        using held = local.tryWriteLock();
        assert(held !== undefined);
      }
      await local.asyncBarrier();
      using unsafe = await local.intoUnsafe();
      assert(unsafe instanceof UnsafeArray);
      assertEquals(unsafe.at(0), 7 + numPes);
      await unsafe.asyncBarrier();
    },
  },
  {
    name: "an array with locks reaches handlers, which take them; blocking there is refused",
    async run(world) {
      const { myPe, numPes } = world;
      using array = await LocalLockArray.create(world, "u32", 2 * numPes, "cyclic");
      await world.execAmPe(rightOf(world), AddTo({ at: array.subArray(1), n: 3 }));
      await together(world);
      const all = await array.get(0, array.length);
      assertEquals([...all], Array.from(all, (_, i) => i === 0 ? 0 : 3 * numPes));
      await world.asyncBarrier();
      {
        using _guard = await array.readLock();
        const code = await world.execAmPe(myPe, BlocksOn({ at: array }));
        assert(code === "ERR_BLOCKING_IN_HANDLER" || code === "ERR_NEEDS_EVENT_LOOP", code);
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "what a guard has ends with it: it is not cloned, converted or sent",
    async run(world) {
      const { myPe } = world;
      for (const type of [LocalLockArray, GlobalLockArray]) {
        using array = await type.create(world, "u32", 20_000, "cyclic");
        await array.put(0, Uint32Array.from({ length: 20_000 }, (_, i) => i));
        await world.asyncBarrier();
        {
          using guard = await array.readLock();
          const held = guard.array.subArray(3);
          for (const one of [guard.array, held]) {
            const text = `Cannot call clone of the array of a guard of ${type.name}`;
            assertThrows(() => one.clone(), LamellarError, text);
            assertThrows(
              () => (one as UnsafeArray<"u32">).intoAtomic(),
              LamellarError,
              "intoAtomic",
            );
            const error = await errorOf(() =>
              world.execAmPe(myPe, AddTo({ at: one as never, n: 1 }))
            );
            assert(error !== undefined);
            const sent = await errorOf(() => world.execAmPe(rightOf(world), Lengths([one])));
            assertMatch(sent!.message, /Cannot call send of the array of a guard/);
          }
          const wanted = guard.array.length === 20_000 ? 199_990_000 : undefined;
          const sum = await guard.array.sum();
          if (wanted !== undefined) assertEquals(sum, wanted);
          assertEquals(
            await held.sum(),
            (await held.get(0, held.length)).reduce((a, b) => a + b, 0),
          );
        }
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "a reduction that waits for a lock goes on when its PE gives the array up",
    async run(world) {
      for (const type of [LocalLockArray, GlobalLockArray]) {
        const array = await type.create(world, "u32", 30_000, "block");
        await array.fill(1);
        await world.asyncBarrier();
        const guard = world.myPe === 0 ? await array.writeLock() : undefined;
        await world.asyncBarrier();
        const sum = array.sum();
        array.dispose();
        guard?.dispose();
        assertEquals(await sum, 30_000);
        await world.asyncBarrier();
      }
    },
  },
  {
    name: "wrong calls of locked arrays are refused before a lock is asked for",
    async run(world) {
      using array = await LocalLockArray.create(world, "u8", 5, "block");
      using _guard = await array.writeLock();
      assertThrows(() => array.add(5, 1), RangeError, "at index 5");
      assertThrows(() => array.batchAdd([0, 5], 1), RangeError, "(item 1)");
      assertThrows(() => array.batchAdd([0, 1], [1]), RangeError);
      assertThrows(() => array.batchAdd([0], 300), RangeError, "300");
      assertThrows(() => array.batchDiv([0], 0), RangeError, "other than 0");
      assertThrows(() => array.put(3, [1, 2, 3]), RangeError);
      assertThrows(() => array.get(0, 6), RangeError);
      assertThrows(() => array.readLock({ timeoutMs: -1 }), RangeError);
      assertThrows(() => array.putPe(world.numPes, 0, 1), RangeError, "PEs");
      assertThrows(() => array.getPe(-1, 0), RangeError);
      assertThrows(() => array.getPe(0, 99), RangeError, "at offset 99");
      await world.asyncBarrier();
    },
  },
];
