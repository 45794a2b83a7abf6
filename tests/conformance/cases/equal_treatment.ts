/**
 * What is launched by PE number behaves alike wherever it runs: it is checked and encoded at the
 * launch, and decoded for its handler; results and errors likewise.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { am, f32, localAm, oneSided, region, RemoteError, u32, u8, u8Array } from "../../../mod.ts";
import { outcomesOf } from "../../support/random_calls.ts";
import { type Case, rightOf } from "../case.ts";
import { randomNumbers } from "../../../internal/random_test_numbers.ts";

/** How often `Count` ran on this PE. */
let count = 0;

const First = am("equal.First", (self: { a: number[] }) => self.a[0]);
const Sum = am("equal.Sum", { data: u8Array }, (self) => self.data.reduce((sum, n) => sum + n, 0));
const Small = am("equal.Small", { n: u8, x: f32 }, (self) => self);
const Count = am("equal.Count", (_self: unknown) => void count++);
const CountSmall = am("equal.CountSmall", { n: u8 }, () => void count++);
const CountRan = am("equal.CountRan", () => count);
const Keep = am("equal.Keep", () => KEPT);
const Throws = am("equal.Throws", () => {
  throw KEPT_ERROR;
});
const Back = am("equal.Back", () => Small(KEPT_PAYLOAD));
const LocalBack = am("equal.LocalBack", () => localAm(() => 1)());
const Use = am(
  "equal.Use",
  { shared: region("u32"), own: oneSided("u32"), n: u32 },
  (self) => {
    const { shared, own } = self;
    own.put(0, [self.n]);
    shared.dispose();
    return { mine: shared === SHARED.handle, length: shared.length, own };
  },
);

const KEPT = { list: [1, 2, 3] };
const KEPT_PAYLOAD = { n: 7, x: 0.5 };
class OwnError extends RangeError {
  override name = "OwnError";
}
const KEPT_ERROR = new OwnError("thrown");
const SHARED: { handle: unknown } = { handle: undefined };

