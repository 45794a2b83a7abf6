/**
 * One surface for all handles, whatever they are of: await, catch, finally, block, done, limits.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  am,
  BlockedArch,
  type Handle,
  LamellarError,
  type LamellarWorld,
  TimeoutError,
  u32,
} from "../../../mod.ts";
import { type Case, rightOf, several } from "../case.ts";

const Twice = am("allHandles.Twice", { n: u32 }, (self) => 2 * self.n);

let gate: PromiseWithResolvers<void> = Promise.withResolvers();
const Wait = am("allHandles.Wait", { n: u32 }, async (self) => {
  await gate.promise;
  return self.n;
});

let arrived = 0;
const Arrived = am("allHandles.Arrived", {}, () => {
  arrived++;
});

/** What the engine does with handles; none of it is to be had from one. */
const BUTTONS = [
  ...["resolve", "reject", "limit", "needsEventLoop", "join", "observe", "observed", "error"],
  ...["asynchronous", "definition", "self", "op", "team", "settle"],
];

/** Makes a handle of each kind that comes to its end by itself, and tells what it gives. */
const KINDS: Readonly<Record<string, (world: LamellarWorld) => [Handle<unknown>, unknown]>> = {
  "an AM": (world) => [world.execAmPe(rightOf(world), Twice({ n: 3 })), 6],
  "an AM on all PEs": (world) => [
    world.execAmAll(Twice({ n: 2 })),
    new Array(world.numPes).fill(4),
  ],
  "a closure": (world) => [world.execClosurePe(rightOf(world), (n: number) => n + 1, [4]), 5],
  "a barrier": (world) => [world.asyncBarrier(), undefined],
  "a barrier of a team": () => [team!.asyncBarrier(), undefined],
  "a put": (world) => [region!.put(rightOf(world), 1, 7), undefined],
  "a get": (world) => [region!.get(rightOf(world), 2), 0],
  "quiet()": (world) => [world.quiet(), undefined],
  "a wait for a value": () => [region!.waitUntil(0, "==", 0), undefined],
};

let region: Awaited<ReturnType<typeof newRegion>> | undefined;
let team: Awaited<ReturnType<LamellarWorld["createTeamFromArch"]>> | undefined;

function newRegion(world: LamellarWorld) {
  return world.allocSharedMemRegion("u32", 4);
}

/** Fails unless a handle that is not over is given up by a time and by a signal, and goes on. */
async function checkLimits(handle: Handle<unknown>, blocks: boolean): Promise<void> {
  const reason = new Error("aborted");
  const aborted = AbortSignal.abort(reason);
  assert(!handle.done);
  const late = await assertRejects(() => handle.within({ timeoutMs: 10 }), TimeoutError, "10 ms");
  assertEquals(late.message.split(" any longer ")[0], "Cannot wait");
  assertStrictEquals(await handle.within({ signal: aborted }).catch((error) => error), reason);
  const aborting = new AbortController();
  const meanwhile = handle.within({ signal: aborting.signal, timeoutMs: 60_000 });
  aborting.abort(reason);
  assertStrictEquals(await meanwhile.catch((error) => error), reason);
  if (blocks) {
    assertThrows(() => handle.block({ timeoutMs: 5 }), TimeoutError, "5 ms are over");
    assertStrictEquals(assertThrows(() => handle.block({ signal: aborted })), reason);
  }
  assert(!handle.done);
}

/** The cases of all kinds of handles. */
export const HANDLE_CASES: readonly Case[] = [
  {
    name: "Every handle is awaited, caught, waited for within a limit, and blocked on alike",
    async run(world) {
      region = await newRegion(world);
      team = await world.createTeamFromArch(new BlockedArch(0, world.numPes));
      for (const [name, make] of Object.entries(KINDS)) {
        const [handle, expected] = make(world);
        const ways = [
          handle,
          handle.then((value) => value),
          handle.catch(() => "caught"),
          handle.finally(() => {}),
          handle.within({ timeoutMs: 60_000, signal: new AbortController().signal }),
        ];
        for (const way of ways) assertEquals(await way, expected, name);
        assert(handle.done, name);
        // What is over is given whatever the limit.
        const over = { timeoutMs: 0, signal: AbortSignal.abort() };
        assertEquals(await handle.within(over), expected, name);
        assertEquals([handle.block(), handle.block(over)], [expected, expected], name);
        for (const button of BUTTONS) assert(!(button in handle), `${name} has ${button}`);
        const blocked = make(world)[0];
        assertEquals(world.blockOn(blocked), expected, name);
        assertThrows(() => blocked.block({ timeoutMs: -1 }), RangeError, "Cannot call block");
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "A handle that is not over is given up after a time or by a signal, and goes on",
    pes: several,
    async run(world) {
      gate = Promise.withResolvers();
      await world.asyncBarrier();
      const right = rightOf(world);
      const one = world.execAmPe(right, Wait({ n: 5 }));
      await checkLimits(one, true);
      const all = world.execAmAll(Wait({ n: 6 }));
      await checkLimits(all, false);
      const task = world.spawn(gate.promise.then(() => 7));
      await checkLimits(task, false);
      const wait = region!.waitUntil(3, "==", 1);
      await checkLimits(wait, true);
      // PE 0 is last in each of these.
      const barrier = world.myPe > 0 ? world.asyncBarrier() : undefined;
      if (barrier) await checkLimits(barrier, true);
      await world.execAmPe(0, Arrived({}));
      if (world.myPe === 0) {
        while (arrived < world.numPes) await world.execAmPe(right, Twice({ n: 1 }));
        arrived = 0;
      }
      await (barrier ?? world.asyncBarrier());
      const inTeam = world.myPe > 0 ? team!.asyncBarrier() : undefined;
      if (inTeam) await checkLimits(inTeam, true);
      await world.execAmPe(0, Arrived({}));
      if (world.myPe === 0) {
        while (arrived < world.numPes) await world.execAmPe(right, Twice({ n: 1 }));
        arrived = 0;
      }
      await (inTeam ?? team!.asyncBarrier());
      gate.resolve();
      region!.asSlice()[3] = 1;
      const values = [await one, await all, await task, await wait];
      assertEquals(values, [5, new Array(world.numPes).fill(6), 7, undefined]);
      await world.awaitAll();
      await world.asyncBarrier();
      region!.dispose();
      await team!.close();
    },
  },
  {
    name: "A task can be blocked on once it is over, and says so before",
    async run(world) {
      const task = world.spawn(async () => {
        await undefined;
        return 5;
      });
      assert(!task.done);
      const error = assertThrows(() => task.block(), LamellarError, "use await");
      assertEquals(error.code, "ERR_NEEDS_EVENT_LOOP");
      assertEquals([await task, task.done, task.block()], [5, true, 5]);
      const failing = world.spawn(() => Promise.reject(new SyntaxError("broken")));
      assertEquals(await failing.catch((error) => (error as Error).message), "broken");
      assertThrows(() => failing.block(), SyntaxError, "broken");
      await world.awaitAll();
    },
  },
];
