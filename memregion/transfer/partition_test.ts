import { assert, assertEquals } from "@std/assert";
import { Distribution } from "../../internal/distribution.ts";
import { Partition } from "./partition.ts";

/** Sorts a list with a partition, in blocks; returns what came to each part, by item. */
function sorted(
  list: readonly number[],
  parts: number,
  length: number,
  itemsMax: number,
): { done: number; found: [part: number, index: number, item: number][] } {
  const partition = new Partition(new Distribution("block", parts, parts * length), itemsMax);
  const found: [number, number, number][] = [];
  const take = (part: number): void => {
    const { places, items } = partition.take(part);
    assert(items.length > 0 && items.length <= itemsMax);
    items.forEach((item, i) => found.push([part, places[i]!, item]));
  };
  let done = 0;
  for (let from = 0; from < list.length; from += 7) {
    const block = Float64Array.from(list.slice(from, from + 7));
    const added = partition.add(block, from, take);
    done += added;
    if (added < block.length) break;
  }
  for (let part = 0; part < parts; part++) if (partition.waits(part)) take(part);
  return { done, found };
}

Deno.test("Items come to the parts of their elements, each part's in the order of the list", () => {
  for (const [parts, length, itemsMax] of [[1, 10, 3], [3, 5, 2], [4, 2 ** 33, 100], [2, 1, 1]]) {
    const list = Array.from({ length: 50 }, (_, i) => (i * 7919 * length!) % (parts! * length!));
    const { done, found } = sorted(list, parts!, length!, itemsMax!);
    assertEquals(done, list.length);
    assertEquals(
      found.toSorted((a, b) => a[2] - b[2]).map(([part, index, item]) => [
        part * length! + index,
        item,
      ]),
      list.map((index, item) => [index, item]),
    );
    for (let part = 0; part < parts!; part++) {
      const items = found.filter(([of]) => of === part).map(([, , item]) => item);
      assertEquals(items, items.toSorted((a, b) => a - b));
    }
  }
});

Deno.test("An index beyond the last part ends it, with all before it in their parts", () => {
  const { done, found } = sorted([0, 5, 9, 3, 10, 1], 2, 5, 10);
  assertEquals(done, 4);
  assertEquals(found.toSorted((a, b) => a[2] - b[2]), [[0, 0, 0], [1, 0, 1], [1, 4, 2], [0, 3, 3]]);
});

Deno.test("Many parts have room for less each", () => {
  const roomOf = (parts: number): number =>
    new Partition(new Distribution("block", parts, 10 * parts), 4000).room;
  assertEquals([roomOf(2), roomOf(4096), roomOf(100_000)], [4000, 128, 64]);
});

Deno.test("Uneven blocks, cyclic parts and ranges are sorted as they are distributed", () => {
  for (const kind of ["block", "cyclic"] as const) {
    for (const [parts, whole] of [[3, 50], [4, 41], [7, 5]] as const) {
      const distribution = new Distribution(kind, parts, whole, 2, whole - 3);
      const partition = new Partition(distribution, 1000);
      const list = Uint32Array.from({ length: 40 }, (_, i) => (i * 7) % (whole - 3));
      assertEquals(partition.add(list, 0, () => {}), 40);
      assertEquals(partition.add(Uint32Array.of(whole - 3), 40, () => {}), 0);
      for (let part = 0; part < parts; part++) {
        const { places, items } = partition.take(part);
        const wanted = [...list.keys()].filter((item) => distribution.partOf(list[item]!) === part);
        assertEquals([...items], wanted);
        assertEquals([...places], wanted.map((item) => distribution.placeOf(list[item]!, part)));
      }
    }
  }
});
