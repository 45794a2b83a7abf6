import { assertEquals, assertThrows } from "@std/assert";
import { checkTimeLimit, startTimeLimit } from "./time_limit.ts";

/** Plays the clock: timers as the engine has them, which fire at once if they are too long. */
function withClock(body: (advance: (ms: number) => void) => void): void {
  const { setTimeout, clearTimeout } = globalThis;
  const { now } = performance;
  const timers = new Map<number, { at: number; call: () => void }>();
  let [time, last] = [1000.25, 0];
  Object.assign(globalThis, {
    setTimeout: (call: () => void, ms: number) => {
      timers.set(++last, { at: time + (ms > 2 ** 31 - 1 ? 1 : ms), call });
      return last;
    },
    clearTimeout: (id: number) => timers.delete(id),
  });
  performance.now = () => time;
  try {
    body((ms) => {
      const end = time + ms;
      for (;;) {
        const [next] = [...timers].filter(([, { at }]) => at <= end)
          .sort(([, a], [, b]) => a.at - b.at);
        if (!next) break;
        timers.delete(next[0]);
        time = next[1].at;
        next[1].call();
      }
      time = end;
    });
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
    performance.now = now;
  }
}

for (const ms of [0, 1, 1000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 5, 1e12]) {
  Deno.test(`a limit of ${ms} ms is over after ${ms} ms`, () => {
    withClock((advance) => {
      let over = 0;
      startTimeLimit(ms, () => over++);
      if (ms > 0) advance(ms - 0.5);
      assertEquals(over, 0);
      advance(1);
      assertEquals(over, 1);
      advance(1e13);
      assertEquals(over, 1);
    });
  });
}

Deno.test("an infinite limit is never over", () => {
  withClock((advance) => {
    startTimeLimit(Infinity, () => {
      throw new Error("over");
    })();
    startTimeLimit(Infinity, () => {
      throw new Error("over");
    });
    advance(1e15);
  });
});

Deno.test("a limit that was ended is never over, however long it is", () => {
  withClock((advance) => {
    for (const ms of [5, 2 ** 33]) {
      const end = startTimeLimit(ms, () => {
        throw new Error("over");
      });
      advance(ms - 1);
      end();
      advance(1e12);
    }
  });
});

Deno.test("a limit is undefined, or a number from 0 to Infinity", () => {
  for (const good of [undefined, 0, 0.5, 2 ** 31, 2 ** 53, Infinity]) checkTimeLimit(good, "wait");
  for (const bad of [NaN, -1, -0.001, -Infinity]) {
    assertThrows(() => checkTimeLimit(bad, "wait"), RangeError, `or Infinity, got ${bad}`);
  }
  for (const bad of [null, "100", 5n, {}, true]) {
    assertThrows(() => checkTimeLimit(bad, "wait"), TypeError, "Cannot wait: the timeout must");
  }
});
