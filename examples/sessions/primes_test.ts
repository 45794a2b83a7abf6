/**
 * PEs in `deno test`: a session that the tests share, and one that a test has for itself.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { startSession } from "../../mod.ts";
import { blocksOf, CountPrimes } from "./prime_ams.ts";

const modules = [import.meta.resolve("./prime_ams.ts")];
const shared = await startSession({ pes: 2, modules });
Deno.test.afterAll(() => shared.close());

Deno.test("there are 25 primes below 100", async () => {
  assertEquals(await shared.execAmPe(1, CountPrimes({ from: 0, to: 100 })), 25);
});

Deno.test("blocks have the primes of the whole", async () => {
  const counts = await Array.fromAsync(shared.map(blocksOf(1000, 7), CountPrimes));
  assertEquals(counts.reduce((sum, count) => sum + count), 168);
});

Deno.test("every PE of a session of its own counts", async () => {
  await using session = await startSession({ pes: 3, modules });
  assertEquals(await session.execAmAll(CountPrimes({ from: 10, to: 20 })), [4, 4, 4]);
});
