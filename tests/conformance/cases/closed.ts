/**
 * A world that is closed refuses everything, and says so.
 *
 * @module
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  am,
  type AmHandle,
  type ArrayWriteGuard,
  AtomicArray,
  BlockedArch,
  ClosedError,
  type LamellarSubteam,
  LamellarWorldBuilder,
  LocalLockArray,
  type OneSidedMemoryRegion,
  type SharedMemoryRegion,
  u32,
} from "../../../mod.ts";
import { type Case, rightOf } from "../case.ts";

let passed = 0;
const PassOn = am("closed.PassOn", { hops: u32 }, (self, lamellar) => {
  passed++;
  if (self.hops === 0) return;
  const next = (lamellar.currentPe + 1) % lamellar.numPes;
  lamellar.world.execAmPe(next, PassOn({ hops: self.hops - 1 }));
});
const Fine = am("closed.Fine", {}, () => 1);

let shared: SharedMemoryRegion<"u32">;
let own: OneSidedMemoryRegion<"u32">;
let team: LamellarSubteam;
let atomic: AtomicArray<"u32">;
let locked: LocalLockArray<"u32">;
let guard: ArrayWriteGuard<"u32">;

const LAPS = 1000;

/** The last cases before `world.close()`. */
export const CLOSING_CASES: readonly Case[] = [
  {
    name: "Regions and teams can be used up to the end of their world",
    prepares: true,
    async run(world) {
      shared = await world.allocSharedMemRegion("u32", 2);
      own = world.allocOneSidedMemRegion("u32", 2);
      team = await world.createTeamFromArch(new BlockedArch(0, world.numPes));
      atomic = await AtomicArray.create(world, "u32", 10);
      locked = await LocalLockArray.create(world, "u32", 10);
      guard = await locked.writeLock();
      await shared.put(rightOf(world), 0, 5);
      await own.put(1, 6);
      await world.asyncBarrier();
      assertEquals([shared.at(0), own.at(1)], [5, 6]);
    },
  },
  {
    name: "A world may be closed while handlers still launch AMs",
    prepares: true,
    run(world) {
      world.execAmPe(rightOf(world), PassOn({ hops: LAPS * world.numPes - 1 }));
    },
  },
];

/** The cases after `world.close()`. */
export const CLOSED_CASES: readonly Case[] = [
  {
    name: "Closing waits for AMs that handlers launch",
    run(world) {
      assertEquals(passed, LAPS * world.numPes);
    },
  },
  {
    name: "A closed world refuses to launch and to wait",
    async run(world) {
      const right = rightOf(world);
      const attempts: (() => unknown)[] = [
        () => world.execAmPe(right, Fine({})),
        () => world.execAmPe(world.myPe, Fine({})),
        () => world.execAmAll(Fine({})),
        () => world.execAmLocal(Fine({})),
        () => world.execClosurePe(right, () => 1, []),
        () => world.team.execAmPe(right, Fine({})),
        () => world.createTeamFromArch(new BlockedArch(0, 1)),
        () => team.execAmPe(right, Fine({})),
        () => team.barrier(),
        () => team.createSubteamFromArch(new BlockedArch(0, 1)),
        () => world.waitAll(),
        () => world.barrier(),
        () => world.asyncBarrier(),
        () => world.spawn(() => 1),
        () => world.blockOn({} as AmHandle<number>),
      ];
      for (const attempt of attempts) {
        const error = assertThrows(attempt, ClosedError, "the world is closed");
        assertEquals(error.code, "ERR_CLOSED");
      }
      await assertRejects(() => world.awaitAll(), ClosedError, "the world is closed");
    },
  },
  {
    name: "The regions of a closed world refuse everything",
    async run(world) {
      const attempts: (() => unknown)[] = [
        () => shared.put(rightOf(world), 0, 1),
        () => shared.at(0),
        () => shared.asSlice(),
        () => shared.batchAdd([0], 1),
        () => shared.waitUntil(0, "==", 1).block(),
        () => own.put(0, 1),
        () => own.get(0),
        () => world.allocSharedMemRegion("u8", 1),
        () => world.allocOneSidedMemRegion("u8", 1),
      ];
      for (const attempt of attempts) assertThrows(attempt, ClosedError, "closed");
      await assertRejects(async () => await shared.waitUntil(0, "==", 1), ClosedError, "closed");
      shared.dispose();
      own.dispose();
    },
  },
  {
    name: "The arrays of a closed world refuse everything",
    run(world) {
      const attempts: (() => unknown)[] = [
        ...[atomic, locked].flatMap((array) => [
          () => array.at(0),
          () => array.add(0, 1),
          () => array.batchAdd([0], 1),
          () => array.put(0, 1),
          () => array.sum(),
          () => array.subArray(1),
          () => array.intoReadOnly(),
        ]),
        () => locked.readLock(),
        () => locked.tryWriteLock(),
        () => guard.localData(),
        () => guard.array.at(0),
        () => AtomicArray.create(world, "u8", 1),
      ];
      for (const attempt of attempts) assertThrows(attempt, ClosedError, "closed");
      guard.dispose();
      atomic.dispose();
      locked.dispose();
    },
  },
  {
    name: "A closed world can be closed again, and still knows its PE",
    async run(world) {
      await world.close();
      await team.close();
      await world[Symbol.asyncDispose]();
      assertEquals(world.myPe < world.numPes, true);
    },
  },
  {
    name: "No second world can be built after the first is closed",
    async run() {
      await assertRejects(() => new LamellarWorldBuilder().build(), Error, "second world");
    },
  },
];
