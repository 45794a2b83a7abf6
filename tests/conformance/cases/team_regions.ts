/**
 * Regions of a team: its PEs have the parts, and number them as the team does.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  am,
  ClosedError,
  IdError,
  type LamellarSubteam,
  type LamellarWorld,
  MemNotLocalError,
  OutOfMemoryError,
  region,
  type SharedMemoryRegion,
  u32,
} from "../../../mod.ts";
import { type Case, errorOf, several } from "../case.ts";
import { ListArch } from "./teams.ts";

let kept: SharedMemoryRegion<"u32"> | undefined;
const Keep = am("teamRegions.Keep", { region: region("u32") }, (self) => {
  const again = kept !== undefined && kept.equals(self.region);
  kept = self.region;
  return again;
});
const AddAt = am("teamRegions.AddAt", { region: region("u32"), pe: u32 }, async (self) => {
  await self.region.add(self.pe, 0, 1);
  return self.region.numPes;
});
const Forward = am(
  "teamRegions.Forward",
  { region: region("u32"), to: u32 },
  async (self, { world }) => {
    await world.execAmPe(self.to, Keep({ region: self.region }));
  },
);

/** The odd PEs from the last to the first, or the only PE. */
function oddPes({ numPes }: LamellarWorld): number[] {
  const odd = Array.from({ length: Math.floor(numPes / 2) }, (_, i) => 2 * i + 1).reverse();
  return odd.length > 0 ? odd : [0];
}

async function withTeam(
  world: LamellarWorld,
  pes: readonly number[],
  run: (team: LamellarSubteam) => void | Promise<void>,
): Promise<void> {
  const team = await world.createTeamFromArch(new ListArch(pes));
  await run(team);
  await world.asyncBarrier();
  team[Symbol.dispose]();
}

