import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { ProtocolError, RemoteError } from "../internal/errors.ts";
import { memoryViews } from "../internal/memory_views.ts";
import type { Codec } from "./codec.ts";
import { FORM } from "./frames.ts";
import { f64, u8Array } from "./schema.ts";
import { schemaCodec } from "./schema_codec.ts";
import {
  decodeError,
  encodeError,
  formOf,
  readResult,
  remoteError,
  resultBytes,
  writeResult,
} from "./values.ts";

const views = memoryViews(new SharedArrayBuffer(4096));

/** Sends a value through the memory. */
function travel(value: unknown, returns?: Codec<unknown>): { form: number; value: unknown } {
  views.u8.fill(0xa5);
  const form = formOf(value, returns);
  const bytes = resultBytes(form, value, returns);
  writeResult(form, value, returns, views, 64);
  assertEquals([views.u8[63], views.u8[64 + bytes]], [0xa5, 0xa5], "written outside");
  return { form, value: readResult(form, returns, views, 64, bytes, undefined) };
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

/** Sends an error through the memory. */
function travelError(error: unknown): RemoteError {
  const bytes = encodeError(error);
  views.u8.set(bytes, 8);
  return decodeError('AM "A"', 3, views, 8, bytes.length);
}

Deno.test("An error arrives with name, message and stack, and says where it was thrown", () => {
  class OwnError extends Error {
    override name = "OwnError";
  }
  const thrown = new OwnError("wörds");
  const error = travelError(thrown);
  assertInstanceOf(error, RemoteError);
  assertEquals(error.message, 'AM "A" failed on PE 3: OwnError: wörds');
  assertEquals([error.pe, error.op], [3, 'AM "A"']);
  const cause = error.cause as Error;
  assertEquals([cause.name, cause.message], ["OwnError", "wörds"]);
  assert(cause.stack!.includes("values_test.ts"), cause.stack);
});

Deno.test("The causes of an error arrive in its stack", () => {
  const error = travelError(new Error("outer", { cause: new TypeError("inner") }));
  assert((error.cause as Error).stack!.includes("TypeError: inner"));
});

Deno.test("What is thrown and is no error arrives as its text", () => {
  for (
    const [thrown, text] of [["a text", '"a text"'], [undefined, "undefined"], [
      { a: 1 },
      "{ a: 1 }",
    ]]
  ) {
    assertEquals(travelError(thrown).message, `AM "A" failed on PE 3: ${text}`);
  }
});

Deno.test("Errors that lie about themselves travel all the same", () => {
  const message = Object.assign(new Error("x"), { message: 10n });
  const name = Object.assign(new Error("named"), { name: Symbol("s") });
  const getter = Object.defineProperty(new Error("y"), "message", {
    get: () => {
      throw new Error("no message for you");
    },
  });
  for (const thrown of [message, name, getter]) {
    assertInstanceOf(travelError(thrown), RemoteError);
    assertInstanceOf(remoteError("closure", 0, thrown), RemoteError);
  }
});

Deno.test("Bytes that are no error are refused", () => {
  const texts = ["", "{", "null", "5", "[]", '"text"', "{}", '{"name":1,"message":"","stack":""}'];
  for (const text of [...texts, '{"name":"E","message":null,"stack":""}', '{"name":"E"}']) {
    const bytes = new TextEncoder().encode(text);
    views.u8.set(bytes, 8);
    assertThrows(
      () => decodeError("closure", 2, views, 8, bytes.length),
      ProtocolError,
      "Cannot read an error from PE 2",
      text,
    );
  }
});

Deno.test("An error of this PE names what was thrown, whatever that is", () => {
  assertEquals(
    remoteError("closure", 0, new RangeError("r")).message,
    "closure failed on PE 0: RangeError: r",
  );
  assertEquals(remoteError("closure", 0, 5).message, "closure failed on PE 0: 5");
});
