import { assert, assertEquals, assertThrows } from "@std/assert";
import { OutOfMemoryError } from "../internal/errors.ts";
import { randomizer } from "../internal/kernels_test_bench.ts";
import { ALLOCATION_ALIGN, HEAP_PAGE_BYTES, PAGED_BYTES_MIN } from "../internal/limits.ts";
import { SegmentHeap } from "./segment_heap.ts";
import { newSeed } from "../internal/random_test_numbers.ts";

const LINE = ALLOCATION_ALIGN;

/** A heap of free blocks of the given lines each, with one used line between them. */
function withGaps(lines: readonly number[]): { heap: SegmentHeap; gaps: number[] } {
  const total = lines.reduce((sum, n) => sum + n + 1, 0);
  const heap = new SegmentHeap(4, total * LINE);
  const gaps = lines.map((n) => {
    const gap = heap.allocate(n * LINE);
    heap.allocate(1);
    return gap;
  });
  for (const gap of gaps) heap.release(gap);
  return { heap, gaps };
}

Deno.test("SegmentHeap takes whole cache lines, at least one", () => {
  const heap = new SegmentHeap(0, 16 * LINE);
  assertEquals([0, 1, LINE, LINE + 1].map((bytes) => heap.allocate(bytes)), [
    0,
    LINE,
    2 * LINE,
    3 * LINE,
  ]);
  assertEquals(heap.freeBytes, 11 * LINE);
  assertEquals(heap.capacity, 16 * LINE);
});

Deno.test("SegmentHeap takes the smallest free block that is large enough", () => {
  const { heap, gaps } = withGaps([5, 2, 3, 9]);
  assertEquals(heap.allocate(3 * LINE), gaps[2]);
  assertEquals(heap.allocate(2 * LINE), gaps[1]);
  assertEquals(heap.allocate(4 * LINE), gaps[0]);
  assertEquals(heap.allocate(1), gaps[0]! + 4 * LINE);
  assertEquals(heap.allocate(9 * LINE), gaps[3]);
  assertThrows(() => heap.allocate(1), OutOfMemoryError);
});

Deno.test("SegmentHeap puts the elements of a large range on a page, and loses nothing", () => {
  const heap = new SegmentHeap(0, 4 * PAGED_BYTES_MIN);
  const head = 2 * LINE;
  assertEquals(heap.allocate(head + PAGED_BYTES_MIN - 1, { head }), 0);
  const large = heap.allocate(head + PAGED_BYTES_MIN, { head });
  assertEquals(large, PAGED_BYTES_MIN + HEAP_PAGE_BYTES - head);
  const gap = HEAP_PAGE_BYTES - 2 * head;
  assertEquals(heap.allocate(gap), PAGED_BYTES_MIN + head);
  assertEquals(heap.freeBytes, 2 * PAGED_BYTES_MIN - HEAP_PAGE_BYTES);
});

Deno.test("SegmentHeap gives a large range to a block without room for the page's begin", () => {
  const heap = new SegmentHeap(0, PAGED_BYTES_MIN + 2 * LINE);
  assertEquals(heap.allocate(LINE), 0);
  assertEquals(heap.allocate(PAGED_BYTES_MIN + LINE, { head: LINE }), LINE);
  assertEquals(heap.freeBytes, 0);
});

Deno.test("SegmentHeap joins what is freed with the free blocks before and after it", () => {
  for (const order of [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]) {
    const heap = new SegmentHeap(0, 3 * LINE);
    const blocks = [0, 1, 2].map(() => heap.allocate(LINE));
    for (const i of order) heap.release(blocks[i]!);
    assertEquals(heap.allocate(3 * LINE), 0, `freed in the order ${order}`);
  }
});

