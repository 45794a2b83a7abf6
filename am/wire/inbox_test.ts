import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FeatureLevelError, ProtocolError } from "../../internal/errors.ts";
import { WaitLimit } from "../../lamellae/mod.ts";
import { FORM, FRAME, frameBytes, HEAD_BYTES } from "./frames.ts";
import { type EnginePes, enginePes, type TestAm } from "../pes_test.ts";
import { u8Array } from "../schema/schema.ts";

const AMS: Record<string, TestAm> = {
  Nothing: { schema: {}, handler: () => {} },
  Bytes: { schema: { data: u8Array }, handler: () => {} },
};

/** Sends a frame as PE 1 to PE 0; its head may lie. */
function send(
  { network }: EnginePes,
  kind: number,
  number = 0,
  detail = 0,
  payload: Uint8Array = new Uint8Array(0),
  head: { bytes?: number; payload?: number } = {},
): void {
  const lamella = network.lamellas[1]!;
  const bytes = frameBytes(payload.length);
  const at = lamella.reserve(0, bytes);
  lamella.views.i32.set(
    [head.bytes ?? bytes, kind | (detail << 8), number, head.payload ?? payload.length],
    at / 4,
  );
  lamella.views.u8.set(payload, at + HEAD_BYTES);
  lamella.commit(0, bytes);
  lamella.publish(0);
}

/** Bytes that begin with a double. */
function double(value: number, more = 0): Uint8Array {
  const bytes = new Uint8Array(8 + more);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return bytes;
}

/** What receiving gives as the text of its error. */
function refusal(pes: EnginePes): string {
  const error = assertThrows(() =>
    pes.network.progress[0]!.block(
      () => false,
      "a test",
      { kind: 0, pe: 1 },
      new WaitLimit({ timeoutMs: 1000 }, () => ({ text: "for a refusal" })),
    ), ProtocolError);
  pes.network.close();
  assertEquals(pes.network.failure?.pe, 0, "the job did not fail");
  const about = "Cannot read the frames of PE 1: there is ";
  return error.message.startsWith(about) ? error.message.slice(about.length) : error.message;
}

Deno.test("Requests that are lost, repeated or not of this world are refused by number", () => {
  for (const number of [0, 2, -1, 257]) {
    const pes = enginePes(AMS);
    send(pes, FRAME.request, number);
    assertEquals(refusal(pes), `request ${number} after request 0`);
  }
  const twice = enginePes(AMS);
  for (let i = 0; i < 2; i++) send(twice, FRAME.request, 1);
  assertEquals(refusal(twice), "request 1 after request 1");
  const unknown = enginePes(AMS);
  send(unknown, FRAME.request, 1, 4);
  assertEquals(refusal(unknown), "AM number 4 of 4");
});

Deno.test("Answers to what was never asked are refused, whatever they say", () => {
  for (const kind of [FRAME.done, FRAME.deferred, FRAME.result, FRAME.error, FRAME.returnAm]) {
    const pes = enginePes(AMS);
    pes.engines[0]!.launch(1, pes.call("Nothing")).catch(() => {});
    send(pes, kind, 2);
    assertEquals(refusal(pes), "an answer to request 2, which was not made");
  }
  const again = enginePes(AMS);
  again.engines[0]!.launch(1, again.call("Nothing"));
  for (let i = 0; i < 2; i++) send(again, FRAME.result, 1, FORM.true);
  assertEquals(refusal(again), "an answer to request 1, which was not made");
});

Deno.test("Frames of no kind are refused", () => {
  for (const kind of [0, 16, 255]) {
    const pes = enginePes(AMS);
    pes.engines[0]!.launch(1, pes.call("Nothing")).catch(() => {});
    send(pes, kind, 1);
    assertEquals(refusal(pes), `a frame of kind ${kind}`);
  }
});

Deno.test("Frames whose length is none, or is not that of their payload, are refused", () => {
  for (const bytes of [8, 20, 24, 4096, -16, 2 ** 30, -(2 ** 31)]) {
    const pes = enginePes(AMS);
    send(pes, FRAME.request, 1, 0, undefined, { bytes });
    assertEquals(refusal(pes), `a frame of ${bytes} bytes where 16 are left`);
  }
  for (const payload of [-1, 1, 8, 2 ** 31 - 1, -(2 ** 31)]) {
    const pes = enginePes(AMS);
    send(pes, FRAME.request, 1, 0, undefined, { payload });
    assertEquals(refusal(pes), `a payload of ${payload} bytes in a frame of 16`);
  }
});

