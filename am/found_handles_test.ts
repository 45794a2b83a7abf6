import { assertEquals, assertThrows } from "@std/assert";
import { definitionOf } from "./call.ts";
import { registerExtension } from "./msgpack/msgpack_codec.ts";
import { enginePes, type TestAm } from "./pes_test.ts";
import { array, extension, optional, u32, u8Array } from "./schema/schema.ts";

/** A handle that has to know where it is. */
class Counted {
  readonly sent: number[] = [];
  constructor(readonly id: number) {}
}

const SENT_TO = { sentTo: (handle: Counted, pe: number) => void handle.sent.push(pe) };

registerExtension({
  type: 110,
  match: (value) => value instanceof Counted,
  encode: (value) => Uint8Array.of((value as Counted).id),
  decode: (bytes) => new Counted(bytes[0]!),
  sentTo: (value, pe) => SENT_TO.sentTo(value as Counted, pe),
});

const counted = extension<Counted>({
  name: "counted",
  fixedBytes: 8,
  match: (value) => value instanceof Counted,
  write: ({ id }, { f64 }, at) => void (f64[at / 8] = id),
  read: ({ f64 }, at) => new Counted(f64[at / 8]!),
  ...SENT_TO,
});

const AMS: Record<string, TestAm> = {
  Pack: { handler: (self) => self.one.id },
  Schema: {
    schema: { one: counted, more: array(counted), maybe: optional(counted), n: u32 },
    handler: (self) => self.one.id + self.more.length,
  },
  Long: { schema: { one: counted, data: u8Array }, handler: (self) => self.one.id },
  Value: { handler: (self) => self },
  Returns: { returns: counted, handler: (self) => self },
};

Deno.test("Handles in a payload are told of each PE it is sent to, once for each", () => {
  const pes = enginePes(AMS, { numPes: 3 });
  const [a] = pes.engines;
  const one = new Counted(7);
  assertEquals(a!.launch(1, pes.call("Pack", { one, text: "t" })).block(), 7);
  assertEquals(one.sent.splice(0), [1]);
  // Twice in a payload are two handles where it arrives.
  const twice = pes.call("Schema", { one, more: [new Counted(1), one], n: 1 });
  assertEquals(a!.launch(2, twice).block(), 9);
  assertEquals(one.sent.splice(0), [2, 2]);
  const all = [0, 1, 2];
  for (const name of ["Pack", "Schema"]) {
    const maybe = new Counted(8);
    const handles = a!.launchAll(all, pes.call(name, { one, more: [], maybe, n: 1 }));
    assertEquals(handles.map((handle) => handle.block()), [7, 7, 7]);
    assertEquals([one.sent.splice(0), maybe.sent], [all, all]);
  }
  a!.launch(1, pes.call("Long", { one, data: new Uint8Array(9000) })).block();
  const long = pes.call("Long", { one, data: new Uint8Array(9000) });
  for (const handle of a!.launchAll([1, 2], long)) handle.block();
  assertEquals(one.sent.splice(0), [1, 1, 2]);
  pes.network.close();
});

Deno.test("Handles among captures, inside closures and in results are told of, too", () => {
  const pes = enginePes(AMS, { numPes: 2 });
  const [a] = pes.engines;
  const one = new Counted(7);
  const read = (handle: { id: number }): number => handle.id;
  assertEquals(a!.launchClosure(1, read, [one]).block(), 7);
  assertEquals(one.sent.splice(0), [1]);
  for (const name of ["Value", "Returns"]) {
    let there: Counted | undefined;
    const back = enginePes({
      [name]: { ...AMS[name]!, handler: (self) => there = self },
    });
    const got = back.engines[0]!.launch(1, back.call(name, one)).block() as Counted;
    assertEquals([got.id, got.sent], [7, []]);
    assertEquals([one.sent.splice(0), there!.sent], [[1], [0]]);
    back.network.close();
  }
  pes.network.close();
});

Deno.test("A payload that is not sent tells its handles nothing", () => {
  const pes = enginePes(AMS);
  const [a] = pes.engines;
  const one = new Counted(7);
  const bad = [
    pes.call("Pack", { one, bad: () => 1 }),
    pes.call("Schema", { one, more: [], n: -1 }),
    pes.call("Schema", { one, more: [one, 5], n: 1 }),
    pes.call("Long", { one, data: 5 }),
  ];
  for (const call of bad) {
    assertThrows(() => a!.launch(1, call));
    assertThrows(() => a!.launchAll([0, 1], call));
  }
  const { codec } = definitionOf(bad[0]!)!;
  codec!.size({ one });
  assertEquals(a!.launch(1, pes.call("Pack", { one: new Counted(3) })).block(), 3);
  assertEquals(one.sent, []);
  a!.launchLocal(pes.call("Pack", { one })).block();
  assertEquals(one.sent, []);
  pes.network.close();
});

Deno.test("A handle that is told of a PE cannot send anything", () => {
  const pes = enginePes({
    Send: {
      schema: extension<number>({
        name: "sends",
        fixedBytes: 8,
        write: () => {},
        read: () => 0,
        sentTo: () => void pes.engines[0]!.launch(1, pes.call("Send", 1)),
      }),
      handler: () => {},
    },
  });
  const [a] = pes.engines;
  assertThrows(() => a!.launch(1, pes.call("Send", 1)), TypeError, "while a payload");
  assertThrows(() => a!.launchAll([1], pes.call("Send", 1)), TypeError, "while a payload");
  assertEquals(a!.outstanding, 0);
  pes.network.close();
});
