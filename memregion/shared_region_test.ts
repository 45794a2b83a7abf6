import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { ClosedError, OutOfMemoryError } from "../internal/errors.ts";
import { ELEMENTS, type ElementType } from "../internal/elements.ts";
import { type Pe, regionTest } from "./pes_test.ts";
import type { SharedMemoryRegion } from "./shared_region.ts";
import { type Any, arrayOf, copyOf, valuesOf } from "./values_test.ts";

for (const { type } of ELEMENTS.filter(({ kind }) => kind !== "boolean")) {
  regionTest(`A put of ${type} shows at its target, whatever the source is`, (newPes) => {
    using pes = newPes(3);
    const [first, second] = pes.allocShared(type, 8) as Any[];
    assertEquals(second.asSlice(), arrayOf(type, 0, 0, 0, 0, 0, 0, 0, 0));
    first.put(1, 1, arrayOf(type, 2));
    first.put(1, 0, copyOf(type, 1));
    first.put(1, 2, valuesOf(type, 3)[0]);
    first.put(1, 3, valuesOf(type, 4, 5));
    first.asSlice()[0] = arrayOf(type, 6)[0];
    first.put(1, 5, first.subRegion(0, 1));
    first.put(1, 6, first.asSlice().subarray(0, 1));
    const own = pes.all[0]!.regions.allocOneSided(type, 1) as Any;
    own.put(0, valuesOf(type, 7)[0]);
    first.put(1, 7, own);
    pes.settle();
    assertEquals(second.asSlice(), arrayOf(type, 1, 2, 3, 4, 5, 6, 6, 7));
    assertEquals([...second], valuesOf(type, 1, 2, 3, 4, 5, 6, 6, 7));
  });

  regionTest(`A get of ${type} gives values, new arrays, or fills a target`, async (newPes) => {
    using pes = newPes(2);
    const [first, second] = pes.allocShared(type, 4) as Any[];
    second.put(1, 0, valuesOf(type, 1, 2, 3, 4));
    const [, two] = valuesOf(type, 1, 2);
    pes.settle();
    assertStrictEquals(await first.get(1, 1), two);
    assertStrictEquals(first.get(1, 1).block(), two);
    assertStrictEquals(first.blockingGet(1, 1), two);
    assertStrictEquals(first.at(1, 1), two);
    assertStrictEquals(second.at(1), two);
    assertEquals(await first.get(1, 1, 2), copyOf(type, 2, 3));
    assertEquals(first.getBuffer(1, 2, 2).block(), copyOf(type, 3, 4));
    const target = arrayOf(type, 0, 0);
    assertStrictEquals(await first.get(1, 0, target), undefined);
    pes.settle();
    assertEquals(target, arrayOf(type, 1, 2));
    const numbers = copyOf(type, 0, 0);
    await first.get(1, 1, numbers);
    assertEquals(numbers, copyOf(type, 2, 3));
    first.blockingGet(1, 0, numbers.subarray(1));
    assertEquals(numbers, copyOf(type, 2, 1));
    first.blockingGet(1, 0, first);
    first.getUnmanaged(1, 3, first.subRegion(0, 1));
    pes.settle();
    assertEquals(first.asSlice(), arrayOf(type, 4, 2, 3, 4));
  });

  regionTest(`Atomic operations on ${type} give what was before`, (newPes) => {
    using pes = newPes(2);
    const [region] = pes.allocShared(type, 2) as Any[];
    const [one, two, three, five, seven] = valuesOf(type, 1, 2, 3, 5, 7);
    region.store(1, 1, five);
    assertStrictEquals(region.load(1, 1).block(), five);
    assertStrictEquals(region.swap(1, 1, three).block(), five);
    assertStrictEquals(region.fetchAdd(1, 1, two).block(), three);
    assertStrictEquals(region.fetchSub(1, 1, one).block(), five);
    region.add(1, 1, two);
    region.sub(1, 1, one);
    assertStrictEquals(region.fetchMin(1, 1, three).block(), five);
    assertStrictEquals(region.fetchMax(1, 1, five).block(), three);
    region.min(1, 1, two);
    region.max(1, 1, seven);
    assertEquals(region.compareExchange(1, 1, five, one).block(), { ok: false, value: seven });
    assertEquals(region.compareExchange(1, 1, seven, one).block(), { ok: true, value: seven });
    assertStrictEquals(region.at(1, 1), one);
    assertStrictEquals(region.at(1, 0), valuesOf(type, 0)[0]);
  });

  regionTest(`Bitwise operations on ${type} are there for integers only`, (newPes) => {
    using pes = newPes(1);
    const [region] = pes.allocShared(type, 1) as Any[];
    const [two, three, six, seven] = valuesOf(type, 2, 3, 6, 7);
    if (type.startsWith("f")) {
      assertThrows(
        () => region.fetchAnd(0, 0, 1),
        TypeError,
        `Cannot fetchAnd in region 1 of ${type}: bitwise operations take integers`,
      );
      assertThrows(() => region.batchOr([0], 1), TypeError, "bitwise operations take integers");
      return;
    }
    region.or(0, 0, seven);
    assertStrictEquals(region.fetchAnd(0, 0, six).block(), seven);
    assertStrictEquals(region.fetchOr(0, 0, three).block(), six);
    assertStrictEquals(region.fetchXor(0, 0, three).block(), seven);
    region.and(0, 0, six);
    region.xor(0, 0, six);
    region.batchOr([0, 0], valuesOf(type, 1, 2));
    region.batchAnd([0], six);
    region.batchXor([0], two);
    assertStrictEquals(region.at(0), valuesOf(type, 0)[0]);
  });

  regionTest(`Batches on ${type} take indices over all parts`, (newPes) => {
    using pes = newPes(3);
    const regions = pes.allocShared(type, 4) as Any[];
    const indices = pes.all[0]!.regions.allocOneSided("u32", 4);
    indices.put(0, [0, 5, 11, 5]);
    const [region] = regions;
    const [one] = valuesOf(type, 1);
    region.batchAdd(indices, one);
    region.batchAdd(new Uint32Array([0]), arrayOf(type, 10));
    region.batchAdd(new Float64Array([5]), copyOf(type, 20));
    region.batchSub([11], one);
    region.batchMax([1, 2], valuesOf(type, 3, 4));
    region.batchMin([1], valuesOf(type, 2)[0]);
    region.batchStore([6], region.subRegion(2, 3));
    region.scatter([10], one);
    pes.settle();
    assertEquals(region.asSlice(), arrayOf(type, 11, 2, 4, 0));
    assertEquals(regions[1].asSlice(), arrayOf(type, 0, 22, 4, 0));
    assertEquals(regions[2].asSlice(), arrayOf(type, 0, 0, 1, 0));
    assertEquals(region.gather(indices).block(), copyOf(type, 11, 22, 0, 22));
    assertEquals(region.batchFetchAdd([5, 5], one).block(), copyOf(type, 22, 23));
    region.gather([5, 6], region.subRegion(2, 4));
    pes.settle();
    assertEquals(region.asSlice(), arrayOf(type, 11, 2, 24, 4));
  });
}

