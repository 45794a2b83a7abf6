/**
 * Arrays of a session, as its program uses them.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  AtomicArray,
  ClosedError,
  IdError,
  LamellarError,
  MemNotLocalError,
  OutOfMemoryError,
  PeFailedError,
  RemoteError,
  startSession,
  TimeoutError,
} from "../mod.ts";
import { Mark, Mean } from "./programs/session_ams.ts";
import { CLIENT, withSession } from "./support/sessions.ts";

const KINDS = ["UnsafeArray", "AtomicArray", "LocalLockArray", "GlobalLockArray"] as const;
const DISTRIBUTIONS = ["block", "cyclic"] as const;

for (const kind of KINDS) {
  for (const distribution of DISTRIBUTIONS) {
    Deno.test(`The program uses every element of a new ${kind} (${distribution})`, () =>
      withSession(async (session) => {
        using array = await session.createArray(kind, "u64", 1001, distribution);
        assertEquals([array.length, array.numPes, array.myPe, array.numElemsLocal], [
          1001,
          3,
          -1,
          0,
        ]);
        const model = Array.from({ length: 1001 }, (_, i) => i);
        await array.put(0, model);
        await array.add(1000, 5);
        model[1000]! += 5;
        assertEquals(await array.fetchSub(7, 2), 7);
        model[7]! -= 2;
        const indices = [0, 500, 500, 1000];
        await array.batchAdd(indices, [1, 2, 3, 4]);
        indices.forEach((index, i) => model[index]! += i + 1);
        assertEquals(await array.compareExchange(3, 3, 30), { ok: true, value: 3 });
        assertEquals(await array.compareExchange(3, 3, 31), { ok: false, value: 30 });
        model[3] = 30;
        assertEquals([...await array.batchLoad([1000, 3])], [model[1000]!, 30]);
        assertEquals([...await array.get(0, 1001)], model);
        assertEquals(await array.load(1000), model[1000]);
        assertEquals(await array.sum(), model.reduce((a, b) => a + b));
        assertEquals(await array.reduce((a, b) => Math.max(a, b)), Math.max(...model));
        const part = array.subArray(3, 11).subArray(4, 6);
        assertEquals([...await part.get(0, 2)], model.slice(7, 9));
        await part.fill(1);
        assertEquals([...await array.get(6, 4)], [6, 1, 1, 9]);
      }));
  }

  Deno.test(`PEs and the program share the elements of a ${kind}`, () =>
    withSession(async (session) => {
      using array = await session.createArray(kind, "u64", 100, "cyclic");
      const runs = session.runAll(async (into, rounds) => {
        for (let i = 0; i < rounds; i++) await into.add(i % 100, 1);
      }, [array, 300]);
      for (let i = 0; i < 300; i++) await array.add(i % 100, 1);
      await runs;
      assertEquals(await array.sum(), 1200);
      assertEquals(await session.runPe(1, (from) => from.subArray(10, 20).sum(), [array]), 120);
      // A view that a PE made is one of the same array.
      const view = await session.runPe(2, (from) => from.subArray(50, 52), [array]);
      await view.add(1, 5);
      assertEquals(await array.load(51), 17);
    }));

  Deno.test(`The records of a ${kind} are the program's, too`, () =>
    withSession(async (session) => {
      using array = await session.createArray(kind, Mean, 30, "cyclic");
      const runs = session.runAll(async (into) => {
        for (let i = 0; i < 60; i++) await into.add(i % 30, { sum: 0.5, count: 1 });
      }, [array]);
      for (let i = 0; i < 60; i++) await array.add(i % 30, { sum: 0.5, count: 1 });
      await runs;
      assertEquals(await array.get(29), { sum: 4, count: 8 });
      assertEquals(await array.sum(), { sum: 120, count: 240 });
      await array.put(3, [{ sum: 1, count: 1 }, { sum: 2, count: 2 }]);
      assertEquals(await array.batchLoad([4, 3]), [{ sum: 2, count: 2 }, { sum: 1, count: 1 }]);
      const most = await array.reduce((a, b) => a.count > b.count ? a : b);
      assertEquals(most, { sum: 4, count: 8 });
    }));

  Deno.test(`What takes a part of a ${kind} is refused by name`, () =>
    withSession(async (session) => {
      const array = await session.createArray(kind, "f64", 10);
      const collective = {
        error: IdError,
        calls: [
          () => array.barrier(),
          () => array.asyncBarrier(),
          () => array.intoReadOnly(),
        ],
      };
      for (const call of collective.calls) assertThrows(call, collective.error, CLIENT);
      assertThrows(() => AtomicArray.create(session, "f64", 10), IdError, "createArray");
      if ("broadcast" in array) assertThrows(() => array.broadcast(0), MemNotLocalError, CLIENT);
      if ("localAsSlice" in array) {
        assertThrows(() => array.localAsSlice(), MemNotLocalError, CLIENT);
      }
      array.dispose();
      assertThrows(() => array.get(0), ClosedError, `get of ${kind} 1 ${CLIENT}: it was disposed`);
    }));
}

Deno.test("A ReadOnlyArray of a session holds zeros, and is read", () =>
  withSession(async (session) => {
    using array = await session.createArray("ReadOnlyArray", "i32", 5);
    assertEquals([...await array.get(0, 5)], [0, 0, 0, 0, 0]);
  }));

Deno.test("An operation on a locked array waits for a guard on a PE, and does not block", () =>
  withSession(async (session) => {
    for (const kind of ["LocalLockArray", "GlobalLockArray"] as const) {
      using array = await session.createArray(kind, "u64", 30);
      const { promise, resolve } = Promise.withResolvers<void>();
      const held = session.runPe(1, async (locked) => {
        using guard = await locked.writeLock();
        await guard.array.put(0, 7);
        const globals = globalThis as unknown as { letGo: () => void };
        await new Promise<void>((resolve) => globals.letGo = resolve);
      }, [array]);
      await session.runPe(1, async () => {
        while (!("letGo" in globalThis)) await new Promise((resolve) => setTimeout(resolve));
      });
      const added = array.add(15, 1).then(resolve);
      let ticks = 0;
      for (; ticks < 20; ticks++) await new Promise((resolve) => setTimeout(resolve));
      assertEquals(await Promise.race([promise, Promise.resolve("waits")]), "waits");
      await session.runPe(1, () => {
        const globals = globalThis as unknown as { letGo?: () => void };
        globals.letGo!();
        delete globals.letGo;
      });
      await Promise.all([held, added]);
      assertEquals(await array.load(15), 1);
    }
  }));

Deno.test("A guard of the program keeps PEs out until it is given back", () =>
  withSession(async (session) => {
    using array = await session.createArray("GlobalLockArray", "u64", 30);
    const guard = await array.writeLock();
    await guard.array.put(0, [1, 2, 3]);
    const seen = session.runPe(2, async (from) => {
      using reading = await from.readLock();
      return [...await reading.array.get(0, 3)];
    }, [array]);
    await assertRejects(
      () => session.runPe(1, async (from) => void await from.readLock({ timeoutMs: 20 }), [array]),
      RemoteError,
      "20 ms",
    );
    await guard.array.put(1, 20);
    guard.dispose();
    assertEquals(await seen, [1, 20, 3]);
    using _reading = await array.readLock();
    const late = array.writeLock({ timeoutMs: 20 });
    await assertRejects(() => late.then(), TimeoutError);
    assertThrows(() => array.writeLock().block(), LamellarError, "use await");
  }));

Deno.test("Memory comes back when the program gives an array up, and not while a PE has it", () =>
  withSession(async (session) => {
    for (let i = 0; i < 60; i++) {
      // Most of the heap: there is no room for two.
      using array = await session.createArray("AtomicArray", "f64", 300_000);
      await array.put(0, 1);
    }
    const kept = await session.createArray("AtomicArray", "f64", 60_000);
    await kept.put(0, 42);
    await session.runPe(1, (array) => {
      (globalThis as unknown as { kept: Disposable }).kept = array.clone();
    }, [kept]);
    kept.dispose();
    const found = await session.runPe(1, () => {
      return (globalThis as unknown as { kept: typeof kept }).kept.get(0);
    });
    assertEquals(found, 42);
    await assertRejects(() => session.createArray("UnsafeArray", "f64", 1e9), OutOfMemoryError);
  }, { heapSize: 1_000_000 }));

Deno.test("Arrays that closures make come to the program, from the PEs of a team as well", () =>
  withSession(async (session) => {
    interface Made {
      readonly whole: AtomicArray<"u64">;
      readonly part: AtomicArray<"u32"> | undefined;
    }
    const library = JSON.stringify(new URL("../mod.ts", import.meta.url).href);
    const make = new Function(
      "lamellar",
      `return import(${library}).then(async ({ AtomicArray, StridedArch }) => {
        const { world, currentPe } = lamellar;
        const team = await world.createTeamFromArch(new StridedArch(1, 1, 2));
        const whole = await AtomicArray.create(world, "u64", 9);
        await whole.add(currentPe, 1);
        const part = team.isMember ? await AtomicArray.create(team, "u32", 4) : undefined;
        if (part) await part.add(currentPe, 10);
        await world.asyncBarrier();
        return { whole, part };
      })`,
    ) as () => Promise<Made>;
    const made = await session.runAll(make);
    for (const { whole } of made) assertEquals(await whole.sum(), 3);
    const part = made[1]!.part!;
    assertEquals([part.numPes, await part.sum()], [2, 20]);
    assertThrows(() => part.barrier(), IdError, "not one of the PEs of a team");
    assertEquals(made[0]!.part, undefined);
  }));

Deno.test("A conversion on PEs waits for the handle of the program", () =>
  withSession(async (session) => {
    const array = await session.createArray("UnsafeArray", "u64", 10);
    const converted = session.runAll(async (array, { world }) => {
      using own = array;
      const readOnly = await own.intoReadOnly();
      await world.asyncBarrier();
      return readOnly.sum();
    }, [array]);
    let isOver = false;
    const over = converted.then(() => isOver = true);
    for (let i = 0; i < 20; i++) await session.execAmAll(Mark({}));
    assert(!isOver);
    await array.add(3, 4);
    array.dispose();
    await over;
    assertEquals(await converted, [4, 4, 4]);
  }));

Deno.test("What arrays cannot be is refused before a PE is asked", () =>
  withSession(async (session) => {
    await assertRejects(
      () => session.createArray("Array" as "UnsafeArray", "f64", 1),
      TypeError,
      "AtomicArray",
    );
    await assertRejects(() => session.createArray("UnsafeArray", "f65" as "f64", 1), TypeError);
    await assertRejects(() => session.createArray("UnsafeArray", "f64", -1), RangeError);
    await assertRejects(
      () => session.createArray("UnsafeArray", "f64", 1, "blocks" as "block"),
      TypeError,
      "cyclic",
    );
  }));

Deno.test("What waits for the lock of an array ends with the session", async () => {
  for (const end of ["close", "failure"] as const) {
    const session = await startSession({ pes: 2 });
    const array = await session.createArray("LocalLockArray", "u64", 10);
    session.runPe(1, async (locked) => {
      const guard = await locked.writeLock();
      (globalThis as unknown as { guard: unknown }).guard = guard;
      await new Promise(() => {});
    }, [array]).then(() => {}, () => {});
    await session.runPe(1, async () => {
      while (!("guard" in globalThis)) await new Promise((resolve) => setTimeout(resolve));
    });
    const waiting = array.add(9, 1);
    const expected = assertRejects(() => waiting.then(), LamellarError);
    if (end === "failure") {
      session.runPe(1, () => Deno.exit(3)).then(() => {}, () => {});
      await expected;
      await session.close().catch((error) => assert(error instanceof PeFailedError));
    } else {
      await assertRejects(() => session.close({ timeoutMs: 100 }), TimeoutError);
      await expected;
    }
    assertThrows(() => array.get(0), LamellarError);
  }
});

Deno.test("Operations begun after a PE has failed say so, and do not wait", async () => {
  const session = await startSession({ pes: 2 });
  const local = await session.createArray("LocalLockArray", "u64", 10);
  const global = await session.createArray("GlobalLockArray", "u64", 10);
  const failed = session.runPe(1, async (local, global) => {
    await Promise.all([local.writeLock(), global.writeLock()]);
    setTimeout(() => Deno.exit(1));
    await new Promise(() => {});
  }, [local, global]);
  await assertRejects(() => failed.then(), PeFailedError);
  for (const array of [local, global]) {
    await assertRejects(async () => void await array.add(9, 1), PeFailedError);
    await assertRejects(async () => void await array.get(9), PeFailedError);
    await assertRejects(async () => void await array.sum(), PeFailedError);
  }
  await session.close();
  await assertRejects(async () => void await local.add(9, 1), LamellarError);
});

Deno.test("Each handle that comes in a result is one of its own", () =>
  withSession(async (session) => {
    using array = await session.createArray("AtomicArray", "u64", 10);
    const given = await session.runAll((array) => array, [array]);
    given[0]!.dispose();
    await given[1]!.add(3, 1);
    assertEquals(await given[2]!.sum(), 1);
    for (const one of given) one.dispose();
    assertEquals(await array.sum(), 1);
  }));

Deno.test("What would block the program has done nothing", () =>
  withSession(async (session) => {
    for (const kind of ["LocalLockArray", "GlobalLockArray"] as const) {
      using array = await session.createArray(kind, "u32", 4);
      assertThrows(() => array.blockingPut(0, [42]), LamellarError, "Cannot call blockingPut");
      assertThrows(() => array.blockingGet(0, new Uint32Array(1)), LamellarError, "blockingGet");
      assertThrows(() => array.at(0), LamellarError, "Cannot call at");
      assertEquals(await array.sum(), 0);
    }
    using records = await session.createArray("AtomicArray", Mean, 4);
    assertThrows(() => records.at(0), LamellarError, "Cannot call at");
    using atomics = await session.createArray("AtomicArray", "u32", 4);
    atomics.blockingPut(0, [42]);
    assertEquals(atomics.at(0), 42);
    assertThrows(() => atomics.localData(), MemNotLocalError, CLIENT);
  }));

Deno.test("A wait for a lock that the program holds names the program", () =>
  withSession(async (session) => {
    using array = await session.createArray("GlobalLockArray", "u32", 4);
    using _guard = await array.writeLock();
    const late = session.runPe(1, async (array) => {
      await array.readLock({ timeoutMs: 20 });
    }, [array]);
    await assertRejects(
      () => late.then(),
      RemoteError,
      "the read lock of GlobalLockArray 1, which the program that started the session has held",
    );
  }));
