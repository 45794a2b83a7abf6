import { assertEquals, assertThrows } from "@std/assert";
import { ELEMENTS } from "../../internal/elements.ts";
import { regionTest } from "../pes_test.ts";
import type { SharedMemoryRegion } from "../shared_region.ts";
import { type Any, arrayOf, copyOf, valuesOf } from "../values_test.ts";

for (const { type } of ELEMENTS.filter(({ kind }) => kind !== "boolean")) {
  regionTest(
    `Strided and indexed copies of ${type} reach the elements that are named`,
    (newPes) => {
      using pes = newPes(2);
      const [first, second] = pes.allocShared(type, 8) as Any[];
      first.putStrided(1, 1, 3, arrayOf(type, 1, 9, 2, 9, 3), 2);
      pes.settle();
      assertEquals(second.asSlice(), arrayOf(type, 0, 1, 0, 0, 2, 0, 0, 3));
      first.getStrided(1, 1, 3, first.subRegion(0, 3));
      pes.settle();
      assertEquals(first.asSlice(), arrayOf(type, 1, 2, 3, 0, 0, 0, 0, 0));
      first.putStrided(1, 0, 2, first.subRegion(0, 2));
      const target = arrayOf(type, 9, 9, 9);
      first.getStrided(1, 0, 2, target, 2);
      pes.settle();
      assertEquals(target, arrayOf(type, 1, 9, 2));
      const numbers = copyOf(type, 9, 9, 9, 9);
      first.getStrided(1, 0, 2, numbers, 3);
      pes.settle();
      assertEquals(numbers, copyOf(type, 1, 9, 9, 2));
      first.putStrided(1, 4, 1, copyOf(type, 7, 9, 0), 2);
      pes.settle();
      assertEquals(second.asSlice(), arrayOf(type, 1, 1, 2, 0, 7, 0, 0, 3));
      first.putIndexed(1, [7, 5], valuesOf(type, 4, 5));
      first.putIndexed(1, new Uint32Array([3, 6]), valuesOf(type, 8)[0]);
      assertEquals(
        first.getIndexed(1, new BigUint64Array([7n, 6n, 5n])).block(),
        copyOf(type, 4, 8, 5),
      );
      first.getIndexed(1, [3, 2], first.subRegion(6, 8));
      pes.settle();
      assertEquals(first.asSlice(), arrayOf(type, 1, 2, 3, 0, 0, 0, 8, 2));
      first.putStrided(1, 1, 4, copyOf(type, 5, 6, 9, 7, 8), 3, 2);
      pes.settle();
      assertEquals(second.asSlice(), arrayOf(type, 1, 5, 6, 8, 7, 7, 8, 4));
      const blocks = copyOf(type, 0, 0, 0, 9, 0, 0, 0);
      first.getStrided(1, 0, 5, blocks, 4, 3);
      pes.settle();
      assertEquals(blocks, copyOf(type, 1, 5, 6, 9, 7, 8, 4));
    },
  );
}

regionTest(
  "Blocks of all lengths and steps are copied, those too long for a request too",
  (newPes) => {
    using pes = newPes(2, 2 ** 22);
    const [region] = pes.allocShared("u32", 100_000) as [SharedMemoryRegion<"u32">];
    for (const block of [1, 2, 7, 1000, 20_000]) {
      for (
        const [stride, step] of [[block, block], [block + 3, block], [block, block + 2]] as const
      ) {
        const count = Math.min(4, Math.floor(90_000 / (block + 3)));
        const source = Uint32Array.from(
          { length: (count - 1) * step + block },
          (_, i) => i + block,
        );
        region.put(1, 0, new Uint32Array(100_000)).block();
        region.putStrided(1, 5, stride, source, step, block).block();
        const found = region.get(1, 0, 100_000).block();
        const expected = new Uint32Array(100_000);
        for (let i = 0; i < count; i++) {
          expected.set(source.subarray(i * step, i * step + block), 5 + i * stride);
        }
        assertEquals(
          found.every((value, i) => value === expected[i]),
          true,
          `${block} ${stride}`,
        );
        const back = new Uint32Array(source.length);
        region.getStrided(1, 5, stride, back, step, block).block();
        for (let i = 0; i < count; i++) {
          const at = i * step;
          assertEquals(back.subarray(at, at + block), source.subarray(at, at + block));
        }
      }
    }
  },
);

regionTest("Blocks that do not fit their steps, or end with the array, are refused", (newPes) => {
  using pes = newPes(1);
  const [region] = pes.allocShared("u32", 20) as [SharedMemoryRegion<"u32">];
  const array = (length: number): Uint32Array => new Uint32Array(length);
  const put = (...args: Any[]) => () => region.putStrided(0, ...args as [number, number, Any]);
  assertThrows(put(0, 2, array(6), 3, 3), RangeError, "blocks of 3 elements do not fit into steps");
  assertThrows(put(0, 3, array(6), 2, 3), RangeError, "do not fit into steps of 2");
  assertThrows(
    put(0, 4, array(5), 4, 3),
    RangeError,
    "5 elements ends in the middle of a block of 3",
  );
  assertThrows(put(0, 4, array(7), 4, 0), RangeError, "the length of a block must be an integer");
  assertThrows(put(15, 4, array(6), 3, 3), RangeError, "the region has 20 elements");
  assertEquals([...region].every((value) => value === 0), true);
});
