import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, LamellarError, PeFailedError } from "../internal/errors.ts";
import type { Progress } from "../lamellae/mod.ts";
import type { ElementType } from "../internal/elements.ts";
import { FarWork } from "./transfer/pending.ts";
import type { FarLamella } from "./far_lamella_test.ts";
import type { OneSidedMemoryRegion } from "./one_sided_region.ts";
import { type Pe, Pes } from "./pes_test.ts";
import type { SharedMemoryRegion } from "./shared_region.ts";
import { encodeOneSided } from "./wire.ts";

const seed = Number(Deno.env.get("TEST_SEED") ?? Date.now() % 2 ** 31);

function far(count: number, pesPerProcess = 1): Pes {
  return new Pes(count, 1 << 20, { pesPerProcess, seed });
}

function lamellaOf(pes: Pes, pe: number): FarLamella {
  return pes.all[pe]!.lamella as FarLamella;
}

/** The handle another PE gets of a region. */
function travel<E extends ElementType>(
  region: OneSidedMemoryRegion<E>,
  to: Pe,
): OneSidedMemoryRegion<E> {
  const numbers = encodeOneSided(region as unknown as OneSidedMemoryRegion<ElementType>);
  return to.regions.decodeOneSided(numbers) as unknown as OneSidedMemoryRegion<E>;
}

/** Counts what is under way, as the engine of active messages does. */
class Counter {
  under = 0;
  readonly errors: { error: unknown; observed: () => boolean }[] = [];
  begin(): void {
    this.under++;
  }
  countDone(count: number): void {
    this.under -= count;
  }
  keepFailure(error: unknown, observed: () => boolean): void {
    this.errors.push({ error, observed });
  }
}

Deno.test("The network of these tests does nothing at once, and puts in any order", () => {
  using pes = far(2);
  const [a, b] = [lamellaOf(pes, 0), lamellaOf(pes, 1)];
  const put = (i: number): number => a.putBytes(1, i, new Uint8Array([i + 1]));
  const tickets = Array.from({ length: 20 }, (_, i) => put(i));
  assertEquals(b.views.u8[b.address(1, 0)], 0);
  const over: number[] = [];
  while (over.length < 20) {
    assert(tickets.every((ticket) => over.includes(ticket) || a.isPending(ticket)));
    a.poll((_source, _views, at) => at);
    // Asked once more, a ticket that was done would not be known.
    for (const ticket of tickets) {
      if (!over.includes(ticket) && !a.isPending(ticket)) over.push(ticket);
    }
  }
  assert(over.some((ticket, i) => ticket !== tickets[i]), `seed ${seed}: puts keep their order`);
  assertEquals(b.views.u8[b.address(1, 19)], 20);
  assertThrows(() => a.address(1, 0), Error, "PE 0 reaches into the memory of PE 1");
});

Deno.test("A far put or get of a shared region is one transfer, an atomic one operation", () => {
  using pes = far(2);
  const [first] = pes.allocShared("f64", 1024) as [SharedMemoryRegion<"f64">];
  const lamella = lamellaOf(pes, 0);
  first.put(1, 0, new Float64Array(1024)).block();
  first.put(1, 0, 5).block();
  first.blockingGet(1, 0, first);
  assertEquals(lamella.started, { put: 2, get: 1, operate: 0 });
  assertEquals(first.fetchAdd(1, 0, 1).block(), 5);
  first.batchAdd([1024, 1025, 1026], 1).block();
  assertEquals(lamella.started, { put: 2, get: 1, operate: 2 });
});

