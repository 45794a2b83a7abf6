import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  am,
  ClosedError,
  f64Array,
  ItemError,
  LamellarError,
  type LamellarSession,
  MemNotLocalError,
  OutOfMemoryError,
  PeFailedError,
  RemoteError,
  type SessionOptions,
  type SharedMemoryRegion,
  startSession,
  str,
  TimeoutError,
} from "../mod.ts";
import { Fail, Increment, Later, Total } from "./programs/session_ams.ts";

const AMS = new URL("./programs/session_ams.ts", import.meta.url);

/** Runs a body with a session that has the AMs, and closes it. */
async function withSession(
  body: (session: LamellarSession) => Promise<void>,
  options: SessionOptions = {},
): Promise<void> {
  const session = await startSession({ pes: 2, modules: [AMS], ...options });
  try {
    await body(session);
  } finally {
    await session.close();
  }
}

// deno-lint-ignore no-explicit-any -- errors take different arguments
type ErrorClass = new (...args: any[]) => Error;

/** A module with this text, as a URL. */
function moduleOf(text: string): URL {
  return new URL(`data:application/typescript,${encodeURIComponent(text)}`);
}

Deno.test("A session runs registered AMs and gives results in the order of the PEs", () =>
  withSession(async (session) => {
    assertEquals(session.numPes, 2);
    assertEquals(await session.execAmPe(1, Increment({ x: 3 })), 4);
    assertEquals(await session.execAmAll(Increment({ x: 7 })), [8, 8]);
    const all = Array.from({ length: 5000 }, (_, x) => session.execAmPe(x % 2, Increment({ x })));
    assertEquals(await Promise.all(all), Array.from({ length: 5000 }, (_, x) => x + 1));
    // Longer than a ring.
    const values = new Float64Array(500_000).fill(2);
    assertEquals(await session.execAmPe(1, Total({ values })), 1_000_000);
  }));

Deno.test("A closure of a session gets its captures, and its context last", () =>
  withSession(async (session) => {
    const found = await session.runAll((n: number, { currentPe, numPes }) => {
      return [n, currentPe, numPes];
    }, [10]);
    assertEquals(found, [[10, 0, 2], [10, 1, 2]]);
    assertEquals(await session.runPe(1, ({ currentPe }) => currentPe), 1);
    assertEquals(await session.runPe(0, () => "nothing captured"), "nothing captured");
    assertEquals(
      await session.runPe(0, (lamellar) => lamellar.onReturn((k: number) => -k, [4])),
      -4,
    );
    const outer = 5;
    assertThrows(() => session.runAll(() => outer), TypeError, '"outer"');
  }));

Deno.test("Closures of a session call collectives, and launch on other PEs", () =>
  withSession(async (session) => {
    const sums = session.runAll(async ({ world }) => {
      await world.asyncBarrier();
      return await world.execClosurePe(1 - world.myPe, (k: number) => k * 10, [world.myPe]);
    });
    assertEquals(await sums, [0, 10]);
  }));

Deno.test("An AM that no module of the session defines is shipped as source", () =>
  withSession(async (session) => {
    const Greet = am("Greet", { name: str }, ({ name }, { currentPe }) => `${name} ${currentPe}`);
    assertEquals(await session.execAmAll(Greet({ name: "PE" })), ["PE 0", "PE 1"]);
    const suffix = "!";
    const Shout = am("Shout", { name: str }, ({ name }) => name + suffix);
    const error = assertThrows(() => session.execAmPe(0, Shout({ name: "PE" })), TypeError);
    for (const part of ['AM "Shout"', '"suffix"', "modules"]) {
      assert(error.message.includes(part), error.message);
    }
    const Class = am("Class", { values: f64Array }, ({ values }) => values.constructor.name);
    const values = new Float64Array(2);
    assertEquals(await session.execAmPe(1, Class({ values })), "Float64Array");
    assertThrows(() => session.execAmPe(0, Greet({ name: 5 as never })), TypeError, "name");
  }));

