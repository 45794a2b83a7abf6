/**
 * The world: who and how many we are, barriers, and what a second world is refused with.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  am,
  type LamellarEnv,
  LamellarError,
  LamellarTeam,
  LamellarWorldBuilder,
  u32,
} from "../../../mod.ts";
import { type Case, rightOf, several } from "../case.ts";

let arrived = 0;
const Arrive = am("world.Arrive", {}, () => {
  arrived++;
});

const Who = am("world.Who", {}, (_self, lamellar) => [lamellar.currentPe, lamellar.numPes]);

const BarrierInside = am("world.BarrierInside", {}, (_self, lamellar) => lamellar.world.barrier());
const WaitAllInside = am("world.WaitAllInside", { pe: u32 }, (self, lamellar) => {
  lamellar.world.execAmPe(self.pe, Arrive({}));
  lamellar.world.waitAll();
});
const BlockInside = am("world.BlockInside", { pe: u32 }, (self, lamellar) => {
  lamellar.world.execAmPe(self.pe, Arrive({})).block();
});

/** The cases of rows W-05 to W-22 that concern the world itself. */
export const WORLD_CASES: readonly Case[] = [
  {
    name: "A second world in one program is refused",
    async run() {
      const error = await assertRejects(
        () => new LamellarWorldBuilder().build(),
        LamellarError,
        "second world",
      );
      assertEquals(error.code, "ERR_WORLD_EXISTS");
    },
  },
  {
    name: "Every PE has a number of its own and all know how many they are",
    async run(world) {
      const all = await world.execAmAll(Who({}));
      assertEquals(all, Array.from({ length: world.numPes }, (_, pe) => [pe, world.numPes]));
      assertEquals(all[world.myPe], [world.myPe, world.numPes]);
    },
  },
  {
    name: "World and team both tell their environment",
    run(world) {
      for (const env of [world, world.team] as LamellarEnv[]) {
        assertEquals(env.myPe, world.myPe);
        assertEquals(env.numPes, world.numPes);
        assertEquals(env.numThreadsPerPe, 1);
        assert(env.world === world);
        assert(env.team === world.team);
      }
      assertInstanceOf(world.team, LamellarTeam);
      assertEquals(world.team.getPes(), Array.from({ length: world.numPes }, (_, pe) => pe));
    },
  },
  {
    name: "The team of the world launches AMs and holds barriers as the world does",
    async run(world) {
      assertEquals(await world.team.execAmPe(rightOf(world), Who({})), [
        rightOf(world),
        world.numPes,
      ]);
      world.team.barrier();
      await world.team.asyncBarrier();
      await world.team.awaitAll();
    },
  },
  {
    name: "barrier() lets nobody go before everyone has come",
    async run(world) {
      await countArrivals(world.numPes, 30, {
        pe: world.myPe,
        arrive: async () => void await world.execAmAll(Arrive({})),
        barrier: () => world.barrier(),
      });
    },
  },
  {
    name: "asyncBarrier() lets nobody go before everyone has come",
    async run(world) {
      await countArrivals(world.numPes, 30, {
        pe: world.myPe,
        arrive: async () => void await world.execAmAll(Arrive({})),
        barrier: () => world.asyncBarrier(),
      });
    },
  },
  {
    name: "block() on an asyncBarrier() lets nobody go before everyone has come",
    async run(world) {
      await countArrivals(world.numPes, 30, {
        pe: world.myPe,
        arrive: () => void world.execAmAll(Arrive({})).block(),
        barrier: () => world.blockOn(world.asyncBarrier()),
      });
    },
  },
  {
    name: "Barriers alternate between blocking and awaited ones, differently on each PE",
    async run(world) {
      await countArrivals(world.numPes, 60, {
        pe: world.myPe,
        arrive: async () => void await world.execAmAll(Arrive({})),
        barrier: (round) => (round + world.myPe) % 2 === 0 ? world.barrier() : world.asyncBarrier(),
      });
    },
  },
  {
    name: "Two thousand blocking barriers in a row end together",
    async run(world) {
      for (let i = 0; i < 2000; i++) world.barrier();
      await world.execAmPe(rightOf(world), Who({}));
    },
  },
  {
    name: "Five hundred awaited barriers in a row end together",
    async run(world) {
      for (let i = 0; i < 500; i++) await world.asyncBarrier();
    },
  },
  {
    name: "Several awaited barriers may be under way, and a blocking one behind them",
    async run(world) {
      for (let i = 0; i < 20; i++) {
        const first = world.asyncBarrier();
        const second = world.asyncBarrier();
        world.barrier();
        await second;
        await first;
        first.block();
      }
    },
  },
  {
    name: "A PE serves AMs while it stands in a barrier",
    pes: several,
    async run(world) {
      if (world.myPe === 0) {
        for (let pe = 1; pe < world.numPes; pe++) {
          assertEquals(await world.execAmPe(pe, Who({})), [pe, world.numPes]);
          assertEquals(world.execAmPe(pe, Who({})).block(), [pe, world.numPes]);
        }
      }
      if (world.myPe % 2 === 0) world.barrier();
      else await world.asyncBarrier();
    },
  },
  {
    name: "Blocking inside a handler is refused and harms nothing",
    async run(world) {
      const [pe, right] = [world.myPe, rightOf(world)];
      for (const call of [BarrierInside({}), WaitAllInside({ pe }), BlockInside({ pe })]) {
        const error = await assertRejects(
          async () => await world.execAmPe<unknown>(right, call),
          Error,
          "inside a handler",
        );
        assertInstanceOf(error, LamellarError);
      }
      world.barrier();
      await world.asyncBarrier();
      world.barrier();
    },
  },
  {
    name: "Timers of the program go on while it awaits an AM",
    async run(world) {
      let fired = 0;
      const timer = setInterval(() => fired++, 1);
      while (fired < 3) await world.execAmPe(rightOf(world), Who({}));
      clearInterval(timer);
    },
  },
  {
    name: "mbSent grows by what is sent to others, and by nothing else",
    pes: several,
    async run(world) {
      const before = world.mbSent;
      const answer = await world.execAmPe(rightOf(world), Echo({ data: new Uint8Array(1e6) }));
      assertEquals(answer, 1e6);
      const sent = world.mbSent - before;
      assert(sent >= 1 && sent < 1.5, `${sent} MB`);
      await world.execAmLocal(Echo({ data: new Uint8Array(1e7) }));
      assert(world.mbSent - before < 1.5);
    },
  },
];

const Echo = am("world.Echo", (self: { data: Uint8Array }) => self.data.length);

/** How a PE takes part in {@linkcode countArrivals}. */
interface Participant {
  readonly pe: number;
  /** Tells every PE that this one is there, and returns when they know. */
  arrive(): void | Promise<void>;
  barrier(round: number): void | PromiseLike<void>;
}

/**
 * Holds barriers, and counts at each who has come. The second barrier of a round keeps the fast
 * from telling of the next round already.
 */
async function countArrivals(numPes: number, rounds: number, me: Participant): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    arrived = 0;
    await me.barrier(2 * round);
    // Somebody else is the last to come in each round.
    if (round % numPes === me.pe) {
      for (let i = 0; i < 50; i++) await undefined;
    }
    await me.arrive();
    await me.barrier(2 * round + 1);
    assertEquals(arrived, numPes, `in round ${round}`);
  }
}
