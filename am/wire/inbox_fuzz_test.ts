import { assert, assertInstanceOf } from "@std/assert";
import { ProtocolError } from "../../internal/errors.ts";
import { definitionOf } from "../call.ts";
import { FORM, FRAME, frameBytes, HEAD_BYTES } from "./frames.ts";
import type { MemoryLamella } from "../memory_lamella_test.ts";
import { type EnginePes, enginePes, microtasks, type TestAm } from "../pes_test.ts";
import { generator } from "../random_test.ts";
import { array, f64, optional, str, u32, u8Array } from "../schema/schema.ts";
import { resultCodec } from "../msgpack/value_codec.ts";
import { encodeError } from "./thrown.ts";
import { newSeed } from "../../internal/random_test_numbers.ts";

const FRAMES = 100_000;
/** More than any frame here claims to hold. */
const CLAIM_BYTES_MAX = 1 << 20;
const STREAM_BYTES = 640;

const AMS: Record<string, TestAm> = {
  Nothing: { schema: {}, handler: () => {} },
  Bytes: { schema: { data: u8Array }, handler: (self) => self.data.length },
  Nested: { schema: { a: array(str), n: u32, o: optional(f64) }, handler: (self) => self },
  Pack: { handler: (self) => self },
  Typed: { schema: { x: f64 }, returns: f64, handler: (self) => self.x },
  Async: { schema: { n: u32 }, handler: (self) => Promise.resolve(self.n) },
  Throws: {
    schema: { n: u32 },
    handler: (self) => {
      throw self.n;
    },
  },
};

interface Frame {
  readonly kind: number;
  readonly detail?: number;
  readonly number?: number;
  readonly payload?: Uint8Array;
}

/** A valid request. */
function payloadOf(pes: EnginePes, name: string, self: unknown): Frame {
  const definition = definitionOf(pes.call(name, self))!;
  const codec = definition.codec!;
  const bytes = codec.size(self);
  const views = pes.network.views;
  // The ring in the direction nobody uses here.
  const at = pes.network.ring(1, 1).base;
  codec.write(self, views, at, bytes);
  return { kind: FRAME.request, detail: definition.id, payload: views.u8.slice(at, at + bytes) };
}

function value(value: unknown): Uint8Array {
  const views = { u8: new Uint8Array(resultCodec.size(value)) };
  resultCodec.write(value, views as never, 0, views.u8.length);
  return views.u8;
}

function part(stream: number, total: number, bytes: Uint8Array, last: boolean): Frame {
  const payload = new Uint8Array(8 + bytes.length);
  new DataView(payload.buffer).setFloat64(0, total, true);
  payload.set(bytes, 8);
  return { kind: FRAME.part, detail: last ? 1 : 0, number: stream, payload };
}

/** Frames that all are in order, to PE 0 with its requests 1 to 12 under way. */
function conversation(pes: EnginePes): Frame[] {
  const requests = [
    payloadOf(pes, "Nothing", {}),
    payloadOf(pes, "Bytes", { data: new Uint8Array(45) }),
    payloadOf(pes, "Nested", { a: ["x", "äöü", ""], n: 7, o: 1 }),
    payloadOf(pes, "Pack", { a: [1, null, "t"], b: new Map([[1, new Date(0)]]), c: 10n }),
    payloadOf(pes, "Typed", { x: 0.5 }),
    payloadOf(pes, "Async", { n: 1 }),
    payloadOf(pes, "Throws", { n: 2 }),
  ];
  const long = new Uint8Array(STREAM_BYTES);
  const words = new Int32Array(long.buffer);
  words.set([STREAM_BYTES, FRAME.source | (3 << 8), 0, STREAM_BYTES - HEAD_BYTES]);
  long.fill(32, HEAD_BYTES);
  const text = (source: string): Uint8Array => new TextEncoder().encode(source);
  const closure = { kind: FRAME.closure, detail: 1, payload: value([20, 22]) };
  return [
    { kind: FRAME.source, detail: 1, payload: text("(a,b)=>a+b") },
    ...requests.map((frame, i) => ({ ...frame, number: i + 1 })),
    { ...closure, number: requests.length + 1 },
    part(5, STREAM_BYTES, long.subarray(0, 200), false),
    part(5, STREAM_BYTES, long.subarray(200, 400), false),
    part(5, STREAM_BYTES, long.subarray(400), true),
    { kind: FRAME.result, detail: FORM.number, number: 1, payload: new Uint8Array(8) },
    { kind: FRAME.deferred, number: 3 },
    { kind: FRAME.done, number: 4 },
    { kind: FRAME.result, detail: FORM.value, number: 5, payload: value({ r: ["x", 1n] }) },
    { kind: FRAME.error, number: 6, payload: encodeError(new TypeError("t")) },
    { ...requests[1]!, kind: FRAME.returnAm, number: 7 },
    { ...closure, kind: FRAME.returnClosure, number: 8 },
    { kind: FRAME.result, detail: FORM.true, number: 3 },
    { kind: FRAME.result, detail: FORM.schema, number: 9, payload: new Uint8Array(8) },
    { kind: FRAME.done, number: 12 },
  ];
}

