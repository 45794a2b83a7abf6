import { assertEquals } from "@std/assert";
import { PMIX_CONSTANTS, PMIX_LAYOUT } from "../ffi/mod.ts";
import { startCommand } from "./support/run.ts";

/** Where Debian has the header. */
const INCLUDE = `/usr/lib/${Deno.build.arch}-linux-gnu/pmix2/include`;

/** What each number is in C. */
const IN_C: Readonly<Record<keyof typeof PMIX_LAYOUT | keyof typeof PMIX_CONSTANTS, string>> = {
  procBytes: "sizeof(pmix_proc_t)",
  procRank: "offsetof(pmix_proc_t, rank)",
  valueBytes: "sizeof(pmix_value_t)",
  valueData: "offsetof(pmix_value_t, data)",
  infoBytes: "sizeof(pmix_info_t)",
  infoValue: "offsetof(pmix_info_t, value)",
  byteObjectSize: "offsetof(pmix_byte_object_t, size)",
  typeBool: "PMIX_BOOL",
  typeUint32: "PMIX_UINT32",
  typeByteObject: "PMIX_BYTE_OBJECT",
  scopeGlobal: "PMIX_GLOBAL",
  rankWildcard: "PMIX_RANK_WILDCARD",
  eventActionComplete: "PMIX_EVENT_ACTION_COMPLETE",
  lostConnection: "PMIX_ERR_LOST_CONNECTION",
};

Deno.test("The structures and constants of PMIx are those of the header", async () => {
  const folder = await Deno.makeTempDir({ prefix: "lamellar-test-" });
  try {
    const lines = Object.entries(IN_C).map(([name, value]) =>
      `puts("${name}"); printf("%lld\\n", (long long) ${value});`
    );
    const source = `#include <pmix.h>
      #include <stddef.h>
      #include <stdio.h>
      int main(void) {
        ${lines.join("\n")}
        return 0;
      }`;
    await Deno.writeTextFile(`${folder}/pmix.c`, source);
    const compile = ["gcc", "-I", INCLUDE, "-o", `${folder}/pmix`, `${folder}/pmix.c`];
    const { code, stderr } = await startCommand(compile).result;
    assertEquals([code, stderr], [0, ""]);
    const { stdout } = await startCommand([`${folder}/pmix`]).result;
    const words = stdout.trim().split("\n");
    const found: Record<string, number> = {};
    while (words.length > 0) found[words.shift()!] = Number(words.shift());
    assertEquals(found, { ...PMIX_LAYOUT, ...PMIX_CONSTANTS });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