/** The cases. */
export const EQUAL_TREATMENT_CASES: readonly Case[] = [
  {
    name: "Random launches end alike on every PE",
    limitMs: 60_000,
    async run(world, t) {
      const seed = t.seed + 100 * world.myPe;
      const expected = await outcomesOf(world, world.myPe, randomNumbers(seed), 150);
      for (let pe = 0; pe < Math.min(world.numPes, 3); pe++) {
        const outcomes = await outcomesOf(world, pe, randomNumbers(seed), 150);
        outcomes.forEach((outcome, i) =>
          assertEquals(outcome, expected[i], `seed ${t.seed}, launch ${i} on PE ${pe}`)
        );
      }
    },
  },
  {
    name: "A payload is what it was at the launch, however it is changed afterwards",
    async run(world) {
      const v = { a: [1] };
      const all = world.execAmAll(First(v));
      v.a[0] = 99;
      assertEquals(await all, Array(world.numPes).fill(1));
      const data = new Uint8Array(3);
      const sums = [0, 1, 2].map((n) => {
        data.fill(n);
        return [world.execAmPe(world.myPe, Sum({ data })), world.execAmAll(Sum({ data }))] as const;
      });
      for (const [n, [one, each]] of sums.entries()) {
        assertEquals([await one, ...await each], Array(world.numPes + 1).fill(3 * n));
      }
      const list = [5];
      const closure = world.execClosureAll((values: number[]) => values[0], [list]);
      list[0] = 6;
      assertEquals(await closure, Array(world.numPes).fill(5));
    },
  },
  {
    name: "Fields are checked and rounded on every PE",
    async run(world) {
      for (const pe of [world.myPe, rightOf(world)]) {
        assertThrows(() => world.execAmPe(pe, Small({ n: 300, x: 0 })), RangeError, '"n"');
        assertEquals(await world.execAmPe(pe, Small({ n: 1, x: 0.1 })), {
          n: 1,
          x: Math.fround(0.1),
        });
        const cyclic: unknown[] = [];
        cyclic.push(cyclic);
        for (const payload of [cyclic, () => 1]) {
          assertThrows(() => world.execAmPe(pe, Count(payload)), TypeError, "Cannot send");
        }
      }
    },
  },
  {
    name: "An AM that cannot be launched on all PEs runs nowhere",
    async run(world) {
      await world.asyncBarrier();
      const before = await world.execAmAll(CountRan(undefined));
      await world.asyncBarrier();
      const payloads = [() => 1, { deep: [Symbol("s")] }];
      for (const payload of payloads) {
        assertThrows(() => world.execAmAll(Count(payload)), TypeError);
      }
      assertThrows(() => world.execAmAll(CountSmall({ n: 256 })), RangeError);
      assertThrows(() => world.execAmAll(localAm(() => count++)(undefined)), TypeError);
      const closure = (_f: unknown) => 1;
      assertThrows(() => world.execClosureAll(closure, [() => 1]), TypeError);
      const signal = {} as AbortSignal;
      assertThrows(() => world.execAmAll(Count(1), { signal }), TypeError, "AbortSignal");
      await world.awaitAll();
      await world.asyncBarrier();
      assertEquals(await world.execAmAll(CountRan(undefined)), before);
      await world.asyncBarrier();
    },
  },
  {
    name: "Results, and AMs returned to run at the origin, are copies",
    async run(world) {
      const kept = await world.execAmPe(world.myPe, Keep(undefined));
      assertEquals(kept, KEPT);
      assertNotStrictEquals(kept, KEPT);
      for (const pe of [world.myPe, rightOf(world)]) {
        assertEquals(await world.execAmPe(pe, Back(undefined)), KEPT_PAYLOAD);
        const error = await assertRejects(
          async () => await world.execAmPe(pe, LocalBack(undefined)),
          RemoteError,
        );
        assert(error.message.includes("local AMs do not travel"), error.message);
      }
    },
  },
  {
    name: "What a handler throws arrives as a copy in a RemoteError, from this PE too",
    async run(world) {
      for (const pe of [world.myPe, rightOf(world)]) {
        const error = await assertRejects(
          async () => await world.execAmPe(pe, Throws(undefined)),
          RemoteError,
        );
        assertEquals(error.message, `AM "equal.Throws" failed on PE ${pe}: OwnError: thrown`);
        assertEquals([error.pe, error.op], [pe, 'AM "equal.Throws"']);
        const cause = error.cause as Error;
        assertEquals([cause.name, cause.message], ["OwnError", "thrown"]);
        assertNotStrictEquals(cause, KEPT_ERROR);
        assert(!(cause instanceof OwnError));
        assert(cause.stack!.includes("equal_treatment.ts"), cause.stack);
      }
    },
  },
  {
    name: "execAmLocal and execClosureLocal hand over what they get, and the result, uncopied",
    async run(world) {
      const payload = { list: [1] };
      const same = localAm((self: typeof payload) => self);
      const local = world.execAmLocal(same(payload));
      payload.list.push(2);
      assertStrictEquals(await local, payload);
      assertStrictEquals(await world.execAmLocal(Keep(undefined)), KEPT);
      assertEquals(await world.execAmLocal(Small({ n: 300, x: 0.1 })), { n: 300, x: 0.1 });
      assertStrictEquals(await world.execClosureLocal((x: object) => x, [payload]), payload);
      const error = await assertRejects(
        async () => await world.execAmLocal(Throws(undefined)),
        RemoteError,
      );
      assertStrictEquals(error.cause, KEPT_ERROR);
    },
  },
  {
    name: "Regions arrive as handles of their own, at this PE too",
    async run(world) {
      const shared = await world.allocSharedMemRegion("u32", 4);
      const own = world.allocOneSidedMemRegion("u32", 1);
      SHARED.handle = shared;
      for (const [i, pe] of [world.myPe, rightOf(world)].entries()) {
        const seen = await world.execAmPe(pe, Use({ shared, own, n: i + 5 }));
        assertEquals([seen.mine, seen.length], [false, 4]);
        assertNotStrictEquals(seen.own as unknown, own);
        assertEquals(own.at(0), i + 5);
        // What the handler disposed was its own handle.
        shared.put(world.myPe, 0, [1]);
      }
      await world.asyncBarrier();
      shared.dispose();
      own.dispose();
    },
  },
  {
    name: "A result that does not fit its schema is refused, from this PE too",
    async run(world) {
      for (const pe of [world.myPe, rightOf(world)]) {
        const error = await assertRejects(
          async () => await world.execAmPe(pe, Big({ n: 300 })),
          RemoteError,
        );
        assertInstanceOf(error.cause, RangeError);
      }
    },
  },
];

const Big = am("equal.Big", { n: u32 }, (self) => self.n, { returns: u8 });
