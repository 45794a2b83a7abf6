import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FeatureLevelError, TransportError } from "../internal/errors.ts";
import {
  checkFabric,
  checkFabricVersion,
  fabricLibrary,
  openFabricLibrary,
} from "./fabric_library.ts";

Deno.test("openFabricLibrary() says what to install where the library is missing", () => {
  const { message } = assertThrows(() => openFabricLibrary("libnothere.so.1"), FeatureLevelError);
  assertStringIncludes(message, "Cannot use libfabric: libnothere.so.1: cannot open shared object");
  assertStringIncludes(message, "apt-get install libfabric1");
});

Deno.test("openFabricLibrary() refuses a library that is not libfabric, or is an old one", () => {
  const { message } = assertThrows(() => openFabricLibrary("libm.so.6"), FeatureLevelError);
  assertStringIncludes(
    message,
    "Cannot use libm.so.6 as libfabric: it has no fi_version of version FABRIC_1.0",
  );
  assertEquals(checkFabricVersion(1 << 16 | 11), "1.11");
  assertEquals(checkFabricVersion(2 << 16 | 3), "2.3");
  const old = assertThrows(() => checkFabricVersion(1 << 16 | 10), FeatureLevelError);
  assertEquals(
    old.message,
    "Cannot use libfabric 1.10: Lamellar needs version 1.11 or newer",
  );
});

Deno.test("checkFabric() turns a negative code into a TransportError with number and text", () => {
  assertEquals(checkFabric(3, "read", { op: "fi_cq_read" }), 3);
  const options = { op: "fi_mr_reg", provider: "cxi" };
  const error = assertThrows(() => checkFabric(-12, "register memory", options), TransportError);
  assertEquals(
    error.message,
    "Cannot register memory on cxi: Cannot allocate memory (fi_mr_reg: error 12)",
  );
  const { errno, text, op, provider, code } = error;
  assertEquals([errno, text, op, provider, code], [
    12,
    "Cannot allocate memory",
    "fi_mr_reg",
    "cxi",
    "ERR_TRANSPORT",
  ]);
  // Numbers that are libfabric's own have texts too.
  assertEquals(fabricLibrary().strerror(259), "Error available");
});
