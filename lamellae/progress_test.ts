import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { LamellarError, PeFailedError, TimeoutError } from "../internal/errors.ts";
import { ACTIVITY, WAIT_FOR, WAIT_TIMEOUT } from "./lamella.ts";
import { BLOCK, blockOf } from "./local/layout.ts";
import { STATUS } from "./local/pe_status.ts";
import { localPes, type Pe } from "./pes_test.ts";
import { Progress } from "./progress.ts";
import { WaitLimit } from "./wait_limit.ts";

const REASON = { kind: WAIT_FOR.am, pe: 1 };
const ABOUT = { text: "for the test", op: "the test" };
const inMs = (timeoutMs: number) => new WaitLimit({ timeoutMs }, () => ABOUT);

/** Two PEs; the pump of neither runs after the test. */
function pair(): { a: Pe; b: Pe; status: (pe: number, word: number) => number; close: () => void } {
  const { layout, pes } = localPes(2);
  const [a, b] = pes as [Pe, Pe];
  return {
    a,
    b,
    status: (pe, word) => a.lamella.views.i32[(blockOf(layout, pe) + BLOCK.status) / 4 + word]!,
    close: () => pes.forEach(({ progress }) => progress.close()),
  };
}

/** Sends a frame of 16 bytes. */
function send(from: Pe, to: Pe, number: number): void {
  const at = from.lamella.reserve(to.lamella.pe, 16);
  from.lamella.views.i32.set([16, number], at / 4);
  from.lamella.commit(to.lamella.pe, 16);
  from.lamella.publish(to.lamella.pe);
}

/** Collects the numbers of the frames a PE receives. */
function collect(pe: Pe, seen: (number: number) => void = () => {}): number[] {
  const numbers: number[] = [];
  pe.progress.setSink((_source, views, at) => {
    const number = views.i32[at / 4 + 1]!;
    numbers.push(number);
    seen(number);
    return at + 16;
  }, () => ({ kind: WAIT_FOR.nothing, pe: -1 }));
  return numbers;
}

