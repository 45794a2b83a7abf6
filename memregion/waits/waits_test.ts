import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, LamellarError, TimeoutError } from "../../internal/errors.ts";
import { type Pe, regionTest } from "../pes_test.ts";
import type { SharedMemoryRegion } from "../shared_region.ts";

regionTest("test() compares by all six relations, with the sign of the type", (newPes) => {
  using pes = newPes(1);
  const [signed] = pes.allocShared("i8", 1) as [SharedMemoryRegion<"i8">];
  const [unsigned] = pes.allocShared("bigu64", 1) as [SharedMemoryRegion<"bigu64">];
  signed.put(0, 0, -1);
  unsigned.put(0, 0, 2n ** 63n);
  const held = (["==", "!=", ">", ">=", "<", "<="] as const).map((comparison) => [
    signed.test(0, comparison, 0),
    unsigned.test(0, comparison, 1n),
  ]);
  assertEquals(held, [
    [false, false],
    [true, true],
    [false, true],
    [false, true],
    [true, false],
    [true, false],
  ]);
});

regionTest(
  "An awaited wait ends by puts, atomics, batches and signals of other PEs",
  async (newPes) => {
    using pes = newPes(2);
    const [first, second] = pes.allocShared("i32", 8) as SharedMemoryRegion<"i32">[];
    const [data] = pes.allocShared("f64", 2) as [SharedMemoryRegion<"f64">];
    // The network alone does a plain put to another process, so it wakes nobody there.
    const silent = pes.all[0]!.lamella.isNear(1) ? 0 : 3;
    const writes: (() => void)[] = [
      () => first!.put(1, 0, 5),
      () => first!.put(1, 0, new Int32Array([5])),
      () => first!.put(1, 0, first!.subRegion(7, 8)),
      () => first!.store(1, 0, 5),
      () => first!.fetchAdd(1, 0, 5),
      () => first!.batchAdd([8], 5),
      () => first!.putIndexed(1, [0], 5),
      () => first!.putStrided(1, 0, 1, new Int32Array([5])),
      () => data.putSignal(1, 0, 1.5, { region: first!, index: 0, value: 5 }),
      () => data.putSignal(1, 0, [1, 2], { region: first!, index: 0, value: 5, op: "add" }),
    ];
    first!.put(0, 7, 5);
    for (const [i, write] of writes.entries()) {
      second!.store(1, 0, 0);
      let over = false;
      const waiting = second!.waitUntil(0, "==", 5).then(() => over = true);
      await Promise.resolve();
      assertEquals(pes.all[1]!.regions.pendingWaits, 1);
      assert(!over);
      const { lamella } = pes.all[1]!;
      const seen = lamella.events();
      write();
      while (pes.all[0]!.regions.pendingFar > 0) pes.all[0]!.progress.step();
      assertEquals(lamella.events() !== seen, i >= silent, `${write} wakes, or does not`);
      await waiting;
    }
    await second!.waitUntil(0, ">=", 5);
    assertEquals(pes.all[1]!.regions.pendingWaits, 0);
    const seen = pes.all[1]!.lamella.events();
    first!.store(1, 0, 0).block();
    assertEquals(pes.all[1]!.lamella.events(), seen, "nobody waits, so nobody is woken");
  },
);

regionTest("A wait notices what was written without a wake", async (newPes) => {
  using pes = newPes(1);
  const [region] = pes.allocShared("u8", 1) as [SharedMemoryRegion<"u8">];
  const slice = region.asSlice();
  setTimeout(() => slice[0] = 1, 5);
  await region.waitUntil(0, "!=", 0, { timeoutMs: 10_000 });
});

