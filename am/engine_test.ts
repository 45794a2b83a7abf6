import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  FeatureLevelError,
  LamellarError,
  PeFailedError,
  RemoteError,
  TimeoutError,
} from "../internal/errors.ts";
import { AmCall, definitionOf } from "./call.ts";
import { control } from "./handle.ts";
import { makeOriginClosure } from "./closure/value.ts";
import { enginePes, microtasks, type TestAm } from "./pes_test.ts";
import { generator } from "./random_test.ts";
import type { Codec } from "./codec.ts";
import { array, u32, u8Array } from "./schema/schema.ts";
import { schemaCodec } from "./schema/schema_codec.ts";
import { newSeed } from "../internal/random_test_numbers.ts";

/** What a handler of these tests does: each way to end there is. */
const WAYS: Record<string, TestAm> = {
  Nothing: { schema: { n: u32 }, handler: () => {} },
  Number: { schema: { n: u32 }, handler: (self) => self.n },
  Value: { schema: { n: u32 }, handler: (self) => ({ n: self.n }) },
  Schema: { schema: { n: u32 }, returns: u32, handler: (self) => self.n },
  Later: { schema: { n: u32 }, handler: async (self) => (await later(self.n % 4), self.n) },
  LaterNothing: { schema: { n: u32 }, handler: (self) => later(self.n % 3) },
  LaterThrows: {
    schema: { n: u32 },
    handler: async (self) => {
      await later(self.n % 4);
      throw new RangeError(`${self.n}`);
    },
  },
  Throws: {
    schema: { n: u32 },
    handler: (self) => {
      throw new RangeError(`${self.n}`);
    },
  },
  Back: { schema: { n: u32 }, handler: (self) => new AmCall(number, { n: self.n }) },
  LaterBack: {
    schema: { n: u32 },
    handler: async (self) => (await later(1), new AmCall(number, self)),
  },
  Origin: {
    schema: { n: u32 },
    handler: (self) => makeOriginClosure((n: number) => n, [self.n]),
  },
};
const number = definitionOf(enginePes(WAYS).call("Number"))!;

async function later(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await undefined;
}

/** What the handle of each way gives. */
function expectedOf(way: string, n: number): unknown {
  if (/Nothing/.test(way)) return undefined;
  if (/Throws/.test(way)) return `AM "${way}" failed on PE 1: RangeError: ${n}`;
  return way === "Value" ? { n } : n;
}

Deno.test("Every way a handler may end reaches the right handle, in any mixture", async () => {
  const seed = newSeed();
  const random = generator(seed);
  const pes = enginePes(WAYS, { numPes: 3, ringBytes: 4096 });
  const [a, , c] = pes.engines;
  const names = Object.keys(WAYS);
  const waits: Promise<void>[] = [];
  for (let n = 0; n < 4000; n++) {
    const way = names[Math.floor(random() * names.length)]!;
    const from = random() < 0.7 ? a! : c!;
    const handle = from.launch(1, pes.call(way, { n }));
    const check = (value: unknown): void =>
      assertEquals(value, expectedOf(way, n), `seed ${seed}, ${way} ${n}`);
    // Some are awaited now, some when they may be over already.
    const wait = async (): Promise<void> => {
      if (random() < 0.5) await later(5);
      await handle.then(check, (error) => check((error as Error).message));
    };
    waits.push(wait());
    if (random() < 0.05) pes.network.settle();
    if (random() < 0.05) await undefined;
  }
  await Promise.all(waits);
  await Promise.all([a!.awaitAll(), c!.awaitAll()]);
  assertEquals(pes.engines.map((engine) => engine.outstanding), [0, 0, 0]);
  assertEquals(a!.launched + c!.launched, 4000);
  pes.network.close();
});

Deno.test("Handlers without a result are answered together, at the end of the batch", () => {
  const pes = enginePes(WAYS, { ringBytes: 1 << 18 });
  const [a] = pes.engines;
  const handles = Array.from({ length: 100 }, (_, n) => a!.launch(1, pes.call("Nothing", { n })));
  pes.network.settle();
  assert(handles.every((handle) => handle.done));
  // One frame of 16 bytes for all of them.
  assertEquals(pes.network.ring(1, 0).written, 16);
  pes.network.close();
});

Deno.test("A request that goes on is not settled by the answer to those behind it", async () => {
  const gate = Promise.withResolvers<number>();
  const pes = enginePes({ ...WAYS, Gate: { handler: () => gate.promise } });
  const [a] = pes.engines;
  const before = a!.launch(1, pes.call("Nothing", { n: 1 }));
  const handle = a!.launch(1, pes.call("Gate"));
  const behind = a!.launch(1, pes.call("Nothing", { n: 2 }));
  pes.network.settle();
  assertEquals([before.done, handle.done, behind.done], [true, false, true]);
  assertEquals(a!.outstanding, 1);
  gate.resolve(7);
  await microtasks();
  pes.network.settle();
  assertEquals(await handle, 7);
  pes.network.close();
});