/** Writes a frame as PE 1; returns where it is. */
function write(lamella: MemoryLamella, frame: Frame): { at: number; bytes: number } {
  const payload = frame.payload ?? new Uint8Array(0);
  const bytes = frameBytes(payload.length);
  const at = lamella.reserve(0, bytes);
  assert(at >= 0, "the conversation is longer than the ring");
  const { u8, i32 } = lamella.views;
  const head = [bytes, frame.kind | ((frame.detail ?? 0) << 8), frame.number ?? 0, payload.length];
  i32.set(head, at / 4);
  u8.set(payload, at + HEAD_BYTES);
  lamella.commit(0, bytes);
  return { at, bytes };
}

/** Makes one thing of a frame different. */
function mutate(lamella: MemoryLamella, at: number, bytes: number, random: () => number): void {
  const { u8, i32, f64: doubles } = lamella.views;
  const below = (n: number): number => Math.floor(random() * n);
  const word = at / 4 + below(4);
  const edge = [0, 1, -1, 7, 8, 15, 16, 24, 255, 2 ** 30, 2 ** 31 - 1, -(2 ** 31)][below(12)]!;
  switch (below(8)) {
    case 0: // One bit anywhere.
      u8[at + below(bytes)]! ^= 1 << below(8);
      break;
    case 1: // A word of the head is something at the edge.
      i32[word] = edge;
      break;
    case 2: // A word of the head is a little different.
      i32[word]! += below(17) - 8;
      break;
    case 3: // Another kind, another detail.
      i32[at / 4 + 1] = below(14) | (below(10) << 8);
      break;
    case 4: // Noise behind the head.
      for (let i = at + HEAD_BYTES; i < at + bytes; i++) u8[i] = below(256);
      break;
    case 5: // Noise all over.
      for (let i = at; i < at + bytes; i++) u8[i] = below(256);
      break;
    case 6: // A number at the beginning of the payload, which is the length of a frame in parts.
      if (bytes > HEAD_BYTES) {
        doubles[(at + HEAD_BYTES) / 8] = [2 ** 30, 2 ** 53, -8, NaN, 16, 24, 1e300, 12][below(8)]!;
      }
      break;
    default: // A word of the payload is something at the edge.
      if (bytes > HEAD_BYTES) i32[at / 4 + 4 + below((bytes - HEAD_BYTES) / 4)] = edge;
  }
}

/** Keeps the size of the largest buffer that is made meanwhile. */
function watchBuffers(): { largest: number; [Symbol.dispose](): void } {
  const original = globalThis.ArrayBuffer;
  const watch = {
    largest: 0,
    [Symbol.dispose]: () => {
      globalThis.ArrayBuffer = original;
    },
  };
  globalThis.ArrayBuffer = class extends original {
    constructor(bytes: number) {
      watch.largest = Math.max(watch.largest, bytes);
      // What a claim alone gets is not worth the time to clear it.
      super(Math.min(bytes, CLAIM_BYTES_MAX));
    }
  } as ArrayBufferConstructor;
  return watch;
}

Deno.test("Broken frames give a ProtocolError and nothing else, and no large buffers", async () => {
  const seed = newSeed();
  const random = generator(seed);
  const found = new Map<string, number>();
  let refused = 0;
  const frames = conversation(enginePes(AMS, { ringBytes: 8192 }));
  for (let broken = 0; broken < FRAMES;) {
    const pes = enginePes(AMS, { ringBytes: 8192 });
    const sender = pes.network.lamellas[1]!;
    const handles = Array.from(
      { length: 12 },
      (_, i) => pes.engines[0]!.launch(1, pes.call(i === 8 ? "Typed" : "Pack", { x: i })),
    );
    // Up to four of them are broken; what comes behind them stays to confuse.
    const chosen = new Set(
      Array.from(
        { length: 1 + Math.floor(random() * 4) },
        () => Math.floor(random() * frames.length),
      ),
    );
    frames.forEach((frame, i) => {
      const { at, bytes } = write(sender, frame);
      if (chosen.has(i)) mutate(sender, at, bytes, random);
    });
    broken += chosen.size;
    sender.publish(0);
    using buffers = watchBuffers();
    try {
      for (let steps = 0; pes.network.progress[0]!.step() > 0; steps++) {
        assert(steps < 100, `seed ${seed}: it goes on for ever`);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) console.error(`seed ${seed}`, error);
      assertInstanceOf(error, ProtocolError, `seed ${seed}, frame ${broken}`);
      refused++;
      const what = error.message.replaceAll(/-?\d+/g, "n").slice(0, 50);
      found.set(what, (found.get(what) ?? 0) + 1);
    }
    assert(
      buffers.largest <= CLAIM_BYTES_MAX,
      `seed ${seed}, frame ${broken}: a buffer of ${buffers.largest} bytes`,
    );
    for (const handle of handles) handle.catch(() => {});
    pes.network.close();
    // What async handlers still do, and the pumps, ends here.
    await microtasks();
  }
  // Most of it has to be seen, in every way there is.
  assert(refused > FRAMES / 10, `seed ${seed}: only ${refused} conversations were refused`);
  assert(found.size > 12, `seed ${seed}: ${[...found.keys()].join("\n")}`);
});
