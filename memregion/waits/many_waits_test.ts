import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, TimeoutError } from "../../internal/errors.ts";
import { Pes, regionTest } from "../pes_test.ts";
import type { SharedMemoryRegion } from "../shared_region.ts";
import { Waits } from "./waits.ts";

Deno.test("A step looks at a few of many waits, at each once for a wake, and then at none", () => {
  using pes = new Pes(1);
  const { progress, lamella } = pes.all[0]!;
  const waits = new Waits(progress);
  let looks = 0;
  const looked = new Set<number>();
  const over: number[] = [];
  const there = new Set<number>();
  for (let i = 0; i < 10_000; i++) {
    waits.add({
      holds: () => {
        looks++;
        looked.add(i);
        return there.has(i);
      },
      settle: () => over.push(i),
    });
  }
  /** Runs steps until one has nothing to do; returns the most that one looked at. */
  const rest = (): number => {
    for (let most = 0;;) {
      const before = looks;
      const worked = progress.step();
      most = Math.max(most, looks - before);
      if (worked === 0) return most;
    }
  };
  rest();
  looks = 0;
  looked.clear();
  lamella.wake(0);
  assert(rest() <= 64);
  assertEquals([looks, looked.size], [10_000, 10_000]);
  assertEquals(rest(), 0, "nothing has happened");
  looks = 0;
  there.add(17).add(7777);
  lamella.wake(0);
  assert(rest() <= 64);
  assertEquals(over.toSorted(), [17, 7777]);
  assertEquals(waits.count, 9998);
  // What happens while it goes round is looked at by all once more.
  looks = 0;
  lamella.wake(0);
  for (let i = 0; i < 50; i++) progress.step();
  there.add(9000);
  lamella.wake(0);
  rest();
  assert(looks >= 9998 && looks <= 9998 + 50 * 64, `${looks} looks`);
  assertEquals(over.length, 3);
  for (let i = 0; i < 9990; i++) there.add(i);
  lamella.wake(0);
  rest();
  assertEquals(waits.count, 10);
  // Of few, each step looks at all.
  looks = 0;
  progress.step();
  assertEquals(looks, 10);
});

regionTest("Thousands of waits end, each with its value", async (newPes) => {
  using pes = newPes(2);
  const count = 3000;
  const [writer, region] = pes.allocShared("u32", count) as SharedMemoryRegion<"u32">[];
  const ended: number[] = [];
  const all = Array.from(
    { length: count },
    (_, i) => region!.waitUntil(i, "==", i + 1).then(() => ended.push(i)),
  );
  await Promise.resolve();
  assertEquals(pes.all[1]!.regions.pendingWaits, count);
  writer!.store(1, 5, 6).block();
  await all[5];
  assertEquals(ended, [5]);
  writer!.put(1, 0, Uint32Array.from({ length: count }, (_, i) => i + 1)).block();
  await Promise.all(all);
  assertEquals(pes.all[1]!.regions.pendingWaits, 0);
});

regionTest("waitUntilAll() ends once each element was seen to have its value", async (newPes) => {
  using pes = newPes(2);
  const [first, second] = pes.allocShared("i32", 8) as SharedMemoryRegion<"i32">[];
  let over = false;
  const wait = second!.waitUntilAll([3, 1, 6], ">=", [3, 1, 6]);
  const ended = wait.then(() => over = true);
  const write = async (index: number, value: number): Promise<void> => {
    first!.store(1, index, value).block();
    pes.settle();
    await new Promise((resolve) => setTimeout(resolve));
  };
  await write(3, 4);
  // It was there once: that is enough.
  await write(3, 0);
  await write(1, 1);
  assert(!over);
  await write(6, 6);
  await ended;
  wait.block();
  second!.waitUntilAll([], "==", 1).block();
  second!.waitUntilAll(new BigUint64Array([6n]), "==", 6).block();
  second!.waitUntilAll(new Uint32Array([6, 1]), "!=", new Int32Array([5, 5])).block();
  await second!.waitUntilAll([6, 6], ">", second!.subRegion(0, 2));
});