regionTest("A batch of more items than the staging area holds is done whole", (newPes) => {
  using pes = newPes(2);
  const [region] = pes.allocShared("u64", 16) as [SharedMemoryRegion<"u64">];
  const indices = Array.from({ length: 10_000 }, (_, i) => i % 32);
  region.batchAdd(indices, indices.map(() => 2));
  region.batchAdd(new Uint32Array(indices), 1);
  const before = region.batchFetchAdd(new BigUint64Array(indices.map(BigInt)), 0).block();
  assertEquals(before.length, 10_000);
  assert(before.every((value, i) => value === (i % 32 < 16 ? 939 : 936)));
  assertEquals(region.gather(indices).block(), before);
});

regionTest("Batches on a sub-region see its range of every part", (newPes) => {
  using pes = newPes(2);
  const [first, second] = pes.allocShared("i32", 6) as SharedMemoryRegion<"i32">[];
  for (let i = 0; i < 20; i++) first!.subRegion(i % 6).batchAdd([0], 0);
  const middle = first!.subRegion(2, 5).subRegion(1, 3);
  middle.batchAdd([0, 1, 2, 3], [1, 2, 3, 4]);
  first!.batchAdd([0], 9);
  middle.batchAdd([2], 10);
  pes.settle();
  assertEquals([...first!], [9, 0, 0, 1, 2, 0]);
  assertEquals([...second!], [0, 0, 0, 13, 4, 0]);
  assertThrows(
    () => middle.batchAdd([1, 4], 1),
    RangeError,
    "Cannot batchAdd at index 4 (item 1) in region 1: the region has 2 elements on each of 2 PEs",
  );
  assertEquals(first!.at(4), 3);
});

