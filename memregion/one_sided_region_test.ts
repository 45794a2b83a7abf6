import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { ClosedError, LamellarError, ProtocolError } from "../internal/errors.ts";
import { MemNotLocalError } from "./mod.ts";
import type { OneSidedMemoryRegion } from "./one_sided_region.ts";
import { type Pe, regionTest } from "./pes_test.ts";
import type { ElementType } from "../internal/elements.ts";
import { encodeOneSided, encodeShared } from "./wire.ts";

/** The handle another PE gets of a region. */
function travel<E extends ElementType>(
  region: OneSidedMemoryRegion<E>,
  to: Pe,
): OneSidedMemoryRegion<E> {
  const numbers = encodeOneSided(region as unknown as OneSidedMemoryRegion<ElementType>);
  return to.regions.decodeOneSided(numbers) as unknown as OneSidedMemoryRegion<E>;
}

regionTest(
  "A one-sided region is read and written from another PE through its handle",
  (newPes) => {
    using pes = newPes(2);
    const [first, second] = pes.all as [Pe, Pe];
    const own = first.regions.allocOneSided("i64", 6);
    const far = travel(own, second);
    assertEquals([own.dataLocal, far.dataLocal, far.owner, far.id], [true, false, 0, own.id]);
    far.put(0, [1, -2, 3]);
    far.blockingPut(3, 4);
    far.putUnmanaged(4, new BigInt64Array([5n]));
    pes.settle();
    assertEquals([...own], [1, -2, 3, 4, 5, 0]);
    assertEquals(far.at(1), -2);
    assertEquals(far.get(2).block(), 3);
    assertEquals(far.get(0, 2).block(), Float64Array.of(1, -2));
    assertEquals(far.getBuffer(3, 2).block(), Float64Array.of(4, 5));
    const local = second.regions.allocOneSided("i64", 2);
    far.blockingGet(1, local);
    far.getUnmanaged(4, local.subRegion(1, 2));
    pes.settle();
    assertEquals([...local], [-2, 5]);
    far.put(4, local);
    assertEquals(far.fetchAdd(0, 10).block(), 1);
    far.store(5, 9);
    pes.settle();
    assertEquals(far.compareExchange(5, 9, 8).block(), { ok: true, value: 9 });
    assertEquals([...own], [11, -2, 3, 4, -2, 8]);
  },
);

regionTest("Strided, indexed and batched operations reach a one-sided region", (newPes) => {
  using pes = newPes(2);
  const own = pes.all[0]!.regions.allocOneSided("u32", 6);
  const far = travel(own, pes.all[1]!).subRegion(1);
  far.putStrided(0, 2, new Uint32Array([1, 2]));
  far.putIndexed([1, 4], [3, 4]);
  far.batchAdd([0, 0, 4], 10);
  far.batchStore([3], 7);
  pes.settle();
  assertEquals([...own], [0, 21, 3, 2, 7, 14]);
  const target = new Uint32Array(2);
  far.getStrided(1, 3, target).block();
  assertEquals([...target], [3, 14]);
  assertEquals(far.gather([0, 4]).block(), new Uint32Array([21, 14]));
  assertEquals(far.getIndexed([2, 2]).block(), new Uint32Array([2, 2]));
  assertEquals(far.batchFetchAdd([1], 1).block(), new Uint32Array([3]));
  assertThrows(
    () => far.batchAdd([5], 1),
    RangeError,
    "Cannot batchAdd at index 5 (item 0) in one-sided region 1: the region has 5 elements",
  );
});

regionTest("Only the owner uses the data of a one-sided region directly", (newPes) => {
  using pes = newPes(2);
  const far = travel(pes.all[0]!.regions.allocOneSided("u8", 4), pes.all[1]!);
  const error = assertThrows(() => far.asSlice(), MemNotLocalError) as MemNotLocalError;
  assertInstanceOf(error, LamellarError);
  assertEquals([error.code, error.pe], ["ERR_MEM_NOT_LOCAL", 0]);
  assertEquals(
    error.message,
    "Cannot asSlice one-sided region 1 on PE 1: its data is on PE 0",
  );
  assertThrows(() => [...far], MemNotLocalError, "Cannot iterate over one-sided region 1");
  assertThrows(() => far.waitUntil(0, "==", 0), MemNotLocalError, "Cannot waitUntil");
  assertThrows(() => far.put(0, far), MemNotLocalError);
  assertThrows(() => far.put(4, 1), RangeError, "at index 4 into one-sided region 1 on PE 0");
});

