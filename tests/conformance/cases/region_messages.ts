/**
 * One-sided regions, and regions of both kinds that travel in active messages and closures.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  am,
  type AmContext,
  ClosedError,
  MemNotLocalError,
  oneSided,
  OneSidedMemoryRegion,
  region as regionOf,
  type SharedMemoryRegion,
  u32,
} from "../../../mod.ts";
import { type Case, rightOf, several } from "../case.ts";
import { arrayOf, numbers, small, TYPES } from "./region_values.ts";

const Fill = am("regions.Fill", { into: regionOf("f64"), value: u32 }, (self, lamellar) => {
  self.into.asMutSlice().fill(self.value + lamellar.currentPe);
});
const PutBack = am(
  "regions.PutBack",
  { from: oneSided("u32"), at: u32 },
  async (self, lamellar) => {
    const got = await self.from.getBuffer(0, self.at);
    await self.from.put(self.at, got.map((value) => value * 2 + lamellar.currentPe));
    return got.length;
  },
);
const Sum = am(
  "regions.Sum",
  (self: { parts: SharedMemoryRegion<"i32">[]; pe: number }) =>
    self.parts.map((part) => [...part.asSlice()].reduce((sum, n) => sum + n, 0)),
);
const SameRegion = am(
  "regions.SameRegion",
  (self: { a: SharedMemoryRegion<"u8">; b: SharedMemoryRegion<"u8"> }) => self.a.equals(self.b),
);
const Forward = am(
  "regions.Forward",
  { hops: u32, list: oneSided("u32") },
  async (self, lamellar): Promise<void> => {
    await self.list.add(lamellar.currentPe, 1);
    if (self.hops === 0) return;
    const next = (lamellar.currentPe + 1) % lamellar.numPes;
    await lamellar.world.execAmPe(next, Forward({ hops: self.hops - 1, list: self.list }));
  },
);
let kept: OneSidedMemoryRegion<"u32"> | undefined;
const KeepHandle = am("regions.KeepHandle", { handle: oneSided("u32") }, (self) => {
  kept = self.handle;
});
const UseKept = am("regions.UseKept", {}, () => kept!.at(0));
const Give = am("regions.Give", {}, (_self, lamellar) => {
  const own = lamellar.world.allocOneSidedMemRegion("u16", 4);
  own.asMutSlice().fill(100 + lamellar.currentPe);
  return own;
});

/** The cases of rows M-02, M-03, M-11 and M-14. */
export const REGION_MESSAGE_CASES: readonly Case[] = [
  {
    name: "A one-sided region of every type is used by its owner",
    async run(world) {
      for (const type of TYPES) {
        using region = world.allocOneSidedMemRegion(type, 6);
        assertEquals([region.type, region.length], [type, 6]);
        assert(numbers(region.asSlice()).every((value) => value === 0));
        await region.put(0, arrayOf(type, [1, 2, 3]));
        region.blockingPut(3, small(type, 4));
        region.putUnmanaged(4, [small(type, 5)]);
        world.waitAll();
        assertEquals(numbers(region), [1, 2, 3, 4, 5, 0]);
        assertEquals(Number(region.at(2)), 3);
        assertEquals(Number(await region.fetchAdd(2, small(type, 5))), 3);
        await region.batchAdd([0, 0], small(type, 1));
        assertEquals(numbers(await region.gather([2, 0])), [8, 3]);
        await region.putStrided(0, 2, arrayOf(type, [7, 7, 7]));
        await region.subRegion(1, 3).put(0, small(type, 9));
        assertEquals(numbers(await region.get(0, 6)), [7, 9, 7, 4, 7, 0]);
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "A shared region travels in a schema, and the handler writes its own part",
    async run(world) {
      using region = await world.allocSharedMemRegion("f64", 10);
      if (world.myPe === 0) await world.execAmAll(Fill({ into: region, value: 5 }));
      await world.asyncBarrier();
      assert(region.asSlice().every((value) => value === 5 + world.myPe));
      await world.asyncBarrier();
      const right = rightOf(world);
      if (world.myPe === 0) {
        await world.execAmPe(right, Fill({ into: region.subRegion(3, 5), value: 9 }));
      }
      await world.asyncBarrier();
      const touched = region.asSlice().filter((value) => value === 9 + world.myPe).length;
      assertEquals(touched, world.myPe === 1 % world.numPes ? 2 : 0);
      await world.asyncBarrier();
    },
  },
  {
    name: "A one-sided region travels, and the handler gets from and puts to its owner",
    async run(world) {
      using region = world.allocOneSidedMemRegion("u32", 8);
      region.asMutSlice().set([1, 2, 3, 4]);
      const right = rightOf(world);
      assertEquals(await world.execAmPe(right, PutBack({ from: region, at: 4 })), 4);
      assertEquals([...region.asSlice()].slice(4), [1, 2, 3, 4].map((n) => 2 * n + right));
    },
  },
  {
    name: "Regions travel inside MessagePack payloads, and stay the same regions",
    async run(world) {
      using region = await world.allocSharedMemRegion("i32", 4);
      region.asMutSlice().set([1, -2, 3, 10 * world.myPe]);
      await world.asyncBarrier();
      const right = rightOf(world);
      const parts = [region, region.subRegion(1, 3)];
      assertEquals(await world.execAmPe(right, Sum({ parts, pe: 0 })), [2 + 10 * right, 1]);
      using bytes = await world.allocSharedMemRegion("u8", 2);
      using others = await world.allocSharedMemRegion("u8", 2);
      assertEquals(await world.execAmPe(right, SameRegion({ a: bytes, b: bytes })), true);
      assertEquals(await world.execAmPe(right, SameRegion({ a: bytes, b: others })), false);
      await world.asyncBarrier();
    },
  },
  {
    name: "Closures capture and return regions of both kinds",
    async run(world) {
      using region = await world.allocSharedMemRegion("f64", 3);
      using own = world.allocOneSidedMemRegion("f64", 3);
      own.asMutSlice().set([1, 2, 3]);
      const right = rightOf(world);
      const sum = await world.execClosurePe(
        right,
        async (
          shared: SharedMemoryRegion<"f64">,
          remote: OneSidedMemoryRegion<"f64">,
          lamellar: AmContext,
        ) => {
          await shared.put(lamellar.currentPe, 0, await remote.getBuffer(0, 3));
          return shared.asSlice().reduce((total, value) => total + value, 0);
        },
        [region, own],
      );
      assertEquals(sum, 6);
      const back = await world.execClosurePe(
        right,
        (
          shared: SharedMemoryRegion<"f64">,
          remote: OneSidedMemoryRegion<"f64">,
        ) => [shared, remote],
        [region, own],
      );
      assert(back[0]!.equals(region) && back[1]!.equals(own));
      await world.asyncBarrier();
    },
  },
  {
    name: "A region handle is sent on from PE to PE",
    async run(world) {
      using list = world.allocOneSidedMemRegion("u32", world.numPes);
      await world.execAmPe(rightOf(world), Forward({ hops: 2 * world.numPes - 1, list }));
      assert(list.asSlice().every((count) => count === 2), list.asSlice().join());
    },
  },
  {
    name: "A handler allocates a region and returns it, and the caller reads it",
    async run(world) {
      const region = await world.execAmPe(rightOf(world), Give({}));
      assertInstanceOf(region, OneSidedMemoryRegion);
      assertEquals(numbers(await region.getBuffer(0, 4)), new Array(4).fill(100 + rightOf(world)));
    },
  },
  {
    name: "The data of a one-sided region of another PE is not used directly",
    pes: several,
    async run(world) {
      const region = await world.execAmPe(rightOf(world), Give({}));
      const error = assertThrows(() => region.asSlice(), MemNotLocalError);
      assertEquals([error.code, error.pe], ["ERR_MEM_NOT_LOCAL", rightOf(world)]);
      assertThrows(() => [...region], MemNotLocalError);
      assertThrows(() => region.waitUntil(0, "==", 1).block(), MemNotLocalError);
      assertEquals(region.at(0), 100 + rightOf(world));
    },
  },
  {
    name:
      "A handle whose owner has disposed the region is refused, not the memory that lies there now",
    pes: several,
    async run(world) {
      const right = rightOf(world);
      const region = world.allocOneSidedMemRegion("u32", 4);
      await region.put(0, 5);
      await world.execAmPe(right, KeepHandle({ handle: region }));
      assertEquals(await world.execAmPe(right, UseKept({})), 5);
      region.dispose();
      using other = world.allocOneSidedMemRegion("u32", 4);
      await other.put(0, 6);
      await assertRejects(
        async () => await world.execAmPe(right, UseKept({})),
        Error,
        `disposed by PE ${world.myPe}`,
      );
      await world.asyncBarrier();
    },
  },
  {
    name: "A region that was disposed is not sent",
    async run(world) {
      const region = world.allocOneSidedMemRegion("u32", 4);
      region.dispose();
      if (world.numPes > 1) {
        const send = (): unknown => world.execAmPe(rightOf(world), KeepHandle({ handle: region }));
        assertThrows(send, ClosedError, "disposed");
      }
      const shared = await world.allocSharedMemRegion("f64", 1);
      shared.dispose();
      if (world.numPes > 1) {
        const send = (): unknown =>
          world.execAmPe(rightOf(world), Fill({ into: shared, value: 1 }));
        assertThrows(send, ClosedError, "disposed");
      }
      await world.asyncBarrier();
    },
  },
];