regionTest("putAll() reaches every PE, and put() from a sub-region takes its range", (newPes) => {
  using pes = newPes(4);
  const regions = pes.allocShared("u16", 4);
  regions[2]!.asMutSlice().set([1, 2, 3, 4]);
  regions[2]!.putAll(1, regions[2]!.subRegion(2, 4));
  pes.settle();
  for (const region of regions) assertEquals(region.get(region.numPes - 1, 1).block(), 3);
  assertEquals([...regions[0]!], [0, 3, 4, 0]);
});

regionTest("What does not fit a region is refused and changes nothing", (newPes) => {
  using pes = newPes(4);
  const [region] = pes.allocShared("f64", 1024) as [SharedMemoryRegion<"f64">];
  const bad = region as Any;
  const cases: [() => unknown, new () => Error, string][] = [
    [
      () => region.put(3, 1020, new Float64Array(16)),
      RangeError,
      "Cannot put 16 elements at index 1020 into region 1 on PE 3: the region has 1024 elements",
    ],
    [
      () => region.put(9, 0, 1),
      RangeError,
      "Cannot put into region 1 on PE 9: the world has 4 PEs",
    ],
    [
      () => region.put(0, 0, new Float32Array(1) as Any),
      TypeError,
      "Cannot put a Float32Array into region 1 of f64: it takes a Float64Array",
    ],
    [
      () => region.get(0, 0, new BigInt64Array(1) as Any),
      TypeError,
      "Cannot get from region 1 of f64 into a BigInt64Array: it takes a Float64Array",
    ],
    [
      () => region.put(0, 1.5, 1),
      RangeError,
      "Cannot put at index 1.5 into region 1 on PE 0: the index must be an integer of at least 0",
    ],
    [
      () => bad.fetchAdd(0, "3", 1),
      TypeError,
      'Cannot fetchAdd at index "3" in region 1 on PE 0: the index must be an integer of at ' +
      "least 0",
    ],
    [
      () => bad.load("1", 0),
      TypeError,
      'Cannot load from region 1 on PE "1": the world has 4 PEs',
    ],
    [
      () => bad.add(0, 0, 1n),
      TypeError,
      "Cannot add 1n in region 1 of f64: it takes numbers",
    ],
    [() => region.load(-1, 0), RangeError, "Cannot load from region 1 on PE -1: "],
    [() => region.at(1024), RangeError, "Cannot get 1 element at index 1024 from region 1 on PE 0"],
    [
      () => region.getBuffer(0, 0, -1),
      RangeError,
      "Cannot get -1 elements from region 1 on PE 0: the number must be an integer of at least 0",
    ],
    [() => region.getBuffer(0, 1020, 5), RangeError, "the region has 1024 elements"],
    [
      () => region.subRegion(10, 1025),
      RangeError,
      "Cannot make a sub-region from 10 to 1025 of region 1: the region has 1024 elements",
    ],
    [
      () => region.putStrided(0, 0, 512, new Float64Array(3)),
      RangeError,
      "Cannot putStrided 1025 elements at index 0 into region 1 on PE 0",
    ],
    [
      () => region.getStrided(0, 0, 0, new Float64Array(3)),
      RangeError,
      "Cannot getStrided region 1: the stride must be an integer of at least 1, got 0",
    ],
    [
      () => region.putIndexed(2, [1, 1024], 5),
      RangeError,
      "Cannot putIndexed at index 1024 (item 1) in region 1",
    ],
    [
      () => region.batchAdd([0, 1], [1]),
      RangeError,
      "Cannot batchAdd in region 1: 2 indices do not fit an array of 1 elements",
    ],
    [
      () => region.batchAdd([0.5], 1),
      RangeError,
      "Cannot batchAdd in region 1 at index 0.5 (item 0): an index must be an integer of " +
      "at least 0",
    ],
    [() => bad.batchAdd("0", 1), TypeError, "indices must be a Uint32Array"],
    [() => bad.put(0, 0, undefined), TypeError, "Cannot put undefined into region 1 of f64"],
    [() => bad.put(0, 0, [1, "2"]), TypeError, 'Cannot put "2" into region 1 of f64'],
    [() => bad.put(0, 0, {}), TypeError, "Cannot put an Object into region 1 of f64"],
    [() => bad.test(0, "=", 1), TypeError, '"=" is not one of == != > >= < <='],
    [() => bad.waitUntil(0, "==", 1, { timeoutMs: -1 }), RangeError, "got -1"],
  ];
  for (const [call, errorClass, text] of cases) assertThrows(call, errorClass, text);
  pes.settle();
  assertEquals(region.batchFetchAdd([0, 1, 1023], 0).block(), new Float64Array(3));
});

