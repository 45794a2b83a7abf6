/**
 * Payloads and results from nothing to far more than a ring.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { am, u32, u8Array } from "../../../mod.ts";
import { type Case, rightOf, several } from "../case.ts";

const Checksum = am("sizes.Checksum", { data: u8Array }, (self) => checksum(self.data));
const Pattern = am(
  "sizes.Pattern",
  { bytes: u32, salt: u32 },
  (self) => pattern(self.bytes, self.salt),
);
const Mirror = am("sizes.Mirror", { data: u8Array }, (self) => self.data, { returns: u8Array });
const MirrorPack = am("sizes.MirrorPack", (self: { data: Uint8Array; note: string }) => self);

function pattern(bytes: number, salt: number): Uint8Array {
  const data = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) data[i] = Math.imul(i + salt, 0x9e3779b1) >>> 13;
  return data;
}

/** FNV-1a; a byte that is missing, twice, or elsewhere shows. */
function checksum(data: Uint8Array): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < data.length; i++) value = Math.imul(value ^ data[i]!, 0x01000193);
  return value >>> 0;
}

/** Around every power of two lies the limit of something: a frame, a part, a ring. */
function sizesUpTo(bytesMax: number): number[] {
  const sizes = [0, 1, 2, 7, 8, 9];
  for (let power = 64; power <= bytesMax; power *= 2) {
    for (const offset of [-40, -33, -32, -25, -24, -17, -16, -8, -1, 0, 1, 8, 16]) {
      sizes.push(power + offset);
    }
  }
  return sizes;
}

/** The cases of row AM-10 that concern sizes. */
export const AM_SIZE_CASES: readonly Case[] = [
  {
    name: "Payloads and results of any size around the limits of frames and rings arrive whole",
    async run(world) {
      const right = rightOf(world);
      for (const size of sizesUpTo(1 << 19)) {
        const data = pattern(size, world.myPe);
        assertEquals(await world.execAmPe(right, Checksum({ data })), checksum(data), `${size} up`);
        const back = await world.execAmPe(right, Pattern({ bytes: size, salt: world.myPe }));
        assertEquals(checksum(back), checksum(data), `${size} back`);
      }
    },
  },
  {
    name: "Payloads of all sizes at once, in both directions, arrive whole",
    async run(world, t) {
      const sizes = sizesUpTo(1 << 17).filter(() => t.random() < 0.5);
      const handles = sizes.map((size, i) => {
        const data = pattern(size, i);
        return world.execAmPe((world.myPe + i) % world.numPes, Mirror({ data }));
      });
      const results = await Promise.all(handles);
      results.forEach((data, i) => {
        assertEquals(data.length, sizes[i]);
        assertEquals(checksum(data), checksum(pattern(sizes[i]!, i)), `${sizes[i]} bytes`);
      });
    },
  },
  {
    name: "block() sends and receives payloads larger than a ring",
    run(world) {
      const data = pattern(3_000_001, world.myPe);
      assertEquals(world.execAmPe(rightOf(world), Checksum({ data })).block(), checksum(data));
      const back = world.execAmPe(rightOf(world), Mirror({ data })).block();
      assertEquals(checksum(back), checksum(data));
    },
  },
  {
    name: "Every PE sends payloads larger than a ring to every PE at the same time",
    async run(world) {
      const data = pattern(2_000_003, world.myPe);
      const rounds = 4;
      const handles = Array.from({ length: rounds }, () => world.execAmAll(Checksum({ data })));
      const expected = new Array(world.numPes).fill(checksum(data));
      for (const results of await Promise.all(handles)) assertEquals(results, expected);
    },
  },
  {
    name: "MessagePack payloads larger than a ring arrive whole",
    async run(world) {
      const self = { data: pattern(1_500_000, 3), note: "n".repeat(500_000) };
      const back = await world.execAmPe(rightOf(world), MirrorPack(self));
      assertEquals(checksum(back.data), checksum(self.data));
      assertEquals(back.note, self.note);
    },
  },
  {
    name: "100 MiB arrive whole, both ways",
    pes: (numPes) => several(numPes) && numPes === 2,
    limitMs: 60_000,
    async run(world) {
      const bytes = 100 * 2 ** 20;
      if (world.myPe === 0) {
        const data = pattern(bytes, 1);
        const expected = checksum(data);
        assertEquals(await world.execAmPe(1, Checksum({ data })), expected);
        assertEquals(checksum(await world.execAmPe(1, Mirror({ data }))), expected);
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "100 MiB cross in both directions at the same time",
    pes: (numPes) => numPes === 2,
    limitMs: 60_000,
    async run(world) {
      const data = pattern(100 * 2 ** 20, 1 + world.myPe);
      assertEquals(await world.execAmPe(1 - world.myPe, Checksum({ data })), checksum(data));
    },
  },
];
