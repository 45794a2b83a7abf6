/**
 * Floods: more AMs than the rings hold, from all to all, with nobody awaiting.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { am, f64Array, u32, u8Array } from "../../../mod.ts";
import { type Case, rightOf } from "../case.ts";

let count = 0;
let sum = 0;
let told = 0;
const seen: Uint8Array[] = [];

function reset(): void {
  count = 0;
  sum = 0;
  told = 0;
  seen.length = 0;
}

const Hit = am("flood.Hit", { n: u32 }, (self) => {
  count++;
  sum += self.n;
});
const HitBack = am("flood.HitBack", { n: u32 }, (self) => self.n);
const Mark = am("flood.Mark", { from: u32, n: u32 }, (self) => {
  const bits = seen[self.from] ??= new Uint8Array(1 << 17);
  bits[self.n]!++;
});
const Spread = am("flood.Spread", { depth: u32, width: u32 }, (self, lamellar) => {
  count++;
  if (self.depth === 0) return;
  const { world, currentPe, numPes } = lamellar;
  for (let i = 0; i < self.width; i++) {
    world.execAmPe(
      (currentPe + i + 1) % numPes,
      Spread({ depth: self.depth - 1, width: self.width }),
    );
  }
});
const SpreadLater = am(
  "flood.SpreadLater",
  { depth: u32 },
  async (self, lamellar): Promise<number> => {
    if (self.depth === 0) return 1;
    let total = 1;
    const handles = [1, 2, 3].map((i) =>
      lamellar.world.execAmPe(
        (lamellar.currentPe + i) % lamellar.numPes,
        SpreadLater({ depth: self.depth - 1 }),
      )
    );
    for (const handle of handles) total += await handle;
    return total;
  },
);
const SpreadData = am("flood.SpreadData", { depth: u32, data: u8Array }, (self, lamellar) => {
  count++;
  if (self.depth === 0) return;
  for (let pe = 0; pe < lamellar.numPes; pe++) {
    lamellar.world.execAmPe(pe, SpreadData({ depth: self.depth - 1, data: self.data }));
  }
});
const Large = am(
  "flood.Large",
  { length: u32 },
  (self, lamellar) => new Float64Array(self.length).fill(lamellar.currentPe + 0.5),
  { returns: f64Array },
);
const PingPong = am("flood.PingPong", { left: u32, from: u32 }, (self, lamellar) => {
  count++;
  if (self.left === 0) return;
  const { world, currentPe } = lamellar;
  world.execAmPe(self.from, PingPong({ left: self.left - 1, from: currentPe }));
});

/**
 * Handlers launch on behalf of their PE, so one round is not enough to see the end of all of them.
 */
const ROUNDS_MAX = 64;

