import { assert, assertEquals, assertRejects } from "@std/assert";
import { PeFailedError } from "../internal/errors.ts";
import { localPes, type Pe } from "./pes_test.ts";

/** Two PEs; the pump of neither runs after the test. */
function pair(): { a: Pe; b: Pe; close: () => void } {
  const { pes } = localPes(2);
  const [a, b] = pes as [Pe, Pe];
  return { a, b, close: () => pes.forEach(({ progress }) => progress.close()) };
}

Deno.test("Awaiting what is over lets timers run, and the pump does not sleep", async (t) => {
  for (const known of [false, true]) {
    await t.step(known ? "known to be over" : "not known to be over", () => timersRun(known));
  }
});

async function timersRun(known: boolean): Promise<void> {
  const { b, close } = pair();
  const { lamella, progress } = b;
  const wait = lamella.wait.bind(lamella);
  let slept = 0;
  lamella.wait = (seen, spins, yields, ms) => (slept += ms, wait(seen, spins, yields, ms));
  let [rounds, turns] = [0, 0];
  const timer = setInterval(() => turns++, 1);
  const end = performance.now() + 5000;
  // Several loops, each of which would leave no time to the event loop.
  await Promise.all([0, 1, 2].map(async () => {
    while (turns < 5 && performance.now() < end) {
      assertEquals(await progress.paced(Promise.resolve(7), known), 7);
      rounds++;
    }
  }));
  clearInterval(timer);
  assert(turns >= 5);
  assertEquals(slept, 0);
  assert(rounds > 10 * turns, `a turn in every ${rounds / turns} rounds`);
  close();
}

Deno.test("The pump does not sleep while its PE has to look by itself", async () => {
  const { b, close } = pair();
  const { lamella, progress } = b;
  let [looks, slept, mustLook] = [0, false, true];
  Object.defineProperty(lamella, "mustLook", { get: () => mustLook });
  const waitAsync = lamella.waitAsync.bind(lamella);
  lamella.waitAsync = (seen) => {
    slept = true;
    return waitAsync(seen);
  };
  progress.addPoller(() => {
    // Many more than before a sleep.
    if (++looks > 200) mustLook = false;
    return 0;
  });
  progress.kick();
  let timers = 0;
  for (const end = performance.now() + 5000; mustLook && performance.now() < end; timers++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    assert(!slept || !mustLook, "it sleeps");
  }
  assert(!mustLook, `only ${looks} looks`);
  assert(timers > 0);
  close();
});

Deno.test("Awaiting what is over makes progress for others", async () => {
  const { b, close } = pair();
  let steps = 0;
  b.progress.addPoller(() => (steps++, 0));
  const most = 100;
  // No turn of the event loop is due in so short a time, in which the pump would get on.
  let awaits = 0;
  while (steps === 0 && awaits < most) {
    await b.progress.paced(Promise.resolve(), true);
    awaits++;
  }
  assert(awaits < most, "nothing has been done");
  close();
});

Deno.test("Awaiting what is over again and again ends when the job fails", async (t) => {
  for (const known of [false, true]) {
    await t.step(known ? "known to be over" : "not known to be over", () => failureEnds(known));
  }
});

async function failureEnds(known: boolean): Promise<void> {
  const { a, b } = pair();
  const end = performance.now() + 5000;
  const loop = async (): Promise<void> => {
    while (performance.now() < end) await b.progress.paced(Promise.resolve(), known);
  };
  await b.progress.paced(Promise.resolve(), known);
  a.lamella.fail(new Error("on purpose"));
  await assertRejects(loop, PeFailedError, "on purpose");
}

Deno.test("What fails while it is paced rejects, and nobody else sees it", async () => {
  const { b, close } = pair();
  let failures = 0;
  const loop = async (): Promise<void> => {
    for (let i = 0; i < 100; i++) {
      const error = new TypeError("on purpose");
      const failure = new Promise<never>((_, reject) => queueMicrotask(() => reject(error)));
      await b.progress.paced(failure).catch((seen) => failures += seen === error ? 1 : 0);
      // So that a turn is due.
      for (const until = performance.now() + 0.1; performance.now() < until;);
    }
  };
  await loop();
  assertEquals(failures, 100);
  close();
});