Deno.test("What is changed in order and awaited by nobody ends as if it had been awaited", () => {
  using pes = far(4, 2);
  const { network } = pes;
  const random = (below: number): number => Math.floor(network!.random() * below);
  const length = 40;
  const [region] = pes.allocShared("i32", length) as [SharedMemoryRegion<"i32">];
  const model = new Int32Array(4 * length);
  const checks: [handle: { block(): unknown }, expected: unknown][] = [];
  for (let i = 0; i < 400; i++) {
    const pe = random(4);
    const index = random(length);
    const at = pe * length + index;
    const value = random(100) - 50;
    const many = Array.from({ length: random(90) }, () => random(4 * length));
    const values = many.map(() => random(100));
    const step = 1 + random(3);
    const some = 1 + random(Math.floor((length - 1 - index) / step) + 1);
    const steps = Array.from({ length: some }, (_, k) => at + k * step);
    switch (random(9)) {
      case 0:
        region.store(pe, index, value);
        model[at] = value;
        break;
      case 1:
        checks.push([region.fetchAdd(pe, index, value), model[at]]);
        model[at]! += value;
        break;
      case 2:
        region.max(pe, index, value);
        model[at] = Math.max(model[at]!, value);
        break;
      case 3: {
        const ok = model[at] === value;
        checks.push([
          region.compareExchange(pe, index, value, 7),
          { ok, value: model[at] },
        ]);
        if (ok) model[at] = 7;
        break;
      }
      case 4:
        region.batchAdd(many, values);
        many.forEach((where, k) => model[where]! += values[k]!);
        break;
      case 5: {
        const before = many.map((where, k) => {
          const found = model[where]!;
          model[where]! += values[k]!;
          return found;
        });
        checks.push([region.batchFetchAdd(new Uint32Array(many), values), Int32Array.from(before)]);
        break;
      }
      case 6:
        region.scatter(new BigUint64Array(many.map(BigInt)), Int32Array.from(values));
        many.forEach((where, k) => model[where] = values[k]!);
        break;
      case 7:
        region.putStrided(pe, index, step, new Int32Array(some).fill(value));
        for (const where of steps) model[where] = value;
        break;
      case 8: {
        const target = new Int32Array(some);
        const handle = region.getStrided(pe, index, step, target);
        const expected = steps.map((where) => model[where]!);
        checks.push([{ block: () => (handle.block(), [...target]) }, expected]);
      }
    }
  }
  for (const [handle, expected] of checks) assertEquals(handle.block(), expected, `seed ${seed}`);
  pes.settle();
  const found = [0, 1, 2, 3].flatMap((pe) => [...region.get(pe, 0, length).block()]);
  assertEquals(found, [...model], `seed ${seed}`);
  assert(lamellaOf(pes, 0).started.operate > 100);
});

Deno.test("Puts and gets of any length, awaited, do what they do to an array", () => {
  for (const oneSided of [false, true]) {
    using pes = far(2);
    const random = (below: number): number => Math.floor(pes.network!.random() * below);
    const length = 200;
    const shared = pes.allocShared("u64", length) as SharedMemoryRegion<"u64">[];
    const own = pes.all[1]!.regions.allocOneSided("u64", length);
    const handle = travel(own, pes.all[0]!);
    const scratch = pes.all[0]!.regions.allocOneSided("u64", length);
    const model = new BigUint64Array(length);
    for (let i = 0; i < 300; i++) {
      const index = random(length);
      const count = random(length - index + 1);
      const data = BigUint64Array.from({ length: count }, () => BigInt(random(2 ** 40)));
      const range = scratch.subRegion(0, count);
      const source = [data, [...data].map(Number), range][random(3)]!;
      if (source === range) scratch.asSlice().set(data);
      if (random(2) === 0) {
        if (oneSided) handle.put(index, source).block();
        else shared[0]!.put(1, index, source).block();
        model.set(data, index);
      } else {
        const target = random(2) === 0 ? new BigUint64Array(count) : range;
        if (oneSided) handle.get(index, target).block();
        else shared[0]!.get(1, index, target).block();
        const found = target === range ? scratch.asSlice().subarray(0, count) : target;
        assertEquals(found, model.subarray(index, index + count), `seed ${seed}`);
      }
    }
    assertEquals((oneSided ? own : shared[1]!).asSlice(), model, `seed ${seed}`);
  }
});

Deno.test("However much is started, little is under way at once, and all of it ends", async () => {
  using pes = far(2);
  const counter = new Counter();
  pes.all[0]!.regions.countWith(counter);
  const [first, second] = pes.allocShared("u32", 2000) as SharedMemoryRegion<"u32">[];
  for (let i = 0; i < 1000; i++) first!.put(1, i, i);
  for (let i = 0; i < 1000; i++) first!.putUnmanaged(1, 1000 + i, i);
  for (let i = 0; i < 100; i++) first!.batchAdd(Array(300).fill(2000 + i), 1);
  assert(counter.under > 0 && pes.all[0]!.regions.pendingFar === counter.under);
  assert(lamellaOf(pes, 0).most <= 128, `${lamellaOf(pes, 0).most} are under way`);
  await first!.add(1, 0, 1);
  pes.settle();
  assertEquals([counter.under, counter.errors.length, pes.all[0]!.regions.pendingFar], [0, 0, 0]);
  assertEquals(second!.at(999), 999);
  assertEquals(second!.at(1999), 999);
});

