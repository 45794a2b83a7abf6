import { assert, assertEquals, assertThrows } from "@std/assert";
import { MemNotLocalError } from "./memory/refusals.ts";
import { Pes, regionTest } from "./pes_test.ts";
import type { SharedMemoryRegion } from "./shared_region.ts";

// deno-lint-ignore no-explicit-any -- wrong on purpose
const any = (value: unknown): any => value;

/** An array whose buffer was transferred. */
function detached(): Uint8Array<ArrayBuffer> {
  const array = new Uint8Array(4);
  array.buffer.transfer();
  return array;
}

/** An array whose buffer became too short for it. */
function cutOff(): Uint8Array<ArrayBuffer> {
  const buffer = new ArrayBuffer(8, { maxByteLength: 8 });
  const array = new Uint8Array(buffer, 4, 4);
  buffer.resize(2);
  return array;
}

regionTest("An array whose memory is gone is refused, whoever has the elements", (newPes) => {
  using pes = newPes(2);
  const [region] = pes.allocShared("u8", 8) as [SharedMemoryRegion<"u8">];
  const [flag] = pes.allocShared("u8", 1) as [SharedMemoryRegion<"u8">];
  const signal = { region: flag, index: 0, value: 1 };
  const indices = new Uint32Array(2);
  indices.buffer.transfer();
  for (const array of [detached(), cutOff()]) {
    for (const pe of [0, 1]) {
      const attempts = [
        () => region.put(pe, 0, array),
        () => region.blockingPut(pe, 0, array),
        () => region.putSignal(pe, 0, array, signal),
        () => region.get(pe, 0, array),
        () => region.blockingGet(pe, 0, array),
        () => region.putStrided(pe, 0, 1, array),
        () => region.getStrided(pe, 0, 1, array),
        () => region.putIndexed(pe, [], array),
        () => region.getIndexed(pe, [], array),
        () => region.getIndexed(pe, indices),
        () => region.batchAdd([], array),
        () => region.batchAdd(indices, 1),
        () => region.batchFetchAdd([], 1, array),
        () => region.gather([], array),
      ];
      for (const attempt of attempts) {
        assertThrows(attempt, TypeError, "Array is gone: its buffer", `${attempt}, PE ${pe}`);
      }
    }
  }
  pes.settle();
  assertEquals([flag.at(0, 0), flag.at(1, 0)], [0, 0]);
});

regionTest("What is no index ends a list, and what is before it is done", async (newPes) => {
  using pes = newPes(2);
  const both = pes.allocShared("u32", 8);
  const [region, other] = both as [SharedMemoryRegion<"u32">, SharedMemoryRegion<"u32">];
  for (const wrong of [1n, -1, 0.5, NaN, "1", undefined, 2 ** 53]) {
    for (const pe of [0, 1]) {
      const list = [pe * 8, pe * 8 + 1, any(wrong), pe * 8 + 2];
      region.put(pe, 0, [1, 2, 3]).block();
      const got = new Uint32Array(4);
      const text = `index ${String(wrong)} (item 2)`;
      assertThrows(() => region.batchAdd(list, 10), RangeError, text);
      assertThrows(() => region.gather(list, got), RangeError, text);
      assertEquals([...got], [11, 12, 0, 0]);
      assertThrows(() => region.putIndexed(pe, [0, any(wrong)], 5), RangeError, "item 1");
      assertEquals([...region.getBuffer(pe, 0, 3).block()], [5, 12, 3]);
    }
  }
  // BigInts are indices in an array of them.
  assertEquals([...region.gather(new BigUint64Array([8n, 9n])).block()], [5, 12]);
  // Whoever waits is woken even so.
  const bells = pes.all[1]!.lamella;
  const waiting = other.waitUntil(7, "==", 9);
  const ended = waiting.then(() => {});
  await Promise.resolve();
  const seen = bells.events();
  assertThrows(() => region.batchStore([15, any(-1)], 9), RangeError);
  assertEquals(bells.events() !== seen, true);
  await ended;
});

regionTest("A step is free where there is one element", (newPes) => {
  using pes = newPes(2);
  const [region] = pes.allocShared("f64", 8) as [SharedMemoryRegion<"f64">];
  for (const pe of [0, 1]) {
    for (const stride of [1, 8, 2 ** 31, 2 ** 51, 2 ** 53, 1e300]) {
      region.putStrided(pe, 3, stride, new Float64Array([stride])).block();
      const got = new Float64Array(2);
      region.getStrided(pe, 3, stride, got, 2).block();
      assertEquals([...got], [stride, 0]);
    }
  }
});

regionTest("A batch may fill the list that it reads", (newPes) => {
  using pes = newPes(2);
  const [region] = pes.allocShared("u32", 8) as [SharedMemoryRegion<"u32">];
  for (const pe of [0, 1]) {
    region.put(pe, 0, [10, 20, 30, 40]).block();
    for (const heap of [true, false]) {
      const from = heap
        ? pes.all[0]!.regions.allocOneSided("u32", 4).asSlice()
        : new Uint32Array(4);
      from.set([0, 1, 2, 3]);
      region.getIndexed(pe, from.subarray(0, 3), from.subarray(1)).block();
      assertEquals([...from], [0, 10, 20, 30]);
      from.set([1, 2, 3, 4]);
      const indices = [0, 1, 2].map((index) => 8 * pe + index);
      region.batchFetchAdd(indices, from.subarray(0, 3), from.subarray(1)).block();
      assertEquals([...from], [1, 10, 20, 30]);
      assertEquals([...region.getBuffer(pe, 0, 3).block()], [11, 22, 33]);
      region.put(pe, 0, [10, 20, 30, 40]).block();
    }
  }
});

regionTest("A BigInt as PE or index is refused as any other value is", (newPes) => {
  using pes = newPes(2);
  const [region] = pes.allocShared("u8", 8) as [SharedMemoryRegion<"u8">];
  assertThrows(() => region.put(any(0n), 0, 1), TypeError, "on PE 0n: the world has 2 PEs");
  for (const pe of [0, 1]) {
    assertThrows(() => region.add(pe, any(1n), 1), TypeError, "Cannot add at index 1n in region 1");
    assertThrows(() => region.put(pe, any(Symbol("i")), 1), TypeError, "index Symbol(i)");
    assertThrows(() => region.getIndexed(pe, any(undefined)), TypeError, "indices must be");
  }
});

Deno.test("A PE sees elements of others of its process, and none of other processes", () => {
  using pes = new Pes(4, 1 << 20, { pesPerProcess: 2, seed: 1 });
  const regions = pes.allocShared("u32", 4) as SharedMemoryRegion<"u32">[];
  regions[1]!.asMutSlice().set([1, 2, 3, 4]);
  assertEquals([...regions[0]!.asSlice(1)], [1, 2, 3, 4]);
  assertEquals([...regions[0]!.subRegion(1, 3).asMutSlice(1)], [2, 3]);
  assert(regions[0]!.asSlice(0) === regions[0]!.asSlice());
  const far3 = "Cannot asSlice region 1 of PE 3: it is in another process";
  assertThrows(() => regions[0]!.asSlice(3), MemNotLocalError, far3);
  assertThrows(() => regions[0]!.asSlice(4), RangeError, "the world has 4 PEs");
});
