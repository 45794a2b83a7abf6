import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../internal/errors.ts";
import { memoryViews } from "../../internal/memory_views.ts";
import type { Codec } from "../codec.ts";
import { FORM, FRAME, HEAD_BYTES } from "./frames.ts";
import { Network } from "../memory_lamella_test.ts";
import { Outbox } from "./outbox.ts";
import { f64, u8Array } from "../schema/schema.ts";
import { schemaCodec } from "../schema/schema_codec.ts";
import { readResult, sendResult } from "./results.ts";

const views = memoryViews(new SharedArrayBuffer(4096));

/** Sends a value to another PE. */
function travel(value: unknown, returns?: Codec<unknown>): { form: number; value: unknown } {
  const network = new Network(2, 4096);
  const outbox = new Outbox(network.progress[0]!, 1 << 20);
  sendResult(outbox, 1, 7, value, returns);
  outbox.flush();
  const arrived = { form: -1, value: undefined as unknown };
  network.lamellas[1]!.poll((_source, from, at, end) => {
    const [bytes, kind, number, length] = from.i32.subarray(at / 4, at / 4 + 4);
    assertEquals([bytes, kind! & 0xff, number], [end - at, FRAME.result, 7]);
    arrived.form = kind! >>> 8;
    arrived.value = readResult(arrived.form, returns, from, at + HEAD_BYTES, length!, undefined);
    return end;
  });
  network.close();
  return arrived;
}

Deno.test("The commonest results travel without a codec", () => {
  const forms: [unknown, number][] = [
    [undefined, FORM.undefined],
    [null, FORM.null],
    [true, FORM.true],
    [false, FORM.false],
    ...[0, -0, 1.5, NaN, -Infinity, 2 ** 53].map((n): [unknown, number] => [n, FORM.number]),
  ];
  for (const [value, form] of forms) {
    const arrived = travel(value);
    assertEquals(arrived.form, form);
    assert(Object.is(arrived.value, value), `${value} became ${arrived.value}`);
  }
});

Deno.test("Other results travel by the value codec, or by the schema the AM declared", () => {
  for (const value of ["", "text", 10n, [1, [2]], { a: new Map([[1, "x"]]) }]) {
    assertEquals(travel(value), { form: FORM.value, value });
  }
  const number = schemaCodec(f64) as Codec<unknown>;
  assertEquals(travel(0.5, number), { form: FORM.schema, value: 0.5 });
  const bytes = schemaCodec({ data: u8Array }) as Codec<unknown>;
  const value = { data: Uint8Array.of(1, 2, 3) };
  assertEquals(travel(value, bytes), { form: FORM.schema, value });
  assertThrows(() => travel("no number", number), TypeError);
});

Deno.test("A result whose form is none, or whose length does not fit it, is refused", () => {
  for (const form of [7, 8, 255, 0xffffff, FORM.schema]) {
    assertThrows(() => readResult(form, undefined, views, 64, 8, undefined), ProtocolError);
  }
  for (
    const [form, bytes] of [
      ...[0, 1, 7, 9, 16].map((bytes) => [FORM.number, bytes] as const),
      ...[FORM.undefined, FORM.null, FORM.true, FORM.false].map((form) => [form, 8] as const),
    ]
  ) {
    const error = assertThrows(
      () => readResult(form, undefined, views, 64, bytes, undefined),
      ProtocolError,
    );
    assertEquals(
      error.message,
      `Cannot read a result: form ${form} has ${form === FORM.number ? 8 : 0} bytes, got ${bytes}`,
    );
  }
  views.u8.fill(0xc1);
  assertThrows(() => readResult(FORM.value, undefined, views, 64, 4, undefined), ProtocolError);
});
