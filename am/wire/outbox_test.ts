import { assert, assertEquals, assertThrows } from "@std/assert";
import { PAYLOAD_BYTES_MAX } from "../../internal/limits.ts";
import { FRAME, HEAD_BYTES } from "./frames.ts";
import { enginePes, type TestAm } from "../pes_test.ts";
import { generator } from "../random_test.ts";
import { u32, u8Array } from "../schema/schema.ts";
import { Outbox } from "./outbox.ts";
import { Network } from "../memory_lamella_test.ts";
import { newSeed } from "../../internal/random_test_numbers.ts";

/** Bytes that tell where they are from. */
function pattern(bytes: number, salt: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => Math.imul(i + salt, 0x9e3779b1) >>> 13);
}

/** Fails where two arrays differ, without a comparison of each element by the library. */
function assertBytes(actual: Uint8Array, expected: Uint8Array, context: string): void {
  assertEquals(actual.length, expected.length, context);
  assertEquals(actual.findIndex((byte, i) => byte !== expected[i]), -1, context);
}

const Mirror: Record<string, TestAm> = {
  Mirror: {
    schema: { data: u8Array },
    returns: u8Array,
    handler: (self) => self.data,
  },
};

Deno.test("Frames are published together: at the threshold, or when somebody asks", () => {
  const network = new Network(2, 1 << 16);
  const outbox = new Outbox(network.progress[0]!, 256);
  const ring = network.ring(0, 1);
  const send = (): void => {
    outbox.begin(1, FRAME.collective, 0, 64 - HEAD_BYTES);
    outbox.end(0);
  };
  for (let i = 0; i < 3; i++) send();
  assertEquals(ring.published, 0);
  send();
  assertEquals(ring.published, 256);
  send();
  assertEquals(ring.published, 256);
  outbox.flush();
  assertEquals(ring.published, 320);
  send();
  network.progress[0]!.step();
  assertEquals(ring.published, 384, "a step publishes too");
  network.close();
});

Deno.test("The threshold is never more than a quarter of the ring", () => {
  const network = new Network(2, 4096);
  const outbox = new Outbox(network.progress[0]!, 1 << 30);
  for (let i = 0; i < 4; i++) {
    outbox.begin(1, FRAME.collective, 0, 256 - HEAD_BYTES);
    outbox.end(0);
  }
  assertEquals(network.ring(0, 1).published, 1024);
  network.close();
});

Deno.test("Payloads just below, at and above every limit arrive whole, both ways", () => {
  const ringBytes = 4096;
  const pes = enginePes(Mirror, { ringBytes });
  const quarter = ringBytes / 4;
  const part = quarter - HEAD_BYTES - 8;
  const sizes = [0, 1, 7, 8, 9];
  for (const limit of [quarter, part, 2 * part, 3 * part, ringBytes, 5 * ringBytes]) {
    for (let offset = -48; offset <= 16; offset++) sizes.push(limit + offset);
  }
  for (const size of sizes) {
    const data = pattern(size, size);
    const back = pes.engines[0]!.launch(1, pes.call("Mirror", { data })).block() as Uint8Array;
    assertBytes(back, data, `${size} bytes`);
  }
  pes.network.close();
});

Deno.test("A program that finds the ring full waits, and drains its own meanwhile", () => {
  const seen: number[] = [];
  const pes = enginePes({
    Note: { schema: { n: u32, data: u8Array }, handler: (self) => void seen.push(self.n) },
  });
  const [a, b] = pes.engines;
  const data = new Uint8Array(200);
  // Both rings are full of requests whose targets have not looked yet.
  for (let n = 0; n < 500; n++) a!.launch(1, pes.call("Note", { n, data }));
  b!.launch(0, pes.call("Note", { n: 1000, data }));
  a!.waitAll();
  pes.network.settle();
  assertEquals(seen.filter((n) => n < 1000), Array.from({ length: 500 }, (_, n) => n));
  assert(seen.includes(1000));
  pes.network.close();
});

Deno.test("A program that sends much serves others before any ring is full", () => {
  const seen: number[] = [];
  const pes = enginePes({
    Note: { schema: { n: u32, data: u8Array }, handler: (self) => void seen.push(self.n) },
  }, { ringBytes: 1 << 16 });
  const [a, b] = pes.engines;
  const data = new Uint8Array(200);
  b!.launch(0, pes.call("Note", { n: 1000, data }));
  b!.outbox.flush();
  let sent = 0;
  while (seen.length === 0 && sent < 200) a!.launch(1, pes.call("Note", { n: sent++, data }));
  assertEquals(seen, [1000]);
  assert(sent * (HEAD_BYTES + data.length) < (1 << 16) / 3, `${sent} sent`);
  a!.waitAll();
  assertEquals(seen.slice(1), Array.from({ length: sent }, (_, n) => n));
  pes.network.close();
});

