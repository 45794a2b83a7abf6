/**
 * Arrays on their way: conversions, payloads, and their end.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  am,
  type AtomicArray,
  atomicArray,
  ClosedError,
  ReadOnlyArray,
  readOnlyArray,
} from "../../../mod.ts";
import { type Case, errorOf, rightOf, several } from "../case.ts";
import { numbered } from "./arrays.ts";

const Sum = am("arrays.Sum", { of: atomicArray("f64") }, async (self) => {
  const values = await self.of.get(0, self.of.length);
  return values.reduce((sum, value) => sum + value, 0);
});
const First = am("arrays.First", { of: readOnlyArray("f64") }, (self) => self.of.at(0));
const Described = am("arrays.Described", (self: { of: Map<string, AtomicArray<"f64">> }) => {
  const array = self.of.get("it")!;
  return [`${array}`, array.distribution, array.subArrayRange, array.myPe];
});
let kept: AtomicArray<"f64"> | undefined;
const Keep = am("arrays.Keep", { it: atomicArray("f64") }, (self) => {
  kept = self.it;
});
let cloned: AtomicArray<"f64"> | undefined;
const KeepClone = am("arrays.KeepClone", { it: atomicArray("f64") }, (self) => {
  cloned = self.it.clone();
});
const GiveCloned = am("arrays.GiveCloned", () => cloned);
const GiveClone = am("arrays.GiveClone", () => cloned?.dispose());
const Echo = am("arrays.Echo", (self: { it: AtomicArray<"f64"> }) => self.it);
let gate = Promise.withResolvers<void>();
const Late = am("arrays.Late", { it: atomicArray("f64") }, async (self) => {
  await gate.promise;
  await self.it.put(0, 77);
});
const OpenGate = am("arrays.OpenGate", () => gate.resolve());

/** The cases of arrays that are converted or sent. */
export const ARRAY_TRAVEL_CASES: readonly Case[] = [
  {
    name: "a conversion keeps the elements and ends the array that was converted, with its views",
    async run(world) {
      const array = await numbered(world, 13, "cyclic");
      const sub = array.subArray(3, 6);
      const readOnly = await array.intoReadOnly();
      assert(readOnly instanceof ReadOnlyArray);
      assertEquals([...await readOnly.get(0, 13)], Array.from({ length: 13 }, (_, i) => i));
      assertEquals(await world.execAmPe(rightOf(world), First({ of: readOnly.subArray(4) })), 4);
      assertMatch(`${readOnly}`, /^ReadOnlyArray \d+ of f64\[13\]$/);
      assert(array.disposed && sub.disposed);
      const refused = /Cannot call \w+ of AtomicArray \d+ on PE \d+: it was converted/;
      for (
        const use of [
          () => array.at(0),
          () => sub.put(0, 1),
          () => sub.subArray(0, 1),
          () => array.batchAdd([1], 1),
          () => array.intoUnsafe(),
          () => array.clone(),
        ]
      ) assertMatch(assertThrows(use, ClosedError).message, refused);
      const unsafe = await readOnly.intoUnsafe();
      unsafe.localAsMutSlice().fill(5);
      using atomic = await unsafe.subArray(2, 4).intoAtomic();
      assertEquals([...await atomic.get(0, 2)], [5, 5]);
      assertEquals(atomic.length, 2);
      await world.asyncBarrier();
    },
  },
  {
    name: "a PE that gave its array up gets it again in a result, until it disposes of that",
    pes: several,
    async run(world) {
      const array = await numbered(world, 6, "cyclic");
      cloned = world.myPe === 1 ? array.clone() : undefined;
      array.dispose();
      await world.asyncBarrier();
      if (world.myPe === 0) {
        const again = await world.execAmPe(1, GiveCloned()) as AtomicArray<"f64">;
        assertEquals([...await again.get(0, 6)], [0, 1, 2, 3, 4, 5]);
        const other = await world.execAmPe(1, GiveCloned()) as AtomicArray<"f64">;
        assertEquals(await other.load(5), 5);
        again.dispose();
        assert(again.disposed && other.disposed);
      }
      await world.asyncBarrier();
      cloned?.dispose();
      await world.asyncBarrier();
    },
  },
  {
    name: "a conversion waits for clones, also those of other PEs, and for payloads under way",
    pes: several,
    async run(world) {
      const array = await numbered(world, 4, "block");
      await world.asyncBarrier();
      const { myPe } = world;
      gate = Promise.withResolvers<void>();
      cloned = undefined;
      await world.asyncBarrier();
      if (myPe === 0) await world.execAmPe(1, KeepClone({ it: array }));
      if (myPe === 1) world.execAmPe(0, Late({ it: array }));
      await world.asyncBarrier();
      const converting = array.intoReadOnly();
      const own = cloned as AtomicArray<"f64"> | undefined;
      if (own) {
        await own.put(1, 55);
        assertEquals(await own.load(1), 55);
      }
      await world.asyncBarrier();
      for (let i = 0; i < 20; i++) await world.asyncBarrier();
      assert(!converting.done);
      await world.asyncBarrier();
      if (myPe === 0) await world.execAmPe(1, GiveClone());
      await world.asyncBarrier();
      for (let i = 0; i < 20; i++) await world.asyncBarrier();
      assert(!converting.done);
      await world.asyncBarrier();
      if (myPe === 1) await world.execAmPe(0, OpenGate());
      using readOnly = await converting;
      assertEquals([...await readOnly.get(0, 2)], [77, 55]);
      await world.asyncBarrier();
    },
  },
  {
    name: "an array reaches handlers as the array of their PE, with its range and distribution",
    async run(world) {
      const { myPe, numPes } = world;
      const array = await numbered(world, 10, "cyclic");
      const right = rightOf(world);
      assertEquals(await world.execAmPe(right, Sum({ of: array })), 45);
      assertEquals(await world.execAmPe(right, Sum({ of: array.subArray(2, 4) })), 5);
      const of = new Map([["it", array.subArray(1).useDistribution("block")]]);
      const [text, kind, range, pe] = await world.execAmPe(right, Described({ of }));
      assertMatch(text as string, /^AtomicArray \d+ of f64\[9\]$/);
      assertEquals([kind, range, pe], ["block", { start: 1, end: 10 }, right]);
      const back = await world.execAmPe(right, Echo({ it: array }));
      assertEquals(await back.get(0, 10), await array.get(0, 10));
      const captured = array.subArray(myPe, myPe + 1);
      assertEquals(
        await world.execClosurePe(right, (it: AtomicArray<"f64">) => it.at(0), [captured]),
        myPe,
      );
      // What a handler keeps lasts as long as the array of its PE.
      await world.execAmPe(right, Keep({ it: array }));
      await world.asyncBarrier();
      assertEquals(kept!.at(9), 9);
      await world.asyncBarrier();
      array.dispose();
      assertThrows(() => kept!.at(9), ClosedError);
      assertThrows(() => back.at(9), ClosedError, "it was disposed of");
      await assertRejectsLocally(() => world.execAmPe(right, Sum({ of: array })));
      assert(numPes > 0);
    },
  },
  {
    name: "an array that is used in a payload lasts until the handler is over",
    pes: several,
    async run(world) {
      const array = await numbered(world, 4, "block");
      gate = Promise.withResolvers<void>();
      await world.asyncBarrier();
      const { myPe } = world;
      const late = myPe === 1 ? world.execAmPe(0, Late({ it: array })) : undefined;
      await world.asyncBarrier();
      array.dispose();
      await world.asyncBarrier();
      if (myPe === 1) await world.execAmPe(0, OpenGate());
      await late;
    },
  },
];

/** Fails where it is called: a disposed array does not leave. */
async function assertRejectsLocally(call: () => unknown): Promise<void> {
  const error = await errorOf(async () => await call());
  assert(error instanceof ClosedError, String(error));
}