Deno.test("A handler may launch at whom it was launched by, and wait for nobody", () => {
  const pes = enginePes({
    Down: {
      schema: { n: u32 },
      handler: (self, { engine, currentPe }) => {
        if (self.n > 0) engine.launch((currentPe + 1) % 3, pes.call("Down", { n: self.n - 1 }));
      },
    },
    Blocks: {
      handler: (_self, { engine }) => engine.launch(0, pes.call("Down", { n: 0 })).block(),
    },
  }, { numPes: 3 });
  const [a] = pes.engines;
  a!.launch(1, pes.call("Down", { n: 100 }));
  pes.network.settle();
  assertEquals(pes.engines.reduce((sum, engine) => sum + engine.launched, 0), 101);
  const error = assertThrows(() => a!.launch(1, pes.call("Blocks")).block(), RemoteError);
  assert(error.message.includes("inside a handler"), error.message);
  pes.network.settle();
  pes.network.close();
});

Deno.test("What a PE launches on itself runs at its next step, with a copy, past its ring", () => {
  const seen: unknown[] = [];
  const pes = enginePes({ Keep: { handler: (self) => (seen.push(self), self) } });
  const [a] = pes.engines;
  const self = { list: [1] };
  const handle = a!.launch(0, pes.call("Keep", self));
  self.list.push(2);
  assertEquals(seen.length, 0);
  assertEquals(handle.block(), { list: [1] });
  assertEquals(seen, [{ list: [1] }]);
  assertThrows(() => a!.launch(0, pes.call("Keep", { f: () => 1 })), TypeError, "self.f");
  assertEquals(pes.network.ring(0, 0).written, 0);
  pes.network.close();
});

Deno.test("What is launched locally is handed over itself", () => {
  const pes = enginePes({ Keep: { handler: (self) => self } });
  const [a] = pes.engines;
  const self = { f: () => 1 };
  assertStrictEquals(a!.launchLocal(pes.call("Keep", self)).block(), self);
  const closure = (x: unknown): unknown => x;
  assertStrictEquals(a!.launchClosureLocal(closure, [self]).block(), self);
  pes.network.close();
});

Deno.test("A launch on several PEs encodes once, before any of them gets it", () => {
  const seen: number[] = [];
  let sized = 0;
  const codec: Codec<unknown> = {
    ...schemaCodec({ n: u32 }) as Codec<unknown>,
    size: () => (sized++, 4),
  };
  const pes = enginePes({
    Note: { codec, handler: (self, { currentPe }) => void seen.push(10 * currentPe + self.n) },
  }, { numPes: 3 });
  const [a] = pes.engines;
  assertThrows(() => a!.launchAll([0, 1, 2], pes.call("Note", { n: -1 })), RangeError);
  a!.launchAll([2, 0, 1], pes.call("Note", { n: 7 }));
  a!.waitAll();
  assertEquals([seen.toSorted((x, y) => x - y), sized, a!.launched], [[7, 17, 27], 2, 3]);
  pes.network.close();
});

Deno.test("Long payloads to several PEs arrive whole, while handlers launch to all as well", () => {
  const seen: string[] = [];
  const pes = enginePes({
    Long: {
      schema: { data: u8Array, n: u32 },
      handler: (self, { engine, currentPe }) => {
        seen.push(`${currentPe} ${self.n} ${self.data.length} ${self.data.at(-1)}`);
        if (self.n > 0) {
          const data = self.data.map((byte: number) => byte + 1);
          engine.launchAll([0, 1, 2], pes.call("Long", { data, n: self.n - 1 }));
        }
      },
    },
  }, { numPes: 3 });
  const expected: string[] = [];
  for (const length of [10, 3000, 70_000]) {
    const data = new Uint8Array(length).fill(5);
    pes.engines[0]!.launchAll([0, 1, 2], pes.call("Long", { data, n: 1 }));
    pes.engines[0]!.waitAll();
    pes.network.settle();
    for (const pe of [0, 1, 2]) {
      expected.push(`${pe} 1 ${length} 5`, ...Array(3).fill(`${pe} 0 ${length} 6`));
    }
  }
  assertEquals(seen.toSorted(), expected.toSorted());
  pes.network.close();
});

Deno.test("block() on an async handler of this PE is refused: nothing resumes it", async () => {
  const pes = enginePes(WAYS);
  const [a] = pes.engines;
  const handle = a!.launch(0, pes.call("Later", { n: 3 }));
  const error = assertThrows(() => handle.block(), LamellarError);
  assertEquals(error.code, "ERR_NEEDS_EVENT_LOOP");
  assertEquals(assertThrows(() => a!.waitAll(), LamellarError).code, "ERR_NEEDS_EVENT_LOOP");
  assertEquals(await handle, 3);
  await a!.awaitAll();
  pes.network.close();
});

