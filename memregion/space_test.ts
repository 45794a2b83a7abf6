import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { OutOfMemoryError } from "../internal/errors.ts";
import type { FarLamella } from "./far_lamella_test.ts";
import { Pes, regionTest } from "./pes_test.ts";
import type { SharedMemoryRegion } from "./shared_region.ts";

const HEAP_BYTES = 1 << 16;
/** Of the heap, so that there is no room for two. */
const MOST = 600 * 64;

regionTest("What all PEs disposed is room for the next region, whoever comes first", (newPes) => {
  using pes = newPes(4, HEAP_BYTES);
  const held = pes.allocShared("u8", MOST);
  for (let round = 0; round < 12; round++) {
    const handles = pes.all.map(() => undefined as unknown as ReturnType<typeof alloc>);
    const alloc = (pe: number) => pes.all[pe]!.regions.allocShared("u8", MOST);
    for (let i = 0; i < 4; i++) {
      const pe = (i * 3 + round) % 4;
      held[pe]!.put((pe + 1) % 4, 0, pe + 1);
      held[pe]!.dispose();
      handles[pe] = alloc(pe);
      // All that PE can do before the next one comes.
      for (let step = 0; step < 5; step++) pes.all[pe]!.progress.step();
    }
    pes.settle();
    handles.forEach((handle, pe) => held[pe] = handle.block());
    assert(held.every((region) => region.at(0) === 0), `round ${round}`);
  }
});

regionTest("A region that no PE has room for fails on all alike, and leaves nothing", (newPes) => {
  using pes = newPes(3, HEAP_BYTES);
  const before = pes.all.map(({ lamella }) => lamella.heap.freeBytes);
  // One PE has less room than the others.
  const own = pes.all[1]!.regions.allocOneSided("u8", MOST);
  for (let round = 0; round < 2; round++) {
    const handles = pes.all.map(({ regions }) => regions.tryAllocShared("u8", MOST));
    // Others may be called meanwhile, sooner or later on each PE.
    const behind = [pes.all[0]!.regions.allocShared("u8", 64)];
    pes.settle();
    behind.push(...[1, 2].map((pe) => pes.all[pe]!.regions.allocShared("u8", 64)));
    pes.settle();
    const results = handles.map((handle) => handle.block());
    const texts = results.map((result) => {
      assert(!result.ok);
      assertInstanceOf(result.error, OutOfMemoryError);
      return result.error.message;
    });
    assertEquals(new Set(texts).size, 1);
    assertEquals(results.map((result) => !result.ok && result.error.pe), [1, 1, 1]);
    behind.forEach((handle) => handle.block().dispose());
    pes.settle();
  }
  own.dispose();
  pes.allocShared("u8", MOST).forEach((region) => region.dispose());
  pes.settle();
  // What is left is found to be free by the next to allocate.
  pes.all.forEach(({ regions }) => regions.allocOneSided("u8", 1).dispose());
  assertEquals(pes.all.map(({ lamella }) => lamella.heap.freeBytes), before);
});

Deno.test("A one-sided region waits for its predecessor's last transfers, not longer", () => {
  const seed = Number(Deno.env.get("TEST_SEED") ?? Date.now() % 2 ** 31);
  using pes = new Pes(2, HEAP_BYTES, { pesPerProcess: 1, seed });
  const [shared] = pes.allocShared("u8", 64) as [SharedMemoryRegion<"u8">];
  const { regions, lamella } = pes.all[0]!;
  for (let round = 0; round < 20; round++) {
    const own = regions.allocOneSided("u8", MOST);
    shared.put(1, 0, own.subRegion(0, 64));
    own.dispose();
    assert((lamella as FarLamella).open > 0, `seed ${seed}`);
  }
  regions.allocOneSided("u8", MOST);
  assertThrows(() => regions.allocOneSided("u8", MOST), OutOfMemoryError);
});
