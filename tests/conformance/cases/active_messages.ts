/**
 * Active messages: kinds of results, the context, awaiting in handlers, recursion.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { am, type AmCall, array, f64, localAm, str, u32 } from "../../../mod.ts";
import { type Case, leftOf, rightOf, several } from "../case.ts";

let touched = 0;
const Touch = am("am.Touch", {}, () => {
  touched++;
});
const TouchLater = am("am.TouchLater", {}, async () => {
  await undefined;
  touched++;
});
const Add = am("am.Add", { a: f64, b: f64 }, (self) => self.a + self.b);
const Where = am("am.Where", { from: u32 }, (self, lamellar) => ({
  ranOn: lamellar.currentPe,
  from: self.from,
}));
const ReturnsAm = am("am.ReturnsAm", { depth: u32 }, (self, lamellar): AmCall<unknown> => {
  const from = lamellar.currentPe;
  return self.depth === 0 ? Where({ from }) : ReturnsAm({ depth: self.depth - 1 });
});
const ReturnsAmLater = am("am.ReturnsAmLater", {}, async (_self, lamellar) => {
  await undefined;
  return Where({ from: lamellar.currentPe });
});
const ReturnsTouch = am("am.ReturnsTouch", {}, () => Touch({}));
const ReturnsLocal = am("am.ReturnsLocal", {}, () => localAm(() => 1)());
const Schemed = am(
  "am.Schemed",
  { n: u32 },
  (self) => ({ name: `n${self.n}`, list: [self.n, 0.5] }),
  { returns: { name: str, list: array(f64) } },
);
const SchemedLater = am("am.SchemedLater", { n: u32 }, (self) => Promise.resolve([self.n]), {
  returns: array(f64),
});
const BreaksSchema = am("am.BreaksSchema", {}, () => "text" as unknown, { returns: f64 });

const Context = am("am.Context", {}, (_self, lamellar) => {
  const { currentPe, numPes, world, team } = lamellar;
  return {
    currentPe,
    numPes,
    worldPe: world.myPe,
    worldPes: world.numPes,
    teamPe: team.myPe,
    same: world.world === world && world.team === team && team.world === world,
  };
});

const Visit = am(
  "am.Visit",
  { left: u32 },
  async (self, lamellar): Promise<number[]> => {
    if (self.left === 0) return [lamellar.currentPe];
    const next = (lamellar.currentPe + 1) % lamellar.numPes;
    const rest = await lamellar.world.execAmPe(next, Visit({ left: self.left - 1 }));
    return [lamellar.currentPe, ...rest];
  },
);
const FanOut = am("am.FanOut", { depth: u32 }, async (self, lamellar): Promise<number> => {
  if (self.depth === 0) return 1;
  const counts = await lamellar.world.execAmAll(FanOut({ depth: self.depth - 1 }));
  return counts.reduce((sum, n) => sum + n);
});

const gates = new Map<number, PromiseWithResolvers<number>>();
function gate(key: number): PromiseWithResolvers<number> {
  let found = gates.get(key);
  if (!found) gates.set(key, found = Promise.withResolvers<number>());
  return found;
}
const PassGate = am("am.PassGate", { key: u32 }, (self) => gate(self.key).promise);
const OpenGate = am("am.OpenGate", { key: u32, value: u32 }, (self) => {
  gate(self.key).resolve(self.value);
});

const RESULTS: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  0,
  -0,
  NaN,
  Infinity,
  2 ** 53,
  "",
  "text ✓ 🦕",
  123456789012345678901234567890n,
  [],
  {},
  [1, [2, ["3", null]]],
  { a: { b: [undefined] } },
  new Float64Array([1, NaN, -0]),
  new BigInt64Array([-1n, 2n ** 63n - 1n]),
  new Map<unknown, unknown>([[1, new Set(["x"])]]),
  new Date(0),
];
const Result = am("am.Result", { index: u32 }, (self) => RESULTS[self.index]);
const ResultLater = am(
  "am.ResultLater",
  { index: u32 },
  (self) => Promise.resolve(RESULTS[self.index]),
);

class Counter {
  #count = 0;
  increment(): number {
    return ++this.#count;
  }
}
const Local = localAm((self: { counter: Counter; f: (x: number) => number }, lamellar) => {
  self.counter.increment();
  return { same: self.counter, y: self.f(lamellar.currentPe) };
});

/** The cases of rows AM-02, AM-03, AM-06, AM-07, AM-10 to AM-12, AM-14 and AM-15. */
export const ACTIVE_MESSAGE_CASES: readonly Case[] = [
  {
    name: "execAmPe() runs the AM on the PE it names and gives its result",
    async run(world) {
      for (let pe = 0; pe < world.numPes; pe++) {
        assertEquals(await world.execAmPe(pe, Where({ from: world.myPe })), {
          ranOn: pe,
          from: world.myPe,
        });
      }
    },
  },
  {
    name: "execAmAll() runs the AM on every PE and gives the results in their order",
    async run(world) {
      const all = await world.execAmAll(Where({ from: world.myPe }));
      assertEquals(all.map((one) => one.ranOn), Array.from(all, (_, pe) => pe));
      assertEquals(
        world.execAmAll(Add({ a: 1, b: world.myPe })).block(),
        all.map(() => 1 + world.myPe),
      );
    },
  },
  {
    name: "An AM without a result gives undefined",
    async run(world) {
      assertEquals(await world.execAmPe(rightOf(world), Touch({})), undefined);
      assertEquals(await world.execAmPe(rightOf(world), TouchLater({})), undefined);
      assertEquals(await world.execAmAll(Touch({})), new Array(world.numPes).fill(undefined));
    },
  },
  {
    name: "A result of every kind arrives as it was, from sync and async handlers",
    async run(world) {
      for (let index = 0; index < RESULTS.length; index++) {
        assertEquals(await world.execAmPe(rightOf(world), Result({ index })), RESULTS[index]);
        assertEquals(await world.execAmPe(rightOf(world), ResultLater({ index })), RESULTS[index]);
      }
    },
  },
  {
    name: "A result with a schema arrives as it was, and one that breaks it is the handler's error",
    async run(world) {
      for (let n = 0; n < 20; n++) {
        const expected = { name: `n${n}`, list: [n, 0.5] };
        assertEquals(await world.execAmPe(rightOf(world), Schemed({ n })), expected);
        assertEquals(await world.execAmPe(rightOf(world), SchemedLater({ n })), [n]);
      }
      if (world.numPes === 1) return;
      const broken = async (): Promise<unknown> =>
        await world.execAmPe(rightOf(world), BreaksSchema({}));
      await assertRejects(broken, Error, "BreaksSchema");
    },
  },
  {
    name: "An AM that a handler returns runs at the origin, and the caller gets its value",
    async run(world) {
      for (let pe = 0; pe < world.numPes; pe++) {
        const expected = { ranOn: world.myPe, from: pe };
        assertEquals<unknown>(await world.execAmPe(pe, ReturnsAm({ depth: 0 })), expected);
        assertEquals(await world.execAmPe(pe, ReturnsAmLater({})), expected);
        assertEquals<unknown>(world.execAmPe(pe, ReturnsAm({ depth: 0 })).block(), expected);
      }
    },
  },
  {
    name: "An AM that is returned at the origin may return an AM again",
    async run(world) {
      const result = await world.execAmPe(rightOf(world), ReturnsAm({ depth: 3 }));
      assertEquals<unknown>(result, { ranOn: world.myPe, from: world.myPe });
    },
  },
  {
    name: "An AM without a result that is returned runs at the origin once",
    async run(world) {
      touched = 0;
      await world.asyncBarrier();
      assertEquals(await world.execAmPe(leftOf(world), ReturnsTouch({})), undefined);
      assertEquals(touched, 1);
      await world.execAmAll(ReturnsTouch({}));
      assertEquals(touched, 1 + world.numPes);
    },
  },
  {
    name: "A local AM that a handler returns is refused by name where it would have to travel",
    pes: several,
    async run(world) {
      const attempt = async (): Promise<unknown> =>
        await world.execAmPe(rightOf(world), ReturnsLocal({}));
      await assertRejects(attempt, Error, "local AMs do not travel");
    },
  },
  {
    name: "A handler sees where it runs, the world and the team",
    async run(world) {
      const all = await world.execAmAll(Context({}));
      all.forEach((context, pe) => {
        assertEquals(context, {
          currentPe: pe,
          numPes: world.numPes,
          worldPe: pe,
          worldPes: world.numPes,
          teamPe: pe,
          same: true,
        });
      });
    },
  },
  {
    name: "A local AM gets its payload itself: functions, class instances, private fields",
    async run(world) {
      const counter = new Counter();
      const result = await world.execAmLocal(Local({ counter, f: (x) => x + 0.5 }));
      assert(result.same === counter);
      assertEquals(result.y, world.myPe + 0.5);
      assertEquals(counter.increment(), 2);
      const again = world.execAmLocal(Local({ counter, f: () => 7 })).block();
      assertEquals(again.y, 7);
    },
  },
  {
    name: "A local AM is refused where it would have to travel, to this PE too",
    run(world) {
      const call = Local({ counter: new Counter(), f: () => 0 });
      for (const pe of [world.myPe, rightOf(world)]) {
        assertThrows(() => world.execAmPe(pe, call), TypeError, "local AMs do not travel");
      }
      assertThrows(() => world.execAmAll(call), TypeError, "local AMs do not travel");
    },
  },
  {
    name: "An AM run by execAmLocal gets its payload itself, one to the own PE a copy",
    async run(world) {
      const list = [1, 2, 3];
      await world.execAmLocal(Keep({ list }));
      assert(kept === list);
      kept = undefined;
      await world.execAmPe(world.myPe, Keep({ list }));
      assert(kept !== list);
      assertEquals(kept, list);
    },
  },
  {
    name: "A payload is taken when the AM is launched: changes afterwards do not show",
    async run(world) {
      const data = new Float64Array([1, 2, 3]);
      const handle = world.execAmPe(rightOf(world), Sum({ data }));
      data.fill(100);
      assertEquals(await handle, 6);
    },
  },
  {
    name: "AMs recurse over the PEs, each awaiting the next",
    async run(world) {
      const left = 3 * world.numPes;
      const path = await world.execAmPe(rightOf(world), Visit({ left }));
      const expected = Array.from(
        { length: left + 1 },
        (_, i) => (world.myPe + 1 + i) % world.numPes,
      );
      assertEquals(path, expected);
    },
  },
  {
    name: "AMs fan out recursively and every branch comes back",
    async run(world) {
      const depth = world.numPes <= 2 ? 5 : world.numPes <= 4 ? 3 : 2;
      assertEquals(await world.execAmPe(rightOf(world), FanOut({ depth })), world.numPes ** depth);
    },
  },
  {
    name: "Async handlers end in any order, and each caller gets its own result",
    async run(world) {
      const keys = Array.from({ length: 20 }, (_, i) => world.myPe * 1000 + i);
      const right = rightOf(world);
      const finished: number[] = [];
      const handles = keys.map((key) =>
        world.execAmPe(right, PassGate({ key })).then((value) => {
          finished.push(key);
          return value;
        })
      );
      for (const key of keys.toReversed()) {
        await world.execAmPe(right, OpenGate({ key, value: key + 1 }));
        await handles[key - keys[0]!];
      }
      assertEquals(await Promise.all(handles), keys.map((key) => key + 1));
      assertEquals(finished, keys.toReversed());
    },
  },
  {
    name: "A handler may wait for what another handler on its PE does",
    async run(world) {
      const key = 500_000 + world.myPe;
      const waiting = world.execAmPe(rightOf(world), PassGate({ key }));
      assertEquals(waiting.done, false);
      await world.execAmPe(rightOf(world), OpenGate({ key, value: 3 }));
      assertEquals(await waiting, 3);
    },
  },
  {
    name: "AMs run without being awaited, as soon as their PE launches them",
    async run(world) {
      touched = 0;
      await world.asyncBarrier();
      world.execAmPe(rightOf(world), Touch({}));
      world.execAmPe(rightOf(world), TouchLater({}));
      // Nothing but turns of the event loop: nobody awaits a handle or calls the runtime.
      while (touched < 2) await new Promise((resolve) => setImmediate(resolve));
      await world.asyncBarrier();
      assertEquals(touched, 2);
    },
  },
];

let kept: number[] | undefined;
const Keep = am("am.Keep", (self: { list: number[] }) => {
  kept = self.list;
});
const Sum = am("am.Sum", (self: { data: Float64Array }) => self.data.reduce((a, b) => a + b));
