/**
 * The locks of Darcs: readers share them, writers have them alone, and whoever asks first gets them
 * first.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import {
  am,
  ClosedError,
  type DarcHandle,
  type DarcReadGuard,
  type DarcWriteGuard,
  GlobalRwDarc,
  globalRwDarc,
  LamellarError,
  LocalRwDarc,
  localRwDarc,
  TimeoutError,
  u32,
} from "../../../mod.ts";
import { type Case, errorOf, pause, rightOf, together } from "../case.ts";
import { Instance } from "./darcs.ts";
import { ListArch } from "./teams.ts";

const Increment = am("darcs.Increment", { at: localRwDarc<number>() }, async (self) => {
  using guard = await self.at.write();
  const { value } = guard;
  await pause();
  guard.value = value + 1;
});

/** What only one may change at a time, on PE 0. */
let counter = 0;
const Read = am("darcs.Read", () => counter);
const Write = am("darcs.Write", { value: u32 }, (self) => {
  counter = self.value;
});
const IncrementFirst = am(
  "darcs.IncrementFirst",
  { at: globalRwDarc<Instance>() },
  async (self, { world }) => {
    using _guard = await self.at.write();
    await world.execAmPe(0, Write({ value: await world.execAmPe(0, Read()) + 1 }));
  },
);

const Blocks = am(
  "darcs.Blocks",
  { local: localRwDarc<number>(), global: globalRwDarc<number>() },
  ({ global, local }) =>
    [() => local.read().block(), () => global.write().block(), () => global.tryRead().block()]
      .map((block) => {
        try {
          return `${block()}`;
        } catch (error) {
          return (error as LamellarError).code;
        }
      }),
);

/** The order in which claims get a lock; each gives it back at once. */
async function orderOf(claims: readonly DarcHandle<Disposable>[]): Promise<number[]> {
  const order: number[] = [];
  await Promise.all(claims.map(async (claim, i) => {
    using _guard = await claim;
    order.push(i);
  }));
  return order;
}

