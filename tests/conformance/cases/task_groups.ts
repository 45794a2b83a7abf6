/**
 * Task groups: what they wait for, and what they do like the world or team they were made in.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  am,
  BlockedArch,
  ClosedError,
  type LamellarEnv,
  LamellarTaskGroup,
  RemoteError,
  u32,
} from "../../../mod.ts";
import { type Case, rightOf } from "../case.ts";

let ran = 0;
let gate = Promise.withResolvers<void>();
const Note = am("taskGroups.Note", {}, () => {
  ran++;
});
const Ran = am("taskGroups.Ran", {}, () => ran);
const Held = am("taskGroups.Held", {}, () => gate.promise);
const Release = am("taskGroups.Release", {}, () => {
  gate.resolve();
  gate = Promise.withResolvers();
});
const Fail = am("taskGroups.Fail", { n: u32 }, (self) => {
  throw new RangeError(`group AM ${self.n}`);
});
const Where = am("taskGroups.Where", {}, (_self, { currentPe, team }) => [currentPe, team.myPe]);
const Fan = am("taskGroups.Fan", { width: u32 }, async (self, lamellar) => {
  const group = new LamellarTaskGroup(lamellar.team);
  for (let i = 0; i < self.width; i++) group.execAmAll(Note({}));
  await group.awaitAll();
  return group.numPes;
});

/** The cases of row AM-22. */
export const TASK_GROUP_CASES: readonly Case[] = [
  {
    name: "waitAll() and awaitAll() of a task group cover its launches, and nothing else",
    async run(world) {
      const [group, other] = [new LamellarTaskGroup(world), new LamellarTaskGroup(world)];
      ran = 0;
      await world.asyncBarrier();
      const held = world.execAmPe(rightOf(world), Held({}));
      const alsoHeld = other.execAmAll(Held({}));
      for (let i = 0; i < 100; i++) group.execAmAll(Note({}));
      group.waitAll();
      for (let i = 0; i < 100; i++) group.execAmPe(rightOf(world), Note({}));
      await group.awaitAll();
      assert(!held.done && !alsoHeld.done);
      await world.asyncBarrier();
      assertEquals(ran, 100 * world.numPes + 100);
      await world.asyncBarrier();
      if (world.myPe === 0) await world.execAmAll(Release({}));
      await other.awaitAll();
      assert(alsoHeld.done);
      await world.awaitAll();
      assert(held.done);
    },
  },
  {
    name: "A task group launches AMs, closures and tasks, and numbers PEs as its team does",
    async run(world) {
      const team = (await world.split({ color: world.myPe % 2, key: -world.myPe }))!;
      for (const  of of[world, world.team, team] as const) {
        const group = new LamellarTaskGroup(of);
        const env: LamellarEnv = group;
        assertEquals([env.myPe, env.numPes, env.numThreadsPerPe], [of.myPe, of.numPes, 1]);
        assert(env.world === world && env.team === of.team);
        const last = of.numPes - 1;
        const pes = of.team.getPes();
        assertEquals(await group.execAmPe(last, Where({})), [pes[last]!, last]);
        assertEquals(await group.execAmAll(Where({})), pes.map((pe, i) => [pe, i]));
        assertEquals(await group.execAmLocal(Where({})), [world.myPe, of.myPe]);
        assertEquals(await group.execClosurePe(last, (n: number) => n + 1, [5]), 6);
        assertEquals(await group.execClosureAll(() => 3), pes.map(() => 3));
        assertEquals(await group.execClosureLocal(() => 4), 4);
        assertEquals(await group.spawn(() => Promise.resolve(5)), 5);
        assertEquals(group.blockOn(group.execAmPe(last, Where({}))), [pes[last]!, last]);
        assertEquals(group.blockOnAll([group.execAmPe(0, Where({}))]), [[pes[0]!, 0]]);
        assertThrows(() => group.execAmPe(of.numPes, Where({})), RangeError, "has PEs 0 to");
        group.barrier();
        await group.asyncBarrier();
        await group.awaitAll();
      }
    },
  },
  {
    name: "The team and the world wait for what a task group launched",
    async run(world) {
      const team = await world.createTeamFromArch(new BlockedArch(0, world.numPes));
      const inner = new LamellarTaskGroup(new LamellarTaskGroup(team));
      const held = inner.execAmPe(team.myPe, Held({}));
      const rest = team.awaitAll();
      let over = false;
      rest.then(() => over = true);
      await new LamellarTaskGroup(team).awaitAll();
      for (let i = 0; i < 10; i++) await team.execAmPe(team.myPe, Ran({}));
      assert(!over && !held.done);
      await world.execAmPe(world.myPe, Release({}));
      await rest;
      assert(held.done);
      inner.execAmAll(Note({}));
      await team.close();
      assertThrows(() => inner.execAmAll(Note({})), ClosedError, "is closed");
    },
  },
  {
    name: "A task group's waitAll() says so if a task or async handler needs this PE's event loop",
    async run(world) {
      const group = new LamellarTaskGroup(world.team);
      const { promise, resolve } = Promise.withResolvers<void>();
      let ended = false;
      group.spawn(promise.then(() => void (ended = true)));
      assertThrows(() => group.waitAll(), Error, "need its event loop; use awaitAll");
      new LamellarTaskGroup(world).waitAll();
      setImmediate(resolve);
      await group.awaitAll();
      assert(ended);
      group.execAmPe(world.myPe, Held({}));
      assertThrows(() => group.waitAll(), Error, ": 1 async handlers and tasks of this PE need");
      await world.execAmPe(world.myPe, Release({}));
      await group.awaitAll();
      group.waitAll();
    },
  },
  {
    name: "The error of an ignored launch surfaces in its task group, or in what holds the group",
    async run(world) {
      const team = await world.createTeamFromArch(new BlockedArch(0, world.numPes));
      const [group, other] = [new LamellarTaskGroup(team), new LamellarTaskGroup(team)];
      const last = world.numPes - 1;
      group.execAmPe(last, Fail({ n: 1 }));
      await world.execAmPe(last, Ran({}));
      await other.awaitAll();
      await assertRejects(() => group.awaitAll(), RemoteError, "group AM 1");
      await team.awaitAll();
      group.execAmPe(last, Fail({ n: 2 }));
      await assertRejects(() => team.awaitAll(), RemoteError, "group AM 2");
      await group.awaitAll();
      group.execAmPe(last, Fail({ n: 3 }));
      await assertRejects(() => world.awaitAll(), RemoteError, "group AM 3");
      group.spawn(() => Promise.reject(new SyntaxError("group task")));
      await other.awaitAll();
      await assertRejects(() => group.awaitAll(), SyntaxError, "group task");
      group.execAmPe(last, Fail({ n: 4 }));
      group.execAmPe(last, Fail({ n: 5 }));
      assertInstanceOf(await group.awaitAll().catch((error) => error), AggregateError);
      await world.awaitAll();
    },
  },
  {
    name: "Handlers make task groups of the world and team that they get",
    async run(world) {
      const team = (await world.split({ color: world.myPe % 2 }))!;
      ran = 0;
      await world.asyncBarrier();
      assertEquals(await team.execAmPe(0, Fan({ width: 3 })), team.numPes);
      await world.asyncBarrier();
      assertEquals(ran, 3 * team.numPes);
      await world.asyncBarrier();
    },
  },
  {
    name: "A task group is made of a world or a team, and of nothing else",
    run() {
      for (const wrong of [undefined, null, {}, 3]) {
        const make = () => new LamellarTaskGroup(wrong as never);
        assertThrows(make, TypeError, "is neither a world nor a team");
      }
    },
  },
];
