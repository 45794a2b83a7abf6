/**
 * Darcs: every PE has its own instance, handles travel, and the instances are freed once no PE has
 * one.
 *
 * @module
 */

import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { garbageCollector } from "../../../internal/engine_internals.ts";
import {
  am,
  type AmContext,
  AmGroup,
  array,
  ClosedError,
  Darc,
  darc,
  GlobalRwDarc,
  IdError,
  type LamellarWorld,
  LocalRwDarc,
  optional,
  RemoteError,
  staticField,
  typedAmGroup,
  u32,
} from "../../../mod.ts";
import { type Case, errorOf, leftOf, rightOf, several } from "../case.ts";
import { ListArch } from "./teams.ts";

/** An instance that tells when it is freed. */
export class Instance implements Disposable {
  /** How many there are on this PE that were not freed. */
  static live = 0;
  count = 0;
  readonly #freed = Promise.withResolvers<void>();

  /**
   * @param pe Its PE.
   */
  constructor(readonly pe: number) {
    Instance.live++;
  }

  /** Settles when it is freed. */
  get freed(): Promise<void> {
    return this.#freed.promise;
  }

  [Symbol.dispose](): void {
    Instance.live--;
    this.#freed.resolve();
  }
}

const Add = am("darcs.Add", { at: darc<Instance>(), n: u32 }, (self) => {
  self.at.value.count += self.n;
  return self.at.value.pe;
});

const AddConstant = am(
  "darcs.AddConstant",
  { at: staticField(darc<Instance>()), n: u32 },
  (self) => {
    self.at.value.count += self.n;
  },
);

interface Nested {
  readonly list: readonly [{ readonly at: Darc<Instance> }];
  readonly map: Map<string, Darc<Instance>>;
  readonly set: Set<Darc<Instance>>;
}

const AddNested = am("darcs.AddNested", ({ list, map, set }: Nested) => {
  const found = [list[0].at, map.get("at")!, ...set];
  for (const one of found) one.value.count++;
  return found.map((one) => one.value.pe);
});

const AddMany = am(
  "darcs.AddMany",
  { all: array(darc<Instance>()), maybe: optional(darc<Instance>()) },
  (self) => {
    for (const one of self.all) one.value.count++;
    if (self.maybe) self.maybe.value.count += 10;
  },
);

const Echo = am("darcs.Echo", (self: { at: Darc<Instance> }) => self.at);
const EchoTyped = am(
  "darcs.EchoTyped",
  { at: darc<Instance>() },
  (self) => self.at,
  { returns: darc<Instance>() },
);
const AtOrigin = am(
  "darcs.AtOrigin",
  { at: darc<Instance>() },
  (self) => Add({ at: self.at, n: 100 }),
);

let gate = Promise.withResolvers<void>();
let seen: Darc<Instance> | undefined;
const Late = am("darcs.Late", { at: darc<Instance>() }, async (self) => {
  seen = self.at;
  await gate.promise;
  self.at.value.count += 1000;
});
const OpenGate = am("darcs.OpenGate", () => gate.resolve());

let kept: Darc<Instance> | undefined;
const Keep = am("darcs.Keep", { at: darc<Instance>() }, (self) => {
  kept = self.at.clone();
  seen = self.at;
});
const DropKept = am("darcs.DropKept", () => {
  kept?.dispose();
  kept = undefined;
});

/** Settles when everybody has come here, and what was launched until then is over. */
async function together(world: LamellarWorld): Promise<void> {
  await world.awaitAll();
  await world.asyncBarrier();
}

