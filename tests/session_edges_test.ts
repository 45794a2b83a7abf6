/**
 * Where sessions end, overlap and are misused.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  ClosedError,
  FeatureLevelError,
  type LamellarSession,
  type MapOptions,
  PeFailedError,
  RemoteError,
  type SessionOptions,
  type SharedMemoryRegion,
  startSession,
  TimeoutError,
  type TogetherContext,
} from "../mod.ts";

async function withSession(
  body: (session: LamellarSession) => Promise<void>,
  options: SessionOptions = {},
): Promise<void> {
  await using session = await startSession({ pes: 2, ...options });
  await body(session);
}

function* endless(): Generator<number> {
  for (let i = 0;; i++) yield i;
}

async function* silent(): AsyncGenerator<number> {
  yield 1;
  await new Promise(() => {});
}

/** What ends a session while something is iterated, and what that fails with. */
const ENDS: Record<
  string,
  readonly [(session: LamellarSession) => void, typeof ClosedError | typeof PeFailedError]
> = {
  "is closed": [(session) => void session.close().catch(() => {}), ClosedError],
  "loses a PE": [
    (session) => void session.runPe(0, () => Deno.exit(1)).then(() => {}, () => {}),
    PeFailedError,
  ],
};
for (const [what, [end, error]] of Object.entries(ENDS)) {
  for (const [which, items] of Object.entries({ endless, silent })) {
    Deno.test(`map() over ${which} items ends when its session ${what}`, async () => {
      const session = await startSession({ pes: 2 });
      let seen = 0;
      const options: MapOptions<number> = { onError: () => seen++ };
      const results = session.map<number, number>(items(), (n) => n, options);
      assertEquals((await results.next()).value, which === "endless" ? 0 : 1);
      end(session);
      await assertRejects(async () => {
        for await (const _ of results);
      }, error);
      // The end of the session is no fault of an item.
      assertEquals(seen, 0);
      await session.close().catch(() => {});
    });
  }
}

Deno.test("Items that cannot be sent do not keep the event loop from timers", () =>
  withSession(async (session) => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new Error("enough")), 50);
    const bad = function* (): Generator<() => void> {
      for (;;) yield () => {};
    };
    const options = { onError: () => {}, signal: controller.signal };
    const results = session.map(bad(), () => 1, options);
    await assertRejects(() => results.next(), Error, "enough");
    clearTimeout(timer);
  }));

Deno.test("map() waits for room in its session, also for that of others", () =>
  withSession(async (session) => {
    const work = async (n: number): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return n;
    };
    const items = Array.from({ length: 60 }, (_, i) => i);
    const runs = [1, 2].map(() => Array.fromAsync(session.map(items, work, { concurrency: 16 })));
    assertEquals(await Promise.all(runs), [items, items]);
  }, { queueLimit: 10 }));

Deno.test("map() refuses what it cannot do before it begins", () =>
  withSession((session) => {
    const double = (n: number): number => 2 * n;
    const refused: readonly [() => unknown, string][] = [
      [() => session.map([1], null as never), "Cannot map by null"],
      [() => session.map([1], Math.abs), "native"],
      [() => session.map([1], double, null as never), "the options null"],
      [() => session.map([1], double, { onProgress: 5 as never }), "onProgress 5"],
      [() => session.map([1], double, { onError: 5 as never }), "onError 5"],
      [() => session.map([1], double, { signal: {} as never }), "AbortSignal"],
      [() => session.map({ [Symbol.iterator]: () => 5 } as never, double), "no next()"],
    ];
    for (const [call, text] of refused) assertThrows(call, TypeError, text);
    return Promise.resolve();
  }));

Deno.test("An iterator that gives no results, or an error, ends map() with it", () =>
  withSession(async (session) => {
    const double = (n: number): number => 2 * n;
    const all = (items: unknown): Promise<unknown> =>
      Array.fromAsync(session.map(items as Iterable<number>, double));
    const sync = { [Symbol.iterator]: () => ({ next: () => 5 }) };
    const async = { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve() }) };
    await assertRejects(() => all(sync), TypeError, "the iterator gave 5");
    await assertRejects(() => all(async), TypeError, "the iterator gave undefined");
    const late = { onError: () => Promise.reject(new Error("too late")) as never };
    const failing = session.map([1, 2], () => {
      throw new Error("no");
    }, late);
    await assertRejects(() => Array.fromAsync(failing), Error, "too late");
  }));

Deno.test("Collectives of closures meet their own, though calls of runAll() overlap", () =>
  withSession(async (session) => {
    const sum = async (value: number, { world }: TogetherContext): Promise<number> => {
      const uneven = (value + world.myPe) % 2 * 3;
      await new Promise((resolve) => setTimeout(resolve, uneven));
      return await world.allReduce(value, "sum");
    };
    for (let round = 0; round < 10; round++) {
      const both = await Promise.all([session.runAll(sum, [1]), session.runAll(sum, [100])]);
      assertEquals(both, [[2, 2], [200, 200]]);
    }
  }));