Deno.test("What the network fails to do is an error of its handle, or is kept for waitAll", () => {
  using pes = far(2);
  const counter = new Counter();
  pes.all[0]!.regions.countWith(counter);
  const [region] = pes.allocShared("u32", 100) as [SharedMemoryRegion<"u32">];
  const handles = (): { block(): unknown }[] => [
    region.put(1, 0, [1, 2]),
    region.get(1, 0, 50),
    region.fetchAdd(1, 0, 1),
    region.batchFetchAdd([100, 101], 1),
    region.putSignal(1, 0, [1, 2], { region, index: 99, value: 1 }),
    region.putAll(0, 7),
    region.getStrided(1, 0, 1, new Uint32Array(90)),
    { block: () => region.at(1, 0) },
  ];
  pes.network!.failing = 1;
  for (const handle of handles()) {
    const error = assertThrows(() => handle.block(), LamellarError, "the network: it is cut");
    assertEquals([error.code, error.pe], ["ERR_TRANSPORT", 1]);
  }
  assert(counter.errors.every(({ observed }) => observed()), "each error was seen by its caller");
  const seen = counter.errors.length;
  region.putUnmanaged(1, 0, 1);
  handles().slice(0, -1);
  pes.settle();
  const ignored = counter.errors.slice(seen).filter(({ observed }) => !observed());
  assertEquals([ignored.length, counter.under], [8, 0]);
  pes.network!.failing = 0;
  for (const handle of handles()) handle.block();
  assertEquals(counter.under, 0);
});

Deno.test("Every handle settles when the job fails while the network stands still", async () => {
  using pes = far(3);
  const [region] = pes.allocShared("u32", 100) as [SharedMemoryRegion<"u32">];
  const own = pes.all[1]!.regions.allocOneSided("u32", 100);
  const handle = travel(own, pes.all[0]!);
  pes.network!.stuck = true;
  const waiting = [
    region.put(1, 0, new Uint32Array(100)),
    region.get(1, 0),
    region.get(2, 0, 10),
    region.fetchAdd(1, 0, 1),
    region.gather([0, 100, 200]),
    region.batchAdd([100, 200], 1),
    region.putSignal(1, 0, [1, 2], { region, index: 99, value: 1 }),
    region.putAll(0, 7),
    handle.put(0, new Uint32Array(100)),
    handle.fetchAdd(0, 1),
  ].map((one) => assertRejects(async () => await one, PeFailedError, "on purpose"));
  region.dispose();
  setTimeout(() => pes.all[2]!.lamella.fail(new Error("on purpose")), 20);
  const other = pes.all[1]!.regions;
  const blocked = travel(pes.all[0]!.regions.allocOneSided("u8", 1), pes.all[1]!);
  await Promise.all(waiting);
  assertThrows(() => blocked.at(0), PeFailedError, "on purpose");
  assertThrows(() => blocked.fetchAdd(0, 1).block(), PeFailedError, "on purpose");
  assertEquals([pes.all[0]!.regions.pendingFar, other.pendingFar], [0, 0]);
});

Deno.test("A stale handle raises ClosedError and harms nothing, even if just stale", () => {
  for (const length of [4, 400]) {
    using pes = far(2);
    const [first, second] = pes.all as [Pe, Pe];
    const own = second.regions.allocOneSided("u32", length);
    const { byteOffset } = own.asSlice();
    const handle = travel(own, first);
    const data = new Uint32Array(length).fill(7);
    handle.put(0, data).block();
    pes.network!.stuck = true;
    const late = [
      handle.put(0, data),
      handle.fetchAdd(0, 1),
      handle.batchAdd([0, 1], 1),
      handle.putStrided(0, 1, data.subarray(0, 4)),
      handle.get(0, new Uint32Array(length)),
    ];
    own.dispose();
    const again = second.regions.allocOneSided("u32", length);
    assertEquals(again.asSlice().byteOffset, byteOffset);
    pes.network!.stuck = false;
    const blocking = [data, 7].map((source) => ({ block: () => handle.blockingPut(0, source) }));
    for (const one of [...late, ...blocking]) {
      assertThrows(() => one.block(), ClosedError, "it was disposed by PE 1");
    }
    assertThrows(() => handle.at(0), ClosedError, "Cannot get from one-sided region 1");
    assertThrows(() => handle.blockingGet(0, data), ClosedError, "it was disposed by PE 1");
    assertEquals(again.asSlice(), new Uint32Array(length));
  }
});