Deno.test("Parts that do not make up a frame are refused", () => {
  for (const total of [0, 8, 12, 20, -16, NaN, Infinity, 2 ** 30 + 8, 1e300]) {
    const pes = enginePes(AMS);
    send(pes, FRAME.part, 1, 0, double(total));
    assertEquals(refusal(pes), `a frame in parts of ${total} bytes`);
  }
  const long = enginePes(AMS);
  send(long, FRAME.part, 1, 0, double(32, 16));
  send(long, FRAME.part, 1, 0, double(32, 24));
  assertEquals(refusal(long), "a part of 24 bytes after 16 of 32");
  const other = enginePes(AMS);
  send(other, FRAME.part, 1, 0, double(32, 16));
  send(other, FRAME.part, 1, 1, double(40, 16));
  assertEquals(refusal(other), "a part of 16 bytes after 16 of 32");
  const early = enginePes(AMS);
  send(early, FRAME.part, 1, 1, double(32, 16));
  assertEquals(refusal(early), "the last part after 16 bytes of 32");
  const short = enginePes(AMS);
  send(short, FRAME.part, 1, 0, double(16).subarray(0, 4));
  assert(/^a (part of -4|frame in parts of) /.test(refusal(short)));
  const inner = enginePes(AMS);
  send(inner, FRAME.part, 1, 1, double(32, 32));
  assertEquals(refusal(inner), "the last part after 32 bytes of 32");
});

Deno.test("A frame in parts that claims a gigabyte reserves little before it is there", () => {
  const original = globalThis.ArrayBuffer;
  let largest = 0;
  globalThis.ArrayBuffer = class extends original {
    constructor(bytes: number) {
      largest = Math.max(largest, bytes);
      super(bytes);
    }
  } as ArrayBufferConstructor;
  try {
    const pes = enginePes(AMS);
    largest = 0;
    send(pes, FRAME.part, 1, 0, double(2 ** 30, 16));
    pes.network.settle();
    pes.network.close();
  } finally {
    globalThis.ArrayBuffer = original;
  }
  assert(largest <= 1 << 20, `${largest} bytes`);
});

Deno.test("A payload that does not follow its schema ends the job, not only the request", () => {
  const pes = enginePes(AMS);
  send(pes, FRAME.request, 1, 1, new Uint8Array(3));
  assert(refusal(pes).startsWith("Cannot read a payload: it has 3 bytes"));
});

Deno.test("Room is given back while a long batch is handled, not only behind it", () => {
  const seen: number[] = [];
  const ringBytes = 1 << 18;
  const pes = enginePes({
    Note: { schema: { data: u8Array }, handler: () => void seen.push(ring.head) },
  }, { ringBytes });
  const ring = pes.network.ring(1, 0);
  const data = new Uint8Array(1000);
  for (let i = 0; i < 200; i++) pes.engines[1]!.launch(0, pes.call("Note", { data }));
  pes.engines[1]!.outbox.flush();
  pes.network.settle();
  assertEquals(seen.length, 200);
  // The head has moved several times, each time by no more than 32 KiB and a frame.
  const heads = [...new Set(seen)];
  assert(heads.length >= 6, `${heads}`);
  heads.forEach((head, i) => assert(i === 0 || head - heads[i - 1]! < 34_000));
  pes.network.close();
});

Deno.test("An answer that cannot be read settles its handle before it ends the job", async () => {
  const broken: [number, number, Uint8Array][] = [
    [FRAME.result, FORM.number, new Uint8Array(3)],
    [FRAME.result, FORM.value, Uint8Array.of(0xc1)],
    [FRAME.result, 77, new Uint8Array(0)],
    [FRAME.error, 0, Uint8Array.of(65)],
    [FRAME.returnAm, 5, new Uint8Array(0)],
    [FRAME.returnClosure, 5, new Uint8Array(0)],
    [99, 0, new Uint8Array(0)],
  ];
  for (const [kind, detail, payload] of broken) {
    const pes = enginePes(AMS);
    // Nobody steps but by hand.
    pes.network.close();
    const handle = pes.engines[0]!.launch(1, pes.call("Nothing"));
    const rejected = assertRejects(() => Promise.resolve(handle), ProtocolError);
    await undefined;
    send(pes, kind, 1, detail, payload);
    refusal(pes);
    assert(handle.done, `kind ${kind}, detail ${detail}`);
    await rejected;
  }
});

Deno.test("A closure for a world without closures is an error of whoever sent it", () => {
  const pes = enginePes(AMS, { closures: false });
  send(pes, FRAME.source, 0, 0, new TextEncoder().encode("()=>1"));
  send(pes, FRAME.closure, 1, 0, Uint8Array.of(0x90));
  pes.network.progress[0]!.step();
  assertEquals(pes.network.failure, null, "the request alone fails");
  assert(pes.network.ring(0, 1).written > 0, "there is no answer");
  pes.network.close();
});

Deno.test("A closure returned to a world without closures fails its handle alone", () => {
  const pes = enginePes(AMS, { closures: false });
  const handle = pes.engines[0]!.launch(1, pes.call("Nothing"));
  send(pes, FRAME.source, 0, 0, new TextEncoder().encode("()=>1"));
  send(pes, FRAME.returnClosure, 1, 0, Uint8Array.of(0x90));
  pes.network.progress[0]!.step();
  assertThrows(() => handle.block(), FeatureLevelError);
  pes.network.close();
});
