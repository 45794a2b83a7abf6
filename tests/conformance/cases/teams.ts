/**
 * Teams of some PEs: who is in them, how their PEs are numbered, and what they launch and wait for.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  am,
  type AmContext,
  array,
  BlockedArch,
  ClosedError,
  IdError,
  type LamellarArch,
  LamellarSubteam,
  LamellarTeam,
  type LamellarWorld,
  localAm,
  RemoteError,
  StridedArch,
  u32,
} from "../../../mod.ts";
import { type Case, errorOf, rightOf, several } from "../case.ts";

let arrived = 0;
const Arrive = am("teams.Arrive", {}, () => {
  arrived++;
});
const Arrived = am("teams.Arrived", {}, () => arrived);
const Where = am("teams.Where", { n: u32 }, ({ n }, { currentPe, numPes, team }) => {
  return [n, currentPe, numPes, team.myPe, team.numPes];
});
const Later = am("teams.Later", { turns: u32 }, async (self, { team }) => {
  for (let i = 0; i < self.turns; i++) await new Promise((resolve) => setImmediate(resolve));
  return team.numPes;
});
const Fail = am("teams.Fail", { n: u32 }, (self) => {
  throw new RangeError(`team AM ${self.n}`);
});
const Back = am("teams.Back", { n: u32 }, (self) => Where({ n: self.n }));
const Walk = am("teams.Walk", { hops: u32 }, async (self, lamellar): Promise<number[]> => {
  const { currentPe, team } = lamellar;
  if (self.hops === 0) return [currentPe];
  const next = (team.myPe + 1) % team.numPes;
  return [currentPe, ...await team.execAmPe(next, Walk({ hops: self.hops - 1 }))];
}, { returns: array(u32) });
const Spread = am("teams.Spread", { depth: u32 }, (self, { team }) => {
  arrived++;
  if (self.depth > 0) team.execAmAll(Spread({ depth: self.depth - 1 }));
});
const PassOn = am("teams.PassOn", { hops: u32 }, (self, { team }) => {
  arrived++;
  if (self.hops === 0) return;
  team.execAmPe((team.myPe + 1) % team.numPes, PassOn({ hops: self.hops - 1 }));
});
const LocalSize = localAm((_self: { f: () => void }, { team }) => team.numPes);

/** Members in an order of their own. */
export class ListArch implements LamellarArch {
  readonly numPes: number;
  readonly startPe: number;
  readonly endPe: number;

  constructor(readonly list: readonly number[]) {
    this.numPes = list.length;
    this.startPe = Math.min(...list);
    this.endPe = Math.max(...list);
  }

  parentPeId(teamPe: number): number | undefined {
    return this.list[teamPe];
  }

  teamPeId(parentPe: number): number | undefined {
    const at = this.list.indexOf(parentPe);
    return at < 0 ? undefined : at;
  }
}

/** The odd PEs, or PE 0 where there are none. */
function odd(world: LamellarWorld): { arch: LamellarArch; pes: number[] } {
  const count = Math.max(1, Math.floor(world.numPes / 2));
  const start = world.numPes > 1 ? 1 : 0;
  return {
    arch: new StridedArch(start, 2, count),
    pes: Array.from({ length: count }, (_, i) => start + 2 * i),
  };
}

/** All PEs in a random order, the same on each. */
function shuffled(numPes: number, random: () => number): number[] {
  const pes = Array.from({ length: numPes }, (_, pe) => pe);
  for (let i = numPes - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [pes[i], pes[j]] = [pes[j]!, pes[i]!];
  }
  return pes;
}