Deno.test("An error of a handler rejects its handle, with its PE, and nothing else", () =>
  withSession(async (session) => {
    const error = await assertRejects(() => session.execAmPe(1, Fail({})).then(), RemoteError);
    assertEquals(error.pe, 1);
    assert(error.message.includes("no luck"), error.message);
    assertEquals(await session.execAmPe(1, Increment({ x: 1 })), 2);
    const late = () => session.execAmPe(0, Later({ ms: 100 }), { timeoutMs: 1 }).then();
    await assertRejects(late, TimeoutError, 'AM "Later" on PE 0');
    const reason = new Error("not any more");
    const aborted = () =>
      session.execAmPe(0, Later({ ms: 1 }), { signal: AbortSignal.abort(reason) }).then();
    assertEquals(await assertRejects(aborted), reason);
  }));

Deno.test("A session refuses what its program may not do, by name", () =>
  withSession(async (session) => {
    const handle = session.execAmPe(0, Later({ ms: 1 }));
    const error = assertThrows(() => handle.block(), LamellarError);
    assertEquals(error.code, "ERR_BLOCKING_IN_CLIENT");
    assert(error.message.includes("use await"), error.message);
    await handle;
    assertThrows(() => session.execAmPe(2, Increment({ x: 1 })), RangeError, "PEs 0 to 1");
    assertThrows(() => session.execAmPe(0, Increment({ x: -1 })), RangeError, '"x"');
    assertThrows(() => session.execAmPe(0, 5 as never), TypeError, "not an AM");
    for (const bad of [0, 1.5, NaN]) {
      assertThrows(
        () => session.map([], (n) => n, { concurrency: bad }),
        RangeError,
        "concurrency",
      );
    }
    assertThrows(() => session.map(5 as never, (n) => n), TypeError, "not iterable");
  }));

Deno.test("The program of a session reaches memory of its PEs, and has no part of it", () =>
  withSession(async (session) => {
    const region = await session.allocSharedMemRegion("u64", 4);
    await region.put(1, 0, [1, 2, 3]);
    assertEquals([...await region.get(1, 0, 4)], [1, 2, 3, 0]);
    assertEquals(await region.fetchAdd(1, 0, 10), 1);
    await region.batchAdd([0, 4, 5, 4], 5);
    assertEquals([...await region.gather([0, 4, 5])], [5, 21, 7]);
    const found = await session.runAll((part: typeof region) => Number(part.asSlice()[0]), [
      region,
    ]);
    assertEquals(found, [5, 21]);
    const refused = [
      () => region.asSlice(),
      () => region.at(0),
      () => void region.waitUntil(0, "==", 1).block(),
    ];
    for (const call of refused) {
      assertThrows(call, MemNotLocalError, "in the program that started the session");
    }
    // The program sees the parts of the PEs without a copy.
    const slice = region.asMutSlice(1);
    assertEquals([...slice], [21n, 7n, 3n, 0n]);
    slice[3] = 9n;
    assertEquals(await region.get(1, 3), 9);
    assertThrows(() => region.asSlice(2), RangeError, "2 PEs");
    assertThrows(() => region.asSlice(0.5), RangeError);
    const other = await session.runPe(1, ({ world }) => world.allocOneSidedMemRegion("i32", 2));
    await other.put(0, [7, 8]);
    assertEquals([...other.asSlice(1)], [7, 8]);
    assertThrows(() => other.asSlice(0), MemNotLocalError, "its data is on PE 1");
    assertEquals([...await other.get(0, 2)], [7, 8]);
  }));