Deno.test("Memory is not used again while something is under way to or from it", () => {
  using pes = far(2);
  const [first, second] = pes.all as [Pe, Pe];
  const free = pes.all.map(({ lamella }) => lamella.heap.freeBytes);
  const regions = pes.allocShared("u32", 100);
  const into = first.regions.allocOneSided("u32", 100);
  pes.network!.stuck = true;
  const put = regions[0]!.put(1, 0, new Uint32Array(100).fill(7));
  const get = regions[0]!.get(1, 0, into);
  into.dispose();
  for (const region of regions) region.dispose();
  for (let i = 0; i < 10; i++) for (const { progress } of pes.all) progress.step();
  second.regions.allocOneSided("u8", 1).dispose();
  assert(first.lamella.heap.freeBytes < free[0]! - 800);
  assert(second.lamella.heap.freeBytes < free[1]!);
  pes.network!.stuck = false;
  put.block();
  get.block();
  pes.settle();
  for (const { regions } of pes.all) regions.allocOneSided("u8", 1).dispose();
  assertEquals(pes.all.map(({ lamella }) => lamella.heap.freeBytes), free);
});

Deno.test("Inside a handler far memory is waited for in place, and nothing else runs", () => {
  using pes = far(2);
  const [first] = pes.all as [Pe, Pe];
  const [region] = pes.allocShared("u32", 100) as [SharedMemoryRegion<"u32">];
  let depth = 0, runs = 0;
  first.progress.addPoller(() => {
    assertEquals(depth++, 0, "a handler runs inside another one");
    if (runs++ < 5) {
      region.blockingPut(1, 0, runs);
      assertEquals(region.at(1, 0), runs);
      assertEquals(region.fetchAdd(1, 0, 1).block(), runs);
      assertEquals(region.batchFetchAdd([100], 1).block()[0], runs + 1);
    }
    depth--;
    return 0;
  });
  while (runs < 5) first.progress.step();
  assertEquals(region.at(1, 0), 7);
});

Deno.test("Whoever sees the signal of a far put sees its elements", () => {
  using pes = far(2);
  const [data, target] = pes.allocShared("u32", 500) as SharedMemoryRegion<"u32">[];
  const [flag, seen] = pes.allocShared("u32", 1) as SharedMemoryRegion<"u32">[];
  const elements = new Uint32Array(500);
  for (let i = 1; i < 50; i++) {
    elements.fill(i);
    const handle = data!.putSignal(1, 0, elements, {
      region: flag!,
      index: 0,
      value: 1,
      op: "add",
    });
    for (let over = false; !over;) {
      pes.all[0]!.progress.step();
      over = seen!.at(0) === i;
      if (over) assert(target!.asSlice().every((value) => value === i), `seed ${seed}`);
    }
    handle.block();
  }
});

Deno.test("putAll() from one's own part reads it before it changes", () => {
  using pes = far(3);
  const regions = pes.allocShared("u32", 100) as SharedMemoryRegion<"u32">[];
  regions[1]!.asSlice().forEach((_, i, slice) => slice[i] = i);
  regions[1]!.putAll(50, regions[1]!.subRegion(0, 50));
  regions[1]!.putAll(0, regions[1]!.subRegion(25, 75)).block();
  const expected = Array.from({ length: 50 }, (_, i) => i < 25 ? i + 25 : i - 25);
  pes.settle();
  for (const region of regions) assertEquals([...region.asSlice().subarray(0, 50)], expected);
});

Deno.test("A batch with an index out of range does what stands before it, also at far PEs", () => {
  using pes = far(4, 2);
  const [region] = pes.allocShared("u32", 10) as [SharedMemoryRegion<"u32">];
  assertThrows(
    () => region.batchAdd([0, 10, 20, 39, 40, 1], 1),
    RangeError,
    "Cannot batchAdd at index 40 (item 4) in region 1: the region has 10 elements on each of 4 PEs",
  );
  assertThrows(() => region.putIndexed(3, [1, 10], 1), RangeError, "at index 10 (item 1)");
  assertThrows(() => region.gather([0, 1.5]), RangeError, "at index 1.5 (item 1)");
  assertThrows(() => region.batchOr([0, 30], -1), RangeError, "it takes integers from 0");
  assertEquals(region.gather([0, 10, 20, 39, 1, 31]).block(), new Uint32Array([1, 1, 1, 1, 0, 1]));
});