regionTest("Values out of the range of their type are refused by name", (newPes) => {
  using pes = newPes(1);
  const refuse = (
    type: ElementType,
    value: unknown,
    error: new () => Error,
    text: string,
  ): void => {
    const [region] = pes.allocShared(type, 1) as Any[];
    for (const op of ["put", "store", "fetchAdd"]) {
      assertThrows(() => region[op](0, 0, value), error, text);
    }
    assertThrows(() => region.put(0, 0, [value]), error, text);
    assertThrows(() => region.batchAdd([0], value), error, text);
    assertThrows(() => region.compareExchange(0, 0, value, value), error, text);
  };
  refuse("u8", 256, RangeError, "of u8: it takes integers from 0 to 255");
  refuse("i16", 0.5, RangeError, "of i16: it takes integers from -32768 to 32767");
  refuse("u64", 2 ** 53, RangeError, "of u64: it takes integers from 0 to 9007199254740991");
  refuse("u64", 1n, TypeError, "1n in");
  refuse("i64", -(2 ** 53), RangeError, "-9007199254740992");
  refuse("bigu64", -1n, RangeError, "-1n");
  refuse("bigi64", 1, TypeError, "it takes BigInts from -9223372036854775808");
});

regionTest("A 64-bit integer beyond what a number holds is an error that names it", (newPes) => {
  using pes = newPes(1);
  const [region] = pes.allocShared("u64", 2) as [SharedMemoryRegion<"u64">];
  region.put(0, 0, new BigUint64Array([2n ** 60n, 5n]));
  const text = "Cannot get 1152921504606846976 at index 0 from region 1 of u64: " +
    "it is beyond what a number holds exactly; use bigu64";
  assertThrows(() => region.at(0), RangeError, text);
  assertThrows(() => [...region], RangeError, text);
  assertThrows(() => region.load(0, 0), RangeError, "1152921504606846976");
  assertThrows(() => region.fetchAdd(0, 0, 1), RangeError, "Cannot fetchAdd what was at index 0");
  assertEquals(region.asSlice()[0], 2n ** 60n + 1n);
  assertEquals(region.at(1), 5);
});

regionTest(
  "Allocation without room fails on every PE and names the one that has none",
  async (newPes) => {
    using pes = newPes(3, 1 << 16);
    pes.all[1]!.regions.allocOneSided("u8", 40_000);
    const handles = pes.all.map(({ regions }) => regions.allocShared("u8", 30_000));
    pes.settle();
    for (const handle of handles) {
      const error = assertThrows(() => handle.block(), OutOfMemoryError);
      assertEquals((error as OutOfMemoryError).pe, 1);
      assert(error.message.startsWith("Cannot allocate 30128 bytes on PE 1: "), error.message);
    }
    const tries = pes.all.map(({ regions }) => regions.tryAllocShared("u8", 30_000));
    pes.settle();
    for (const handle of tries) {
      const result = await handle;
      assert(!result.ok);
      assertInstanceOf(result.error, OutOfMemoryError);
    }
    assertEquals(pes.allocShared("u8", 20_000).length, 3);
    const own = pes.all[0]!.regions.tryAllocOneSided("u8", 1 << 17);
    assert(!own.ok);
    assertThrows(() => pes.all[0]!.regions.allocOneSided("u8", 1 << 17), OutOfMemoryError);
  },
);

regionTest("Lengths and types that make no region are refused", (newPes) => {
  using pes = newPes(1);
  const { regions } = pes.all[0]!;
  for (const length of [0, -1, 1.5, NaN]) {
    assertThrows(() => regions.allocShared("u8", length), RangeError, "an integer of at least 1");
    assertThrows(() => regions.allocOneSided("u8", length), RangeError, `of ${length} elements`);
  }
  assertThrows(() => regions.allocShared("u8", "8" as Any), TypeError, "an integer of at least 1");
  assertThrows(
    () => regions.allocShared("u128" as Any, 1),
    TypeError,
    "Cannot make elements of u128: the element types are u8, i8, ",
  );
});