/** The cases of regions of a team. */
export const TEAM_REGION_CASES: readonly Case[] = [
  {
    name: "A team's region has a part on each of its PEs, numbered as the team numbers them",
    async run(world) {
      await withTeam(world, oddPes(world), async (team) => {
        if (!team.isMember) return;
        const { myPe, numPes } = team;
        using shared = await team.allocSharedMemRegion("u32", 4);
        assertEquals([shared.numPes, shared.length, [...shared]], [numPes, 4, [0, 0, 0, 0]]);
        await team.asyncBarrier();
        const right = (myPe + 1) % numPes;
        await shared.put(right, 0, [myPe + 1, 7]);
        await shared.fetchAdd(right, 2, 5);
        await team.asyncBarrier();
        const left = (myPe + numPes - 1) % numPes;
        assertEquals([...shared], [left + 1, 7, 5, 0]);
        assertEquals(shared.at(right, 0), myPe + 1);
        assertEquals((await shared.get(right, 0, 3))[1], 7);
        await team.asyncBarrier();
        const everywhere = Array.from({ length: numPes }, (_, pe) => 4 * pe + 3);
        await shared.batchAdd(everywhere, 1);
        await team.asyncBarrier();
        assertEquals(shared.at(3), numPes);
        const all = await shared.gather(everywhere);
        assertEquals([...all], everywhere.map(() => numPes));
        if (myPe === 0) await shared.putAll(0, [9]);
        await team.asyncBarrier();
        assertEquals(shared.at(0), 9);
        assertThrows(
          () => shared.put(numPes, 0, 1),
          RangeError,
          `Cannot put into region ${shared.id} of team `,
        );
        const error = await errorOf(() => shared.put(0, 4, 1));
        assertMatch(`${error}`, /region \d+ of team [\d.]+ on PE 0: the region has 4 elements/);
        await team.asyncBarrier();
      });
    },
  },
  {
    name: "Regions of a team and of the world, and of teams side by side, are apart",
    async run(world) {
      const { numPes } = world;
      const halves = [0, 1].map((half) =>
        Array.from({ length: numPes }, (_, pe) => pe).filter((pe) =>
          numPes === 1 || pe % 2 === half
        )
      );
      const teams: LamellarSubteam[] = [];
      for (const half of halves) teams.push(await world.createTeamFromArch(new ListArch(half)));
      const mine = teams.find((team) => team.isMember)!;
      // Allocations of the two teams are not ordered with each other.
      using first = await mine.allocSharedMemRegion("u32", 3);
      using all = await world.allocSharedMemRegion("u32", 3);
      using second = await mine.allocSharedMemRegion("u32", 3);
      for (const one of [first, all, second]) {
        assertEquals([...one], [0, 0, 0]);
        one.asMutSlice().fill(one.id + (one === all ? 100 : 0));
      }
      await world.asyncBarrier();
      for (let pe = 0; pe < mine.numPes; pe++) {
        assertEquals([first.at(pe, 2), second.at(pe, 0)], [first.id, second.id]);
      }
      for (let pe = 0; pe < numPes; pe++) assertEquals(all.at(pe, 1), all.id + 100);
      assertEquals(second.id, first.id + 1);
      await world.asyncBarrier();
      for (const team of teams) team[Symbol.dispose]();
    },
  },
  {
    name: "A team's region travels to its PEs, and to PEs outside, which use it while it is there",
    pes: several,
    async run(world) {
      const pes = oddPes(world);
      const [holder] = pes as [number];
      const [sender, outsider] = [pes.at(-1)!, 0];
      kept = undefined;
      await withTeam(world, pes, async (team) => {
        const shared = team.isMember ? await team.allocSharedMemRegion("u32", 2) : undefined;
        await world.asyncBarrier();
        if (world.myPe === sender) {
          assertEquals(await world.execAmPe(outsider, Keep({ region: shared! })), false);
          assertEquals(await world.execAmPe(outsider, Keep({ region: shared! })), true);
          assertEquals(
            await world.execAmPe(outsider, AddAt({ region: shared!, pe: 0 })),
            pes.length,
          );
          // By way of a PE that has no part.
          await world.execAmPe(outsider, Forward({ region: shared!, to: holder }));
          assertEquals(shared!.at(0, 0), 1);
        }
        await world.asyncBarrier();
        if (world.myPe === holder) assert(kept!.equals(shared));
        if (world.myPe === outsider) {
          const region = kept!;
          assertEquals(region.numPes, pes.length);
          for (let pe = 0; pe < pes.length; pe++) {
            await region.put(pe, 1, new Uint32Array([40 + pe]));
            assertEquals(region.at(pe, 1), 40 + pe);
            assertEquals(await region.fetchMul(pe, 1, 2), 40 + pe);
          }
          const indices = pes.map((_, pe) => 2 * pe + 1);
          assertEquals([...await region.gather(indices)], pes.map((_, pe) => 2 * (40 + pe)));
          await region.batchSub(indices, 1);
          await region.putAll(0, [3]);
          const text =
            /Cannot asSlice region \d+ of another team on PE 0: the PE has no part of it/;
          const error = await errorOf(() => region.asSlice());
          assertInstanceOf(error, MemNotLocalError);
          assertMatch(error.message, text);
          assertThrows(() => region.put(pes.length, 0, 1), RangeError, `has ${pes.length} PEs`);
        }
        await world.asyncBarrier();
        if (shared) {
          assertEquals([...shared], [3, 2 * (40 + team.myPe) - 1]);
          await team.asyncBarrier();
          shared.dispose();
          // Room for something else, where the region was.
          await team.asyncBarrier();
          const next = await team.allocSharedMemRegion("u32", 2);
          next.asMutSlice().fill(77);
          await world.asyncBarrier();
          await world.asyncBarrier();
          assertEquals([...next], [77, 77]);
          next.dispose();
        } else {
          await world.asyncBarrier();
          if (world.myPe === outsider) {
            const gone = [
              () => kept!.put(0, 0, 5),
              () => kept!.put(0, 0, new Uint32Array([5, 6])),
              () => kept!.get(pes.length - 1, 0),
              () => kept!.batchAdd([1], 1),
              () => kept!.add(0, 0, 1),
            ];
            for (const use of gone) assertInstanceOf(await errorOf(use), ClosedError, `${use}`);
          }
          await world.asyncBarrier();
        }
      });
      kept = undefined;
    },
  },
  {
    name: "A team's region that a PE has disposed arrives there closed, under its own name",
    pes: (numPes) => numPes > 3,
    async run(world) {
      const [first, second] = oddPes(world) as [number, number];
      kept = undefined;
      await withTeam(world, oddPes(world), async (team) => {
        const shared = team.isMember ? await team.allocSharedMemRegion("u32", 2) : undefined;
        if (world.myPe === first) shared!.dispose();
        await world.asyncBarrier();
        if (world.myPe === second) await world.execAmPe(first, Keep({ region: shared! }));
        await world.asyncBarrier();
        if (world.myPe === first) {
          const error = await errorOf(() => kept!.put(0, 0, 1));
          assertInstanceOf(error, ClosedError);
          assertMatch(error.message, /region \d+ of team [\d.]+: it was disposed by PE \d+$/);
        } else shared?.dispose();
      });
      kept = undefined;
    },
  },
  {
    name: "An allocation of a team fails on all its PEs if one has no room, and on no other",
    async run(world) {
      await withTeam(world, oddPes(world), async (team) => {
        if (!team.isMember) {
          const error = await errorOf(() => team.allocSharedMemRegion("u8", 1));
          assertInstanceOf(error, IdError);
          assertMatch(error.message, /PE \d+ is not a member of team/);
          return;
        }
        const result = await team.tryAllocSharedMemRegion("f64", 2 ** 40);
        assert(!result.ok);
        assertInstanceOf(result.error, OutOfMemoryError);
        assertInstanceOf(
          await errorOf(() => team.allocSharedMemRegion("f64", 2 ** 40).then()),
          OutOfMemoryError,
        );
        using small = await team.allocSharedMemRegion("f64", 2);
        assertEquals([...small], [0, 0]);
        const own = team.allocOneSidedMemRegion("u8", 3);
        assertStrictEquals(own.owner, world.myPe);
        own.dispose();
        await team.asyncBarrier();
      });
    },
  },
  {
    name: "What a team has disposed is room for the next region, again and again",
    async run(world) {
      await withTeam(world, oddPes(world), async (team) => {
        if (!team.isMember) return;
        for (let i = 0; i < 200; i++) {
          const one = await team.allocSharedMemRegion("u8", 100_000);
          assertEquals(one.at((team.myPe + 1) % team.numPes, 99_999), 0);
          await team.asyncBarrier();
          one.asMutSlice().fill(1);
          one.dispose();
        }
      });
    },
  },
];