/** The cases of Darcs. */
export const DARC_CASES: readonly Case[] = [
  {
    name: "A Darc brings a handler to its own PE's instance, by both codecs and nested",
    async run(world) {
      const { myPe, numPes } = world;
      const own = new Instance(myPe);
      using at = await Darc.create(world, own);
      assertStrictEquals(at.value, own);
      assertEquals([at.myPe, at.numPes, at.numThreadsPerPe], [myPe, numPes, 1]);
      assertStrictEquals(at.team, world.team);
      assertStrictEquals(at.world, world);
      const pes = Array.from({ length: numPes }, (_, pe) => pe);
      assertEquals(await world.execAmAll(Add({ at, n: 2 })), pes);
      const nested = { list: [{ at }], map: new Map([["at", at]]), set: new Set([at]) } as const;
      const right = rightOf(world);
      assertEquals(await world.execAmPe(right, AddNested(nested)), [right, right, right]);
      await world.execAmPe(right, AddMany({ all: [at, at], maybe: at }));
      await world.execAmPe(right, AddMany({ all: [] }));
      await together(world);
      assertEquals(own.count, 2 * numPes + 3 + 12);
      at.dispose();
      await own.freed;
    },
  },
  {
    name: "A Darc comes back in a result, to a returned AM, and by closures",
    async run(world) {
      const own = new Instance(world.myPe);
      using at = await Darc.create(world, own);
      const right = rightOf(world);
      for (const call of [Echo({ at }), EchoTyped({ at })]) {
        using back = await world.execAmPe(right, call);
        assertInstanceOf(back, Darc);
        assertStrictEquals(back.value, own);
      }
      assertEquals(await world.execAmPe(right, AtOrigin({ at })), world.myPe);
      const pe = await world.execClosurePe(
        right,
        (one: Darc<Instance>) => {
          one.value.count += 5;
          return one.value.pe;
        },
        [at],
      );
      assertEquals(pe, right);
      using echoed = await world.execClosurePe(right, (one: Darc<Instance>) => one, [at]);
      assertStrictEquals(echoed.value, own);
      const later = await world.execClosurePe(
        right,
        (one: Darc<Instance>, lamellar: AmContext) =>
          lamellar.closure((kept: Darc<Instance>) => {
            const { pe } = kept.value;
            kept.dispose();
            return pe;
          }, [one]),
        [at],
      );
      assertEquals(later(), world.myPe);
      await together(world);
      assertEquals(own.count, 105);
      at.dispose();
      echoed.dispose();
      await own.freed;
    },
  },
  {
    name: "What a handler gets lasts until its async part is over, and a clone lasts longer",
    async run(world) {
      const own = new Instance(world.myPe);
      gate = Promise.withResolvers();
      using at = await Darc.create(world, own);
      const late = world.execAmPe(rightOf(world), Late({ at }));
      await world.asyncBarrier();
      // The program gives its own up; what keeps the Darc is the handler that goes on.
      at.dispose();
      await world.execAmPe(leftOf(world), OpenGate());
      await late;
      await own.freed;
      assertEquals(own.count, 1000);
      assertThrows(() => seen!.value, ClosedError, "its handler is over, and it was not cloned");
      await together(world);

      const next = new Instance(world.myPe);
      using again = await Darc.create(world, next);
      await world.execAmPe(rightOf(world), Keep({ at: again }));
      again.dispose();
      await together(world);
      assertEquals(Instance.live, 1);
      assertStrictEquals(kept!.value, next);
      assertThrows(() => seen!.clone(), ClosedError, "its handler is over");
      await together(world);
      await world.execAmPe(rightOf(world), DropKept());
      await next.freed;
      await together(world);
    },
  },
  {
    name: "The instances are freed once no PE has one, and not before",
    async run(world) {
      const { myPe, numPes } = world;
      for (let keeper = 0; keeper < numPes; keeper++) {
        const own = new Instance(myPe);
        const at = await Darc.create(world, own);
        const weak = at.downgrade();
        using clone = weak.upgrade()!;
        assertStrictEquals(clone.value, own);
        if (myPe === 0) await world.execAmPe(keeper, Keep({ at }));
        await together(world);
        at.dispose();
        clone.dispose();
        // Every PE has come here without one; only the keeper has.
        await together(world);
        await world.execAmAll(OpenGate());
        await together(world);
        assertEquals(Instance.live, 1);
        assertThrows(() => at.value, ClosedError, "it was disposed of");
        await together(world);
        if (myPe === 0) await world.execAmPe(keeper, DropKept());
        await own.freed;
        assertEquals([Instance.live, weak.upgrade()], [0, undefined]);
        await together(world);
      }
    },
  },
  {
    name: "A handle that was disposed of cannot be used, cloned or sent",
    async run(world) {
      const own = new Instance(world.myPe);
      const at = await Darc.create(world, own);
      at.dispose();
      at.dispose();
      const where = new RegExp(`Darc \\d+ on PE ${world.myPe}: it was disposed of`);
      for (
        const use of [
          () => at.value,
          () => at.clone(),
          () => at.downgrade(),
          () => at.intoLocalRw(),
          () => world.execAmPe(0, Add({ at, n: 1 })),
          () => world.execAmAll(Echo({ at })),
        ]
      ) {
        const error = await errorOf(use);
        assertInstanceOf(error, ClosedError);
        assertMatch(error.message, where);
      }
      await own.freed;
      await together(world);
    },
  },
  {
    name: "A Darc of a team is numbered as its team, and refused on a PE outside of it",
    pes: several,
    async run(world) {
      const { myPe, numPes } = world;
      const members = Array.from({ length: numPes - 1 }, (_, i) => numPes - 2 - i);
      const team = await world.createTeamFromArch(new ListArch(members));
      if (team.isMember) {
        const own = new Instance(myPe);
        using at = await Darc.create(team, own);
        assertEquals([at.myPe, at.numPes, at.team.getPes()], [team.myPe, members.length, members]);
        const right = (team.myPe + 1) % team.numPes;
        assertEquals(await team.execAmPe(right, Add({ at, n: 1 })), members[right]);
        const text = /IdError: Cannot use Darc 1 of team [\d.]+ on PE \d+: this PE is not a member/;
        const outside = numPes - 1;
        for (
          const launch of [
            () => world.execAmPe(outside, Add({ at, n: 1 })),
            () => world.execAmPe(outside, Echo({ at })),
          ]
        ) {
          const error = await errorOf(launch);
          assertInstanceOf(error, RemoteError);
          assertMatch(error.message, text);
        }
        const closure = await errorOf(() =>
          world.execClosurePe(outside, (one: Darc<Instance>) => one.value.pe, [at])
        );
        assertMatch(`${closure}`, text);
        await team.asyncBarrier();
        at.dispose();
        await own.freed;
      } else {
        assertThrows(() => Darc.create(team, 1), IdError, "Cannot call Darc.create: PE");
      }
      await together(world);
      team[Symbol.dispose]();
    },
  },
  {
    name: "A result that brings a Darc to a PE outside of its team, or to nobody, does no harm",
    pes: several,
    async run(world) {
      const { myPe, numPes } = world;
      const outsider = numPes - 1;
      const team = await world.createTeamFromArch(
        new ListArch(Array.from({ length: outsider }, (_, pe) => pe)),
      );
      const own = new Instance(myPe);
      using at = team.isMember ? await Darc.create(team, own) : undefined;
      given = at;
      await together(world);
      if (myPe === outsider) {
        for (let pe = 0; pe < outsider; pe++) {
          const error = await errorOf(() => world.execAmPe(pe, Give()));
          assertInstanceOf(error, IdError);
        }
      }
      await together(world);
      // What arrives after its launcher has given it up is given back at once.
      if (at) {
        const signal = AbortSignal.abort(new Error("not wanted"));
        assertEquals(
          (await errorOf(() => team.execAmPe(0, Give(), { signal })))?.message,
          "not wanted",
        );
      }
      await together(world);
      given = undefined;
      at?.dispose();
      if (at) await own.freed;
      else own[Symbol.dispose]();
      await together(world);
      team[Symbol.dispose]();
    },
  },
  {
    name: "A Darc that nobody disposes of is freed once it is collected",
    async run(world) {
      // All PEs of a process ask for it at once, which not all of them get.
      let collect: (() => void) | undefined;
      while (collect === undefined) collect = await garbageCollector();
      const own = new Instance(world.myPe);
      await forgetful(world, own);
      let isFreed = false;
      own.freed.then(() => isFreed = true);
      while (!isFreed) {
        collect();
        await new Promise((resolve) => setTimeout(resolve));
      }
      await together(world);
    },
  },
  {
    name: "Darcs travel in groups of AMs, also as the constant of a group, and are freed",
    async run(world) {
      const { myPe, numPes } = world;
      const own = new Instance(myPe);
      using at = await Darc.create(world, own);
      const group = new AmGroup(world);
      for (let i = 0; i < 50; i++) group.addAmPe(i % numPes, Add({ at, n: 1 }));
      group.addAmPe(rightOf(world), Echo({ at }));
      const results = await group.exec();
      assertEquals(results.at(1), { kind: "pe", pe: 1 % numPes, value: 1 % numPes });
      using back = (results.at(50) as { readonly value: Darc<Instance> }).value;
      assertStrictEquals(back.value, own);
      const typed = typedAmGroup(AddConstant, world);
      for (let n = 0; n < 10; n++) typed.addAmAll(AddConstant({ at, n }));
      await typed.exec();
      await together(world);
      const first = Math.ceil((50 - myPe) / numPes);
      assertEquals(own.count, numPes * (first + 45));
      at.dispose();
      back.dispose();
      await own.freed;
      await together(world);
    },
  },
  {
    name: "Collectives bring Darcs, which a PE outside of their team refuses, and they are freed",
    async run(world) {
      const { myPe, numPes } = world;
      const first = await world.createTeamFromArch(new ListArch([0]));
      const [own, alone] = [new Instance(myPe), new Instance(-1)];
      const at = await Darc.create(world, own);
      for (const { darc } of await world.allGather({ darc: at })) {
        assertStrictEquals(darc.value, own);
        darc.dispose();
      }
      const inTeam = myPe === 0 ? await Darc.create(first, alone) : undefined;
      const brought = world.broadcast([inTeam]);
      if (myPe === 0) (await brought)[0]!.dispose();
      else assertInstanceOf(await errorOf(() => brought), IdError);
      inTeam?.dispose();
      if (myPe === 0) await alone.freed;
      else alone[Symbol.dispose]();
      at.dispose();
      await own.freed;
      assertEquals(await world.allReduce(1, "sum"), numPes);
    },
  },
  {
    name: "Darcs of all kinds are created and freed side by side",
    async run(world) {
      const instances = Array.from({ length: 30 }, () => new Instance(world.myPe));
      const all = instances.map((one, i) => {
        if (i % 3 === 0) return Darc.create(world, one);
        return i % 3 === 1 ? LocalRwDarc.create(world, one) : GlobalRwDarc.create(world, one);
      });
      for (const handle of all) (await handle).dispose();
      for (const one of instances) await one.freed;
      assertEquals(Instance.live, 0);
      await together(world);
    },
  },
];

let given: Darc<Instance> | undefined;
const Give = am("darcs.Give", () => given);

/** Creates a Darc, sends it around, and forgets all about it. */
async function forgetful(world: LamellarWorld, own: Instance): Promise<void> {
  const at = await Darc.create(world, own);
  at.clone();
  await world.execAmPe(rightOf(world), Echo({ at }));
  await together(world);
}
