import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, PeFailedError, ProtocolError, RemoteError } from "../../internal/errors.ts";
import { memoryViews } from "../../internal/memory_views.ts";
import { type AmCall, type AmDefinition, definitionOf } from "../call.ts";
import { type EnginePes, enginePes, microtasks, type TestAm } from "../pes_test.ts";
import { generator } from "../random_test.ts";
import { staticField } from "../schema/constants.ts";
import { array, extension, str, u32 } from "../schema/schema.ts";
import { BatchWriter, MEMBERS_MAX, readBatch } from "./batch.ts";
import { encodeResults, readResults } from "./batch_results.ts";
import { AmCollector } from "./collector.ts";
import { AmGroupHandle, type AmGroupResults } from "./group_handle.ts";
import { GrowingViews } from "./growing_views.ts";
import { newSeed } from "../../internal/random_test_numbers.ts";

const ROUNDS = 20_000;

/** A handle that has to know where it is; PE 1 cannot read number 13. */
class Counted {
  readonly sent: number[] = [];
  constructor(readonly id: number) {}
}

/** Called with each handle that arrives. */
let bring: ((id: number) => void) | undefined;
let gate = Promise.withResolvers<void>();

const counted = extension<Counted>({
  name: "counted in groups",
  fixedBytes: 8,
  match: (value) => value instanceof Counted,
  write: ({ id }, { f64 }, at) => void (f64[at / 8] = id),
  read: ({ f64 }, at) => {
    bring?.(f64[at / 8]!);
    if (f64[at / 8] === 13) throw new ClosedError("Cannot read number 13: it is closed");
    return new Counted(f64[at / 8]!);
  },
  sentTo: (handle, pe) => void handle.sent.push(pe),
});

const AMS: Record<string, TestAm> = {
  Square: { schema: { n: u32 }, handler: (self) => self.n * self.n },
  Text: { schema: { text: str, list: array(u32) }, handler: (self) => self.text },
  Nothing: { schema: {}, handler: () => {} },
  Pack: { handler: (self) => self },
  Count: { schema: { one: counted, n: u32 }, handler: (self) => self.one.id + self.n },
  Wait: { schema: { one: counted }, handler: () => gate.promise },
  Constant: {
    schema: { one: staticField(counted), n: u32, text: staticField(str) },
    handler: (self) => [Object.keys(self), self.one.id, self.n, self.text],
  },
};

function collector(pes: EnginePes, only?: AmDefinition): AmCollector {
  const all = pes.engines.map((_, pe) => pe);
  return new AmCollector(pes.engines[0]!.groups, all, undefined, only);
}

function handleOf(group: AmCollector, numPes = 2): AmGroupHandle<unknown> {
  const { batches, order } = group.finish();
  return new AmGroupHandle(batches, order, numPes);
}

function valuesOf(results: AmGroupResults<unknown>): unknown[] {
  return Array.from(results, (one) => one.kind === "pe" ? one.value : one.values);
}

/** A valid batch of AMs of several kinds, as bytes. */
function batch(pes: EnginePes): Uint8Array {
  const writer = new BatchWriter(0);
  writer.begin(1 << 14, undefined);
  const add = (name: string, self: unknown): void => {
    const { codec, id } = definitionOf(pes.call(name, self))!;
    writer.add(id, codec!, self);
  };
  for (let n = 0; n < 5; n++) add("Square", { n });
  add("Text", { text: "abc", list: [1, 2] });
  add("Nothing", {});
  add("Pack", { deep: ["x", 1] });
  writer.seal();
  return writer.views.u8.slice(0, writer.end);
}

function viewsOf(bytes: Uint8Array): ReturnType<typeof memoryViews> {
  const views = memoryViews(new ArrayBuffer(Math.ceil(bytes.length / 8) * 8));
  views.u8.set(bytes);
  return views;
}