Deno.test("Memory that a session disposes of comes back", () =>
  withSession(async (session) => {
    const kept = await session.allocSharedMemRegion("u8", 10);
    for (let i = 0; i < 100; i++) {
      using region = await session.allocSharedMemRegion("u8", 300_000);
      assertEquals((await region.get(1, 0, 1))[0], 0);
      await region.put(1, 0, [i]);
    }
    await assertRejects(() => session.allocSharedMemRegion("u8", 2e6), OutOfMemoryError);
    await assertRejects(() => session.allocSharedMemRegion("u8", 0), RangeError);
    await assertRejects(() => session.allocSharedMemRegion("u65" as "u8", 1), TypeError, "u65");
    kept.dispose();
    assertThrows(() => kept.get(0, 0, 1), ClosedError);
  }, { heapSize: 1 << 20 }));

Deno.test("Sessions side by side have AMs and regions of their own", () =>
  withSession(async (first) => {
    await withSession(async (second) => {
      assertEquals(await first.execAmAll(Increment({ x: 1 })), [2, 2]);
      // Here it is shipped, there it has a number.
      assertEquals(await second.execAmAll(Increment({ x: 2 })), [3, 3, 3]);
      const theirs = await second.allocSharedMemRegion("u8", 4);
      const ours = await first.allocSharedMemRegion("u8", 4);
      await theirs.put(0, 0, [9]);
      assertEquals([...await ours.get(0, 0, 1)], [0]);
      const mixed = () =>
        first.runPe(0, (part: typeof theirs) => part.asSlice()[0], [theirs]).then();
      await assertRejects(mixed, RemoteError, "another session");
    }, { pes: 3, modules: [] });
    assertEquals(await first.execAmAll(Increment({ x: 5 })), [6, 6]);
  }));

Deno.test("A session starts in a Worker, too", async () => {
  const library = JSON.stringify(new URL("../mod.ts", import.meta.url).href);
  const worker = new Worker(
    moduleOf(`
      import { startSession } from ${library};
      await using session = await startSession({ pes: 2 });
      self.postMessage(await session.runAll(({ currentPe }) => currentPe));
    `),
    { type: "module" },
  );
  const { promise, reject, resolve } = Promise.withResolvers<unknown>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => reject(event);
  assertEquals(await promise, [0, 1]);
  worker.terminate();
});

Deno.test("map() gives results in the order of the items, or as they are ready", () =>
  withSession(async (session) => {
    const items = Array.from({ length: 300 }, (_, i) => i);
    const squares = await Array.fromAsync(session.map(items, (n) => n * n));
    assertEquals(squares, items.map((n) => n * n));
    const slowFirst = [80, 0, 0, 0].map((ms) => ({ ms }));
    const options = { ordered: false, concurrency: 4 };
    const ready = await Array.fromAsync(session.map(slowFirst, Later, options));
    assertEquals(ready, [0, 0, 0, 80]);
    assertEquals(await Array.fromAsync(session.map([], (n) => n)), []);
  }));

