/**
 * Inside a handler every blocking form is refused, whether or not there is anything to wait for;
 * outside, the error of several is that of all.
 *
 * @module
 */

import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  am,
  BlockedArch,
  type HandlerWorld,
  LamellarError,
  type LamellarWorld,
  RemoteError,
  u32,
} from "../../../mod.ts";
import { type Case, rightOf } from "../case.ts";

const Fine = am("blocking.Fine", {}, () => 5);
const Fails = am("blocking.Fails", {}, () => {
  throw new RangeError("on purpose");
});

const LaterFails = am("blocking.LaterFails", {}, async () => {
  await undefined;
  throw new RangeError("later");
});

/** The blocking forms; what they block on is over, or there is nothing. */
const FORMS: readonly ((world: HandlerWorld & LamellarWorld) => unknown)[] = [
  (world) => world.waitAll(),
  (world) => world.barrier(),
  (world) => world.team.waitAll(),
  (world) => done(world).block(),
  (world) => world.blockOn(done(world)),
  (world) => world.blockOnAll([done(world)]),
  () => doneAll!.block(),
  () => doneBarrier!.block(),
  () => doneTeam!.block(),
  () => doneTeam!.block(),
  () => doneRegion!.block(),
];

let doneHandle: { block(): unknown } | undefined;
let doneAll: { block(): unknown } | undefined;
let doneBarrier: { block(): unknown } | undefined;
let doneTeam: { block(): unknown } | undefined;
let doneRegion: { block(): unknown } | undefined;

function done(_world: unknown): { block(): unknown } {
  return doneHandle!;
}

const Blocks = am("blocking.Blocks", { form: u32 }, (self, lamellar) => {
  FORMS[self.form]!(lamellar.world as HandlerWorld & LamellarWorld);
});
const TeamBarrier = am("blocking.TeamBarrier", {}, (_self, { team }) => team.barrier());

/** The cases. */
export const BLOCKING_REFUSAL_CASES: readonly Case[] = [
  {
    name: "Every blocking form is refused in a handler, also where nothing is under way",
    async run(world) {
      doneHandle = world.execAmPe(world.myPe, Fine({}));
      doneAll = world.execAmAll(Fine({}));
      const barrier = world.asyncBarrier();
      doneBarrier = barrier;
      const arch = new BlockedArch(0, 1);
      const team = world.createTeamFromArch(arch);
      doneTeam = team;
      const region = world.allocSharedMemRegion("u8", 1);
      doneRegion = region;
      await Promise.all([doneHandle, doneAll, barrier, team, region]);
      await world.asyncBarrier();
      for (const pe of [world.myPe, rightOf(world)]) {
        for (let form = 0; form < FORMS.length; form++) {
          const handle = world.execAmPe(pe, Blocks({ form }));
          const error = assertThrows(() => handle.block(), RemoteError, undefined, `form ${form}`);
          assertStringIncludes(error.message, "inside a handler", `form ${form}`);
        }
      }
      // A PE that is no member has nothing to wait for either.
      const error = assertThrows(() => (team.block()).execAmPe(0, TeamBarrier({})).block());
      assertInstanceOf(error, RemoteError);
      await world.asyncBarrier();
      region.block().dispose();
      await team.block().close();
    },
  },
  {
    name: "The error of a block() on several is caught with those of the others",
    async run(world) {
      const fails = () => world.execAmPe(rightOf(world), Fails({}));
      assertThrows(() => world.execAmAll(Fails({})).block(), RemoteError, "on purpose");
      assertThrows(() => world.blockOnAll([fails(), world.execAmAll(Fails({})), fails()]));
      assertThrows(() => world.blockOnAll([world.execAmPe(0, Fine({})), fails(), fails()]));
      const closure = (): void => {
        throw new RangeError("in a closure");
      };
      assertThrows(() => world.execClosureAll(closure, []).block(), RemoteError);
      const late = world.execAmPe(world.myPe, LaterFails({}));
      // What refuses to block, or is nothing to block on, says nothing of how the others end.
      const mixed = [late, fails(), 5 as unknown as typeof late];
      assertThrows(() => world.blockOnAll(mixed), TypeError, "not a Lamellar handle");
      assertThrows(
        () => world.blockOnAll(mixed.slice(0, 2)),
        LamellarError,
        "its handler is async",
      );
      const error = await assertRejects(() => world.awaitAll(), AggregateError);
      assertEquals(error.errors.length, 2);
      // None of them surfaces here, nor at the end of the job.
      await world.awaitAll();
      world.waitAll();
      const ignored = [world.execAmAll(Fails({})), world.execAmPe(0, Fine({}))];
      assertThrows(() => world.waitAll());
      assertEquals(ignored.length, 2);
    },
  },
];