Deno.test("A batch is read as it was written", () => {
  const pes = enginePes(AMS);
  const bytes = batch(pes);
  const [engine] = pes.engines;
  const read = readBatch(
    engine!.definitions,
    engine!.received,
    viewsOf(bytes),
    0,
    bytes.length,
    undefined,
  );
  const { members, origin, runs } = read;
  assertEquals([members, origin, runs.map(({ count }) => count)], [8, 0, [5, 1, 1, 1]]);
  const selves = runs.flatMap((run) =>
    Array.from({ length: run.count }, (_, i) => read.read(run, i))
  );
  assertEquals(selves.slice(4), [
    { n: 4 },
    { text: "abc", list: [1, 2] },
    {},
    { deep: ["x", 1] },
  ]);
  pes.network.close();
});

Deno.test("Bytes that are not a batch, or not its results, are refused and reserve nothing", () => {
  const pes = enginePes(AMS);
  const seed = newSeed();
  const random = generator(seed);
  const [engine] = pes.engines;
  const results = encodeResults(
    engine!.groups,
    0,
    [1, "two", undefined],
    Array(3).fill(definitionOf(pes.call("Pack"))),
    () => {},
  );
  const kinds = [
    [batch(pes), (bytes: Uint8Array) => {
      const { definitions, received } = engine!;
      const read = readBatch(definitions, received, viewsOf(bytes), 0, bytes.length, undefined);
      assert(read.members <= MEMBERS_MAX);
      read[Symbol.dispose]();
    }],
    [results.views.u8.slice(0, results.end), (bytes: Uint8Array) => {
      const values = readResults(engine!.groups, viewsOf(bytes), 0, bytes.length, undefined);
      assert(values === undefined || values.length <= bytes.length);
    }],
  ] as const;
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const [valid, read] = kinds[round % 2]!;
    const bytes = valid.slice(0, random() < 0.3 ? Math.floor(random() * valid.length) : undefined);
    for (let i = 0; i < 3 && bytes.length > 0; i++) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    try {
      read(bytes);
    } catch (error) {
      assertInstanceOf(error, ProtocolError, `TEST_SEED=${seed}, round ${round}: ${error}`);
      refused++;
    }
  }
  assert(refused > ROUNDS / 10, `only ${refused} were refused`);
  pes.network.close();
});

Deno.test("A batch whose payloads are wrong ends the job, as other wrong frames do", () => {
  const pes = enginePes(AMS);
  const [engine] = pes.engines;
  const writer = new BatchWriter(0);
  writer.begin(100, undefined);
  const wrong = new GrowingViews();
  wrong.reserve(8);
  wrong.views.u8.fill(0xff, 0, 8);
  wrong.end = 8;
  writer.addWritten(definitionOf(pes.call("Text"))!.id, wrong);
  writer.seal();
  const handle = engine!.groups.launchBatch(1, writer, undefined, undefined);
  handle.catch(() => {});
  assertThrows(() => pes.network.settle(), ProtocolError);
  pes.network.close();
});

Deno.test("Handles in a group are told of each PE, static ones once for each batch", () => {
  const pes = enginePes(AMS);
  const one = new Counted(4);
  const group = collector(pes);
  for (let n = 0; n < 3; n++) group.add(1, pes.call("Count", { one, n }));
  group.addAll(pes.call("Count", { one, n: 3 }));
  // Told at once: the program may dispose of a handle before the batch leaves.
  assertEquals(one.sent, [1, 1, 1, 0, 1]);
  assertEquals(valuesOf(handleOf(group).block()), [4, 5, 6, [7, 7]]);
  assertEquals(one.sent.sort(), [0, 1, 1, 1, 1]);

  const typed = collector(pes, definitionOf(pes.call("Constant")));
  const call = (n: number, text = "t"): AmCall<unknown> => pes.call("Constant", { one, n, text });
  assertThrows(() => typed.add(1, pes.call("Count", { one, n: 0 })), TypeError, "to a group of AM");
  // The constants are those of the first AM that is added, not of one that is refused.
  assertThrows(() => typed.add(1, call(-1, "refused")), RangeError, 'Field "n"');
  one.sent.length = 0;
  for (let n = 0; n < 3; n++) typed.add(1, call(n));
  typed.addAll(call(3));
  for (const text of ["", "u", "tt"]) {
    assertThrows(() => typed.add(0, call(4, text)), TypeError, "static fields");
  }
  const results = valuesOf(handleOf(typed).block());
  const expected = [0, 1, 2, 3].map((n) => [["one", "n", "text"], 4, n, "t"]);
  assertEquals(results, [...expected.slice(0, 3), [expected[3], expected[3]]]);
  assertEquals(one.sent.sort(), [0, 1]);
  pes.network.close();
});