Deno.test("map() takes items as they are needed, and ends them when it is left", () =>
  withSession(async (session) => {
    let [taken, ended] = [0, false];
    async function* endless(): AsyncGenerator<number> {
      try {
        for (;;) yield await Promise.resolve(taken++);
      } finally {
        ended = true;
      }
    }
    const found: number[] = [];
    for await (const n of session.map(endless(), (n) => n + 1, { concurrency: 3 })) {
      found.push(n);
      if (found.length === 10) break;
    }
    assertEquals(found, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert(ended && taken <= 14, `${taken} items were taken`);
  }));

Deno.test("map() gives what is ready while it waits for its next item", () =>
  withSession(async (session) => {
    const more = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<number> {
      yield 1;
      await more.promise;
      yield 2;
    }
    const results = session.map(slow(), (n) => n);
    assertEquals(await results.next(), { done: false, value: 1 });
    more.resolve();
    assertEquals(await results.next(), { done: false, value: 2 });
    assertEquals(await results.next(), { done: true, value: undefined });
  }));

Deno.test("An item that fails ends map() with the item, or goes to onError", () =>
  withSession(async (session) => {
    const work = (n: number): number => {
      if (n % 2 === 0) throw new Error(`${n} is even`);
      return n;
    };
    const error = await assertRejects(
      () => Array.fromAsync(session.map([1, 2, 3], work)),
      ItemError,
      "Item 1 failed",
    );
    assertEquals([error.item, error.index], [2, 1]);
    assert(error.cause instanceof RemoteError);
    const errors: unknown[] = [];
    const progress: number[] = [];
    const odd = await Array.fromAsync(session.map([1, 2, 3, 4], work, {
      onError: ({ item }) => errors.push(item),
      onProgress: ({ done }) => progress.push(done),
    }));
    assertEquals(odd, [1, 3]);
    assertEquals(errors.sort(), [2, 4]);
    assertEquals(progress, [1, 2, 3, 4]);
    // deno-lint-ignore require-yield
    function* broken(): Generator<number> {
      throw new Error("no items");
    }
    await assertRejects(() => Array.fromAsync(session.map(broken(), work)), Error, "no items");
  }));

Deno.test("A signal ends map()", () =>
  withSession(async (session) => {
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("enough");
    const results = session.map([1, 5000], async (ms: number) => {
      await new Promise((resolve) => setTimeout(resolve, ms > 1 ? 200 : 0));
      return ms;
    }, { signal });
    assertEquals((await results.next()).value, 1);
    queueMicrotask(() => controller.abort(reason));
    assertEquals(await assertRejects(() => results.next()), reason);
  }));

Deno.test("A session refuses more than its limit, and room() waits", () =>
  withSession(async (session) => {
    const all: Promise<number>[] = [];
    const launch = (): void => void all.push(session.execAmPe(0, Increment({ x: 1 })).then());
    for (let i = 0; i < 10; i++) launch();
    const error = assertThrows(launch, LamellarError, "queueLimit");
    assertEquals(error.code, "ERR_QUEUE_FULL");
    await session.room();
    assert(session.queued <= 5, `${session.queued}`);
    launch();
    assertEquals(await Promise.all(all), Array(11).fill(2));
    await session.room();
  }, { queueLimit: 10 }));

Deno.test("close() waits for what is under way, and tells errors that nobody saw", async () => {
  const session = await startSession({ pes: 2, modules: [AMS] });
  const later = session.execAmPe(1, Later({ ms: 50 }));
  session.execAmPe(0, Fail({}));
  await assertRejects(() => session.close(), RemoteError, "no luck");
  assertEquals(await later, 50);
  assert(session.closed);
  assertThrows(() => session.execAmPe(0, Increment({ x: 1 })), ClosedError, "session is closed");
  await assertRejects(() => session.allocSharedMemRegion("u8", 1), ClosedError);
});

Deno.test("close() with a time ends all PEs, and names those that compute", async () => {
  const session = await startSession({ pes: 2, modules: [AMS] });
  const never = session.runPe(0, () => new Promise(() => {}));
  const flag = await session.allocSharedMemRegion("i32", 1);
  const spins = session.runPe(1, (flag: SharedMemoryRegion<"i32">) => {
    flag.asMutSlice()[0] = 1;
    for (const until = performance.now() + 2000; performance.now() < until;);
  }, [flag]);
  while (await flag.load(1, 0) === 0);
  const error = await assertRejects(() => session.close({ timeoutMs: 300 }), TimeoutError);
  for (const part of ["within 300 ms", "2 AMs and closures", "PE 1 computes"]) {
    assert(error.message.includes(part), error.message);
  }
  for (const handle of [never, spins]) await assertRejects(() => handle.then(), ClosedError);
});

Deno.test("A PE that fails ends its session, with all that is under way", async () => {
  const session = await startSession({ pes: 2, modules: [AMS] });
  const pending = session.execAmPe(0, Later({ ms: 60_000 }));
  await session.runPe(1, () => {
    queueMicrotask(() => {
      throw new Error("nobody catches this");
    });
  });
  const error = await assertRejects(() => pending.then(), PeFailedError, "nobody catches this");
  assertEquals(error.pe, 1);
  assert(session.closed);
  assertThrows(() => session.execAmPe(0, Increment({ x: 1 })), PeFailedError);
  await session.close();
  await withSession(async (next) => assertEquals(await next.execAmPe(0, Increment({ x: 1 })), 2));
});

Deno.test("close() tells that a PE has failed if nothing else did", async () => {
  const session = await startSession({ pes: 1, modules: [AMS] });
  await session.runPe(0, () => void setTimeout(() => Deno.exit(4)));
  await assertRejects(
    async () => {
      while (!session.closed) await session.awaitAll();
      await session.close();
    },
    PeFailedError,
    "Deno.exit(4)",
  );
  await session.close().catch(() => {});
});

Deno.test("A PE that runs out of memory does not take the program with it", async () => {
  const session = await startSession({ pes: 2, objectBytesMax: 64 * 2 ** 20 });
  const hungry = session.runPe(1, async () => {
    // Of what ends in a microtask, Deno tells nobody.
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (const all: unknown[] = [];;) all.push(new Array(10_000).fill(all.length));
  });
  const error = await assertRejects(() => hungry.then(), PeFailedError, "objectBytesMax");
  assertEquals(error.pe, 1);
  await session.close();
});

const NO_START: Record<string, readonly [module: URL | string, error: ErrorClass, text: string]> = {
  "throws": [moduleOf("throw new Error('not today')"), PeFailedError, "not today"],
  "is not there": ["./no_such_module.ts", PeFailedError, "no_such_module"],
  "does not parse": [moduleOf("const = 3"), PeFailedError, "SyntaxError"],
  "never ends": [moduleOf("await new Promise(() => {})"), TimeoutError, "PE 0, 1"],
  "exits": [moduleOf("Deno.exit(0)"), PeFailedError, "ended by itself"],
  "builds a world": [
    moduleOf(`import { LamellarWorldBuilder } from "${new URL("../mod.ts", import.meta.url)}";
      await new LamellarWorldBuilder().build();`),
    PeFailedError,
    "builds a world itself",
  ],
};
for (const [what, [module, error, text]] of Object.entries(NO_START)) {
  Deno.test(`A session does not start if a module ${what}, and says so`, async () => {
    const options = {
      pes: 2,
      modules: [module],
      startTimeoutMs: what === "never ends" ? 500 : 60_000,
    };
    await assertRejects(() => startSession(options), error, text);
  });
}

Deno.test("startSession() refuses options out of range", async () => {
  const bad: readonly [SessionOptions, ErrorClass, string][] = [
    [{ pes: 0 }, RangeError, "1 to 256"],
    [{ pes: 1.5 }, RangeError, "1 to 256"],
    [{ pes: 257 }, RangeError, "1 to 256"],
    [{ heapSize: 100 }, RangeError, "65536"],
    [{ queueLimit: 0 }, RangeError, "queueLimit"],
    [{ objectBytesMax: -1 }, RangeError, "objectBytesMax"],
    [{ startTimeoutMs: NaN }, RangeError, "timeout"],
    [{ modules: [5 as never] }, TypeError, "path or a URL"],
  ];
  for (const [options, error, text] of bad) {
    await assertRejects(() => startSession(options), error, text);
  }
});

Deno.test("Closures of a session can be forbidden", () =>
  withSession(async (session) => {
    assertThrows(() => session.runAll(() => 1), LamellarError, "closures");
    assertEquals(await session.execAmPe(0, Increment({ x: 1 })), 2);
  }, { closures: false }));

Deno.test("Sessions in a row leave no threads behind", async () => {
  const threads = (): number => [...Deno.readDirSync("/proc/self/task")].length;
  const before = threads();
  for (let i = 0; i < 20; i++) {
    await withSession(async (session) => {
      assertEquals(await session.execAmAll(Increment({ x: i })), [i + 1, i + 1]);
    });
  }
  assert(threads() < before + 10, `${before} threads before, ${threads()} after`);
});