Deno.test("What is too large for a number is an error of the handle of a far element", () => {
  using pes = far(2);
  const [region] = pes.allocShared("u64", 2) as [SharedMemoryRegion<"u64">];
  region.put(1, 1, new BigUint64Array([2n ** 60n])).block();
  const text = "Cannot get 1152921504606846976 at index 1 from region 1 of u64: " +
    "it is beyond what a number holds exactly; use bigu64";
  assertThrows(() => region.at(1, 1), RangeError, text);
  assertThrows(() => region.get(1, 1).block(), RangeError, text);
  assertThrows(() => region.load(1, 1).block(), RangeError, "Cannot load 1152921504606846976");
  assertThrows(
    () => region.subRegion(1).fetchAdd(1, 0, 1).block(),
    RangeError,
    "Cannot fetchAdd what was at index 0",
  );
  const found = new BigUint64Array(1);
  region.get(1, 1, found).block();
  assertEquals(found[0], 2n ** 60n + 1n);
  const copy = "Cannot get 1152921504606846977 (item 1) from region 1 of u64: it is beyond";
  assertThrows(() => region.get(1, 0, 2).block(), RangeError, copy);
  const numbers = new Float64Array(2);
  assertThrows(() => region.get(1, 0, numbers).block(), RangeError, copy);
  assertEquals(numbers, Float64Array.of(0, NaN));
});

Deno.test("What ends is seen with the event that tells of it, else nothing is looked at", () => {
  const pending = new Set([1, 2, 3, 4, 5]);
  let [events, looks] = [0, 0];
  const lamella = {
    events: () => events,
    isPending: (ticket: number) => (looks++, pending.has(ticket)),
  };
  let poll: () => number = () => -1;
  const progress = {
    lamella,
    onFailure() {},
    addReason() {},
    kick() {},
    addPoller: (poller: () => number) => void (poll = poller),
  };
  const memory = new FarWork(progress as unknown as Progress);
  const over: number[] = [];
  for (const ticket of pending) {
    const operation = memory.begin<void>(1);
    operation.start(() => ticket);
    operation.seal(() => void over.push(ticket));
  }
  const end = (...tickets: number[]): void => {
    for (const ticket of tickets) pending.delete(ticket);
    events++;
  };
  const polls = (): number[] => [poll(), poll(), poll()];
  assertEquals(polls(), [0, 0, 0]);
  end(3);
  assertEquals([polls(), over], [[1, 0, 0], [3]]);
  end(1, 4);
  assertEquals([polls(), over], [[1, 1, 0], [3, 1, 4]]);
  looks = 0;
  assertEquals([polls(), looks], [[0, 0, 0], 0]);
  end(2, 5);
  assertEquals([polls(), over, memory.pending], [[2, 0, 0], [3, 1, 4, 2, 5], 0]);
});

Deno.test("What quiet() was called behind is at its targets once it is complete", async () => {
  for (const way of ["await", "block", "in a handler"]) {
    using pes = far(3);
    const { network } = pes;
    const [region] = pes.allocShared("u32", 100) as [SharedMemoryRegion<"u32">];
    const { regions, progress } = pes.all[0]!;
    const counter = new Counter();
    regions.countWith(counter);
    for (let round = 0; round < 100; round++) {
      for (let i = Math.floor(network!.random() * 9); i >= 0; i--) {
        const pe = 1 + Math.floor(network!.random() * 2);
        const index = Math.floor(network!.random() * 50);
        // Some that nobody waits for.
        if (network!.random() < 0.3) regions.quiet();
        region.putUnmanaged(pe, index, new Uint32Array(50).fill(round));
        region.putStrided(pe, 0, 3, new Uint32Array(10));
        region.batchAdd([100 * pe + 99], 1);
      }
      const [first, second] = [regions.quiet(), regions.quiet()];
      if (way === "await") await first;
      else if (way === "block") second.block();
      else {
        let run = false;
        progress.addPoller(() => {
          if (!run) first.block();
          run = true;
          return 0;
        });
        while (!run) progress.step();
      }
      assertEquals(lamellaOf(pes, 0).open, 0, `${way}, seed ${seed}`);
      await second;
      assertEquals([regions.pendingFar, counter.under], [0, 0], `${way}, seed ${seed}`);
    }
  }
});

Deno.test("quiet() is over when what it covers has failed, and does not fail", async () => {
  using pes = far(2);
  const [region] = pes.allocShared("u32", 100) as [SharedMemoryRegion<"u32">];
  const { regions } = pes.all[0]!;
  pes.network!.failing = 1;
  const put = region.add(1, 0, 1);
  const counter = new Counter();
  regions.countWith(counter);
  await regions.quiet();
  assertEquals(counter.errors.length, 1);
  await assertRejects(async () => await put, LamellarError, "it is cut");
});
