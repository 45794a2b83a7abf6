import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Turns } from "./turns.ts";

/** Lets the time pass in which no turn is due. */
function pass(): void {
  for (const end = performance.now() + 2.1; performance.now() < end;);
}

/** How many steps it takes until a turn is due. */
function stepsOf(turns: Turns): number {
  for (let steps = 1; steps <= 1000; steps++) if (turns.step()) return steps;
  return Infinity;
}

/** Whether something makes turns less urgent; the thread may lose its core meanwhile. */
async function eases(turns: Turns, what: () => Promise<void> | void): Promise<boolean> {
  for (let attempts = 0; attempts < 100; attempts++) {
    pass();
    await what();
    if (!turns.isLate) return true;
  }
  return false;
}

Deno.test("A turn is due once the last was long ago, which few of the steps look at", async () => {
  const turns = new Turns();
  pass();
  assert(turns.isLate);
  const steps = stepsOf(turns);
  assert(steps > 1 && steps < 100, `${steps} steps`);
  assert(await eases(turns, () => turns.take()));
  assert(await eases(turns, () => turns.note()));
});

Deno.test("All who ask meanwhile share a turn, and every step is one to ask at", async () => {
  const turns = new Turns();
  let others = false;
  setTimeout(() => others = true, 0);
  pass();
  assert(!turns.isUnderWay);
  const turn = turns.take();
  assert(turns.isUnderWay && turns.step() && turns.step());
  assertStrictEquals(turns.take(), turn);
  assert(!others);
  await turn;
  assert(others, "a timer that was due has run");
  assertEquals([turns.isUnderWay, turns.step()], [false, false]);
});
