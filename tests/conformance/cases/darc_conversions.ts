/**
 * Conversions of Darcs, and what is left of everything in the end.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import {
  am,
  ClosedError,
  Darc,
  darc,
  type GlobalRwDarc,
  type LamellarWorld,
  type LocalRwDarc,
  u32,
} from "../../../mod.ts";
import { type Case, errorOf, rightOf, type Tools } from "../case.ts";
import { Instance } from "./darcs.ts";
import { ListArch } from "./teams.ts";

type AnyDarc = Darc<Instance> | LocalRwDarc<Instance> | GlobalRwDarc<Instance>;

/** What handlers have kept on this PE. */
const kept: Darc<Instance>[] = [];
const Keep = am("darcs.KeepForConversion", { at: darc<Instance>() }, (self) => {
  kept.push(self.at.clone());
});
const DropAll = am("darcs.DropAll", () => {
  for (const one of kept.splice(0)) one.dispose();
});

/** What handlers of the random walk have: they may send it on or keep it for a while. */
const hoard: AnyDarc[] = [];
interface Walk {
  readonly at: AnyDarc;
  readonly seed: number;
  readonly steps: number;
}
const WalkOn = am("darcs.WalkOn", async ({ at, seed, steps }: Walk, { numPes, world }) => {
  const choice = seed % 5;
  const clone = at.clone();
  if (choice === 0) hoard.push(clone);
  else if (choice === 1) await undefined;
  if (steps > 0) {
    const to = Math.floor(seed / 5) % numPes;
    world.execAmPe(to, WalkOn({ at: clone, seed: Math.floor(seed / 3), steps: steps - 1 }));
  }
  if (choice !== 0) clone.dispose();
  if (choice === 2) hoard.pop()?.dispose();
});
const DropHoard = am("darcs.DropHoard", { n: u32 }, ({ n }) => {
  for (const one of hoard.splice(0, n)) one.dispose();
});

async function together(world: LamellarWorld): Promise<void> {
  await world.awaitAll();
  await world.asyncBarrier();
}

/** Converts it into a random kind, the same on all PEs. */
async function convert(at: AnyDarc, t: Tools): Promise<AnyDarc> {
  const kind = Math.floor(3 * t.sharedRandom());
  if (kind === 0 && "intoDarc" in at) return await at.intoDarc();
  if (kind === 1 && "intoLocalRw" in at) return await at.intoLocalRw();
  if (kind === 2 && "intoGlobalRw" in at) return await at.intoGlobalRw();
  return at;
}

/** The cases of conversions. */
export const DARC_CONVERSION_CASES: readonly Case[] = [
  {
    name: "A Darc becomes any other kind and back, with the same instances",
    async run(world) {
      const own = new Instance(world.myPe);
      const first = await Darc.create(world, own);
      const local = await first.intoLocalRw();
      assertInstanceOf(await errorOf(() => first.value), ClosedError);
      {
        using guard = await local.write();
        assertStrictEquals(guard.value, own);
        guard.value.count++;
      }
      const global = await local.intoGlobalRw();
      {
        using guard = await global.write();
        guard.value.count++;
      }
      const again = await global.intoLocalRw();
      const bare = again.intoDarc().block();
      const shared = bare.intoGlobalRw().block();
      using last = await shared.intoDarc();
      assertEquals(last.value.count, 2);
      assertStrictEquals(last.value, own);
      assertEquals(Instance.live, 1);
      await together(world);
      last.dispose();
      await own.freed;
      await together(world);
    },
  },
  {
    name: "A conversion waits for the last other reference of every PE",
    async run(world) {
      const { myPe, numPes } = world;
      for (let keeper = 0; keeper < numPes; keeper++) {
        const own = new Instance(myPe);
        const at = await Darc.create(world, own);
        if (myPe === 0) await world.execAmPe(keeper, Keep({ at }));
        await together(world);
        const converted = at.intoLocalRw();
        // Everybody has called it, and messages have gone to and fro.
        await world.asyncBarrier();
        await world.execAmAll(DropNothing());
        await world.asyncBarrier();
        assertEquals(converted.done, false);
        await world.asyncBarrier();
        if (myPe === keeper) kept.pop()!.dispose();
        using local = await converted;
        using guard = await local.read();
        assertStrictEquals(guard.value, own);
        await together(world);
      }
    },
  },
  {
    name: "A guard counts as a reference, and a Darc is converted once",
    async run(world) {
      const own = new Instance(world.myPe);
      const local = await (await Darc.create(world, own)).intoLocalRw();
      const another = local.clone();
      const guard = await local.read();
      const converted = local.intoDarc();
      assertEquals(
        (await errorOf(() => another.intoDarc()) as { code?: string }).code,
        "ERR_CONVERTED",
      );
      another.dispose();
      await world.asyncBarrier();
      assertEquals(converted.done, false);
      await world.asyncBarrier();
      guard.dispose();
      using at = await converted;
      assertStrictEquals(at.value, own);
      await together(world);
    },
  },
  {
    name: "Darcs of a team are converted by the team",
    async run(world) {
      const { numPes } = world;
      const pes = Array.from({ length: Math.ceil(numPes / 2) }, (_, i) => numPes - 1 - i);
      const team = await world.createTeamFromArch(new ListArch(pes));
      if (team.isMember) {
        const at = await Darc.create(team, team.myPe);
        using local = await at.intoLocalRw();
        using guard = await local.write();
        assertEquals([guard.value, local.numPes], [team.myPe, pes.length]);
      }
      await together(world);
      team[Symbol.dispose]();
    },
  },
  {
    name: "Whatever is cloned, sent, kept, dropped and converted at random is freed once",
    limitMs: 60_000,
    async run(world, t) {
      const { myPe, numPes } = world;
      for (let round = 0; round < 6; round++) {
        const own = new Instance(myPe);
        let at: AnyDarc = await Darc.create(world, own);
        for (let phase = 0; phase < 4; phase++) {
          for (let i = 0; i < 10; i++) {
            const seed = Math.floor(t.random() * 2 ** 31);
            const call = WalkOn({ at, seed, steps: Math.floor(6 * t.random()) });
            world.execAmPe(Math.floor(numPes * t.random()), call);
            if (t.random() < 0.3) at.clone().dispose();
            if (t.random() < 0.2) await world.execAmPe(rightOf(world), DropHoard({ n: 1 }));
          }
          const dropped: AnyDarc = at;
          if (t.sharedRandom() < 0.5) {
            const converted: Promise<AnyDarc> = convert(at, t);
            // What is kept is dropped while the conversion waits, and while more is being kept.
            await settle(world);
            at = await converted;
            assert(at === dropped || (await errorOf(() => dropped.clone())) !== undefined);
          }
        }
        if (t.random() < 0.5) at.dispose();
        await settle(world);
        at.dispose();
        await own.freed;
        assertEquals([Instance.live, hoard.length], [0, 0]);
        await world.asyncBarrier();
      }
    },
  },
];

const DropNothing = am("darcs.DropNothing", () => {});

/** Waits until no handler goes on on any PE, and drops what they kept. */
async function settle(world: LamellarWorld): Promise<void> {
  // A walk launches at most six times in a row.
  for (let i = 0; i < 8; i++) {
    await world.awaitAll();
    await world.asyncBarrier();
    await world.execAmPe(world.myPe, DropHoard({ n: 1e9 }));
  }
  await world.execAmPe(world.myPe, DropAll());
  await world.asyncBarrier();
}