regionTest("waitUntilAny() and waitUntilSome() tell which elements have their values", (newPes) => {
  using pes = newPes(1);
  const [region] = pes.allocShared("u64", 8) as [SharedMemoryRegion<"u64">];
  let steps = 0;
  pes.all[0]!.progress.addPoller(() => {
    if (++steps === 3) region.put(0, 4, [7, 8, 7]);
    return 0;
  });
  const any = region.waitUntilAny([1, 6, 4], "==", 7);
  assertEquals(any.block(), 6);
  assertEquals(region.waitUntilSome([1, 6, 4], "==", 7).block(), [6, 4]);
  const each = new BigUint64Array([1n, 8n, 9n]);
  assertEquals(region.waitUntilAny([4, 5, 6], "==", each).block(), 5);
  assertEquals(region.waitUntilSome([4, 5, 6], ">=", each).block(), [4, 5]);
  // What a handle gave it gives again.
  region.put(0, 6, 0);
  assertEquals(any.block(), 6);
});

regionTest(
  "A wait for several elements says what it lacks when its time is over",
  async (newPes) => {
    using pes = newPes(1);
    const [region] = pes.allocShared("u8", 4) as [SharedMemoryRegion<"u8">];
    region.put(0, 0, 1);
    const limit = { timeoutMs: 5 };
    const texts = [
      [
        region.waitUntilAll([0, 2], "==", 1, limit),
        "until all of 2 elements of region 1 are == 1, as index 2 is not: 5 ms are over",
      ],
      [
        region.waitUntilAny([1, 2], "==", [1, 2], limit),
        "until any of 2 elements of region 1 is == its value: 5 ms are over",
      ],
      [
        region.waitUntilSome([1, 2], ">", 3, limit),
        "until some of 2 elements of region 1 are > 3: 5 ms are over",
      ],
    ] as const;
    for (const [wait, text] of texts) {
      assertThrows(() => wait.block(), TimeoutError, `Cannot wait any longer ${text}`);
      await assertRejects(async () => await wait, TimeoutError, `Cannot wait any longer ${text}`);
    }
    assertEquals(pes.all[0]!.regions.pendingWaits, 0);
  },
);

regionTest(
  "A wait for several elements is refused as one for a single element is",
  async (newPes) => {
    using pes = newPes(2);
    const [region] = pes.allocShared("u8", 4) as [SharedMemoryRegion<"u8">];
    // deno-lint-ignore no-explicit-any -- wrong on purpose
    const any = (value: unknown): any => value;
    for (const op of ["waitUntilAll", "waitUntilAny", "waitUntilSome"] as const) {
      const refused: [() => unknown, typeof Error, string][] = [
        [() => region[op]([0, 4], "==", 1), RangeError, `Cannot ${op} 1 element at index 4`],
        [() => region[op]([-1], "==", 1), RangeError, "index -1"],
        [() => region[op]([0.5], "==", 1), RangeError, "index 0.5"],
        [() => region[op](any([1n]), "==", 1), TypeError, "index 1n"],
        [() => region[op](any(3), "==", 1), TypeError, "indices must be"],
        [() => region[op]([0], any("="), 1), TypeError, '"=" is not one of'],
        [() => region[op]([0], "==", 256), RangeError, "256"],
        [() => region[op]([0], "==", any(1n)), TypeError, "1n"],
        [() => region[op]([0], "==", [256]), RangeError, "256"],
        [() => region[op]([0, 1], "==", [1]), RangeError, "2 indices do not fit"],
        [() => region[op]([0], "==", any(new Int8Array(1))), TypeError, "an Int8Array"],
        [() => region[op]([0], "==", 1, { timeoutMs: -1 }), RangeError, "timeout"],
      ];
      for (const [attempt, kind, text] of refused) {
        assertThrows(attempt, kind, text, `${attempt}`);
      }
      if (op !== "waitUntilAll") {
        assertThrows(() => region[op]([], "==", 1), RangeError, "the list of indices is empty");
      }
      const waiting = assertRejects(async () => await region[op]([0], "==", 1), ClosedError);
      await Promise.resolve();
      const sub = region.subRegion(1, 2);
      const other = assertRejects(async () => await sub[op]([0], "==", 1), ClosedError);
      await Promise.resolve();
      sub.dispose();
      await other;
      pes.all[0]!.regions.close();
      await waiting;
      break;
    }
  },
);