regionTest("A one-sided region that its owner disposed is refused everywhere", (newPes) => {
  using pes = newPes(2);
  const [first, second] = pes.all as [Pe, Pe];
  const own = first.regions.allocOneSided("u8", 64);
  const far = travel(own, second);
  const late = encodeOneSided(own as unknown as OneSidedMemoryRegion<ElementType>);
  far.subRegion(0, 1).dispose();
  travel(own, second).dispose();
  travel(own, first).dispose();
  far.put(0, 1).block();
  own.dispose();
  assertThrows(
    () => far.put(0, 1).block(),
    ClosedError,
    "Cannot put into one-sided region 1: it was disposed by PE 0",
  );
  assertThrows(() => own.put(0, 1), ClosedError, "it was disposed");
  assertThrows(() => travel(own, second), ClosedError, "Cannot send one-sided region 1");
  const again = first.regions.allocOneSided("u8", 64);
  assertThrows(() => far.fetchAdd(0, 1).block(), ClosedError, "it was disposed by PE 0");
  for (const { regions } of pes.all) {
    const handle = regions.decodeOneSided(late);
    assertThrows(() => handle.blockingGet(0), ClosedError, "it was disposed by PE 0");
  }
  assertEquals([...again], [...new Uint8Array(64)]);
});

regionTest("A shared region travels to PEs that have not finished its allocation yet", (newPes) => {
  using pes = newPes(4);
  const handles = pes.all.map(({ regions }) => regions.allocShared("u16", 3));
  const [first, , , last] = pes.all as [Pe, Pe, Pe, Pe];
  // Two rounds: all PEs but the last may step until the first is through.
  for (let i = 0; i < 4; i++) for (const { progress } of pes.all.slice(0, 3)) progress.step();
  const region = handles[0]!.block();
  const numbers = encodeShared(region as never);
  for (const wrong of [64, numbers[3]! + 64]) {
    const text = `PE 0 has none at offset ${wrong}`;
    assertThrows(() => last.regions.decodeShared(numbers.with(3, wrong)), ProtocolError, text);
  }
  const early = last.regions.decodeShared(numbers);
  early.put(1, 0, 7 as never).block();
  const onward = pes.all[2]!.regions.decodeShared(encodeShared(early));
  assertEquals(onward.at(1, 0), 7 as never);
  pes.settle();
  const whole = handles[3]!.block();
  assert(whole.equals(early));
  assertEquals(whole.at(1, 0), 7);
  early.dispose();
  whole.put(0, 2, 9).block();
  assertEquals([...region], [0, 0, 9]);
  assertEquals(first.regions.decodeShared(encodeShared(region.subRegion(2) as never)).length, 1);
});

regionTest("A shared region that arrives where it was disposed is refused when used", (newPes) => {
  using pes = newPes(2);
  const [first, second] = pes.allocShared("u8", 3);
  const numbers = encodeShared(first as never);
  second!.dispose();
  const handle = pes.all[1]!.regions.decodeShared(numbers);
  assertThrows(
    () => handle.at(0),
    ClosedError,
    "Cannot get from region 1: it was disposed by PE 1",
  );
  assertThrows(() => encodeShared(second as never), ClosedError, "Cannot send region 1");
});

regionTest("Numbers that describe no region are refused", (newPes) => {
  using pes = newPes(2);
  const { regions } = pes.all[0]!;
  const [shared] = pes.allocShared("u8", 3);
  const good = encodeShared(shared as never);
  const own = encodeOneSided(regions.allocOneSided("u8", 3) as never);
  const cases = [[], good.slice(1), [99, ...good.slice(1)], [...good, 1]];
  for (let i = 0; i < good.length; i++) {
    for (const bad of [-1, -2, 0.5, NaN, 2 ** 60]) {
      // The group -1 is the world.
      if (good[i] !== bad) cases.push(good.with(i, bad));
    }
  }
  for (const numbers of cases) {
    assertThrows(() => regions.decodeShared(numbers), ProtocolError, "do not describe one");
  }
  for (let i = 0; i < own.length; i++) {
    assertThrows(
      () => regions.decodeOneSided(own.with(i, 0.5)),
      ProtocolError,
      "do not describe one",
    );
  }
});

regionTest("A handle that reaches beyond its region is refused", (newPes) => {
  using pes = newPes(2);
  const { regions } = pes.all[1]!;
  const [shared] = pes.allocShared("u16", 3);
  const numbers = encodeShared(shared as never);
  const text = "Cannot read the handle of region 1: it ends at byte 8 of 6";
  assertThrows(() => regions.decodeShared(numbers.with(4, 1)), ProtocolError, text);
  assertThrows(() => regions.decodeShared(numbers.with(5, 4)), ProtocolError, text);
  const own = encodeOneSided(pes.all[0]!.regions.allocOneSided("u16", 3) as never).with(5, 4);
  if (pes.all[1]!.lamella.isNear(0)) {
    assertThrows(() => regions.decodeOneSided(own), ProtocolError, text);
    return;
  }
  // A far owner looks at its own header at each use.
  const handle = regions.decodeOneSided(own);
  const refused = "from one-sided region 1: PE 0 finds no such elements in its memory";
  assertThrows(() => handle.at(3), ProtocolError, `Cannot get ${refused}`);
  assertThrows(() => handle.load(3).block(), ProtocolError, `Cannot load ${refused}`);
  assertEquals(handle.at(2), 0);
});
