/**
 * Teams that some PEs have given up, and others still use.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { am, type AmContext, BlockedArch, u32 } from "../../../mod.ts";
import { type Case, errorOf } from "../case.ts";

/** Counts AMs: itself, and what it launches on all PEs of its team. */
const Count = am("givenUp.Count", { left: u32 }, async (self, { team }): Promise<number> => {
  if (self.left === 0) return 1;
  const counts = await team.execAmAll(Count({ left: self.left - 1 }));
  return counts.reduce((sum, count) => sum + count, 1);
});
const Enter = am("givenUp.Enter", {}, async (_self, { team }) => await team.asyncBarrier());

/** The cases. */
export const GIVEN_UP_TEAM_CASES: readonly Case[] = [
  {
    name: "A PE that has given a team up runs AMs and closures of others in it all the same",
    async run(world) {
      const { numPes } = world;
      const team = await world.createTeamFromArch(new BlockedArch(0, numPes));
      const last = await team.createSubteamFromArch(new BlockedArch(numPes - 1, 1));
      await world.asyncBarrier();
      // All but PE 0 give both up before the first AM comes.
      if (world.myPe !== 0) {
        last![Symbol.dispose]();
        team[Symbol.dispose]();
      }
      await world.asyncBarrier();
      if (world.myPe === 0) {
        for (let i = 0; i < 3; i++) {
          const counts = await team.execAmAll(Count({ left: 2 }));
          assertEquals(counts, Array(numPes).fill(numPes ** 2 + numPes + 1));
        }
        const where = (lamellar: AmContext) => [lamellar.team.myPe, lamellar.team.numPes];
        const all = await team.execClosureAll(where, []);
        assertEquals(all, all.map((_, pe) => [pe, numPes]));
        assertEquals(await last!.execAmPe(0, Count({ left: 1 })), 2);
        for (let pe = 1; pe < numPes; pe++) {
          const error = await errorOf(() => team.execAmPe(pe, Enter({})));
          assertStringIncludes(error!.message, `PE ${pe} has given up team`);
        }
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "Many teams may be created and given up, with AMs of their own under way",
    limitMs: 60_000,
    async run(world) {
      for (let i = 0; i < 300; i++) {
        using team = await world.createTeamFromArch(new BlockedArch(0, world.numPes));
        using sub = (await team.createSubteamFromArch(new BlockedArch(0, 1)))!;
        team.execAmAll(Count({ left: i % 2 }));
        sub.execAmPe(0, Count({ left: 1 }));
        if (i % 50 === 0) await team.asyncBarrier();
      }
      await world.awaitAll();
    },
  },
];
