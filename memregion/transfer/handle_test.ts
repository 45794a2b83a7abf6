import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { TimeoutError } from "../../internal/errors.ts";
import { Pes } from "../pes_test.ts";
import type { SharedMemoryRegion } from "../shared_region.ts";

Deno.test("A get of far memory is given up after a time or by a signal, and goes on", async () => {
  using pes = new Pes(2, 1 << 20, { pesPerProcess: 1, seed: 1 });
  const [first, second] = pes.allocShared("u32", 4) as SharedMemoryRegion<"u32">[];
  second!.asSlice()[2] = 7;
  const network = pes.network!;
  network.stuck = true;
  const handle = first!.get(1, 2);
  assert(!handle.done);
  const error = await assertRejects(() => handle.within({ timeoutMs: 5 }), TimeoutError);
  assertEquals(error.message, "Cannot wait any longer for memory of PE 1: 5 ms are over");
  assertEquals(error.pe, 1);
  const reason = new Error("aborted");
  const signal = AbortSignal.abort(reason);
  assertStrictEquals(await handle.within({ signal }).catch((error) => error), reason);
  assertThrows(() => handle.block({ timeoutMs: 5 }), TimeoutError, "memory of PE 1");
  assertStrictEquals(assertThrows(() => handle.block({ signal })), reason);
  // Inside a handler it waits in place.
  let inHandler: unknown;
  const { progress } = pes.all[0]!;
  progress.addPoller(() => {
    inHandler ??= assertThrows(() => handle.block({ timeoutMs: 5 }), TimeoutError);
    return 0;
  });
  progress.step();
  assert(inHandler instanceof TimeoutError && !handle.done);
  network.stuck = false;
  assertEquals(handle.block({ timeoutMs: 60_000 }), 7);
  assertEquals([handle.done, await handle.within({ timeoutMs: 0, signal })], [true, 7]);
});

Deno.test("What lies in this process is there, whatever the limit", async () => {
  using pes = new Pes(2);
  const [first] = pes.allocShared("u32", 4) as SharedMemoryRegion<"u32">[];
  const over = { timeoutMs: 0, signal: AbortSignal.abort() };
  const put = first!.put(1, 0, 5);
  assertEquals([put.done, put.block(over), await put.within(over)], [true, undefined, undefined]);
  const get = first!.get(1, 0);
  assertEquals([get.done, get.block(over), await get.within(over)], [true, 5, 5]);
  assertThrows(() => get.block({ timeoutMs: -1 }), RangeError, "Cannot call block");
});
