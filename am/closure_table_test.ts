import { assert, assertEquals, assertThrows } from "@std/assert";
import { FeatureLevelError, ProtocolError } from "../internal/errors.ts";
import { memoryViews } from "../internal/memory_views.ts";
import { ClosureTable } from "./closure_table.ts";
import { ClosureValue } from "./closure_value.ts";
import { FRAME, HEAD_BYTES } from "./frames.ts";
import { Network } from "./memory_lamella_test.ts";
import { Outbox } from "./outbox.ts";

/** A table of PE 0 with what it sends: the kinds, numbers and texts of frames by target. */
function bench(allowed = true): {
  table: ClosureTable;
  sent: (pe: number) => { kind: number; number: number; text: string }[];
} {
  const network = new Network(3, 1 << 16);
  const outbox = new Outbox(network.progress[0]!, 1 << 20);
  const decoder = new TextDecoder();
  return {
    table: new ClosureTable(outbox, 3, allowed),
    sent: (pe) => {
      outbox.flush();
      const frames: { kind: number; number: number; text: string }[] = [];
      network.lamellas[pe]!.poll((_source, { i32, u8 }, at, end) => {
        for (; at < end; at += i32[at / 4]!) {
          const [detail, , bytes] = i32.subarray(at / 4 + 1) as unknown as number[];
          const text = decoder.decode(u8.slice(at + HEAD_BYTES, at + HEAD_BYTES + bytes!));
          frames.push({ kind: detail! & 0xff, number: detail! >>> 8, text });
        }
        return end;
      });
      return frames;
    },
  };
}

const views = memoryViews(new ArrayBuffer(4096));

/** Writes a text; returns its length. */
function write(text: string): number {
  return new TextEncoder().encodeInto(text, views.u8).written;
}

Deno.test("The source of a closure travels once to each PE, under one number", () => {
  const { table, sent } = bench();
  const first = new ClosureValue("()=>'ä'", []);
  assertEquals([1, 1, 2].map((pe) => table.introduce(pe, first)), [0, 0, 0]);
  assertEquals(table.introduce(1, new ClosureValue("()=>2", [5])), 1);
  assertEquals(table.introduce(1, new ClosureValue("()=>'ä'", [7])), 0);
  assertEquals(sent(1), [
    { kind: FRAME.source, number: 0, text: "()=>'ä'" },
    { kind: FRAME.source, number: 1, text: "()=>2" },
  ]);
  assertEquals(sent(2), [{ kind: FRAME.source, number: 0, text: "()=>'ä'" }]);
});

Deno.test("A closure runs once its source has arrived from the same PE", () => {
  const { table } = bench();
  const captures = new ClosureValue("", [20, 22]);
  const at = 512;
  const bytes = table.captureBytes(captures);
  table.writeCaptures(captures, views, at);
  assertThrows(() => table.read(1, 4, views, at, bytes, {}), ProtocolError, "never arrived");
  table.receive(1, 4, views, 0, write("(a, b)=>a + b"));
  assertEquals(table.read(1, 4, views, at, bytes, {}).run(undefined), 42);
  const error = assertThrows(() => table.read(2, 4, views, at, bytes, {}), ProtocolError);
  assertEquals(error.pe, 2);
});

Deno.test("Captures that are no list, or do not decode, are refused", () => {
  const { table } = bench();
  table.receive(1, 0, views, 0, write("()=>1"));
  // MessagePack: the number 5, and a type that is not in use.
  for (const byte of [5, 0xc1]) {
    views.u8[512] = byte;
    assertThrows(() => table.read(1, 0, views, 512, 1, {}), ProtocolError);
  }
});

Deno.test("A world without closures reads none", () => {
  const { table } = bench(false);
  assert(!table.allowed);
  table.receive(1, 0, views, 0, write("()=>1"));
  assertThrows(() => table.read(1, 0, views, 0, 1, {}), FeatureLevelError);
});