Deno.test("What a batch brings is given back when it is answered, or never runs", async () => {
  for (const runs of [true, false]) {
    const given: number[] = [];
    const pes = enginePes(AMS);
    gate = Promise.withResolvers();
    bring = (id) => pes.engines[1]!.received.add({ [Symbol.dispose]: () => given.push(id) });
    const group = collector(pes, definitionOf(pes.call("Constant")));
    for (let n = 0; n < 3; n++) {
      group.add(1, pes.call("Constant", { one: new Counted(20), n, text: `${runs}` }));
    }
    const more = collector(pes);
    for (let id = 30; id < 33; id++) more.add(1, pes.call("Wait", { one: new Counted(id) }));
    if (!runs) {
      const { received } = pes.engines[1]!;
      const { definitions, groups } = pes.engines[1]!;
      const { codec } = definitions[groups.batchId]!;
      const writer = new BatchWriter(0);
      writer.begin(1000, undefined);
      const { codec: own, id } = definitionOf(pes.call("Wait"))!;
      for (let n = 30; n < 33; n++) writer.add(id, own!, { one: new Counted(n) });
      writer.seal();
      received.begin();
      codec!.read(writer.views, 0, writer.end);
      received.drop();
      assertEquals(given, [30, 31, 32]);
    } else {
      await handleOf(group);
      assertEquals(given.splice(0), [20]);
      const waiting = handleOf(more);
      pes.network.settle();
      assertEquals(given, []);
      gate.resolve();
      await waiting;
      await microtasks();
      assertEquals(given, [30, 31, 32]);
    }
    bring = undefined;
    pes.network.close();
  }
});

Deno.test("An AM whose payload its PE cannot read fails alone", async () => {
  const pes = enginePes(AMS);
  const group = collector(pes);
  for (let id = 12; id < 15; id++) group.add(1, pes.call("Count", { one: new Counted(id), n: 0 }));
  const error = await assertRejects(() => handleOf(group).then(), RemoteError);
  assertEquals(
    error.message,
    'AM "Count" failed on PE 1: ClosedError: Cannot read number 13: it is closed',
  );
  pes.network.close();
});

Deno.test("When the job fails, a group gives the reason, once", async () => {
  const pes = enginePes(AMS, { ringBytes: 1 << 16 });
  gate = Promise.withResolvers();
  const group = collector(pes);
  for (let i = 0; i < 10_000; i++) group.add(1, pes.call("Wait", { one: new Counted(i) }));
  const handle = handleOf(group);
  const waiting = assertRejects(() => handle.then(), PeFailedError, "the end");
  pes.network.lamellas[1]!.fail(new Error("the end"));
  await waiting;
  assertThrows(() => handle.block(), PeFailedError, "the end");
  group.add(1, pes.call("Square", { n: 1 }));
  assertThrows(() => group.finish(), PeFailedError, "the end");
  pes.network.close();
});

Deno.test("The batches of a group leave as it grows, so that it keeps little", () => {
  const pes = enginePes(AMS, { ringBytes: 1 << 16 });
  const [engine] = pes.engines;
  const group = collector(pes);
  const text = "x".repeat(1000);
  for (let i = 0; i < 1000; i++) {
    group.add(1, pes.call("Text", { text, list: [] }));
    const kept = i + 1 - engine!.launched * 9;
    assert(kept <= 10, `${kept} AMs are kept`);
  }
  assertEquals(valuesOf(handleOf(group).block()), Array(1000).fill(text));
  pes.network.close();
});
