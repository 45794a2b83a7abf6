/**
 * Darcs, groups and finishes of the program that started a session.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  am,
  AmGroup,
  ClosedError,
  FeatureLevelError,
  IdError,
  inTurn,
  LamellarError,
  LamellarTaskGroup,
  RemoteError,
  TimeoutError,
  typedAmGroup,
} from "../mod.ts";
import { Chain, Increment, Mark, Runs, Sum, Together } from "./programs/session_ams.ts";
import { CLIENT, withSession } from "./support/sessions.ts";

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

Deno.test("PEs convert what the program has given up just before", () =>
  withSession(async (session) => {
    for (const when of ["before", "meanwhile"]) {
      const array = await session.createArray("UnsafeArray", "u64", 10);
      const darc = await session.createDarc("Darc", () => ({ count: 0 }));
      await session.runAll((array, darc) => {
        Object.assign(globalThis, { mine: array.clone(), own: darc.clone() });
      }, [array, darc]);
      const giveUp = (): void => [array, darc].forEach((one) => one.dispose());
      if (when === "before") giveUp();
      const converted = session.runAll(async () => {
        const { mine, own } = globalThis as unknown as { mine: typeof array; own: typeof darc };
        using readOnly = await mine.intoReadOnly();
        using locked = await own.intoLocalRw();
        using guard = await locked.read();
        return [await readOnly.sum(), guard.value.count];
      });
      if (when === "meanwhile") giveUp();
      assertEquals(await converted, [[0, 0], [0, 0], [0, 0]]);
    }
  }));

Deno.test("A Darc that is not made drops its instances, and wrong captures are named", () =>
  withSession(async (session) => {
    const failing = session.createDarc("Darc", ({ currentPe }) => {
      if (currentPe === 1) throw new Error("no instance");
      return {
        [Symbol.dispose]() {
          (globalThis as unknown as { dropped: boolean }).dropped = true;
        },
      };
    });
    await assertRejects(() => failing, RemoteError, "no instance");
    const dropped = await session.runAll(() => "dropped" in globalThis);
    assertEquals(dropped, [true, false, true]);
    const wrong = session.createDarc("Darc", (_fn: unknown) => 1, [() => 1]);
    await assertRejects(() => wrong, TypeError, "captures[0]");
    const list = session.createDarc("Darc", () => 1, 5 as never);
    await assertRejects(() => list, TypeError, "must be an array");
    using darc = await session.createDarc("Darc", () => 1);
    assertThrows(() => darc.downgrade(), IdError, CLIENT);
  }));

Deno.test("Darcs and arrays of another session are refused, whatever their numbers", () =>
  withSession((first) =>
    withSession(async (second) => {
      using one = await first.createDarc("Darc", () => "one");
      const value = (darc: typeof one): string => darc.value;
      const read = second.runPe(0, (darc) => darc.value, [one]);
      await assertRejects(() => read.then(), Error, "Darc 1: it belongs to another session");
      using two = await second.createArray("UnsafeArray", "u8", 1);
      const wrong = first.runAll((array) => array.length, [two]);
      await assertRejects(
        () => wrong.then(),
        Error,
        "UnsafeArray 1: it belongs to another session",
      );
      assertEquals(await first.runPe(1, value, [one]), "one");
      assertEquals(await second.runAll((array) => array.length, [two]), [1, 1, 1]);
    })
  ));
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
    const Own = am("Own", {}, () => 1);
    const own = new AmGroup(session);
    assertThrows(() => own.addAmAll(Own({})), TypeError, "name its module in the modules");
    const tasks = new LamellarTaskGroup(session);
    assertThrows(() => tasks.execAmPe(0, Own({})), TypeError, "groups and finish ship nothing");
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

Deno.test("Errors of work of the program do not call it a PE", () =>
  withSession(async (session) => {
    const failing = session.finish((scope) => {
      scope.spawn(() => Promise.reject(new Error("no luck")));
    });
    await assertRejects(() => failing, AggregateError, "failed in the program that started");
    const late = session.finish(() => new Promise(() => {}), { timeoutMs: 10 });
    await assertRejects(() => late, TimeoutError, "of the program that started the session");
  }));

Deno.test("Without closures, arrays work and Darcs are refused", () =>
  withSession(async (session) => {
    using array = await session.createArray("AtomicArray", "u64", 10);
    await array.add(9, 1);
    assertEquals(await array.sum(), 1);
    await assertRejects(() => session.createDarc("Darc", () => 1), FeatureLevelError);
  }, { closures: false }));

Deno.test("AMs of modules call collectives in their turn, among closures", () =>
  withSession(async (session) => {
    for (let round = 0; round < 10; round++) {
      const [first, second, third] = await Promise.all([
        session.execAmAll(Together({ n: 1 })),
        session.runAll((n: number, { world }) => world.allReduce(n, "sum"), [10]),
        session.execAmAll(Together({ n: 100 })),
      ]);
      assertEquals([first, second, third], [[3, 3, 3], [30, 30, 30], [300, 300, 300]]);
    }
  }));

Deno.test("inTurn() is for the PEs of sessions", async () => {
  const outside = { currentPe: 0 } as Parameters<typeof inTurn>[0];
  await assertRejects(() => inTurn(outside, () => 1), LamellarError, "service of a session");
});