regionTest(
  "A disposed region is refused, and its memory used again once all have left it",
  (newPes) => {
    using pes = newPes(2);
    const free = pes.all.map(({ lamella }) => lamella.heap.freeBytes);
    const regions = pes.allocShared("f64", 100);
    const [first, second] = regions as [SharedMemoryRegion<"f64">, SharedMemoryRegion<"f64">];
    const part = first.subRegion(0, 10);
    first.putAll(0, new Float64Array(100).fill(1)).block();
    first[Symbol.dispose]();
    first.dispose();
    assert(first.disposed && part.disposed && !second.disposed);
    for (const call of [() => first.put(1, 0, 1), () => part.put(1, 0, 1)]) {
      assertThrows(call, ClosedError, "Cannot put into region 1: it was disposed");
    }
    assertThrows(() => first.asSlice(), ClosedError, "Cannot asSlice in region 1: it was disposed");
    assertThrows(() => first.batchAdd([0], 1), ClosedError, "it was disposed");
    assertThrows(() => part.subRegion(0, 1), ClosedError, "Cannot make a sub-region of region 1");
    assertThrows(() => second.put(1, 0, first), ClosedError, "it was disposed");
    second.put(0, 0, 2);
    assert(pes.all[0]!.lamella.heap.freeBytes < free[0]!);
    second.dispose();
    pes.settle();
    const again = pes.allocShared("f64", 100);
    assertEquals([...again[0]!], [...new Float64Array(100)]);
    for (const region of again) region.dispose();
    pes.settle();
    pes.all[0]!.regions.allocOneSided("u8", 1).dispose();
    pes.all[1]!.regions.allocOneSided("u8", 1).dispose();
    assertEquals(pes.all.map(({ lamella }) => lamella.heap.freeBytes), free);
  },
);

regionTest("Disposing a sub-region leaves the region", (newPes) => {
  using pes = newPes(1);
  const [region] = pes.allocShared("u8", 4) as [SharedMemoryRegion<"u8">];
  {
    using part = region.subRegion(1, 3);
    part.put(0, 0, 7);
  }
  const part = region.subRegion(1, 3);
  part.dispose();
  assertThrows(() => part.put(0, 0, 1), ClosedError, "it was disposed");
  assertEquals([...region], [0, 7, 0, 0]);
  assert(region.equals(region.subRegion(0)) && !region.equals(part) && !region.equals(5));
  assertEquals(String(region), "region 1 of u8[4]");
  assert(Deno.inspect({ region }).includes("region 1 of u8[4]"));
});

regionTest("No region of a closed world can be used", (newPes) => {
  const pes = newPes(1);
  const [region] = pes.allocShared("u8", 4) as [SharedMemoryRegion<"u8">];
  const own = pes.all[0]!.regions.allocOneSided("u8", 4);
  pes[Symbol.dispose]();
  assertThrows(() => region.put(0, 0, 1), ClosedError, "region 1: the world is closed");
  assertThrows(() => own.put(0, 1), ClosedError, "one-sided region 1: the world is closed");
  assertThrows(() => pes.all[0]!.regions.allocOneSided("u8", 1), ClosedError, "is closed");
  region.dispose();
  own.dispose();
});

regionTest("Regions beyond the first 4 GiB are reached like any other", (newPes) => {
  using pes = newPes(2, 2 ** 32 + 2 ** 20);
  const [first, second] = pes.allocShared("u64", 100) as SharedMemoryRegion<"u64">[];
  assert(second!.asSlice().byteOffset > 2 ** 32);
  first!.put(1, 0, [1, 2, 3]).block();
  first!.putSignal(1, 3, second!.subRegion(0, 1), { region: first!, index: 99, value: 1 });
  first!.putStrided(1, 10, 5, new BigUint64Array([4n, 5n]));
  pes.settle();
  first!.batchAdd([100, 199], 10);
  assertEquals(first!.fetchAdd(1, 1, 5).block(), 2);
  assertEquals(
    first!.gather([100, 101, 102, 110, 115, 199]).block(),
    Float64Array.of(11, 7, 3, 4, 5, 11),
  );
});

regionTest("Batches take nothing of the heap: they work where it is small and full", (newPes) => {
  using pes = newPes(2, 65536);
  const [region] = pes.allocShared("u32", 1000) as SharedMemoryRegion<"u32">[];
  const [{ lamella, regions }] = pes.all as [Pe];
  while (lamella.heap.freeBytes > 64) {
    regions.allocOneSided("u8", lamella.heap.freeBytes - 64);
  }
  assertEquals(lamella.heap.freeBytes, 0);
  const places = [0, 1999, 1000];
  region!.scatter(places, [1, 2, 3]);
  region!.batchAdd(places, 10).block();
  assertEquals([...region!.batchFetchAdd(places, [1, 2, 3]).block()], [11, 12, 13]);
  assertEquals([...region!.gather(places).block()], [12, 14, 16]);
  region!.putIndexed(1, [5, 7], [50, 70]).block();
  assertEquals([...region!.getIndexed(1, [7, 5]).block()], [70, 50]);
  assertEquals(lamella.heap.freeBytes, 0);
});
