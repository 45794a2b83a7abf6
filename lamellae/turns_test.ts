import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Turns } from "./turns.ts";

/** Keeps the thread busy. */
function pass(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

/** How many steps of a length it takes until a turn is due. */
function stepsOf(turns: Turns, stepMs = 0): number {
  for (let steps = 1; steps <= 100_000; steps++) {
    pass(stepMs);
    if (turns.step()) return steps;
  }
  return Infinity;
}

/** Whether something comes to hold; others may take the thread's core for a while. */
async function holds(what: () => Promise<boolean> | boolean): Promise<boolean> {
  for (const end = performance.now() + 5000; performance.now() < end;) {
    if (await what()) return true;
  }
  return false;
}

Deno.test("A turn is due once the last was long ago, which few of the steps look at", async () => {
  const turns = new Turns();
  pass(1);
  const steps = stepsOf(turns);
  assert(steps > 1 && steps < 100, `${steps} steps`);
  assert(await holds(() => (pass(1), turns.note(), stepsOf(turns) > 100)));
  assert(await holds(async () => (pass(1), await turns.take(), stepsOf(turns) > 100)));
});

Deno.test("Turns are due in time where each step is long", () => {
  const turns = new Turns();
  // It finds out with the first ones.
  for (let i = 0; i < 3; i++) {
    stepsOf(turns, 1);
    turns.note();
  }
  const steps = stepsOf(turns, 1);
  assert(steps <= 2, `${steps} steps of 1 ms`);
});

Deno.test("A turn in which others were at work is followed by the next one sooner", async () => {
  const dueMs = async (turns: Turns, othersMs: number): Promise<number> => {
    setImmediate(() => pass(othersMs));
    await turns.take();
    const began = performance.now();
    stepsOf(turns);
    return performance.now() - began;
  };
  const turns = new Turns();
  // In between it takes more looks at the clock to notice.
  assert(await holds(async () => await dueMs(turns, 0) > 0.2));
  assert(await holds(async () => await dueMs(turns, 0.5) < 0.2));
});

Deno.test("All who ask meanwhile share a turn, and every step is one to ask at", async () => {
  const turns = new Turns();
  let others = false;
  setImmediate(() => others = true);
  assert(!turns.isUnderWay);
  const turn = turns.take();
  assert(turns.isUnderWay && turns.step() && turns.step());
  assertStrictEquals(turns.take(), turn);
  assertStrictEquals(turns.pass(), turn);
  assert(!others);
  await turn;
  assertEquals([turns.isUnderWay, turns.step()], [false, false]);
  assert(await holds(async () => (await turns.take(), others)), "what was ready has run");
});

Deno.test("Timers and I/O get on by turns alone, each within a few", async () => {
  const turns = new Turns();
  let timers = 0;
  const timer = setInterval(() => timers++, 1);
  const began = performance.now();
  while (timers < 5) {
    assert(performance.now() - began < 5000, `${timers} timers in 5 s`);
    await turns.take();
  }
  clearInterval(timer);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const connecting = Deno.connect({ hostname: "127.0.0.1", port });
  using accepted = await listener.accept();
  using connected = await connecting;
  const byte = new Uint8Array(1);
  const taken: number[] = [];
  for (let round = 0; round < 100; round++) {
    await accepted.write(byte);
    let read = false;
    connected.read(byte).then(() => read = true);
    let count = 0;
    for (; !read && count < 1000; count++) await turns.take();
    taken.push(count);
  }
  taken.sort((a, b) => a - b);
  assert(taken[50]! < 20, `${taken[50]} turns for a byte that is there`);
});