Deno.test("The error of an ignored AM surfaces in waitAll, once, and several together", () => {
  const pes = enginePes(WAYS);
  const [a] = pes.engines;
  const fail = (n: number) => a!.launch(n % 2, pes.call("Throws", { n }));
  fail(1);
  assertThrows(() => a!.waitAll(), RemoteError, 'AM "Throws" failed on PE 1: RangeError: 1');
  a!.waitAll();
  for (const n of [3, 5, 7]) fail(n);
  const several = assertThrows(() => a!.waitAll(), AggregateError);
  assertEquals(several.errors.map((error) => (error.cause as Error).message), ["3", "5", "7"]);
  assert(several.message.startsWith('3 AMs and tasks failed, the first: AM "Throws" failed'));
  // Whoever asks for an error sees it; waitAll has it no more.
  const handle = fail(9);
  pes.network.settle();
  assertThrows(() => handle.block(), RemoteError);
  const local = fail(2);
  pes.network.settle();
  assertInstanceOf(control.errorOf(local), RemoteError);
  assertThrows(() => a!.waitAll(), RemoteError, "PE 0: RangeError: 2");
  pes.network.close();
});

Deno.test("awaitAll throws what waitAll throws, tasks of the program included", async () => {
  const pes = enginePes(WAYS);
  const [a] = pes.engines;
  const task = (error: Error, observed: boolean): void => {
    a!.track(() => later(2).then(() => Promise.reject(error)), () => observed).catch(() => {});
  };
  task(new Error("seen elsewhere"), true);
  await a!.awaitAll();
  task(new Error("alone"), false);
  await assertRejects(() => a!.awaitAll(), Error, "alone");
  task(new Error("with another"), false);
  a!.launch(1, pes.call("LaterThrows", { n: 3 }));
  const several = await assertRejects(() => a!.awaitAll(), AggregateError);
  assertEquals(several.errors.length, 2);
  await a!.awaitAll();
  pes.network.close();
});

Deno.test("A handle whose time is over rejects, and the late answer does no harm", async () => {
  const gate = Promise.withResolvers<number>();
  const pes = enginePes({ ...WAYS, Gate: { handler: () => gate.promise } });
  const [a] = pes.engines;
  const text = 'Cannot wait any longer for AM "Gate" on PE 1: 10 ms are over';
  const alive = setInterval(() => {}, 100);
  const awaited = a!.launch(1, pes.call("Gate"), { timeoutMs: 10 });
  await assertRejects(() => Promise.resolve(awaited), TimeoutError, text);
  const blocked = a!.launch(1, pes.call("Gate"), { timeoutMs: 10 });
  assertThrows(() => blocked.block(), TimeoutError, text);
  assertThrows(() => blocked.block(), TimeoutError, text);
  const ignored = a!.launch(1, pes.call("Gate"), { timeoutMs: 10 });
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert(ignored.done);
  assertEquals(a!.outstanding, 3);
  gate.resolve(1);
  await microtasks();
  pes.network.settle();
  assertEquals(a!.outstanding, 0);
  assertThrows(() => a!.waitAll(), TimeoutError, text);
  clearInterval(alive);
  pes.network.close();
});

Deno.test("A signal ends the wait with its reason, before, during and after", async () => {
  const gate = Promise.withResolvers<number>();
  const pes = enginePes({ ...WAYS, Gate: { handler: () => gate.promise } });
  const [a] = pes.engines;
  const reason = new Error("changed my mind");
  const before = a!.launch(1, pes.call("Gate"), { signal: AbortSignal.abort(reason) });
  assertEquals(await before.catch((error) => error), reason);
  const control = new AbortController();
  const during = a!.launch(1, pes.call("Gate"), { signal: control.signal });
  const rejected = during.catch((error) => error);
  control.abort(reason);
  assertEquals(await rejected, reason);
  const late = new AbortController();
  const after = a!.launch(1, pes.call("Number", { n: 5 }), { signal: late.signal });
  assertEquals(after.block(), 5);
  late.abort(reason);
  assertEquals(await after, 5);
  gate.resolve(1);
  await microtasks();
  pes.network.settle();
  a!.waitAll();
  pes.network.close();
});

