import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { TimeoutError } from "../internal/errors.ts";
import { Handle } from "./handle.ts";
import { type Awaited, WaitLimit, type WaitOptions } from "./wait_limit.ts";

/** A handle of something that a test settles. */
class TestHandle extends Handle<number> {
  readonly source: PromiseWithResolvers<number> = Promise.withResolvers<number>();
  /** What blocking gives once the limit was checked so often. */
  looks = 0;
  #done = false;

  get done(): boolean {
    return this.#done;
  }

  settle(value: number): void {
    this.#done = true;
    this.source.resolve(value);
  }

  protected override promised(): Promise<number> {
    return this.source.promise;
  }

  protected override blocked(limit: WaitLimit | undefined): number {
    for (let look = 0; look < 1000 && !this.#done; look++) {
      limit?.check();
      this.looks++;
    }
    return 7;
  }

  protected override awaited(): Awaited {
    return { text: "for a test", op: "test", pe: 3 };
  }
}

Deno.test("within() gives a value that comes in time, and leaves no timer behind", async () => {
  const handle = new TestHandle();
  const aborting = new AbortController();
  let listeners = 0;
  const { signal } = aborting;
  signal.addEventListener = () => void listeners++;
  signal.removeEventListener = () => void listeners--;
  const wait = handle.within({ timeoutMs: 60_000, signal });
  assertEquals(listeners, 1);
  handle.settle(5);
  assertEquals(await wait, 5);
  assertEquals(listeners, 0);
});

Deno.test("within() ends when its time is over, and the handle goes on", async () => {
  const handle = new TestHandle();
  const error = await assertRejects(() => handle.within({ timeoutMs: 5 }), TimeoutError);
  assertEquals(error.message, "Cannot wait any longer for a test: 5 ms are over");
  assertEquals([error.op, error.pe], ["test", 3]);
  handle.settle(6);
  assertEquals([await handle.within({ timeoutMs: 0 }), await handle], [6, 6]);
});

Deno.test("within() ends with the reason of its signal, aborted before or meanwhile", async () => {
  const handle = new TestHandle();
  for (const reason of [new Error("r"), "text", 0]) {
    const before = { signal: AbortSignal.abort(reason), timeoutMs: 60_000 };
    assertStrictEquals(await handle.within(before).catch((error) => error), reason);
    const aborting = new AbortController();
    const meanwhile = handle.within({ signal: aborting.signal }).catch((error) => error);
    aborting.abort(reason);
    assertStrictEquals(await meanwhile, reason);
  }
  handle.settle(1);
  assertEquals(await handle.within({ signal: AbortSignal.abort() }), 1);
});

Deno.test("An error that comes in time is that of within(), once", async () => {
  const handle = new TestHandle();
  const wait = handle.within({ timeoutMs: 60_000 });
  handle.source.reject(new RangeError("on purpose"));
  await assertRejects(() => wait, RangeError, "on purpose");
  await assertRejects(() => handle.finally(), RangeError, "on purpose");
});

Deno.test("block() stops at its time, or when its signal is aborted", () => {
  const handle = new TestHandle();
  assertEquals([handle.block(), handle.looks], [7, 1000]);
  assertEquals(handle.block({ timeoutMs: Infinity }), 7);
  const error = assertThrows(() => handle.block({ timeoutMs: 0 }), TimeoutError);
  assertEquals(error.message, "Cannot wait any longer for a test: 0 ms are over");
  const reason = new Error("r");
  const signal = AbortSignal.abort(reason);
  assertStrictEquals(assertThrows(() => handle.block({ signal })), reason);
  handle.settle(1);
  assertEquals(handle.block({ signal, timeoutMs: 0 }), 7);
});

Deno.test("Limits that are none are refused", () => {
  const handle = new TestHandle();
  const wrong: [WaitOptions, new (text: string) => Error][] = [
    [{ timeoutMs: -1 }, RangeError],
    [{ timeoutMs: NaN }, RangeError],
    [{ timeoutMs: "1" as unknown as number }, TypeError],
    [{ signal: {} as AbortSignal }, TypeError],
  ];
  for (const [options, expected] of wrong) {
    assertThrows(() => void handle.within(options), expected, "Cannot call within");
    assertThrows(() => handle.block(options), expected, "Cannot call block");
  }
});

Deno.test("Of several limits, the nearest ends a wait, and tells so", () => {
  const awaited = (text: string) => (): Awaited => ({ text });
  const near = new WaitLimit({ timeoutMs: 0 }, awaited("for the near one"));
  const far = new WaitLimit({ timeoutMs: 60_000 }, awaited("for the far one"));
  const all = new WaitLimit({}, awaited("for all"), [far, near]);
  assertThrows(() => all.check(), TimeoutError, "for the near one: 0 ms");
  assertEquals([all, far, near].map((one) => one.isReached), [false, false, true]);
  assert(all.isFinite && !new WaitLimit({}, awaited("")).isFinite);
  assert(far.check() <= 60_000);
});