Deno.test("Regions are allocated while closures call collectives", () =>
  withSession(async (session) => {
    for (let round = 0; round < 30; round++) {
      const meeting = session.runAll(async ({ world }) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        await world.asyncBarrier();
      });
      const pause = new Promise((resolve) => setTimeout(resolve, round % 3));
      const region = await pause.then(() => session.allocSharedMemRegion("u8", 10));
      await meeting;
      region.dispose();
    }
  }));

Deno.test("An array that nothing could hold is refused where it would be sent", () =>
  withSession(async (session) => {
    const long: unknown[] = [];
    long.length = 2 ** 32 - 1;
    assertThrows(() => session.runPe(0, (_: unknown) => 1, [long]), TypeError, "captures[0]");
    const answer = session.runPe(0, () => {
      const long: unknown[] = [];
      long.length = 3e8;
      return long;
    });
    await assertRejects(() => answer.then(), RemoteError, "array of more than");
  }));

Deno.test("close() with bad options changes nothing", async () => {
  const session = await startSession({ pes: 1 });
  for (const timeoutMs of [-1, NaN]) {
    assertThrows(() => void session.close({ timeoutMs }), RangeError, "timeout");
  }
  assertThrows(() => void session.close(null as never), TypeError, "options null");
  assertEquals(await session.runPe(0, () => 1), 1);
  await session.close();
});

Deno.test("close() tells once that a PE fails while it waits", async () => {
  const session = await startSession({ pes: 2 });
  session.runPe(0, () => new Promise(() => {}));
  session.runPe(1, () => void setTimeout(() => Deno.exit(5), 100));
  const error = await assertRejects(() => session.close(), PeFailedError, "Deno.exit(5)");
  assertEquals(error.pe, 1);
});

Deno.test("close() ends PEs whose timers go on", async () => {
  const session = await startSession({ pes: 2 });
  await session.runAll(() => void setInterval(() => {}, 1000));
  const begun = performance.now();
  await session.close();
  assert(performance.now() - begun < 5000);
});

Deno.test("close() does not wait for a PE that computes for ever", async () => {
  const session = await startSession({ pes: 1 });
  const flag = await session.allocSharedMemRegion("i32", 1);
  await session.runPe(0, (flag: SharedMemoryRegion<"i32">) => {
    setTimeout(() => {
      flag.asMutSlice()[0] = 1;
      for (const until = performance.now() + 4000; performance.now() < until;);
    });
  }, [flag]);
  while (await flag.load(0, 0) === 0);
  const error = await assertRejects(() => session.close({ timeoutMs: 1000 }), TimeoutError);
  assert(error.message.includes("within 1000 ms"), error.message);
  assert(error.message.includes("PE 0 computes"), error.message);
});

Deno.test("Options of startSession() are checked before anything is started", async () => {
  const threads = (): number => [...Deno.readDirSync("/proc/self/task")].length;
  const before = threads();
  const refused: readonly [unknown, string][] = [
    [null, "the options null"],
    [3, "the options 3"],
    [{ modules: "./x.ts" }, "give a list"],
    [{ closures: "no" }, "true or false"],
    [{ queueLimit: NaN }, "queueLimit NaN"],
    [{ objectBytesMax: 512 }, "16777216 or more"],
    [{ pes: 2, heapSize: 2 ** 40 }, "lower the option heapSize"],
  ];
  for (const [options, text] of refused) {
    await assertRejects(() => startSession(options as SessionOptions), Error, text);
  }
  assert(threads() <= before + 2, `${before} threads before, ${threads()} after`);
});

Deno.test("A session obeys LAMELLAR_CLOSURES and refuses another lamella", async () => {
  Deno.env.set("LAMELLAR_CLOSURES", "0");
  try {
    await withSession((session) => {
      assertThrows(() => session.runAll(() => 1), FeatureLevelError);
      return Promise.resolve();
    });
    await withSession(async (session) => {
      assertEquals(await session.runPe(0, () => 1), 1);
    }, { closures: true });
  } finally {
    Deno.env.delete("LAMELLAR_CLOSURES");
  }
  Deno.env.set("LAMELLAR_BACKEND", "rofi");
  try {
    await assertRejects(() => startSession({ pes: 2 }), FeatureLevelError, "LAMELLAR_BACKEND");
  } finally {
    Deno.env.delete("LAMELLAR_BACKEND");
  }
});

Deno.test("A launch of more than a session ever allows says so", () =>
  withSession((session) => {
    assertThrows(() => session.runAll(() => 1), Error, "it launches 2 closures or AMs");
    return Promise.resolve();
  }, { queueLimit: 1 }));