Deno.test("What cannot be launched says why, and nothing is sent", () => {
  const pes = enginePes(WAYS, { closures: false });
  const [a] = pes.engines;
  const definition = definitionOf(pes.call("Number"))!;
  const cases: [unknown, string][] = [
    [new AmCall({ ...definition, id: -1 }, { n: 1 }), 'AM "Number": it is not part of this world'],
    [new AmCall({ ...definition, codec: undefined }, 1), 'local AM "Number": local AMs do not'],
    [Object.assign(() => 1, { amName: "X" }), 'it is AM "X" itself; call it with its payload'],
    [5, "Cannot launch a value that is not an AM: it is 5"],
  ];
  for (const [call, text] of cases) {
    assertThrows(() => a!.launch(1, call as AmCall<unknown>), TypeError, text);
  }
  assertThrows(() => a!.launch(0, 5 as unknown as AmCall<unknown>), TypeError, "it is 5");
  assertThrows(() => a!.launchClosure(1, () => 1, []), FeatureLevelError);
  assertEquals([a!.launched, a!.outstanding], [0, 0]);
  a!.outbox.flush();
  assertEquals(pes.network.ring(0, 1).written, 0);
  pes.network.close();
});

Deno.test("Closures run with their captures and the context behind them, here and there", () => {
  const pes = enginePes(WAYS);
  const [a] = pes.engines;
  const where = (x: number, y: number, context: { currentPe: number }) =>
    x + y + 100 * context.currentPe;
  for (const pe of [0, 1, 1]) {
    assertEquals(a!.launchClosure(pe, where, [1, 2]).block(), 3 + 100 * pe);
  }
  const fail = () => {
    throw new RangeError("out");
  };
  assertThrows(() => a!.launchClosure(1, fail, []).block(), RemoteError, "closure failed on PE 1");
  assertThrows(() => a!.launchClosure(1, where, 5 as never), TypeError, "must be an array");
  pes.network.close();
});

Deno.test("A payload is what it was at the launch, even if handlers run while it waits", () => {
  for (const schema of [{ list: array(u32) }, undefined]) {
    const list = Array.from({ length: 20 }, (_, i) => i);
    const seen: number[] = [];
    const pes = enginePes({
      Grow: { schema: {}, handler: () => list.push(...list.slice(0, 50)) },
      Sum: {
        ...(schema && { schema }),
        handler: (self) => void seen.push(self.list.length),
      },
    });
    const [a, b] = pes.engines;
    for (let i = 0; i < 150; i++) b!.launch(0, pes.call("Grow"));
    b!.outbox.flush();
    const launched: number[] = [];
    for (let i = 0; i < 150; i++) {
      launched.push(list.length);
      a!.launch(1, pes.call("Sum", { list }));
    }
    a!.waitAll();
    assertEquals(seen, launched);
    assert(list.length > 100);
    pes.network.close();
  }
});

Deno.test("When the job fails, every handle settles with the reason", async () => {
  const gate = Promise.withResolvers<number>();
  const pes = enginePes({ ...WAYS, Gate: { handler: () => gate.promise } });
  const [a] = pes.engines;
  const forever = a!.launch(0, pes.call("Gate"));
  const seen = assertRejects(() => Promise.resolve(forever), PeFailedError);
  pes.network.progress[0]!.step();
  const launches = [
    () => a!.launch(1, pes.call("Gate")),
    () => a!.launch(1, pes.call("Number", { n: 1 })),
    () => a!.launchClosure(1, () => 1, []),
    () => a!.launch(0, pes.call("Number", { n: 1 })),
    () => a!.launchClosure(0, () => 1, []),
  ];
  const handles = launches.map((launch) => launch());
  const waits = handles.map((handle) =>
    assertRejects(() => Promise.resolve(handle), PeFailedError)
  );
  const all = assertRejects(() => a!.awaitAll(), PeFailedError, "on purpose");
  pes.network.lamellas[1]!.fail(new Error("on purpose"));
  assertThrows(() => pes.network.progress[0]!.checkFailure(), PeFailedError);
  await Promise.all([seen, ...waits]);
  await all;
  assertEquals(a!.outstanding, 0);
  // What is launched later would wait for ever.
  for (const launch of launches) assertThrows(launch, PeFailedError, "on purpose");
  assertEquals(a!.outstanding, 0);
  pes.network.close();
});

Deno.test("Handlers that compute leave the thread to others now and then", () => {
  let ran = 0;
  const handler = (): void => {
    for (const end = performance.now() + 2; performance.now() < end;);
    ran++;
  };
  const pes = enginePes({ Compute: { handler } }, { ringBytes: 1 << 18 });
  const text = "x".repeat(2000);
  for (let i = 0; i < 15; i++) pes.engines[0]!.launch(1, pes.call("Compute", { text }));
  pes.engines[0]!.outbox.flush();
  pes.network.progress[1]!.step();
  assert(ran > 0 && ran < 10, `${ran} ran in one step`);
  pes.network.settle();
  assertEquals(ran, 15);
  pes.network.close();
});
