import { assert, assertEquals, assertThrows } from "@std/assert";
import { EXCHANGE_AREA_BYTES, PES_MAX } from "../../internal/limits.ts";
import { stagingBytes } from "../../internal/staging.ts";
import {
  BLOCK,
  blockOf,
  createMemory,
  defaultRingBytes,
  exchangeOf,
  HEADER,
  heapOf,
  type Layout,
  layoutFor,
  MEMORY_BYTES_MAX,
  OPEN,
  RING_HEADER_BYTES,
  ringHeaderOf,
  ringOf,
  stagingOf,
} from "./layout.ts";

/** Every part of the memory: where it begins and ends. */
function partsOf(layout: Layout): { at: number; end: number }[] {
  const { numPes, ringBytes, segmentBytes } = layout;
  const { firstPe, nearPes, network, networkBytes } = layout;
  const parts = [{ at: 0, end: HEADER.failureText + 16 * 1024 }];
  parts.push({ at: network, end: network + networkBytes });
  parts.push({ at: layout.open, end: layout.open + OPEN.ask + 64 });
  for (let pe = 0; pe < numPes; pe++) {
    const exchange = exchangeOf(layout, pe, 0);
    parts.push({ at: exchange, end: exchangeOf(layout, pe, 1) + EXCHANGE_AREA_BYTES });
  }
  const clients = Array.from({ length: layout.clients }, (_, i) => numPes + i);
  const own = Array.from({ length: nearPes }, (_, i) => firstPe + i);
  for (const pe of [...own, ...clients]) {
    const block = blockOf(layout, pe);
    parts.push({ at: block, end: block + BLOCK.scratch + 2048 });
    const staging = stagingOf(layout, pe);
    parts.push({ at: staging, end: staging + stagingBytes(numPes) });
    if (pe < numPes) {
      parts.push({ at: heapOf(layout, pe), end: heapOf(layout, pe) + segmentBytes });
    }
    for (let other = 0; other < layout.nodes; other++) {
      const header = ringHeaderOf(layout, pe, other);
      parts.push({ at: header, end: header + RING_HEADER_BYTES });
      parts.push({ at: ringOf(layout, pe, other), end: ringOf(layout, pe, other) + ringBytes });
    }
  }
  return parts.sort((a, b) => a.at - b.at);
}

/** As of the last process of a world of two PEs a process. */
function layoutOfShare(processes: number, ringBytes: number, heapBytes: number): Layout {
  const numPes = 2 * processes;
  const share = { numPes, firstPe: numPes - 2, nearPes: 2, networkBytes: 12_345 };
  return layoutFor(share, ringBytes, heapBytes);
}

Deno.test("Nothing in a layout overlaps, and everything stands on a cache line", () => {
  for (const numPes of [1, 2, 3, 7, 16, 64]) {
    for (const [ring, heap] of [[0, 65536], [4096, 1], [1 << 16, 1 << 20]] as const) {
      const share = { numPes, firstPe: 0, nearPes: numPes, networkBytes: 0, clients: 1 };
      const layouts = [
        layoutFor(numPes, ring, heap),
        layoutOfShare(numPes, ring, heap),
        layoutFor(share, ring, heap),
      ];
      for (const layout of layouts) {
        let end = 0;
        for (const part of partsOf(layout)) {
          assert(part.at >= end, `${numPes} PEs: a part at ${part.at} before ${end}`);
          assertEquals(part.at % 64, 0);
          end = part.end;
        }
        assertEquals(end, layout.totalBytes);
      }
    }
  }
});

Deno.test("Without a heap size the PEs share evenly what 32-bit addresses leave", () => {
  for (const numPes of [1, 2, 5, 64, PES_MAX]) {
    const layout = layoutFor(numPes, 0, 0);
    assert(!layout.memory64);
    assert(layout.totalBytes <= 2 ** 32);
    assert(layout.totalBytes > 2 ** 32 - (numPes + 1) * 65536, `${layout.totalBytes}`);
  }
});

Deno.test("Rings get smaller as there are more PEs, within their limits", () => {
  const sizes = [1, 2, 16, 17, 32, 64, PES_MAX].map((numPes) => defaultRingBytes(numPes * numPes));
  assertEquals(sizes, [262144, 262144, 262144, 131072, 65536, 16384, 16384]);
});

Deno.test("layoutFor() refuses numbers and sizes out of range, and says which are not", () => {
  for (const numPes of [0, -1, 1.5, NaN, PES_MAX + 1]) {
    assertThrows(
      () => layoutFor(numPes, 0, 0),
      RangeError,
      `Cannot lay out ${numPes} PEs: the number must be 1 to ${PES_MAX}`,
    );
  }
  for (const ring of [1, 2048, 4095, 5000, -4096, 6144]) {
    assertThrows(() => layoutFor(2, ring, 0), RangeError, "a power of two from 4096");
  }
  const error = assertThrows(() => layoutFor(PES_MAX, 1 << 16, 0), RangeError);
  assert(error.message.includes("rings of 65536 bytes with 256 PEs"), error.message);
});

Deno.test("A memory of more than 4 GiB has 64-bit addresses, one of 4 GiB has not", () => {
  const small = layoutFor(2, 0, 0);
  const exact = layoutFor(2, 0, small.heapBytes);
  assertEquals([exact.memory64, exact.totalBytes], [false, small.totalBytes]);
  const large = layoutFor(2, 0, small.heapBytes + 65536 * 2);
  assert(large.memory64 && large.totalBytes > 2 ** 32);
  assertEquals(createMemory(large).buffer.byteLength, large.totalBytes);
});

Deno.test("createMemory() says which heap fits where one process cannot have so much", () => {
  const error = assertThrows(() => createMemory(layoutFor(2, 0, 2 ** 50)), RangeError);
  assert(error.message.includes("heap of 1125899906842624 bytes each"), error.message);
  assert(error.cause !== undefined);
  const fits = Number(
    /lower LAMELLAR_HEAP_SIZE \(--heap\) to (\d+) at most/.exec(error.message)?.[1],
  );
  assert(layoutFor(2, 0, fits).totalBytes <= MEMORY_BYTES_MAX);
  assert(layoutFor(2, 0, fits + 65536).totalBytes > MEMORY_BYTES_MAX);
});
