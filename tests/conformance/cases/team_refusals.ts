/**
 * What is refused when a team is created: archs that do not hold together, and PEs that do not
 * agree.
 *
 * @module
 */

import { assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import {
  am,
  BlockedArch,
  CollectiveMismatchError,
  type LamellarArch,
  type LamellarWorld,
  StridedArch,
} from "../../../mod.ts";
import { type Case, errorOf, several } from "../case.ts";

const Alive = am("teams.Alive", {}, () => true);

/** What is wrong with an arch, and what is said of it. */
interface Wrong {
  readonly make: (numPes: number) => LamellarArch;
  readonly kind: typeof TypeError | typeof RangeError;
  readonly text: RegExp;
}

/** A team of PE 0, but for what is changed. */
function changed(change: Partial<LamellarArch>): LamellarArch {
  return {
    numPes: 1,
    startPe: 0,
    endPe: 0,
    parentPeId: (pe) => pe === 0 ? 0 : undefined,
    teamPeId: (pe) => pe === 0 ? 0 : undefined,
    ...change,
  };
}

const REASON = new SyntaxError("the reason");
const throws = (): never => {
  throw REASON;
};

const WRONG: readonly Wrong[] = [
  {
    make: (numPes) => new BlockedArch(0, numPes + 1),
    kind: RangeError,
    text: /^Cannot create a team of \d PEs: its parent has \d$/,
  },
  {
    make: (numPes) => new BlockedArch(numPes, 1),
    kind: RangeError,
    text:
      /^Cannot create a team: parentPeId\(0\) of its arch is \d, and its parent has PEs 0 to \d$/,
  },
  { make: () => 5 as unknown as LamellarArch, kind: TypeError, text: /: 5 is not an arch$/ },
  { make: () => undefined as unknown as LamellarArch, kind: TypeError, text: /undefined is no/ },
  { make: () => changed({ numPes: 0 }), kind: RangeError, text: /a team of 0 PEs/ },
  { make: () => changed({ numPes: 0.5 }), kind: RangeError, text: /a team of 0\.5 PEs/ },
  { make: () => changed({ parentPeId: () => -1 }), kind: RangeError, text: /its arch is -1, / },
  {
    make: () => changed({ parentPeId: () => undefined }),
    kind: RangeError,
    text: /undefined, and/,
  },
  {
    make: () => changed({ teamPeId: () => undefined }),
    kind: TypeError,
    text: /teamPeId\(0\) of its arch is undefined where its parentPeId gives 0$/,
  },
  {
    make: () => changed({ startPe: 1, endPe: 3 }),
    kind: TypeError,
    text: /its arch goes from PE 1 to 3 and has PE 0$/,
  },
  {
    make: () => changed({ parentPeId: throws }),
    kind: TypeError,
    text: /parentPeId\(0\) of its arch threw SyntaxError: the reason$/,
  },
  { make: () => changed({ teamPeId: throws }), kind: TypeError, text: /teamPeId\(0\) of its arch/ },
];

async function stillWorks(world: LamellarWorld): Promise<void> {
  const team = await world.createTeamFromArch(new BlockedArch(0, world.numPes));
  assertEquals(await team.execAmAll(Alive({})), Array(world.numPes).fill(true));
  team.barrier();
  await team.close();
}

/** What rows T-01 to T-03 refuse. */
export const TEAM_REFUSAL_CASES: readonly Case[] = [
  {
    name: "An arch that does not hold together is refused on every PE, with what is wrong",
    async run(world) {
      for (const { make, kind, text } of WRONG) {
        const handle = world.createTeamFromArch(make(world.numPes));
        const error = await errorOf(() => handle);
        assertInstanceOf(error, kind, `${text}`);
        assertMatch(error.message, text);
        if (text.source.includes("the reason")) assertEquals(error.cause, REASON);
        assertThrows(() => handle.block(), kind);
      }
      await stillWorks(world);
    },
  },
  {
    name: "An arch that gives one PE two numbers is refused",
    pes: several,
    async run(world) {
      const twice = changed({ numPes: 2, parentPeId: () => 0 });
      const error = await errorOf(() => world.createTeamFromArch(twice));
      assertMatch(error!.message, /its arch maps PEs 0 and 1 to PE 0 of its parent$/);
      const stranger = changed({ teamPeId: () => 0 });
      const other = await errorOf(() => world.createTeamFromArch(stranger));
      assertMatch(other!.message, /teamPeId\(1\) of its arch is 0 where its .* gives undefined$/);
    },
  },
  {
    name: "PEs that name different members all fail, and each names both sides",
    pes: several,
    async run(world) {
      const mine = world.myPe === 1 ? new BlockedArch(1, 1) : new BlockedArch(0, 2);
      const error = await errorOf(() => world.createTeamFromArch(mine));
      assertInstanceOf(error, CollectiveMismatchError);
      const [own, others] = world.myPe === 1
        ? ["1", "0 called it for PEs 0-1"]
        : ["0-1", "1 called it for PEs 1"];
      assertEquals(
        error.message,
        `PE ${world.myPe} called createTeamFromArch for PEs ${own} of the world where ` +
          `PE ${others}: all of its PEs must name the same members`,
      );
      await stillWorks(world);
    },
  },
  {
    name: "PEs that name the same members in another order fail too",
    pes: several,
    async run(world) {
      const turned = changed({ numPes: 2, endPe: 1, parentPeId: (pe) => 1 - pe });
      const arch = world.myPe === 0
        ? new BlockedArch(0, 2)
        : { ...turned, teamPeId: (pe: number) => pe < 2 ? 1 - pe : undefined };
      const error = await errorOf(() => world.createTeamFromArch(arch));
      assertInstanceOf(error, CollectiveMismatchError);
      assertMatch(error.message, /PEs (0-1|1, 0) of the world where PE \d called it for PEs/);
      await stillWorks(world);
    },
  },
  {
    name: "An error in the arch of one PE fails the team on all, and names that PE",
    pes: several,
    async run(world) {
      const last = world.numPes - 1;
      const arch = world.myPe === last ? changed({ parentPeId: throws }) : new BlockedArch(0, 1);
      const error = await errorOf(() => world.createTeamFromArch(arch));
      if (world.myPe === last) assertEquals([error!.name, error!.cause], ["TypeError", REASON]);
      else {
        assertInstanceOf(error, CollectiveMismatchError);
        assertMatch(error.message, /where PE \d could not: .*threw SyntaxError: the reason$/);
        assertEquals(error.pe, last);
      }
      await stillWorks(world);
    },
  },
  {
    name: "Members of a team that name different members of a team of it all fail",
    pes: (numPes) => numPes > 2,
    async run(world) {
      const team = await world.createTeamFromArch(new BlockedArch(1, world.numPes - 1));
      const handle = team.createSubteamFromArch(new BlockedArch(world.myPe === 2 ? 1 : 0, 1));
      if (!team.isMember) {
        assertEquals(handle.block(), null);
        assertEquals(await handle, null);
      } else {
        const error = await errorOf(() => handle);
        assertInstanceOf(error, CollectiveMismatchError);
        assertMatch(
          error.message,
          /createSubteamFromArch for PEs \d of team \d+ where PE \d called/,
        );
        team.barrier();
        assertEquals(await team.execAmAll(Alive({})), Array(team.numPes).fill(true));
      }
      await stillWorks(world);
    },
  },
  {
    name: "Archs of impossible numbers are refused where they are made",
    run() {
      for (const [start, stride, count] of [[-1, 1, 1], [0, 0, 2], [0, 1, 0], [0.5, 1, 1]]) {
        const text = "Cannot make an arch: its ";
        assertThrows(() => new StridedArch(start!, stride!, count!), RangeError, text);
      }
      assertThrows(() => new BlockedArch(0, NaN), RangeError, "number of PEs");
      assertThrows(() => new BlockedArch(2 ** 60, 1), RangeError, "start");
    },
  },
];