/** Waits on the event loop until a condition holds, and fails after five seconds. */
async function until(done: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!done()) {
    assert(Date.now() < deadline, "nothing happened for 5 s");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test("step() hands on frames, runs every poller, and counts what was done", () => {
  const { a, b, status } = pair();
  const numbers = collect(b);
  let work = 0;
  b.progress.addPoller(() => work);
  b.progress.addPoller(() => 2 * work);
  assertEquals([b.progress.step(), status(1, STATUS.progress)], [0, 0]);
  send(a, b, 7);
  assert(b.progress.step() > 0);
  assertEquals([numbers, status(1, STATUS.progress)], [[7], 1]);
  work = 5;
  assertEquals([b.progress.step(), status(1, STATUS.progress)], [15, 2]);
});

Deno.test("block() looks for values that come without a wake more often at first", () => {
  for (const [kind, far, expected] of SLICES) {
    const { lamella } = pair().a;
    const slices: number[] = [];
    Object.assign(lamella, {
      operationBytesMax: far ? 1 : 0,
      wait: (_seen: number, _spins: number, _yields: number, ms: number) => {
        slices.push(ms);
        return WAIT_TIMEOUT;
      },
    });
    const over = (): boolean => slices.length === expected.length;
    new Progress(lamella, false).block(over, "a test", { kind, pe: -1 });
    assertEquals(slices, expected);
  }
});

/** By what is waited for, and whether others are far, the slices of a wait that is in vain. */
const SLICES: readonly (readonly [number, boolean, number[]])[] = [
  [WAIT_FOR.value, true, [0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2, 2]],
  [WAIT_FOR.value, false, [50, 50, 50]],
  [WAIT_FOR.am, true, [50, 100, 200, 400, 400]],
];

Deno.test("block() makes progress until its condition holds, and tells what it waits for", () => {
  const { a, b, status } = pair();
  const numbers = collect(b);
  const seen: number[][] = [];
  let calls = 0;
  b.progress.addPoller(() => {
    seen.push([STATUS.activity, STATUS.waitKind, STATUS.waitPe].map((word) => status(1, word)));
    if (++calls > 2) return 0;
    send(a, b, calls);
    return 0;
  });
  b.progress.block(() => numbers.length === 2, "a test", REASON);
  assertEquals(numbers, [1, 2]);
  for (const words of seen) assertEquals(words, [ACTIVITY.blocked, WAIT_FOR.am, 1]);
  assertEquals(status(1, STATUS.activity), ACTIVITY.running);
  assertEquals(status(1, STATUS.waitPe), -1);
});

Deno.test("block() does not step when its condition holds already", () => {
  const { a } = pair();
  a.progress.addPoller(() => {
    throw new Error("stepped");
  });
  a.progress.block(() => true, "a test", REASON);
});

Deno.test("block() ends without a step when its wait brought about its condition", () => {
  const { a, b } = pair();
  let steps = 0;
  let woken = false;
  b.progress.addPoller(() => {
    steps++;
    // Ends the wait that follows this step.
    if (!woken) a.lamella.wake(1);
    woken = true;
    return 0;
  });
  const wait = b.lamella.wait.bind(b.lamella);
  let waits = 0;
  b.lamella.wait = (...how) => (waits++, wait(...how));
  b.progress.block(() => waits > 0, "a test", REASON);
  assertEquals([steps, waits], [1, 1]);
});

Deno.test("block() with a limit throws when the time is over, not before", () => {
  const { a, status } = pair();
  for (const timeoutMs of [0, 1, 120]) {
    const begin = performance.now();
    const wait = () => a.progress.block(() => false, "the test", REASON, inMs(timeoutMs));
    const text = `Cannot wait any longer for the test: ${timeoutMs} ms are over`;
    const error = assertThrows(wait, TimeoutError, text);
    const took = performance.now() - begin;
    assertEquals([error.op, error.code], ["the test", "ERR_TIMEOUT"]);
    assert(took >= timeoutMs && took < timeoutMs + 2000, `${took} ms for ${timeoutMs} ms`);
    assertEquals(status(0, STATUS.activity), ACTIVITY.running);
  }
});

Deno.test("block() that has work all the time still ends at its limit", () => {
  const { a } = pair();
  const begin = performance.now();
  a.progress.addPoller(() => {
    assert(performance.now() - begin < 5000, "the limit of 20 ms does not end it");
    return 1;
  });
  assertThrows(() => a.progress.block(() => false, "the test", REASON, inMs(20)), TimeoutError);
});

Deno.test("Blocking is refused in handlers and pollers, and possible behind them", () => {
  const { a, b } = pair();
  const codes: string[] = [];
  const refused = (): void => {
    assert(b.progress.inHandler);
    const error = assertThrows(
      () => b.progress.block(() => false, "the test", REASON),
      LamellarError,
      "Cannot call the test inside a handler",
    );
    codes.push(error.code);
    // Alike, whether or not there is anything to wait for.
    assertThrows(() => b.progress.block(() => true, "the test", REASON), LamellarError);
  };
  collect(b, refused);
  b.progress.addPoller(() => (codes.length < 2 ? refused() : undefined, 0));
  send(a, b, 1);
  b.progress.step();
  assertEquals(codes, ["ERR_BLOCKING_IN_HANDLER", "ERR_BLOCKING_IN_HANDLER"]);
  assert(!b.progress.inHandler);
});

Deno.test("What a handler throws ends the job and comes out of the step", () => {
  const { a, b } = pair();
  collect(b, () => {
    throw new TypeError("a broken frame");
  });
  send(a, b, 1);
  assertThrows(() => b.progress.block(() => false, "a test", REASON), TypeError, "a broken frame");
  assert(!b.progress.inHandler);
  const error = assertThrows(() => a.progress.checkFailure(), PeFailedError);
  assertEquals(error.pe, 1);
  assert(error.message.includes("a broken frame"));
});

Deno.test("A failure ends every wait, and tells the listeners once", () => {
  const { a, b } = pair();
  const told: LamellarError[] = [];
  a.progress.onFailure((error) => told.push(error));
  a.progress.addPoller(() => {
    b.lamella.fail(new Error("on purpose"));
    return 0;
  });
  for (let i = 0; i < 2; i++) {
    assertThrows(() => a.progress.block(() => false, "a test", REASON), PeFailedError);
    assertThrows(() => a.progress.blockForSignal(0, 1, 1), PeFailedError, "on purpose");
  }
  assertEquals(told.length, 1);
  assertEquals(told[0]!.pe, 1);
});

Deno.test("blockForSignal() runs handlers until the signal is there", () => {
  const { a, b } = pair();
  const numbers = collect(b);
  let calls = 0;
  b.progress.addPoller(() => {
    calls++;
    if (calls <= 3) send(a, b, calls);
    // Of another slot, of another number, and at last the one.
    if (calls === 4) a.lamella.signal(1, 2, 5, 0);
    if (calls === 5) a.lamella.signal(1, 1, 3, 0);
    if (calls === 6) a.lamella.signal(1, 1, 5, 0);
    return 0;
  });
  b.progress.blockForSignal(1, 5, 0);
  assertEquals([numbers, calls], [[1, 2, 3], 6]);
});

Deno.test("The pump runs while the program awaits, from the first kick on", async () => {
  const { a, b, close } = pair();
  const numbers = collect(b);
  send(a, b, 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(numbers, [], "nobody asked for it");
  b.progress.kick();
  assertEquals(numbers, [], "not in the middle of the program");
  await until(() => numbers.length === 1);
  // It needs no second kick, however long it has been idle.
  for (const pause of [0, 5, 60]) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const before = numbers.length;
    send(a, b, 2);
    await until(() => numbers.length > before);
  }
  close();
});

Deno.test("The pump resumes the program by microtasks alone where frames are there", async () => {
  const { a, b, close } = pair();
  let turned = false;
  setImmediate(() => turned = true);
  let resume = (): void => {};
  collect(b, () => resume());
  for (let i = 0; i < 20; i++) {
    const answer = new Promise<void>((resolve) => resume = resolve);
    b.progress.kick();
    send(a, b, i);
    await answer;
  }
  assert(!turned);
  close();
});

Deno.test("The pump lets timers run, however much work there is", async () => {
  const { b, close } = pair();
  b.progress.addPoller(() => 1);
  b.progress.kick();
  await new Promise((resolve) => setTimeout(resolve, 10));
  close();
});

Deno.test("The pump leaves the thread to the event loop, whatever is awaited", async () => {
  for (const reason of [REASON, { kind: WAIT_FOR.nothing, pe: -1 }]) {
    const { b, close } = pair();
    const { lamella, progress } = b;
    progress.addReason(() => reason);
    const wait = lamella.wait.bind(lamella);
    let [waits, slept] = [0, 0];
    lamella.wait = (seen, spins, yields, ms) => (
      waits++, slept += ms, wait(seen, spins, yields, ms)
    );
    progress.kick();
    await new Promise((resolve) => setTimeout(resolve, 30));
    assertEquals(slept, 0);
    assert(waits > 0 && waits < 50, `${waits} waits`);
    close();
  }
});

Deno.test("A pump that finds something just before it sleeps does not report a wait", async () => {
  const { a, b, status, close } = pair();
  const { pe } = b.lamella;
  b.progress.addReason(() => REASON);
  // The event comes between the last look for work and the sleep.
  const sleep = b.lamella.waitAsync.bind(b.lamella);
  let late = true;
  b.lamella.waitAsync = (seen) => {
    if (late) send(a, b, 1);
    late = false;
    return sleep(seen);
  };
  const activities: number[] = [];
  collect(b, () => activities.push(status(pe, STATUS.activity), status(pe, STATUS.waitKind)));
  b.progress.kick();
  await until(() => activities.length > 0);
  assertEquals(activities, [ACTIVITY.running, WAIT_FOR.nothing]);
  close();
});

Deno.test("The pump stops after close() and does not start again", async () => {
  const { a, b } = pair();
  const numbers = collect(b);
  for (const pause of [0, 60]) {
    b.progress.kick();
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  b.progress.close();
  await new Promise((resolve) => setTimeout(resolve, 5));
  send(a, b, 1);
  b.progress.kick();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals(numbers, []);
  // A step by hand still works: that is how the world is closed.
  b.progress.step();
  assertEquals(numbers, [1]);
});

Deno.test("An idle PE tells what its program waits for, by the first who knows", async () => {
  const { a, status, close } = pair();
  let first = WAIT_FOR.nothing as number;
  a.progress.addReason(() => ({ kind: first, pe: 0 }));
  a.progress.addReason(() => ({ kind: WAIT_FOR.collective, pe: 1 }));
  const told = (): number[] =>
    [STATUS.activity, STATUS.waitKind, STATUS.waitPe].map((word) => status(0, word));
  a.progress.kick();
  await until(() => told()[0] === ACTIVITY.idle);
  assertEquals(told(), [ACTIVITY.idle, WAIT_FOR.collective, 1]);
  first = WAIT_FOR.am;
  a.progress.serve();
  a.progress.kick();
  await until(() => told()[0] === ACTIVITY.serving);
  assertEquals(told(), [ACTIVITY.serving, WAIT_FOR.am, 0]);
  close();
});

Deno.test("A failure reaches the listeners of a PE that only awaits", async () => {
  const { a, b } = pair();
  const failed = new Promise<never>((_, reject) => b.progress.onFailure(reject));
  b.progress.kick();
  const rejected = assertRejects(() => failed, PeFailedError, "on purpose");
  // So late that its event loop has the thread, which a sleeping pump does not keep alive.
  await new Promise((resolve) => setTimeout(resolve, 60));
  const alive = setInterval(() => {}, 1000);
  a.lamella.fail(new Error("on purpose"));
  await rejected;
  clearInterval(alive);
});

Deno.test("A failure reaches a PE that has work all the time", async () => {
  const { a, b } = pair();
  const failed = new Promise<never>((_, reject) => b.progress.onFailure(reject));
  b.progress.addPoller(() => 1);
  a.lamella.fail(new Error("on purpose"));
  b.progress.kick();
  await assertRejects(() => failed, PeFailedError, "on purpose");
  const other = pair();
  other.a.progress.addPoller(() => 1);
  other.b.lamella.fail(new Error("on purpose"));
  assertThrows(() => other.a.progress.block(() => false, "a test", REASON), PeFailedError);
});

Deno.test("What a handler throws while the program awaits reaches the listeners too", async () => {
  const { a, b } = pair();
  collect(b, () => {
    throw new TypeError("a broken frame");
  });
  const failed = new Promise<never>((_, reject) => b.progress.onFailure(reject));
  send(a, b, 1);
  b.progress.kick();
  const error = await assertRejects(() => failed, PeFailedError, "a broken frame");
  assertEquals(error.pe, 1);
});

Deno.test("blockInPlace() waits in place: no frame is handled, and no poller runs", () => {
  const { a, b, status } = pair();
  collect(b, () => {
    throw new Error("handled");
  });
  b.progress.addPoller(() => {
    throw new Error("stepped");
  });
  send(a, b, 1);
  let looks = 0;
  b.progress.blockInPlace(() => {
    if (looks === 205) assertEquals(status(1, STATUS.waitKind), WAIT_FOR.memory);
    if (looks === 205) assertEquals(status(1, STATUS.waitPe), 0);
    b.lamella.wake(1);
    return ++looks === 210;
  }, 0);
  assertEquals([looks, status(1, STATUS.activity)], [210, ACTIVITY.running]);
});

Deno.test("each wait that is over counts as progress, whether or not a step ended it", () => {
  const { b, status } = pair();
  const { progress, lamella } = b;
  let counted = 0;
  const isCounted = (what: string) => {
    const before = counted;
    counted = status(1, STATUS.progress);
    assert(counted > before, `${what} is not counted`);
  };
  let looks = 0;
  const later = (): boolean => (lamella.wake(1), ++looks % 250 === 0);
  progress.block(later, "a test", REASON);
  isCounted("block()");
  progress.blockInPlace(later, 0);
  isCounted("blockInPlace()");
  progress.addPoller(() => (lamella.signal(1, 0, 1, 0), 0));
  progress.blockForSignal(0, 1, 0);
  isCounted("blockForSignal()");
});

Deno.test("blockInPlace() in a handler leaves a wait with a limit one that ends by itself", () => {
  const { a, b, status } = pair();
  let looks = 0;
  let activity = -1;
  const numbers = collect(b, () => {
    b.progress.blockInPlace(() => (b.lamella.wake(1), ++looks === 210), 0);
    activity = status(1, STATUS.activity);
  });
  send(a, b, 1);
  b.progress.block(() => numbers.length === 1, "a test", REASON, inMs(60_000));
  assertEquals(activity, ACTIVITY.limited);
});

Deno.test("blockInPlace() works inside a handler, and ends when the job fails", () => {
  const { a, b, status } = pair();
  let looks = 0;
  const numbers = collect(b, () => {
    b.progress.blockInPlace(() => (b.lamella.wake(1), ++looks === 210), 0);
    // The wait that the handler runs in goes on.
    assertEquals([status(1, STATUS.activity), status(1, STATUS.waitKind)], [1, WAIT_FOR.am]);
  });
  send(a, b, 1);
  b.progress.block(() => numbers.length === 1 && looks === 210, "a test", REASON);
  a.lamella.fail(new Error("on purpose"));
  assertThrows(() => b.progress.blockInPlace(() => false, 0), PeFailedError, "on purpose");
});