/** The flood cases: full rings in all directions must neither deadlock nor lose anything. */
export const FLOOD_CASES: readonly Case[] = [
  {
    name: "Every PE floods every other with AMs that nobody awaits, and each runs exactly once",
    limitMs: 60_000,
    async run(world) {
      reset();
      await world.asyncBarrier();
      const each = floodSize(world.numPes);
      for (let n = 0; n < each; n++) {
        for (let pe = 0; pe < world.numPes; pe++) {
          if (pe !== world.myPe) world.execAmPe(pe, Hit({ n }));
        }
      }
      world.waitAll();
      world.barrier();
      assertEquals(count, each * (world.numPes - 1));
      assertEquals(sum, (each * (each - 1) / 2) * (world.numPes - 1));
    },
  },
  {
    name: "A flood whose results come back is answered completely",
    limitMs: 60_000,
    async run(world) {
      const each = Math.ceil(floodSize(world.numPes) / 10);
      const handles = Array.from(
        { length: each },
        (_, n) => world.execAmPe((world.myPe + 1 + n) % world.numPes, HitBack({ n })),
      );
      const results = await Promise.all(handles);
      results.forEach((n, i) => assertEquals(n, i));
    },
  },
  {
    name: "No AM of a flood runs twice and none is lost",
    async run(world) {
      reset();
      await world.asyncBarrier();
      const each = Math.min(1 << 17, Math.ceil(floodSize(world.numPes) / 4));
      for (let n = 0; n < each; n++) {
        for (let pe = 0; pe < world.numPes; pe++) {
          world.execAmPe(pe, Mark({ from: world.myPe, n }));
        }
        if (n % 1000 === world.myPe) await undefined;
      }
      await world.awaitAll();
      await world.asyncBarrier();
      for (let from = 0; from < world.numPes; from++) {
        const bits = seen[from]!;
        for (let n = 0; n < bits.length; n++) {
          if (bits[n] !== (n < each ? 1 : 0)) {
            assertEquals(bits[n], n < each ? 1 : 0, `${from}, ${n}`);
          }
        }
      }
    },
  },
  {
    name: "A PE that floods itself runs every AM",
    async run(world) {
      reset();
      await world.asyncBarrier();
      for (let n = 0; n < 100_000; n++) world.execAmPe(world.myPe, Hit({ n: 1 }));
      world.waitAll();
      assertEquals(sum, 100_000);
    },
  },
  {
    name: "Handlers that send AMs to others, which do the same, all run",
    limitMs: 60_000,
    async run(world) {
      reset();
      await world.asyncBarrier();
      const [depth, width] = [6, 4];
      world.execAmPe(rightOf(world), Spread({ depth, width }));
      const each = (width ** (depth + 1) - 1) / (width - 1);
      await world.awaitAll();
      await quiet(world, each * world.numPes);
    },
  },
  {
    name: "Async handlers that send AMs and await them all end",
    limitMs: 60_000,
    async run(world) {
      const depth = 6;
      const total = await world.execAmPe(rightOf(world), SpreadLater({ depth }));
      assertEquals(total, (3 ** (depth + 1) - 1) / 2);
    },
  },
  {
    name: "Handlers that send large payloads on to everyone fill no ring for ever",
    limitMs: 60_000,
    async run(world) {
      reset();
      await world.asyncBarrier();
      const data = new Uint8Array(world.numPes <= 4 ? 50_000 : 10_000);
      world.execAmAll(SpreadData({ depth: 2, data }));
      await world.awaitAll();
      const n = world.numPes;
      await quiet(world, n * n * (1 + n + n * n));
    },
  },
  {
    name: "Results larger than a ring come back from all PEs to all PEs at once",
    limitMs: 60_000,
    async run(world) {
      const length = world.numPes <= 4 ? 200_000 : 50_000;
      const handles = Array.from({ length: 3 }, () => world.execAmAll(Large({ length })));
      for (const results of await Promise.all(handles)) {
        results.forEach((data, pe) => {
          assertEquals([data.length, data[0], data[length - 1]], [length, pe + 0.5, pe + 0.5]);
        });
      }
    },
  },
  {
    name: "Chains of AMs that answer each other end where they should",
    async run(world) {
      reset();
      await world.asyncBarrier();
      const [chains, left] = [50, 99];
      for (let i = 0; i < chains; i++) {
        world.execAmPe((world.myPe + i) % world.numPes, PingPong({ left, from: world.myPe }));
      }
      await world.awaitAll();
      await quiet(world, chains * (left + 1) * world.numPes);
    },
  },
  {
    name: "A PE that only blocks serves a flood of the others",
    async run(world) {
      reset();
      await world.asyncBarrier();
      const each = Math.ceil(floodSize(world.numPes) / 20);
      if (world.myPe !== 0) {
        for (let n = 0; n < each; n++) world.execAmPe(0, Hit({ n: 1 }));
        world.waitAll();
      }
      world.barrier();
      assertEquals(count, world.myPe === 0 ? each * (world.numPes - 1) : 0);
    },
  },
];

function floodSize(numPes: number): number {
  return numPes <= 4 ? 200_000 : 40_000;
}

const Count = am("flood.Count", {}, () => count);
const Tell = am("flood.Tell", { total: u32 }, (self) => {
  told = self.total;
});

/** Waits until all PEs together have counted so many; fails if they count more, or stop before. */
async function quiet(
  world: Parameters<Case["run"]>[0],
  expected: number,
): Promise<void> {
  let total = 0;
  let stalled = 0;
  while (stalled < ROUNDS_MAX) {
    await world.awaitAll();
    await world.asyncBarrier();
    // All have to see the same number, or some would go on to the next case before the others.
    if (world.myPe === 0) {
      const counts = await world.execAmAll(Count({}));
      await world.execAmAll(Tell({ total: counts.reduce((all, n) => all + n) }));
    }
    await world.asyncBarrier();
    stalled = told === total ? stalled + 1 : 0;
    total = told;
    if (total === expected && stalled > 2) break;
  }
  assertEquals(total, expected);
}
