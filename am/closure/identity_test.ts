import { assertEquals, assertMatch } from "@std/assert";
import { hashSource, SourceCache } from "./identity.ts";

Deno.test("hashSource() comes to the same on every PE and in every release", () => {
  assertEquals(hashSource("(a)=>a"), { id: 1658655371, hash: "4f14cbcde2dd128b" });
});

Deno.test("hashSource() gives other hashes, and next to always other ids, to other sources", () => {
  const ids = new Set<number>();
  const hashes = new Set<string>();
  for (let i = 0; i < 5000; i++) {
    const { id, hash } = hashSource(`(a)=>a+${i}`);
    assertEquals(Number.isInteger(id) && id > 0 && id <= 0x7fffffff, true);
    assertMatch(hash, /^[0-9a-f]{16}$/);
    ids.add(id);
    hashes.add(hash);
  }
  assertEquals(hashes.size, 5000);
  assertEquals(ids.size >= 4999, true);
});

Deno.test("SourceCache forgets the oldest source beyond 4096", () => {
  const cache = new SourceCache<number>();
  for (let i = 0; i < 4096; i++) cache.add(`${i}`, i);
  assertEquals(cache.get("0"), 0);
  cache.add("4096", 4096);
  assertEquals(cache.get("0"), undefined);
  assertEquals(cache.get("1"), 1);
  assertEquals(cache.get("4096"), 4096);
});