/** The cases of locks. */
export const DARC_LOCK_CASES: readonly Case[] = [
  {
    name: "A LocalRwDarc lets readers in together and a writer alone, each PE for itself",
    async run(world) {
      using at = await LocalRwDarc.create(world, world.myPe);
      {
        using one = await at.read();
        using two = at.read().block();
        using three = at.tryRead();
        assertEquals([one.value, two.value, three?.value], Array(3).fill(world.myPe));
        assertEquals(at.tryWrite(), undefined);
      }
      {
        using guard = await at.write();
        guard.value += 100;
        assertEquals([at.tryRead(), at.tryWrite()], [undefined, undefined]);
        const late = at.read();
        assertThrows(() => late.block(), LamellarError, "which needs its event loop");
        late.then((one) => one.dispose());
        // Others have locks of their own.
        await world.asyncBarrier();
      }
      (await at.write()).dispose();
      using guard = at.tryWrite();
      assertEquals(guard!.value, world.myPe + 100);
      guard!.dispose();
      guard!.dispose();
      assertThrows(() => guard!.value, ClosedError, "its lock was given back");
      assertThrows(() => guard!.value = 1, ClosedError, "Cannot write LocalRwDarc");
      assert(at.tryRead() !== undefined);
      await together(world);
    },
  },
  {
    name: "Many async handlers of a PE wait for one lock, and each gets it alone",
    async run(world) {
      const { myPe, numPes } = world;
      using at = await LocalRwDarc.create(world, 0);
      const rounds = 20;
      const launched = Array.from({ length: rounds }, () => world.execAmAll(Increment({ at })));
      await Promise.all(launched);
      await world.execAmPe(myPe, Increment({ at }));
      await together(world);
      using guard = await at.read();
      assertEquals(guard.value, rounds * numPes + 1);
    },
  },
  {
    name: "A lock is given in the order in which it was asked for, so that no writer starves",
    async run(world) {
      using local = await LocalRwDarc.create(world, 0);
      using global = await GlobalRwDarc.create(world, 0);
      for (const at of [local, global]) {
        for (let pe = 0; pe < world.numPes; pe++) {
          if (pe === world.myPe || at === local) {
            const held = await at.read();
            const claims = [at.read(), at.write(), at.read(), at.read(), at.write()];
            const order = orderOf(claims);
            using early = await claims[0]!;
            assertEquals([claims[1]!.done, claims[2]!.done], [false, false]);
            early.dispose();
            held.dispose();
            assertEquals(await order, [0, 1, 2, 3, 4]);
          }
          if (at === global) await world.asyncBarrier();
        }
      }
      await together(world);
    },
  },
  {
    name: "The lock of a GlobalRwDarc is one for all PEs, and for their handlers",
    async run(world) {
      const { myPe, numPes } = world;
      const own = new Instance(myPe);
      using at = await GlobalRwDarc.create(world, own);
      counter = 0;
      await world.asyncBarrier();
      const rounds = 5;
      for (let i = 0; i < rounds; i++) {
        using guard = await at.write();
        guard.value.count++;
        const value = await world.execAmPe(0, Read());
        await world.execAmPe(0, Write({ value: value + 1 }));
      }
      await Promise.all(
        Array.from(
          { length: rounds },
          () => world.execAmPe(rightOf(world), IncrementFirst({ at })),
        ),
      );
      await together(world);
      assertEquals(await world.execAmPe(0, Read()), 2 * rounds * numPes);
      assertEquals(own.count, rounds);
      at.dispose();
      await own.freed;
      await together(world);
    },
  },
  {
    name: "Readers of a GlobalRwDarc are in together on all PEs, and a writer keeps them out",
    async run(world) {
      using at = await GlobalRwDarc.create(world, world.myPe);
      {
        using guard = await at.read();
        // Everyone is in.
        await world.asyncBarrier();
        assertEquals(guard.value, world.myPe);
        assertEquals(await at.tryWrite(), undefined);
        using another = await at.tryRead();
        assertEquals(another?.value, world.myPe);
        await world.asyncBarrier();
      }
      await world.asyncBarrier();
      const writer = world.numPes - 1;
      let mine: DarcWriteGuard<number> | undefined;
      if (world.myPe === writer) mine = await at.write();
      await world.asyncBarrier();
      assertEquals([await at.tryRead(), await at.tryWrite()], [undefined, undefined]);
      await world.asyncBarrier();
      mine?.dispose();
      await world.asyncBarrier();
      using guard = at.read().block();
      assertEquals(guard.value, world.myPe);
      await together(world);
    },
  },
  {
    name: "collectiveWrite() gives all PEs the lock together, and nobody else",
    async run(world) {
      const { myPe, numPes } = world;
      using at = await GlobalRwDarc.create(world, 0);
      for (let round = 0; round < 3; round++) {
        const early = myPe === round % numPes ? await at.write() : undefined;
        const claim = at.collectiveWrite();
        if (early) early.value += 10;
        early?.dispose();
        let others: DarcHandle<DarcReadGuard<number>>;
        {
          using guard = await claim;
          guard.value++;
          others = at.read();
          await world.asyncBarrier();
          assertEquals([others.done, await at.tryRead()], [false, undefined]);
          await world.asyncBarrier();
        }
        (await others).dispose();
        using guard = await at.read();
        const times = Array.from({ length: round + 1 }, (_, i) => i % numPes === myPe ? 10 : 0);
        assertEquals(guard.value, round + 1 + times.reduce<number>((sum, n) => sum + n, 0));
        guard.dispose();
        await world.asyncBarrier();
      }
      using blocked = at.collectiveWrite().block();
      assertEquals(blocked.value > 2, true);
      await together(world);
    },
  },
  {
    name: "A claim is given up when its time is over or its signal is aborted, and bars nobody",
    async run(world) {
      using local = await LocalRwDarc.create(world, 0);
      using global = await GlobalRwDarc.create(world, 0);
      for (const at of [local, global]) {
        for (let pe = 0; pe < world.numPes; pe++) {
          await world.asyncBarrier();
          const holder = at === local || pe === world.myPe;
          const held = holder ? await at.read() : undefined;
          await world.asyncBarrier();
          const error = await errorOf(() => at.write({ timeoutMs: 1 }));
          assertInstanceOf(error, TimeoutError);
          assertMatch(error.message, /^Cannot wait any longer for the write lock of \w+RwDarc \d+/);
          assertInstanceOf(await errorOf(() => at.write({ timeoutMs: 1 }).block()), TimeoutError);
          const controller = new AbortController();
          const claim = at.write({ signal: controller.signal });
          controller.abort(new Error("changed my mind"));
          assertEquals((await errorOf(() => claim))?.message, "changed my mind");
          assertEquals(
            (await errorOf(() => at.read({ signal: controller.signal })))?.message,
            "changed my mind",
          );
          // The end of a wait leaves the claim where it is.
          const waits = at.write();
          assertInstanceOf(await errorOf(() => waits.within({ timeoutMs: 1 })), TimeoutError);
          await world.asyncBarrier();
          held?.dispose();
          (await waits).dispose();
          (await at.read()).dispose();
        }
      }
      await together(world);
    },
  },
  {
    name: "Blocking on a lock is refused in a handler",
    async run(world) {
      using local = await LocalRwDarc.create(world, 0);
      using global = await GlobalRwDarc.create(world, 0);
      await world.asyncBarrier();
      const codes = await world.execAmPe(rightOf(world), Blocks({ local, global }));
      assertEquals(codes, Array(3).fill("ERR_BLOCKING_IN_HANDLER"));
      await together(world);
    },
  },
  {
    name: "Each Darc of a team has a lock of its own",
    async run(world) {
      const { myPe, numPes } = world;
      const members = Array.from({ length: Math.ceil(numPes / 2) }, (_, i) => 2 * i).reverse();
      const team = await world.createTeamFromArch(new ListArch(members));
      if (team.isMember) {
        using one = await GlobalRwDarc.create(team, myPe);
        using two = await GlobalRwDarc.create(team, [myPe]);
        using first = await one.collectiveWrite();
        using second = await two.read();
        assertEquals([first.value, second.value], [myPe, [myPe]]);
        assertEquals([one.myPe, one.numPes], [team.myPe, members.length]);
        await team.asyncBarrier();
      }
      await together(world);
      team[Symbol.dispose]();
    },
  },
];
