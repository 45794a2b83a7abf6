/**
 * Random traffic: a mix of everything, from a seed, with counters that show whether each AM ran
 * exactly once.
 *
 * @module
 */

import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  am,
  type AmContext,
  array,
  optional,
  RemoteError,
  str,
  u32,
  u8Array,
} from "../../../mod.ts";
import type { Case, Tools } from "../case.ts";

type World = Parameters<Case["run"]>[0];

/** How often each number of each PE was seen. */
const seen = new Map<string, number>();

function note(from: number, n: number): void {
  const key = `${from}/${n}`;
  seen.set(key, (seen.get(key) ?? 0) + 1);
}

const Schema = am(
  "traffic.Schema",
  { from: u32, n: u32, data: optional(u8Array), words: array(str) },
  (self) => {
    note(self.from, self.n);
    return self.n + (self.data?.length ?? 0) + self.words.length;
  },
);
const Pack = am("traffic.Pack", (self: { from: number; n: number; extra: unknown[] }) => {
  note(self.from, self.n);
  return { n: self.n, extra: self.extra.length };
});
const Later = am("traffic.Later", { from: u32, n: u32, turns: u32 }, async (self) => {
  for (let i = 0; i < self.turns; i++) await new Promise((resolve) => setImmediate(resolve));
  note(self.from, self.n);
  return self.n;
});
const Fails = am("traffic.Fails", { from: u32, n: u32 }, (self) => {
  note(self.from, self.n);
  throw new RangeError(`number ${self.n}`);
});
const Relayed = am("traffic.Relayed", { from: u32, n: u32, pe: u32 }, async (self, lamellar) => {
  const { from, n } = self;
  return await lamellar.world.execAmPe(self.pe, Schema({ from, n, words: [] }));
});
const Returned = am(
  "traffic.Returned",
  { from: u32, n: u32 },
  (self) => Schema({ from: self.from, n: self.n, words: ["home"] }),
);
const Quiet = am("traffic.Quiet", { from: u32, n: u32 }, (self) => note(self.from, self.n));
const NoteFor = am("traffic.NoteFor", { from: u32, n: u32 }, (self) => {
  note(self.from, self.n);
  return self.n;
});

/** Sends AM number `n` in a random way; returns the promise of its check, if it has one. */
function sendOne(world: World, t: Tools, n: number): Promise<void> | undefined {
  const from = world.myPe;
  const pe = pick(t, world.numPes);
  switch (pick(t, 10)) {
    case 0: {
      const data = new Uint8Array(sizeOf(t));
      const words = new Array(pick(t, 3)).fill("word");
      const handle = world.execAmPe(pe, Schema({ from, n, data, words }));
      return handle.then((sum) => assertEquals(sum, n + data.length + words.length));
    }
    case 1: {
      const extra = [new Float64Array(pick(t, 200)), { n }, "x".repeat(sizeOf(t) >> 3)];
      return world.execAmPe(pe, Pack({ from, n, extra })).then((back) =>
        assertEquals(back, { n, extra: 3 })
      );
    }
    case 2:
      return world.execAmPe(pe, Later({ from, n, turns: pick(t, 4) })).then((back) =>
        assertEquals(back, n)
      );
    case 3:
      return world.execAmPe(pe, Fails({ from, n })).then(
        () => Promise.reject(new Error(`AM ${n} did not fail`)),
        (error) => {
          assertInstanceOf(error, RemoteError);
          assertEquals([error.pe, (error.cause as Error).message], [pe, `number ${n}`]);
        },
      );
    case 4: {
      const call = Relayed({ from, n, pe: pick(t, world.numPes) });
      return world.execAmPe(pe, call).then((sum) => assertEquals(sum, n));
    }
    case 5:
      return world.execAmPe(pe, Returned({ from, n })).then((sum) => assertEquals(sum, n + 1));
    case 6:
      return world.execClosurePe(
        pe,
        async (origin: number, k: number, name: string, lamellar: AmContext) => {
          // What the closure counts is counted at home, where the counters are.
          const back = lamellar.closure((a: string) => a, [name]);
          await undefined;
          return [origin, k, back()];
        },
        [from, n, "closure"],
      ).then(async (back) => {
        assertEquals(back, [from, n, "closure"]);
        await world.execAmPe(pe, NoteFor({ from, n }));
      });
    case 7:
      world.execAmPe(pe, Quiet({ from, n }));
      return undefined;
    case 8:
      // Blocking in the midst of everything; at the own PE nothing is async here.
      assertEquals(world.execAmPe(pe, NoteFor({ from, n })).block(), n);
      return undefined;
    default:
      world.execAmPe(pe, Quiet({ from, n })).block();
      return undefined;
  }
}

function pick(t: Tools, below: number): number {
  return Math.floor(t.random() * below);
}

/** Mostly small, sometimes more than a frame, now and then more than a ring. */
function sizeOf(t: Tools): number {
  const kind = t.random();
  if (kind < 0.9) return pick(t, 300);
  return kind < 0.99 ? pick(t, 20_000) : pick(t, 1_500_000);
}

const Counts = am("traffic.Counts", {}, () => [...seen]);

/** Everything at once. */
export const TRAFFIC_CASES: readonly Case[] = [
  {
    name: "Random traffic of all kinds runs every AM exactly once",
    limitMs: 60_000,
    async run(world, t) {
      seen.clear();
      await world.asyncBarrier();
      const each = Math.ceil(4000 / world.numPes);
      const checks: Promise<void>[] = [];
      for (let n = 0; n < each; n++) {
        const check = sendOne(world, t, n);
        if (check) checks.push(check);
        if (checks.length > 200 || t.random() < 0.02) await Promise.all(checks.splice(0));
        // Not a blocking barrier: async handlers would stand still here that others wait for.
        if (n % 100 === 50) await world.asyncBarrier();
      }
      await Promise.all(checks);
      await world.awaitAll();
      await world.asyncBarrier();
      const all = (await world.execAmAll(Counts({}))).flat();
      const total = new Map<string, number>();
      for (const [key, count] of all) total.set(key, (total.get(key) ?? 0) + count);
      assertEquals(total.size, each * world.numPes);
      for (const [key, count] of total) assertEquals(count, 1, key);
      await world.asyncBarrier();
    },
  },
];
