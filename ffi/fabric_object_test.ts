import { assertEquals, assertThrows } from "@std/assert";
import { FeatureLevelError, TransportError } from "../internal/errors.ts";
import { closeObjects } from "./fabric.ts";
import { FABRIC, FI } from "./fabric_abi.ts";
import { checkClass, type FabricObject, operation } from "./fabric_object.ts";
import { pointerOf } from "./native.ts";

const CLOSE = { parameters: ["u64"], result: "i32" } as const;

/** An object as libfabric makes them, whose close gives a code. */
function fake(what: string, code: number, closed: string[]): Disposable & FabricObject {
  const close = new Deno.UnsafeCallback(CLOSE, () => {
    closed.push(what);
    return code;
  });
  const table = new BigUint64Array(FABRIC.fi_ops.bytes / 8);
  table[0] = BigInt(FABRIC.fi_ops.bytes);
  table[FABRIC.fi_ops.close / 8] = Deno.UnsafePointer.value(close.pointer);
  const fid = new BigUint64Array(FABRIC.fid.bytes / 8);
  fid[FABRIC.fid.fclass / 8] = BigInt(FI.FI_CLASS_AV);
  fid[FABRIC.fid.ops / 8] = pointerOf(table);
  return {
    what,
    fid: pointerOf(fid),
    // The arrays live as long as something that can still be called refers to them.
    [Symbol.dispose]: () => [table, fid].length > 0 && close.close(),
  };
}

Deno.test("closeObjects() closes what was opened last first, and goes on after a failure", () => {
  const closed: string[] = [];
  using fabric = fake("fabric", 0, closed);
  using domain = fake("domain", -FI.FI_EINVAL, closed);
  using queue = fake("queue", -16, closed);
  using endpoint = fake("endpoint", 0, closed);
  const objects = [fabric, domain, queue, endpoint];
  const error = assertThrows(() => closeObjects(objects, "fake"), TransportError);
  assertEquals(closed, ["endpoint", "queue", "domain", "fabric"]);
  assertEquals(
    error.message,
    "Cannot close the queue on fake: Device or resource busy (fi_close: error 16)",
  );
  closeObjects(objects, "fake");
  assertEquals(closed.length, 4);
});

Deno.test("operation() reads no further than the table goes, and refuses what is not there", () => {
  const table = new BigUint64Array([24n, 0n, 0x1234n, 0x5678n]);
  const read = (offset: number) => operation(pointerOf(table), offset, "fi_sendmsg", "fake");
  assertEquals(read(16), 0x1234n);
  for (const missing of [8, 24]) {
    assertEquals(
      assertThrows(() => read(missing), FeatureLevelError).message,
      "Cannot use provider fake: it has no fi_sendmsg",
    );
  }
  assertThrows(() => operation(0n, 8, "fi_sendmsg", "fake"), FeatureLevelError, "no fi_sendmsg");
});

Deno.test("checkClass() refuses an object of another class", () => {
  using vector = fake("address vector", 0, []);
  checkClass(vector.fid, FI.FI_CLASS_AV, vector.what, "fake");
  assertEquals(
    assertThrows(() => checkClass(vector.fid, FI.FI_CLASS_CQ, "queue", "fake"), FeatureLevelError)
      .message,
    "Cannot use provider fake: its queue has class 11 instead of 14, so this libfabric has other " +
      "layouts than Lamellar knows",
  );
});
