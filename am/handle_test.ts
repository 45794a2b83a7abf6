import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { LamellarError, TimeoutError } from "../internal/errors.ts";
import { AmHandle, checkLaunchOptions, control, type HandleHost } from "./handle.ts";
import { MultiAmHandle } from "./multi_handle.ts";

/** An engine that only notes what handles ask of it. */
function bench(): { host: HandleHost; calls: string[]; handle: AmHandle<number> } {
  const calls: string[] = [];
  const host: HandleHost = {
    attend: () => void calls.push("attend"),
    refuseBlocking: () => {},
    blockFor: (_done, op, pe) => void calls.push(`block for ${op} on ${pe}`),
    keepError: () => void calls.push("keep"),
    dropError: () => void calls.push("drop"),
  };
  return { host, calls, handle: new AmHandle<number>(host, 3, undefined) };
}

Deno.test("Only the first end of a handle counts", async () => {
  const { calls, handle } = bench();
  assertEquals([handle.done, control.errorOf(handle)], [false, undefined]);
  control.resolve(handle, 1);
  control.resolve(handle, 2);
  control.reject(handle, new Error("late"));
  assertEquals([handle.done, handle.block(), await handle, control.errorOf(handle)], [
    true,
    1,
    1,
    undefined,
  ]);
  assertEquals(calls, []);
});

Deno.test("Awaiting asks the engine for attention once, however often it is done", async () => {
  const { calls, handle } = bench();
  const waits = [handle.then((n) => n + 1), handle.catch(() => 0), handle.finally(() => {})];
  control.resolve(handle, 1);
  assertEquals(await Promise.all(waits), [2, 1, 1]);
  assertEquals(calls, ["attend"]);
});

Deno.test("An error is kept until somebody asks for it, in any way", async () => {
  const error = new Error("x");
  const blocked = bench();
  control.reject(blocked.handle, error);
  assertThrows(() => blocked.handle.block(), Error, "x");
  assertEquals(blocked.calls, ["keep", "drop"]);
  const later = bench();
  control.reject(later.handle, error);
  assertEquals(await later.handle.catch((caught) => caught), error);
  assertEquals(later.calls, ["keep", "drop"]);
  const before = bench();
  const wait = assertRejects(() => before.handle.finally(() => {}), Error, "x");
  control.reject(before.handle, error);
  await wait;
  assertEquals(before.calls, ["attend"]);
});

Deno.test("block() waits by the engine, and refuses what needs the event loop", () => {
  const { calls, handle } = bench();
  const pending = assertThrows(() => handle.block(), LamellarError);
  assertEquals(pending.code, "ERR_NEEDS_EVENT_LOOP");
  assertEquals(calls, ["block for closure on 3"]);
  control.needEventLoop(handle);
  assertThrows(() => handle.block(), LamellarError, "its handler is async and runs on this PE");
  assertEquals(calls.length, 1);
});

Deno.test("A limit leaves no timer and no listener behind once the result is there", () => {
  // The sanitizers of the test would find the timer.
  const { handle } = bench();
  const aborting = new AbortController();
  let listeners = 0;
  const { signal } = aborting;
  signal.addEventListener = () => void listeners++;
  signal.removeEventListener = () => void listeners--;
  control.limit(handle, { timeoutMs: 60_000, signal });
  assertEquals(listeners, 1);
  control.resolve(handle, 5);
  assertEquals([listeners, handle.block()], [0, 5]);
});

Deno.test("A signal that is aborted already ends the wait at once, with any reason", () => {
  for (const reason of [new Error("r"), "text", 0]) {
    const { handle } = bench();
    control.limit(handle, { signal: AbortSignal.abort(reason), timeoutMs: 60_000 });
    assertEquals([handle.done, control.errorOf(handle)], [true, reason]);
  }
});

Deno.test("A limit of 0 ms is over at the next turn of the event loop", async () => {
  const { handle } = bench();
  control.limit(handle, { timeoutMs: 0 });
  assert(!handle.done);
  const error = await assertRejects(() => Promise.resolve(handle), TimeoutError);
  assertEquals(error.message, "Cannot wait any longer for closure on PE 3: 0 ms are over");
  assertEquals([error.pe, error.op], [3, "closure"]);
});

Deno.test("A failed block() on several leaves no error of the others to waitAll", () => {
  for (const late of [false, true]) {
    const { host, calls } = bench();
    const handles = [0, 1, 2].map((pe) => new AmHandle<number>(host, pe, undefined));
    const all = new MultiAmHandle(handles);
    control.reject(handles[0]!, new Error("first"));
    if (!late) control.reject(handles[2]!, new Error("third"));
    assertThrows(() => all.block(), Error, "first");
    if (late) control.reject(handles[2]!, new Error("third"));
    const kept = calls.filter((call) => call === "keep").length;
    const dropped = calls.filter((call) => call === "drop").length;
    assert(kept <= dropped, calls.join());
  }
});

Deno.test("checkLaunchOptions() refuses times and signals that are none", () => {
  checkLaunchOptions({}, "execAmPe");
  checkLaunchOptions({ timeoutMs: 0 }, "execAmPe");
  const signal = {} as AbortSignal;
  assertThrows(() => checkLaunchOptions({ signal }, "execAmPe"), TypeError, "AbortSignal");
  for (const timeoutMs of [-1, NaN, -Infinity]) {
    assertThrows(() => checkLaunchOptions({ timeoutMs }, "execAmPe"), RangeError, "execAmPe");
  }
  const text = { timeoutMs: "100" as unknown as number };
  assertThrows(() => checkLaunchOptions(text, "execAmPe"), TypeError, "execAmPe");
});

Deno.test("A limit that no timer takes is not over at once", async () => {
  for (const timeoutMs of [2 ** 31, 2 ** 53, Infinity]) {
    checkLaunchOptions({ timeoutMs }, "execAmPe");
    const { handle } = bench();
    control.limit(handle, { timeoutMs });
    // Timers end in the order of their times, and one that is too long in a millisecond.
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals([handle.done, control.errorOf(handle)], [false, undefined]);
    control.resolve(handle, 5);
    assertEquals(await handle, 5);
  }
});

Deno.test("A handle of several gives their results in order, or the first error", async () => {
  const { host } = bench();
  const handles = [0, 1, 2].map((pe) => new AmHandle<number>(host, pe, undefined));
  const all = new MultiAmHandle(handles);
  const wait = all.then((values) => values.join());
  control.resolve(handles[2]!, 12);
  control.resolve(handles[0]!, 10);
  assert(!all.done);
  control.resolve(handles[1]!, 11);
  assertEquals([all.done, await wait, all.block()], [true, "10,11,12", [10, 11, 12]]);
  const failed = new AmHandle<number>(host, 0, undefined);
  const failing = new MultiAmHandle([handles[0]!, failed]);
  const caught = failing.catch((error) => error);
  const ended = assertRejects(() => failing.finally(() => {}), Error, "x");
  control.reject(failed, new Error("x"));
  assertEquals((await caught as unknown as Error).message, "x");
  await ended;
  assertThrows(() => failing.block(), Error, "x");
});