Deno.test("A full SegmentHeap says how much was asked for, is free and was configured", () => {
  const { heap } = withGaps([2, 3]);
  const error = assertThrows(() => heap.allocate(4 * LINE), OutOfMemoryError);
  assertEquals(
    error.message,
    "Cannot allocate 256 bytes on PE 4: 320 bytes are free (192 in one piece) of the 448 " +
      "configured; raise LAMELLAR_HEAP_SIZE",
  );
  assertEquals([error.pe, error.op, error.code], [4, "allocate", "ERR_OUT_OF_MEMORY"]);
  assertEquals(heap.freeBytes, 5 * LINE);
  const empty = assertThrows(() => new SegmentHeap(0, 0).allocate(0), OutOfMemoryError);
  assert(empty.message.includes("0 bytes are free (0 in one piece) of the 0"), empty.message);
});

Deno.test("SegmentHeap refuses to free twice, or what it never gave", () => {
  const heap = new SegmentHeap(1, 4 * LINE);
  const block = heap.allocate(2 * LINE);
  assertThrows(() => heap.release(block + LINE), RangeError, "Cannot free offset 64 on PE 1");
  heap.release(block);
  assertThrows(() => heap.release(block), RangeError, "nothing is allocated there");
  assertEquals(heap.freeBytes, 4 * LINE);
  assertEquals(heap.allocate(4 * LINE), 0);
});

Deno.test("SegmentHeap neither overlaps nor loses anything in a random run", () => {
  const seed = newSeed();
  const below = randomizer(seed);
  const lines = 300;
  const heap = new SegmentHeap(0, lines * LINE);
  const owner = new Int32Array(lines);
  const blocks = new Map<number, { offset: number; lines: number }>();
  let next = 1;
  for (let i = 0; i < 20_000; i++) {
    const context = `seed ${seed}, step ${i}`;
    if (below(2) === 0 && blocks.size > 0) {
      const id = [...blocks.keys()][below(blocks.size)]!;
      const block = blocks.get(id)!;
      blocks.delete(id);
      heap.release(block.offset);
      const own = owner.subarray(block.offset / LINE, block.offset / LINE + block.lines);
      assert(own.every((who) => who === id), context);
      own.fill(0);
    } else {
      const bytes = below(20 * LINE);
      const need = Math.max(1, Math.ceil(bytes / LINE));
      const gap = smallestGap(owner, need);
      if (gap < 0) {
        assertThrows(() => heap.allocate(bytes), OutOfMemoryError, undefined, context);
      } else {
        const offset = heap.allocate(bytes);
        const own = owner.subarray(offset / LINE, offset / LINE + need);
        assert(offset % LINE === 0 && own.length === need, context);
        assert(own.every((who) => who === 0), `overlap: ${context}`);
        // Best fit: no other gap that is large enough is smaller.
        assertEquals(gapAt(owner, offset / LINE), gap, context);
        own.fill(next);
        blocks.set(next++, { offset, lines: need });
      }
    }
    assertEquals(heap.freeBytes, owner.filter((who) => who === 0).length * LINE, context);
  }
  for (const { offset } of blocks.values()) heap.release(offset);
  assertEquals(heap.allocate(lines * LINE), 0, `seed ${seed}`);
});

/** Lines of the gap that begins at a line. */
function gapAt(owner: Int32Array, line: number): number {
  let end = line;
  while (end < owner.length && owner[end] === 0) end++;
  return end - line;
}

/** Lines of the smallest gap of at least as many, -1 if there is none. */
function smallestGap(owner: Int32Array, need: number): number {
  let best = -1;
  for (let line = 0; line < owner.length; line++) {
    const gap = gapAt(owner, line);
    if (gap >= need && (best < 0 || gap < best)) best = gap;
    line += gap;
  }
  return best;
}

Deno.test("SegmentHeap.allocate() has only memory cleared that was given out before", () => {
  const heap = new SegmentHeap(0, 1024);
  const cleared: [number, number][] = [];
  const clear = (offset: number, bytes: number): number => cleared.push([offset, bytes]);
  const first = heap.allocate(128, { clear });
  const second = heap.allocate(64, { clear });
  assertEquals(cleared, []);
  heap.release(second);
  heap.release(first);
  assertEquals(heap.allocate(320, { clear }), 0);
  assertEquals(cleared, [[0, 192]]);
});
