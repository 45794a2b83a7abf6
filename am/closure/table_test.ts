import { assert, assertEquals, assertThrows } from "@std/assert";
import { FeatureLevelError, ProtocolError } from "../../internal/errors.ts";
import { memoryViews } from "../../internal/memory_views.ts";
import { ClosureTable } from "./table.ts";
import { ClosureValue } from "./value.ts";
import { FRAME, HEAD_BYTES } from "../wire/frames.ts";
import { Network } from "../memory_lamella_test.ts";
import { capturesCodec } from "../msgpack/value_codec.ts";
import { Outbox } from "../wire/outbox.ts";

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

function closure(source: string, captures: unknown[]): ClosureValue {
  return new ClosureValue({ source, contextAt: -1 }, captures);
}

Deno.test("The source of a closure travels once to each PE, under one number", () => {
  const { table, sent } = bench();
  const first = closure("()=>'ä'", []);
  const introduce = (pe: number, what: ClosureValue): number => {
    const number = table.numberOf(what);
    table.introduce(pe, number, what);
    return number;
  };
  assertEquals([1, 1, 2].map((pe) => introduce(pe, first)), [0, 0, 0]);
  assertEquals(introduce(1, closure("()=>2", [5])), 1);
  assertEquals(introduce(1, closure("()=>'ä'", [7])), 0);
  assertEquals(sent(1), [
    { kind: FRAME.source, number: 0, text: "()=>'ä'" },
    { kind: FRAME.source, number: 1, text: "()=>2" },
  ]);
  assertEquals(sent(2), [{ kind: FRAME.source, number: 0, text: "()=>'ä'" }]);
});

Deno.test("A closure runs once its source has arrived from the same PE", () => {
  const { table } = bench();
  const captures = [20, 22];
  const at = 512;
  const bytes = capturesCodec.size(captures);
  capturesCodec.write(captures, views, at, bytes);
  assertThrows(() => table.read(1, 4, views, at, bytes, {}), ProtocolError, "never arrived");
  table.receive(1, 4, -1, views, 0, write("(a, b)=>a + b"));
  assertEquals(table.read(1, 4, views, at, bytes, {}).run(undefined), 42);
  const error = assertThrows(() => table.read(2, 4, views, at, bytes, {}), ProtocolError);
  assertEquals(error.pe, 2);
});

Deno.test("Any source arrives as it is, with the parameter of its context", () => {
  const { table } = bench();
  const bytes = capturesCodec.size(["a"]);
  capturesCodec.write(["a"], views, 512, bytes);
  const { i32, u8 } = views;
  const network = new Network(2, 4096);
  const outbox = new Outbox(network.progress[0]!, 1 << 20);
  const source = "(a, x)=>`${a}\ud800${x}`";
  new ClosureTable(outbox, 2, true)
    .introduce(1, 0, new ClosureValue({ source, contextAt: 1 }, []));
  outbox.flush();
  network.lamellas[1]!.poll((_source, from, at, end) => {
    u8.set(from.u8.subarray(at, end));
    return end;
  });
  table.receive(1, 0, i32[2]!, views, HEAD_BYTES, i32[3]!);
  assertEquals(table.read(1, 0, views, 512, bytes, {}).run("x"), "a\ud800x");
  for (const contextAt of [-2, 1 << 20]) {
    const receive = () => table.receive(1, 0, contextAt, views, HEAD_BYTES, i32[3]!);
    assertThrows(receive, ProtocolError, `parameter ${contextAt}`);
  }
  network.close();
});

Deno.test("Captures that are no list, or do not decode, are refused", () => {
  const { table } = bench();
  table.receive(1, 0, -1, views, 0, write("()=>1"));
  // MessagePack: the number 5, and a type that is not in use.
  for (const byte of [5, 0xc1]) {
    views.u8[512] = byte;
    assertThrows(() => table.read(1, 0, views, 512, 1, {}), ProtocolError);
  }
});

Deno.test("A world without closures reads none", () => {
  const { table } = bench(false);
  assert(!table.allowed);
  table.receive(1, 0, -1, views, 0, write("()=>1"));
  assertThrows(() => table.read(1, 0, views, 0, 1, {}), FeatureLevelError);
});
