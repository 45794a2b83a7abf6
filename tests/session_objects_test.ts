/**
 * Arrays, Darcs, groups and finishes of the program that started a session.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  AmGroup,
  AtomicArray,
  ClosedError,
  FeatureLevelError,
  IdError,
  LamellarError,
  type LamellarSession,
  LamellarTaskGroup,
  MemNotLocalError,
  OutOfMemoryError,
  PeFailedError,
  RemoteError,
  type SessionOptions,
  startSession,
  TimeoutError,
  typedAmGroup,
} from "../mod.ts";
import { Chain, Increment, Mark, Mean, Runs, Sum } from "./programs/session_ams.ts";

const AMS = new URL("./programs/session_ams.ts", import.meta.url);
const KINDS = ["UnsafeArray", "AtomicArray", "LocalLockArray", "GlobalLockArray"] as const;
const DISTRIBUTIONS = ["block", "cyclic"] as const;

async function withSession(
  body: (session: LamellarSession) => Promise<void>,
  options: SessionOptions = {},
): Promise<void> {
  await using session = await startSession({ pes: 3, modules: [AMS], ...options });
  await body(session);
}

/** Gives an error that names the program. */
const CLIENT = "in the program that started the session";

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
      const held = session.runPe(1, async (locked, { onReturn }) => {
        using guard = await locked.writeLock();
        await guard.array.put(0, 7);
        const globals = globalThis as unknown as { letGo: () => void };
        await new Promise<void>((resolve) => globals.letGo = resolve);
        void onReturn;
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
      using array = await session.createArray("AtomicArray", "f64", 60_000);
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

Deno.test("A Darc has an instance on each PE, and the program passes it on", () =>
  withSession(async (session) => {
    using seen = await session.createDarc("Darc", (start: string, { currentPe }) => {
      return new Set([`${start}${currentPe}`]);
    }, ["pe"]);
    await session.runPe(1, (darc, word) => void darc.value.add(word), [seen, "left"]);
    const all = await session.runAll((darc) => [...darc.value], [seen]);
    assertEquals(all, [["pe0"], ["pe1", "left"], ["pe2"]]);
    assertThrows(() => seen.value, IdError, CLIENT);
    assertThrows(() => seen.intoLocalRw(), IdError, CLIENT);
    const clone = seen.clone();
    seen.dispose();
    assertThrows(() => seen.clone(), ClosedError, CLIENT);
    assertEquals(await session.runPe(2, (darc) => darc.value.size, [clone]), 1);
    clone.dispose();
  }));

Deno.test("The locks of Darcs are for PEs", () =>
  withSession(async (session) => {
    using total = await session.createDarc("GlobalRwDarc", () => ({ count: 0 }));
    await session.runAll(async (darc) => {
      for (let i = 0; i < 50; i++) {
        using guard = await darc.write();
        guard.value.count++;
      }
    }, [total]);
    const counts = await session.runAll(async (darc) => (await darc.read()).value.count, [total]);
    assertEquals(counts, [50, 50, 50]);
    assertThrows(() => total.write(), IdError, `only PEs have an instance of GlobalRwDarc 1`);
    using local = await session.createDarc("LocalRwDarc", () => 1);
    assertThrows(() => local.read(), IdError, CLIENT);
  }));

Deno.test("A Darc is not made where a PE has no instance, and the next one is", () =>
  withSession(async (session) => {
    const failing = session.createDarc("Darc", ({ currentPe }) => {
      if (currentPe === 1) throw new RangeError("no instance");
      return currentPe;
    });
    await assertRejects(() => failing, RemoteError, "no instance");
    using made = await session.createDarc("Darc", async ({ currentPe }) => {
      return await Promise.resolve(currentPe);
    });
    assertEquals(await session.runAll((darc) => darc.value, [made]), [0, 1, 2]);
    await assertRejects(
      () => session.createDarc("Dark" as "Darc", () => 1),
      TypeError,
      "LocalRwDarc",
    );
  }));

Deno.test("Instances of a Darc are disposed of when the program gives it up", () =>
  withSession(async (session) => {
    const darc = await session.createDarc("Darc", () => ({
      [Symbol.dispose]() {
        (globalThis as unknown as { gone: boolean }).gone = true;
      },
    }));
    const gone = (): Promise<boolean[]> =>
      session.runAll(() => "gone" in globalThis) as unknown as Promise<boolean[]>;
    assertEquals(await gone(), [false, false, false]);
    darc.dispose();
    while ((await gone()).includes(false));
  }));

Deno.test("Groups and task groups of a session run AMs of its modules", () =>
  withSession(async (session) => {
    const group = new AmGroup(session);
    for (let x = 0; x < 100; x++) group.addAmPe(x % 3, Increment({ x }));
    group.addAmAll(Sum({ values: [1, 2, 3] }));
    const results = await group.exec();
    assertEquals(results.length, 101);
    assertEquals(results.at(99), { kind: "pe", pe: 0, value: 100 });
    assertEquals(results.at(100), { kind: "all", values: [6, 6, 6] });
    const typed = typedAmGroup(Increment, session);
    for (let x = 0; x < 5000; x++) typed.addAmPe(x % 3, Increment({ x }));
    const last = (await typed.exec()).at(4999);
    assert(last.kind === "pe" && last.value === 5000);
    const tasks = new LamellarTaskGroup(session);
    for (let x = 0; x < 50; x++) tasks.execAmAll(Mark({}));
    await tasks.awaitAll();
    assertEquals(await session.execAmAll(Runs({})), [50, 50, 50]);
  }));

Deno.test("finish() of a session waits for what handlers launch in turn", () =>
  withSession(async (session) => {
    const value = await session.finish((scope) => {
      scope.execAmPe(1, Chain({ depth: 4 }));
      return "body";
    });
    assertEquals(value, "body");
    const runs = await session.execAmAll(Runs({}));
    assertEquals(runs.reduce((a, b) => a + b), 1 + 3 + 9 + 27 + 81);
    const failing = session.finish((scope) => {
      scope.execClosurePe(1, () => {
        throw new Error("no luck");
      }, []);
    });
    await assertRejects(() => failing, AggregateError, "the program that started the session");
  }));

Deno.test("Without closures, arrays work and Darcs are refused", () =>
  withSession(async (session) => {
    using array = await session.createArray("AtomicArray", "u64", 10);
    await array.add(9, 1);
    assertEquals(await array.sum(), 1);
    await assertRejects(() => session.createDarc("Darc", () => 1), FeatureLevelError);
  }, { closures: false }));

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

Deno.test("An array of one session is not taken for one of another", () =>
  withSession((first) =>
    withSession(async (second) => {
      using array = await first.createArray("UnsafeArray", "u64", 10);
      using other = await second.createArray("UnsafeArray", "u64", 10);
      await other.put(0, 5);
      await array.put(0, 6);
      const read = second.runPe(0, (from) => from.get(0), [array]);
      await assertRejects(() => read.then(), Error, "another session");
      assertEquals(await second.runPe(0, (from) => from.get(0), [other]), 5);
    })
  ));

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