Deno.test("A handler that finds the ring full never waits: a backlog goes on in order", () => {
  const seen: number[] = [];
  const count = 3000;
  const pes = enginePes({
    Flood: {
      schema: {},
      handler: (_self, { engine }) => {
        for (let n = 0; n < count; n++) engine.launch(0, pes.call("Note", { n }));
      },
    },
    Note: { schema: { n: u32 }, handler: (self) => void seen.push(self.n) },
  });
  const [a, b] = pes.engines;
  a!.launch(1, pes.call("Flood"));
  a!.outbox.flush();
  pes.network.progress[1]!.step();
  // All of it that the ring did not take is in the backlog; the program launches behind it.
  assertEquals(seen, []);
  b!.launch(0, pes.call("Note", { n: count })).block();
  assertEquals(seen, Array.from({ length: count + 1 }, (_, n) => n));
  pes.network.settle();
  assertEquals([a!.outstanding, b!.outstanding], [0, 0]);
  pes.network.close();
});

Deno.test("Long frames in parts, with launches of handlers between them, keep every order", () => {
  const seed = newSeed();
  const random = generator(seed);
  const sizes = Array.from({ length: 60 }, () => Math.floor(random() ** 3 * 20_000));
  const expected = sizes.map((size, i) => pattern(size, i));
  const numbers: number[][] = [[], []];
  const pes = enginePes({
    // Each launches one of a random length back, so that handlers send while the program does.
    Ping: {
      schema: { n: u32, data: u8Array },
      handler: (self, { engine, currentPe }) => {
        assertBytes(self.data, expected[self.n]!, `seed ${seed}, ping ${self.n}`);
        numbers[currentPe]!.push(self.n);
        engine.launch(1 - currentPe, pes.call("Pong", self));
      },
    },
    Pong: {
      schema: { n: u32, data: u8Array },
      handler: (self) => assertBytes(self.data, expected[self.n]!, `seed ${seed}, pong ${self.n}`),
    },
  });
  const [a, b] = pes.engines;
  for (let n = 0; n < sizes.length; n++) {
    const call = pes.call("Ping", { n, data: expected[n] });
    a!.launch(1, call);
    b!.launch(0, call);
    if (random() < 0.1) pes.network.settle();
  }
  a!.waitAll();
  b!.waitAll();
  for (const list of numbers) assertEquals(list, sizes.map((_, n) => n), `seed ${seed}`);
  assertEquals([a!.launched, b!.launched], [120, 120]);
  pes.network.close();
});

Deno.test("A payload that cannot be written leaves nothing behind, long or short", () => {
  const pes = enginePes({
    Add: { schema: { data: u8Array, n: u32 }, handler: (self) => self.data.length + self.n },
  });
  const [a] = pes.engines;
  for (const length of [10, 900, 1100, 50_000]) {
    const data = new Uint8Array(length);
    assertThrows(() => a!.launch(1, pes.call("Add", { data, n: "no number" })), TypeError);
    assertEquals(a!.outstanding, 0);
    assertEquals(a!.launch(1, pes.call("Add", { data: data.subarray(0, 5), n: 1 })).block(), 6);
    assertEquals(a!.launch(1, pes.call("Add", { data, n: 2 })).block(), length + 2);
  }
  pes.network.close();
});

Deno.test("A payload that a handler cannot write leaves nothing in its backlog", () => {
  const refused: unknown[] = [];
  const pes = enginePes({
    Flood: {
      schema: { length: u32 },
      handler: (self, { engine }) => {
        const data = new Uint8Array(self.length);
        for (let n = 0; n < 200; n++) {
          engine.launch(0, pes.call("Note", { data, n }));
          refused.push(
            assertThrows(() => engine.launch(0, pes.call("Note", { data, n: -1 })), RangeError),
          );
        }
      },
    },
    Note: { schema: { data: u8Array, n: u32 }, handler: () => {} },
  });
  const [a, b] = pes.engines;
  for (const length of [100, 1500]) {
    a!.launch(1, pes.call("Flood", { length })).block();
    pes.network.settle();
    assertEquals(b!.outstanding, 0);
  }
  assertEquals(refused.length, 400);
  pes.network.close();
});

Deno.test("A message beyond the limit is refused before anything is reserved for it", () => {
  const network = new Network(2);
  const outbox = new Outbox(network.progress[0]!, 256);
  const error = assertThrows(
    () => outbox.begin(1, FRAME.collective, 0, PAYLOAD_BYTES_MAX + 8 - HEAD_BYTES),
    RangeError,
  );
  assertEquals(
    error.message,
    "Cannot send a message of 1073741832 bytes: the limit is 1073741824 bytes",
  );
  outbox.sendHead(1, FRAME.done, 0, 0);
  assertEquals(network.ring(0, 1).written, 16);
  network.close();
});

Deno.test("Who waits for room learns of the failure of the job", () => {
  const pes = enginePes(Mirror);
  const [a] = pes.engines;
  pes.network.lamellas[1]!.fail(new Error("on purpose"));
  const data = new Uint8Array(500);
  assertThrows(
    () => {
      for (let i = 0; i < 100; i++) a!.launch(1, pes.call("Mirror", { data }));
    },
    Error,
    "on purpose",
  );
  pes.network.close();
});