/** The cases of rows W-08 and T-01 to T-09. */
export const TEAM_CASES: readonly Case[] = [
  {
    name: "createTeamFromArch() gives every PE the team, members and others alike",
    async run(world) {
      const { arch, pes } = odd(world);
      const team = await world.createTeamFromArch(arch);
      assertInstanceOf(team, LamellarSubteam);
      assertInstanceOf(team, LamellarTeam);
      assertEquals([team.getPes(), team.numPes, team.worldPeId], [pes, pes.length, world.myPe]);
      assertEquals(team.isMember, pes.includes(world.myPe));
      assert(team.world === world && team.team === team && team.numThreadsPerPe === 1);
      if (team.isMember) {
        assertEquals([team.myPe, team.teamPeId()], Array(2).fill(pes.indexOf(world.myPe)));
        return;
      }
      for (const ask of [() => team.myPe, () => team.teamPeId()]) {
        const error = assertThrows(ask, IdError, `PE ${world.myPe} in team`);
        assertInstanceOf(error, RangeError);
        assertEquals([error.code, error.pe], ["ERR_ID", world.myPe]);
      }
    },
  },
  {
    name: "A team may be created by block(), and asked for again and again",
    run(world) {
      const handle = world.createTeamFromArch(new BlockedArch(0, world.numPes));
      const team = handle.block();
      assert(handle.block() === team);
      assertEquals(team.getPes(), world.team.getPes());
      assertEquals(team.myPe, world.myPe);
    },
  },
  {
    name: "The handle of a team may be awaited later than other collectives are called",
    async run(world) {
      const first = world.createTeamFromArch(new BlockedArch(0, 1));
      const second = world.createTeamFromArch(new BlockedArch(0, world.numPes));
      world.barrier();
      const region = await world.allocSharedMemRegion("u8", 1);
      assertEquals((await second).numPes, world.numPes);
      assertEquals((await first).numPes, 1);
      region.dispose();
    },
  },
  {
    name: "execAmPe() of a team counts PEs within the team, from members and others",
    async run(world) {
      const { arch, pes } = odd(world);
      const team = await world.createTeamFromArch(arch);
      for (const [teamPe, pe] of pes.entries()) {
        const expected = [7, pe, world.numPes, teamPe, pes.length];
        assertEquals(await team.execAmPe(teamPe, Where({ n: 7 })), expected);
        assertEquals(team.execAmPe(teamPe, Where({ n: 7 })).block(), expected);
        assertEquals(team.execAmPe(teamPe, Where({ n: 7 })).pe, pe);
      }
      const all = pes.map((pe, teamPe) => [8, pe, world.numPes, teamPe, pes.length]);
      assertEquals(await team.execAmAll(Where({ n: 8 })), all);
      for (const wrong of [pes.length, -1, 0.5, NaN]) {
        const text = `Cannot call execAmPe for PE ${wrong}: team `;
        assertThrows(() => team.execAmPe(wrong, Where({ n: 1 })), RangeError, text);
      }
    },
  },
  {
    name: "execAmLocal() of a team runs on a member, and is refused elsewhere",
    async run(world) {
      const { arch, pes } = odd(world);
      const team = await world.createTeamFromArch(arch);
      const launch = () => team.execAmLocal(LocalSize({ f: () => {} }));
      if (team.isMember) assertEquals(await launch(), pes.length);
      else assertThrows(launch, IdError, "not a member");
    },
  },
  {
    name: "Closures launched in a team see it, and count its PEs",
    async run(world) {
      const { arch, pes } = odd(world);
      const team = await world.createTeamFromArch(arch);
      const last = pes.length - 1;
      const where = await team.execClosurePe(last, (lamellar: AmContext) => {
        return [lamellar.currentPe, lamellar.team.myPe];
      }, []);
      assertEquals(where, [pes[last], last]);
      const sizes = await team.execClosureAll((n: number, l: AmContext) => n + l.team.numPes, [10]);
      assertEquals(sizes, pes.map(() => 10 + pes.length));
    },
  },
  {
    name: "In the handler of an AM launched in the world, the team is the world's",
    async run(world) {
      await world.createTeamFromArch(new BlockedArch(0, 1));
      const right = rightOf(world);
      const expected = [1, right, world.numPes, right, world.numPes];
      assertEquals(await world.execAmPe(right, Where({ n: 1 })), expected);
    },
  },
  {
    name: "An AM that is returned runs at the origin in the team of the AM that returned it",
    async run(world) {
      const team = await world.createTeamFromArch(new ListArch([world.numPes - 1, 0].slice(0, 1)));
      if (!team.isMember) {
        // At an origin that is no member, the team is there and this PE has no number in it.
        await assertRejects(async () => await team.execAmPe(0, Back({ n: 1 })), RemoteError);
        return;
      }
      const expected = [1, world.myPe, world.numPes, 0, 1];
      assertEquals(await team.execAmPe(0, Back({ n: 1 })), expected);
    },
  },
  {
    name: "Handlers launch AMs in their team, round all its members",
    async run(world, t) {
      const pes = shuffled(world.numPes, t.sharedRandom);
      const team = await world.createTeamFromArch(new ListArch(pes));
      const path = await team.execAmPe(0, Walk({ hops: 2 * pes.length }));
      assertEquals(path, [...pes, ...pes, pes[0]]);
    },
  },
  {
    name: "AMs of a team may be longer than a ring takes",
    async run(world) {
      const { arch, pes } = odd(world);
      const team = await world.createTeamFromArch(arch);
      const data = Uint8Array.from({ length: 400_001 }, (_, i) => i * 7);
      const sums = await team.execClosureAll((bytes: Uint8Array, l: AmContext) => {
        return bytes.reduce((sum, byte) => sum + byte, l.team.numPes);
      }, [data]);
      const sum = data.reduce((sum, byte) => sum + byte, pes.length);
      assertEquals(sums, pes.map(() => sum));
    },
  },
  {
    name: "barrier() of a team holds its members only, in each of its forms",
    async run(world) {
      const { arch, pes } = odd(world);
      const team = await world.createTeamFromArch(arch);
      if (!team.isMember) {
        // Others return at once, in numbers of their own.
        for (let i = 0; i < world.myPe; i++) team.barrier();
        await team.asyncBarrier();
        team.asyncBarrier().block();
        return;
      }
      for (let round = 0; round < 40; round++) {
        arrived = 0;
        await team.asyncBarrier();
        if (round % pes.length === team.myPe) { for (let i = 0; i < 50; i++) await undefined; }
        await team.execAmAll(Arrive({}));
        if ((round + team.myPe) % 3 === 0) team.barrier();
        else if ((round + team.myPe) % 3 === 1) await team.asyncBarrier();
        else team.blockOn(team.asyncBarrier());
        assertEquals(arrived, pes.length, `in round ${round}`);
      }
    },
  },
  {
    name: "Several barriers of teams that overlap may be under way",
    async run(world, t) {
      const teams = [];
      for (let i = 0; i < 4; i++) {
        const pes = shuffled(world.numPes, t.sharedRandom);
        const count = 1 + Math.floor(t.sharedRandom() * world.numPes);
        teams.push(await world.createTeamFromArch(new ListArch(pes.slice(0, count))));
      }
      for (let round = 0; round < 20; round++) {
        const barriers = [...teams, ...teams.toReversed()].map((team) => team.asyncBarrier());
        world.barrier();
        for (const barrier of barriers) await barrier;
        for (const barrier of barriers) barrier.block();
      }
      for (let i = 0; i < 200; i++) for (const team of teams) team.barrier();
    },
  },
  {
    name: "Teams of teams count PEs within their parent, down to the last PE",
    async run(world, t) {
      let team: LamellarTeam = world.team;
      let expected = world.team.getPes();
      while (expected.length > 1) {
        const order = shuffled(expected.length, t.sharedRandom).slice(1);
        const parent: number[] = expected;
        expected = order.map((pe) => parent[pe]!);
        const next: LamellarSubteam | null = await team.createSubteamFromArch(new ListArch(order));
        if (next === null) {
          assert(!team.isMember);
          break;
        }
        team = next;
        assertEquals(team.getPes(), expected);
        const all = await team.execAmAll(Where({ n: 2 }));
        assertEquals(all.map(([, pe]) => pe), expected);
        assertEquals(all.map(([, , , teamPe]) => teamPe), expected.map((_, i) => i));
        team.barrier();
      }
    },
  },
  {
    name: "Halves of a team make teams of their own at the same time",
    async run(world) {
      const half = Math.ceil(world.numPes / 2);
      const low = await world.createTeamFromArch(new BlockedArch(0, half));
      const rest = Math.max(1, world.numPes - half);
      const high = await world.createTeamFromArch(new BlockedArch(world.numPes - rest, rest));
      for (let i = 0; i < 10; i++) {
        for (const [team, count] of [[low, half], [high, rest]] as const) {
          const last = await team.createSubteamFromArch(new BlockedArch(count - 1, 1));
          assertEquals(last === null, !team.isMember);
          if (!last) continue;
          assertEquals(last.getPes(), [team.getPes().at(-1)]);
          assertEquals(await last.execAmPe(0, Where({ n: i })), [
            i,
            last.getPes()[0],
            world.numPes,
            0,
            1,
          ]);
        }
      }
    },
  },
  {
    name: "waitAll() and awaitAll() of a team cover what was launched in it, and nothing else",
    async run(world) {
      const { arch, pes } = odd(world);
      const [team, other] = [
        await world.createTeamFromArch(arch),
        await world.createTeamFromArch(new BlockedArch(0, 1)),
      ];
      arrived = 0;
      await world.asyncBarrier();
      for (let i = 0; i < 100; i++) team.execAmAll(Arrive({}));
      team.waitAll();
      for (let i = 0; i < 100; i++) team.execAmAll(Arrive({}));
      await team.awaitAll();
      await world.asyncBarrier();
      const all = await team.execAmAll(Arrived({}));
      assertEquals(all, pes.map(() => 200 * world.numPes));
      // A task that never ends by itself is waited for by its own team, and by the world.
      const { promise, resolve } = Promise.withResolvers<void>();
      let ended = false;
      other.spawn(promise.then(() => void (ended = true)));
      await team.awaitAll();
      team.waitAll();
      assert(!ended);
      setImmediate(resolve);
      await world.awaitAll();
      assert(ended);
      await other.awaitAll();
    },
  },
  {
    name: "awaitAll() of a team covers async handlers; waitAll() says so if they are on this PE",
    async run(world) {
      const team = await world.createTeamFromArch(new ListArch([0]));
      const handle = team.execAmPe(0, Later({ turns: 3 }));
      if (world.myPe === 0) {
        const error = assertThrows(() => team.waitAll(), Error, "use awaitAll");
        assertMatch(error.message, /: 1 async handlers and tasks of this PE/);
      }
      await team.awaitAll();
      assert(handle.done);
      assertEquals(await handle, 1);
      assertEquals(await team.spawn(async () => await team.execAmPe(0, Later({ turns: 1 }))), 1);
      team.waitAll();
    },
  },
  {
    name: "awaitAll() of a team waits for work whose handle was given up",
    async run(world) {
      const team = await world.createTeamFromArch(new ListArch([world.numPes - 1]));
      const controller = new AbortController();
      // Handlers may run before the launch returns.
      arrived = 0;
      await world.asyncBarrier();
      const handle = team.execAmPe(0, Spread({ depth: 0 }), { signal: controller.signal });
      const isOver = handle.done;
      controller.abort(new Error("no patience"));
      if (!isOver) await assertRejects(async () => await handle, Error, "no patience");
      await team.awaitAll();
      await world.asyncBarrier();
      if (team.isMember) assert(arrived > 0);
    },
  },
  {
    name: "The error of an ignored AM of a team surfaces in its waitAll(), or in the world's",
    async run(world) {
      const { arch } = odd(world);
      const team = await world.createTeamFromArch(arch);
      const other = await world.createTeamFromArch(arch);
      team.execAmPe(0, Fail({ n: 1 }));
      await world.spawn(() => undefined);
      other.waitAll();
      await other.awaitAll();
      assertThrows(() => team.waitAll(), RemoteError, "team AM 1");
      await world.awaitAll();
      team.execAmPe(0, Fail({ n: 2 }));
      await assertRejects(() => world.awaitAll(), RemoteError, "team AM 2");
      await team.awaitAll();
      team.spawn(() => Promise.reject(new SyntaxError("team task")));
      await other.awaitAll();
      await assertRejects(() => team.awaitAll(), SyntaxError, "team task");
    },
  },
  {
    name: "close() of a team waits for all it launched, handlers' AMs too, and ends its use",
    async run(world) {
      const pes = world.team.getPes().slice(0, Math.max(1, world.numPes - 1));
      const team = await world.createTeamFromArch(new ListArch(pes));
      arrived = 0;
      await world.asyncBarrier();
      if (team.isMember) {
        team.execAmAll(Spread({ depth: 2 }));
        if (team.myPe === 0) team.execAmPe(0, PassOn({ hops: 999 * pes.length }));
        await team.close();
        // Each member launched on all, these on all, and these on all; and the one went round.
        const spread = pes.length * (1 + pes.length + pes.length ** 2);
        assertEquals(arrived, spread + (world.myPe === pes[0] ? 1000 : 999));
      } else {
        await team.close();
      }
      await team.close();
      const name = /team \d+ is closed$/;
      const attempts: (() => unknown)[] = [
        () => team.execAmPe(0, Arrive({})),
        () => team.execAmAll(Arrive({})),
        () => team.execClosurePe(0, () => 1, []),
        () => team.waitAll(),
        () => team.barrier(),
        () => team.asyncBarrier(),
        () => team.spawn(() => 1),
        () => team.createSubteamFromArch(new BlockedArch(0, 1)),
      ];
      for (const attempt of attempts) assertMatch(assertThrows(attempt, ClosedError).message, name);
      assertMatch((await assertRejects(() => team.awaitAll(), ClosedError)).message, name);
      assertEquals(team.getPes(), pes);
    },
  },
  {
    name: "An AM for a team that its members have closed is refused by name",
    pes: several,
    async run(world) {
      const team = await world.createTeamFromArch(new BlockedArch(0, world.numPes - 1));
      if (team.isMember) await team.close();
      await world.asyncBarrier();
      if (!team.isMember) {
        const error = await assertRejects(
          async () => await team.execAmPe(0, Arrive({})),
          RemoteError,
          "is closed",
        );
        assertEquals(error.pe, 0);
        await team.close();
      }
    },
  },
  {
    name: "close() reports the error of an ignored AM, and leaves nobody waiting",
    async run(world) {
      const team = await world.createTeamFromArch(new BlockedArch(0, world.numPes));
      if (team.myPe === 0) team.execAmPe(world.numPes - 1, Fail({ n: 3 }));
      const error = await errorOf(() => team.close());
      if (team.isMember && world.myPe === 0) assertInstanceOf(error, RemoteError);
      else assertEquals(error, undefined);
    },
  },
  {
    name: "A team that is disposed of serves the AMs of those who still use it",
    async run(world) {
      const right = rightOf(world);
      let kept: LamellarSubteam;
      {
        using team = await world.createTeamFromArch(new BlockedArch(0, world.numPes));
        kept = team;
        if (world.myPe === 0) await world.asyncBarrier();
        const answer = await team.execAmPe(right, Where({ n: 4 }));
        assertEquals(answer, [4, right, world.numPes, right, world.numPes]);
        if (world.myPe !== 0) await world.asyncBarrier();
      }
      assertThrows(() => kept.execAmPe(0, Arrive({})), ClosedError, "is closed");
      await world.asyncBarrier();
    },
  },
];
