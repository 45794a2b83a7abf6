/**
 * Splitting teams by color and into grids, and the numbers of PEs in other teams.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import {
  am,
  BlockedArch,
  CollectiveMismatchError,
  LamellarSubteam,
  type LamellarWorld,
  type SplitOptions,
} from "../../../mod.ts";
import { type Case, errorOf, several } from "../case.ts";

const Where = am("splits.Where", {}, (_self, { currentPe, team }) => [currentPe, team.myPe]);

interface WrongSplit {
  readonly options: unknown;
  readonly kind: typeof TypeError | typeof RangeError;
  readonly text: RegExp;
}

const WRONG: readonly WrongSplit[] = [
  { options: { color: -1 }, kind: RangeError, text: /the color must .* at least 0, got -1$/ },
  { options: { color: 0.5 }, kind: RangeError, text: /the color must be an integer .* got 0\.5$/ },
  { options: { color: "red" }, kind: TypeError, text: /the color must be .*, got "red"$/ },
  { options: { color: 1, key: NaN }, kind: RangeError, text: /the key must be .*, got NaN$/ },
  { options: { key: 1n }, kind: TypeError, text: /the key must be an integer, got 1n$/ },
  { options: undefined, kind: TypeError, text: /takes a color and a key, got undefined$/ },
  { options: 3, kind: TypeError, text: /takes a color and a key, got 3$/ },
];

async function stillWorks(world: LamellarWorld): Promise<void> {
  const team = await world.split({ color: 7 });
  assertEquals((await team!.execAmAll(Where({}))).length, world.numPes);
  team!.barrier();
  await team!.close();
}

/** The cases of row P-07. */
export const TEAM_SPLIT_CASES: readonly Case[] = [
  {
    name: "split() makes a team of the PEs of each color, ordered by key and number",
    async run(world, t) {
      for (let round = 0; round < 5; round++) {
        const colors = Array.from({ length: world.numPes }, () => Math.floor(4 * t.sharedRandom()));
        const keys = colors.map(() => Math.floor(5 * t.sharedRandom()) - 2);
        const mine = colors[world.myPe]!;
        const key = keys[world.myPe]!;
        const team = await world.split(key === 0 ? { color: mine } : { color: mine, key });
        assertInstanceOf(team, LamellarSubteam);
        const members = colors.keys().filter((pe) => colors[pe] === mine).toArray();
        members.sort((a, b) => keys[a]! - keys[b]! || a - b);
        assertEquals([team.getPes(), team.isMember, team.world], [members, true, world]);
        assertEquals(team.myPe, members.indexOf(world.myPe));
      }
    },
  },
  {
    name: "The teams of a split can be used as soon as one member has its handle",
    async run(world, t) {
      for (let round = 0; round < 20; round++) {
        const color = Math.floor(2 * t.random());
        const handle = world.split({ color });
        if (t.random() < 0.3) await new Promise((resolve) => setTimeout(resolve, 5 * t.random()));
        const team = t.random() < 0.5 ? handle.block() : await handle;
        if (t.random() < 0.5) team!.barrier();
        else await team!.asyncBarrier();
        const answers = await team!.execAmAll(Where({}));
        assertEquals(answers, team!.getPes().map((pe, i) => [pe, i]));
        await team!.close();
      }
    },
  },
  {
    name: "A PE that gives no color gets null, and has no part in the teams",
    async run(world) {
      const color = world.myPe === 0 ? 0 : world.myPe % 2 === 0 ? null : undefined;
      const handle = world.split({ color });
      const team = handle.block();
      assert(await handle === team);
      if (world.myPe > 0) return assertEquals(team, null);
      assertEquals([team!.getPes(), team!.numPes], [[0], 1]);
      assertEquals(await team!.execAmPe(0, Where({})), [0, 0]);
      const nobody = await team!.split({});
      assertEquals(nobody, null);
    },
  },
  {
    name: "Teams of a split can be split again, and have regions, barriers and teams of their own",
    async run(world) {
      const half = await world.split({ color: world.myPe % 2, key: -world.myPe });
      const again = await half!.split({ color: Math.floor(half!.myPe / 2), key: -half!.myPe });
      assertEquals(again!.numPes, Math.min(2, half!.numPes - 2 * Math.floor(half!.myPe / 2)));
      const region = await again!.allocSharedMemRegion("u32", 1);
      await region.putAll(0, again!.myPe + 1);
      await again!.asyncBarrier();
      assert(region.asSlice()[0]! >= 1 && region.asSlice()[0]! <= again!.numPes);
      const first = await again!.createSubteamFromArch(new BlockedArch(0, 1));
      assertEquals(first!.getPes(), [again!.getPes()[0]]);
      await again!.asyncBarrier();
    },
  },
  {
    name: "split() in a team concerns its members alone; others get null at once",
    pes: several,
    async run(world) {
      const team = await world.createTeamFromArch(new BlockedArch(1, world.numPes - 1));
      const handle = team.split({ color: 1, key: -world.myPe });
      const grid = team.split2d(1);
      if (!team.isMember) {
        assertEquals([handle.done, handle.block(), grid.block()], [true, null, null]);
        return;
      }
      assertEquals((await handle)!.getPes(), team.getPes().reverse());
      assertEquals((await grid)!.row.getPes(), team.getPes());
      assertEquals((await grid)!.column.getPes(), [world.myPe]);
    },
  },
  {
    name: "split2d() makes teams of the rows and the columns of a grid",
    async run(world) {
      const { myPe, numPes } = world;
      for (let rows = 1; rows <= numPes; rows++) {
        const { row, column } = (await world.split2d(rows))!;
        const all = await column.execAmAll(Where({}));
        assertEquals(all.map(([pe]) => pe), column.getPes());
        assertEquals([row.getPes()[row.myPe], column.getPes()[column.myPe]], [myPe, myPe]);
        const [first] = row.getPes();
        assertEquals(row.getPes(), row.getPes().map((_, i) => first! + i));
        const [least, longer] = [Math.floor(numPes / rows), numPes % rows];
        assertEquals(row.numPes, least + (column.myPe < longer ? 1 : 0));
        assertEquals(column.numPes, row.myPe < least ? rows : longer);
        row.barrier();
        await column.asyncBarrier();
      }
    },
  },
  {
    name: "translatePe() gives the number of a PE in another team, or null",
    async run(world) {
      const { numPes } = world;
      const turned = (await world.split({ color: 3, key: -world.myPe }))!;
      const first = await world.createTeamFromArch(new BlockedArch(0, 1));
      for (let pe = 0; pe < numPes; pe++) {
        assertEquals(turned.translatePe(pe, world), numPes - 1 - pe);
        assertEquals(world.translatePe(pe, turned), numPes - 1 - pe);
        assertEquals(world.team.translatePe(pe, turned.team), numPes - 1 - pe);
        assertEquals(turned.translatePe(pe, first), pe === numPes - 1 ? 0 : null);
        assertEquals(turned.translatePe(pe, turned), pe);
      }
      for (const pe of [-1, numPes, 0.5, NaN]) {
        assertThrows(() => turned.translatePe(pe, world), RangeError, "has PEs 0 to ");
      }
      for (const other of [undefined, null, {}, 3]) {
        assertThrows(() => turned.translatePe(0, other as never), TypeError, "neither a team nor");
      }
    },
  },
  {
    name: "split() with a wrong color or key fails on every PE, with what is wrong",
    async run(world) {
      for (const { options, kind, text } of WRONG) {
        const handle = world.split(options as SplitOptions);
        const error = await errorOf(() => handle);
        assertInstanceOf(error, kind, `${text}`);
        assertMatch(error.message, text);
        assertThrows(() => handle.block(), kind);
      }
      await stillWorks(world);
    },
  },
  {
    name: "A wrong color on one PE fails the split on all, and names that PE",
    pes: several,
    async run(world) {
      const last = world.numPes - 1;
      const isLast = world.myPe === last;
      const error = await errorOf(() => world.split({ color: isLast ? -5 : 1 }));
      assertInstanceOf(error, isLast ? RangeError : CollectiveMismatchError);
      const text = "Cannot split a team: the color must be an integer of at least 0, got -5";
      assertEquals(
        error.message,
        isLast
          ? text
          : `PE ${world.myPe} called split of the world where PE ${last} could not: ${text}`,
      );
      await stillWorks(world);
    },
  },
  {
    name: "split2d() refuses numbers of rows that differ or do not fit, on every PE",
    async run(world) {
      const { myPe, numPes } = world;
      for (const rows of [0, numPes + 1, 1.5, NaN]) {
        const error = await errorOf(() => world.split2d(rows));
        assertInstanceOf(error, RangeError);
        assertMatch(error.message, new RegExp(`it takes an integer from 1 to ${numPes}$`));
      }
      assertInstanceOf(await errorOf(() => world.split2d("2" as never)), TypeError);
      if (numPes > 1) {
        const error = await errorOf(() => world.split2d(myPe === 1 ? 2 : 1));
        assertInstanceOf(error, CollectiveMismatchError);
        const [own, other] = myPe === 1
          ? ["2", "0 called split2d(1)"]
          : ["1", "1 called split2d(2)"];
        assertEquals(
          error.message,
          `PE ${myPe} called split2d(${own}) of the world where PE ${other}: all of its PEs must ` +
            "name the same number of rows",
        );
      }
      await stillWorks(world);
    },
  },
];