regionTest("putSignal() changes nothing if either half is refused", (newPes) => {
  using pes = newPes(2);
  const [data] = pes.allocShared("u8", 4) as [SharedMemoryRegion<"u8">];
  const [flags] = pes.allocShared("u8", 1) as [SharedMemoryRegion<"u8">];
  const own = pes.all[0]!.regions.allocOneSided("u8", 1);
  assertThrows(
    () => data.putSignal(1, 0, 1, { region: flags, index: 1, value: 1 }),
    RangeError,
    "Cannot putSignal 1 element at index 1 into region 2 on PE 1: the region has 1 element",
  );
  assertThrows(
    () => data.putSignal(1, 0, 1, { region: flags, index: 0, value: 256 }),
    RangeError,
    "Cannot putSignal 256 into region 2 of u8",
  );
  assertThrows(
    () => data.putSignal(1, 0, 1, { region: own, index: 0, value: 1 }),
    TypeError,
    "Cannot putSignal into region 1 on PE 1: the signal is on PE 0",
  );
  assertThrows(
    () => data.putSignal(1, 0, 1, { region: flags, index: 0, value: 1, op: "or" as never }),
    TypeError,
    '"or" is neither set nor add',
  );
  assertThrows(
    () => data.putSignal(1, 3, [1, 2], { region: flags, index: 0, value: 1 }),
    RangeError,
    "Cannot put 2 elements at index 3",
  );
  pes.settle();
  assertEquals([data.at(1, 0), data.at(1, 3), flags.at(1, 0), own.at(0)], [0, 0, 0, 0]);
  data.putSignal(0, 0, 1, { region: own, index: 0, value: 3 });
  own.putSignal(0, 4, { region: flags, index: 0, value: 2, op: "add" });
  pes.settle();
  assertEquals([data.at(0), flags.at(0), own.at(0)], [1, 2, 4]);
});

regionTest("A wait ends when its time is over", async (newPes) => {
  using pes = newPes(1);
  const [region] = pes.allocShared("u8", 4) as [SharedMemoryRegion<"u8">];
  const text = "Cannot wait any longer until index 2 of region 1 is > 7: 5 ms are over";
  await assertRejects(
    async () => await region.waitUntil(2, ">", 7, { timeoutMs: 5 }),
    TimeoutError,
    text,
  );
  assertThrows(() => region.waitUntil(2, ">", 7, { timeoutMs: 5 }).block(), TimeoutError, text);
  assertEquals(pes.all[0]!.regions.pendingWaits, 0);
});

regionTest("A wait whose limit no timer takes is not over at once", async (newPes) => {
  using pes = newPes(1);
  const [region] = pes.allocShared("u8", 4) as [SharedMemoryRegion<"u8">];
  for (const [i, timeoutMs] of [2 ** 31, 2 ** 53, Infinity].entries()) {
    let over = false;
    const wait = region.waitUntil(2, ">", i, { timeoutMs }).then(() => over = true);
    // Timers end in the order of their times, and one that is too long in a millisecond.
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(over, false);
    region.store(0, 2, i + 1);
    assertEquals(await wait, true);
  }
  for (const timeoutMs of [-1, NaN]) {
    assertThrows(() => region.waitUntil(0, "==", 0, { timeoutMs }), RangeError, "timeout");
  }
});

regionTest("A blocking wait runs what makes progress", (newPes) => {
  using pes = newPes(1);
  const [region] = pes.allocShared("u8", 1) as [SharedMemoryRegion<"u8">];
  let steps = 0;
  pes.all[0]!.progress.addPoller(() => {
    if (++steps === 3) region.store(0, 0, 1);
    return 0;
  });
  region.waitUntil(0, "==", 1).block();
  assertEquals(steps, 3);
});

regionTest("Waits end with an error when the region or the world is closed", async (newPes) => {
  using pes = newPes(1);
  const [region] = pes.allocShared("u8", 1) as [SharedMemoryRegion<"u8">];
  const [other] = pes.allocShared("u8", 1) as [SharedMemoryRegion<"u8">];
  const waits = [region, other].map((one) =>
    assertRejects(async () => await one.waitUntil(0, "==", 1), ClosedError)
  );
  await Promise.resolve();
  region.dispose();
  assertEquals((await waits[0]!).message, "Cannot waitUntil in region 1: it was disposed");
  pes.all[0]!.regions.close();
  assertEquals(
    (await waits[1]!).message,
    "Cannot wait for a value in a region: the world is closed",
  );
});

regionTest("A failure of the job ends waits and every use of a region", async (newPes) => {
  using pes = newPes(2);
  const [region] = pes.allocShared("u8", 1) as [SharedMemoryRegion<"u8">];
  const own = pes.all[1]!.regions.allocOneSided("u8", 1);
  const waiting = assertRejects(async () => await region.waitUntil(0, "==", 1), LamellarError);
  await Promise.resolve();
  const [first, second] = pes.all as [Pe, Pe];
  second.lamella.fail(new Error("broken"));
  assertThrows(() => first.progress.checkFailure(), LamellarError);
  assert((await waiting).message.includes("broken"));
  assertThrows(() => region.put(0, 0, 1), LamellarError, "broken");
  assertThrows(() => region.waitUntil(0, "==", 1), LamellarError, "broken");
  assertThrows(() => first.regions.allocShared("u8", 1), LamellarError, "broken");
  own.put(0, 1);
});
