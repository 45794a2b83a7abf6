/**
 * The order in which other PEs see what one PE does at several of them, and its completion.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { am, region as regionOf, u32 } from "../../../mod.ts";
import { type Case, rightOf } from "../case.ts";

const MarkAndTell = am(
  "order.MarkAndTell",
  { data: regionOf("u32"), value: u32 },
  (self, lamellar) => {
    const { data, value } = self;
    const pe = (lamellar.currentPe + 1) % lamellar.numPes;
    data.putUnmanaged(pe, 2, value);
    lamellar.world.quiet().block();
    return data.at(pe, 2);
  },
);

/** The cases of `fence` and `quiet`. */
export const REGION_ORDER_CASES: readonly Case[] = [
  {
    name: "What is started behind fence() is seen by no PE before what was started ahead of it",
    pes: (numPes) => numPes >= 3,
    async run(world) {
      const many = 500_000;
      using data = await world.allocSharedMemRegion("u32", many + 1);
      const { myPe } = world;
      const rounds = 60;
      if (myPe === 0) {
        for (let i = 1; i <= rounds; i++) {
          data.store(2, 0, i);
          // Slow enough to be overtaken.
          if (i % 3 === 0) data.put(2, 1, new Uint32Array(many).fill(i));
          if (i % 2 === 0) await world.fence();
          else world.fence().block();
          data.store(1, 0, i);
        }
      } else if (myPe === 1) {
        for (let seen = 0; seen < rounds;) {
          seen = await data.load(1, 0);
          const [last, at] = [data.at(2, many), await data.load(2, 0)];
          assert(at >= seen && last >= seen - seen % 3, `${at} and ${last} at ${seen}`);
        }
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "Whatever was started is at its target once quiet() is complete",
    async run(world) {
      using data = await world.allocSharedMemRegion("u32", 100_000);
      using sums = await world.allocSharedMemRegion("f64", 10);
      const pe = rightOf(world);
      // Whom nobody else writes to: what was read is what this PE put there.
      for (let i = 1; i <= 40; i++) {
        const filled = new Uint32Array(i % 5 === 0 ? 50_000 : 100).fill(i);
        const got = new Uint32Array(50_000);
        data.putUnmanaged(pe, 0, filled);
        data.putStrided(pe, 60_000, 3, new Uint32Array(100).fill(i));
        data.putIndexed(pe, [90_000, 90_001], i);
        sums.batchAdd([10 * pe, 10 * pe + 9], 1);
        sums.add(pe, 1, i);
        if (i % 3 === 0) world.quiet().block();
        else await world.quiet();
        data.getUnmanaged(pe, 0, got);
        await world.quiet();
        assertEquals([got[0], got[99]], [i, i]);
        if (filled.length > 100) assert(got.every((value) => value === i));
        assertEquals([data.at(pe, 60_297), data.at(pe, 90_001)], [i, i]);
        assertEquals([sums.at(pe, 0), sums.at(pe, 9), sums.at(pe, 1)], [i, i, i * (i + 1) / 2]);
      }
      // With nothing under way it is complete at once.
      world.quiet().block();
      await world.asyncBarrier();
    },
  },
  {
    name: "quiet() may be waited for in a handler",
    async run(world) {
      using data = await world.allocSharedMemRegion("u32", 3);
      for (let value = 1; value <= 10; value++) {
        assertEquals(await world.execAmPe(rightOf(world), MarkAndTell({ data, value })), value);
      }
      await world.asyncBarrier();
    },
  },
];
