import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { ProtocolError, RemoteError } from "../../internal/errors.ts";
import { memoryViews } from "../../internal/memory_views.ts";
import { decodeError, encodeError, remoteError } from "./thrown.ts";

const views = memoryViews(new SharedArrayBuffer(1 << 22));

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
  assert(cause.stack!.includes("thrown_test.ts"), cause.stack);
});

Deno.test("Causes arrive, and the errors of an AggregateError", () => {
  const inner = new TypeError("inner", { cause: "text" });
  const errors = [new RangeError("one"), 2, new AggregateError([inner], "nested")];
  const { cause } = travelError(new AggregateError(errors, "several", { cause: inner }));
  assertInstanceOf(cause, AggregateError);
  assertInstanceOf(cause.cause, TypeError);
  assertEquals((cause.cause.cause as Error).message, '"text"');
  const [one, two, nested] = cause.errors;
  assertInstanceOf(one, RangeError);
  assertEquals([one.message, two.message, nested.message], ["one", "2", "nested"]);
  assertEquals(nested.errors[0].message, "inner");
});

Deno.test("Errors without end, in any direction, arrive cut", () => {
  const circular = new AggregateError([], "circular");
  circular.cause = circular;
  circular.errors.push(circular, circular);
  assertEquals((travelError(circular).cause as Error).message, "circular");
  const huge = travelError(new Error("x".repeat(1 << 23))).cause as Error;
  assertEquals(huge.message.length, (1 << 20) - huge.name.length + 1);
  const many = travelError(new AggregateError(Array(5000).fill(new Error("x")))).cause;
  assertEquals((many as AggregateError).errors.length, 1001);
  assertEquals((many as AggregateError).errors.at(-1).message, "4000 more errors");
});

Deno.test("A lone surrogate in an error arrives", () => {
  const { cause } = travelError(new Error("a\ud800b"));
  assertEquals((cause as Error).message, "a\ud800b");
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
  const no = (): never => {
    throw new Error("no");
  };
  const traps = new Proxy(new Error("z"), { get: no, getPrototypeOf: no, has: no, ownKeys: no });
  const revoked = Proxy.revocable(new Error("r"), {});
  revoked.revoke();
  const list = Object.defineProperty(new AggregateError([]), "errors", { get: no });
  const items = new AggregateError([traps, revoked.proxy], "hostile");
  for (const thrown of [message, name, getter, traps, revoked.proxy, list, items]) {
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
