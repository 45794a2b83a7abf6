/**
 * Closures: results, captures, closures as data and on return.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { am, type AmContext, type Closure, RemoteError, u32 } from "../../../mod.ts";
import { type Case, errorOf, leftOf, rightOf } from "../case.ts";

const FromHandler = am("closures.FromHandler", { pe: u32, n: u32 }, async (self, lamellar) => {
  const there = await lamellar.world.execClosurePe(
    self.pe,
    (n: number, inner: AmContext) => [n + 1, inner.currentPe],
    [self.n],
  );
  return [...there, lamellar.currentPe];
});
const ReturnsClosure = am(
  "closures.ReturnsClosure",
  { n: u32 },
  (self, lamellar) =>
    lamellar.closure((n: number, pe: number) => `${n} from ${pe}`, [self.n, lamellar.currentPe]),
);
const RunsAtOrigin = am("closures.RunsAtOrigin", { n: u32 }, (self, lamellar) =>
  lamellar.onReturn(
    (n: number, pe: number, origin: AmContext) => [n, pe, origin.currentPe],
    [self.n, lamellar.currentPe],
  ));
const CallsClosure = am("closures.CallsClosure", (self: { f: Closure<number> }) => self.f() + 1);

/** The cases of remote closures, section 1.1 and row P-10. */
export const CLOSURE_CASES: readonly Case[] = [
  {
    name: "A closure without parameters needs no captures, wherever it is launched",
    async run(world) {
      const right = rightOf(world);
      for (const one of [world, world.team]) {
        assertEquals(await one.execClosurePe(right, () => 5), 5);
        assertEquals(await one.execClosurePe(right, (l: AmContext) => l.currentPe), right);
        assertEquals(await one.execClosurePe(right, () => 5, [], { timeoutMs: 600_000 }), 5);
        assertEquals(await one.execClosureAll(() => 6), Array(world.numPes).fill(6));
        assertEquals(await one.execClosureLocal(() => 7), 7);
      }
      const at = await world.execClosurePe(
        right,
        (l: AmContext) => l.onReturn((origin: AmContext) => origin.currentPe),
      );
      assertEquals(at, world.myPe);
      const data = await world.execClosurePe(right, (l: AmContext) => l.closure(() => 8));
      assertEquals(data(), 8);
      const early = (): unknown => world.execClosurePe(right, () => 5, { timeoutMs: 1 } as never);
      assertStringIncludes(String(await errorOf(early)), "its captures must be an array");
    },
  },
  {
    name: "A closure runs on the PE it is sent to and gives its result",
    async run(world) {
      for (let pe = 0; pe < world.numPes; pe++) {
        const there = await world.execClosurePe(
          pe,
          (k: number, lamellar: AmContext) => [k + 1, lamellar.currentPe, lamellar.numPes],
          [41],
        );
        assertEquals(there, [42, pe, world.numPes]);
      }
      assertEquals(world.execClosurePe(rightOf(world), () => "blocked", []).block(), "blocked");
    },
  },
  {
    name: "execClosureAll() and execClosureLocal() run closures everywhere and here",
    async run(world) {
      const all = await world.execClosureAll(
        (factor: number, lamellar: AmContext) => factor * lamellar.currentPe,
        [3],
      );
      assertEquals(all, Array.from(all, (_, pe) => 3 * pe));
      const here = await world.execClosureLocal((l: AmContext) => l.currentPe, []);
      assertEquals(here, world.myPe);
    },
  },
  {
    name:
      "Parameters with defaults, and the rest, are for captures; the context has one of its own",
    async run(world) {
      for (const pe of [world.myPe, rightOf(world)]) {
        const max = (...xs: number[]) => Math.max(...xs);
        assertEquals(await world.execClosurePe(pe, max, [3, 9, 4]), 9);
        const tail = (a: number, ...xs: number[]) => [a, xs.length];
        assertEquals(await world.execClosurePe(pe, tail, [3]), [3, 0]);
        const scaled = (a: number, b = 2, c = 10) => a * b + c;
        assertEquals(await world.execClosurePe(pe, scaled, [4]), 18);
        assertEquals(await world.execClosurePe(pe, scaled, [4, 3]), 22);
        const between = (
          a: number,
          b: number | undefined,
          lamellar: AmContext,
        ) => [a, b ?? 7, lamellar.currentPe];
        assertEquals(await world.execClosurePe(pe, between, [4, undefined]), [4, 7, pe]);
        const defaulted = (a: number, b = 7, lamellar: AmContext) => [a, b, lamellar.currentPe];
        const short = [4] as unknown as [number, undefined];
        assertEquals(await world.execClosurePe(pe, defaulted, short), [4, 7, pe]);
        const pattern = ({ currentPe, numPes }: AmContext) => [currentPe, numPes];
        assertEquals(await world.execClosurePe(pe, pattern, []), [pe, world.numPes]);
        const method = {
          sum(this: void, ..._xs: number[]): number {
            let sum = 0;
            for (let i = 0; i < arguments.length; i++) sum += arguments[i] as number;
            return sum;
          },
        };
        assertEquals(await world.execClosurePe(pe, method.sum, [1, 2, 3]), 6);
        const count = function (): number {
          return arguments.length;
        };
        assertEquals(await world.execClosurePe(pe, count, []), 0);
      }
      const local = await world.execClosureLocal((...xs: number[]) => xs.length, [1, 2]);
      assertEquals(local, 2);
    },
  },
  {
    name: "A closure without a result gives undefined, an async one its value",
    async run(world) {
      assertEquals(await world.execClosurePe(rightOf(world), () => {}, []), undefined);
      const later = await world.execClosurePe(
        rightOf(world),
        async (ms: number) => {
          await new Promise((resolve) => setTimeout(resolve, ms));
          return "later";
        },
        [1],
      );
      assertEquals(later, "later");
    },
  },
  {
    name: "All forms of functions travel: arrows, functions, async and named ones, methods",
    async run(world) {
      const right = rightOf(world);
      function declared(n: number): number {
        return n <= 1 ? 1 : n * declared(n - 1);
      }
      const method = {
        twice(n: number) {
          return 2 * n;
        },
      };
      assertEquals(await world.execClosurePe(right, declared, [5]), 120);
      assertEquals(await world.execClosurePe(right, method.twice, [5]), 10);
      assertEquals(
        await world.execClosurePe(
          right,
          async function named(n: number): Promise<number> {
            return n === 0 ? 0 : n + await named(n - 1);
          },
          [4],
        ),
        10,
      );
      assertEquals(
        await world.execClosurePe(right, (...all: number[]) => Math.max(...all.slice(0, 3)), [
          3,
          9,
          4,
        ]),
        9,
      );
      assertEquals(
        await world.execClosurePe(
          right,
          ({ a, b = 2 }: { a: number; b?: number }, [c]: number[]) => a + b + c!,
          [{ a: 1 }, [3]],
        ),
        6,
      );
    },
  },
  {
    name: "Captures of every kind arrive as they were",
    async run(world) {
      const captures: unknown[] = [
        null,
        -0,
        1n << 100n,
        "text",
        [1, { a: [undefined] }],
        new Map([["k", new Set([1])]]),
        new Date(5),
        new Uint8Array([1, 2]),
        new Float64Array([0.5, NaN]),
        new BigInt64Array([-1n]),
      ];
      for (const capture of captures) {
        const back = await world.execClosurePe(rightOf(world), (value: unknown) => [value], [
          capture,
        ]);
        assertEquals(back, [capture]);
        const kind = await world.execClosurePe(
          rightOf(world),
          (value: unknown) => Object.prototype.toString.call(value),
          [capture],
        );
        assertEquals(kind, Object.prototype.toString.call(capture));
      }
    },
  },
  {
    name: "A large typed array may be captured and returned",
    async run(world) {
      const data = Float64Array.from({ length: 200_000 }, (_, i) => i / 7);
      const back = await world.execClosurePe(
        rightOf(world),
        (values: Float64Array, factor: number) => values.map((x) => x * factor),
        [data, 2],
      );
      assertInstanceOf(back, Float64Array);
      assertEquals([back.length, back[7], back[199_999]], [200_000, 2, 2 * 199_999 / 7]);
    },
  },
  {
    name: "The same closure is sent many times with other captures",
    async run(world) {
      const handles = Array.from(
        { length: 2000 },
        (_, n) => world.execClosurePe((world.myPe + n) % world.numPes, (k: number) => k * k, [n]),
      );
      const results = await Promise.all(handles);
      results.forEach((square, n) => assertEquals(square, n * n));
    },
  },
  {
    name: "Many different closures travel",
    async run(world) {
      for (let n = 0; n < 200; n++) {
        const add = new Function("k", `return k + ${n + 1000 * world.myPe}`) as (
          k: number,
        ) => number;
        assertEquals(
          await world.execClosurePe(rightOf(world), add, [1]),
          n + 1 + 1000 * world.myPe,
        );
      }
    },
  },
  {
    name: "A closure that a handler returns as data is called where it arrives",
    async run(world) {
      const closure = await world.execAmPe(rightOf(world), ReturnsClosure({ n: 4 }));
      assertEquals(typeof closure, "function");
      assertEquals(closure(), `4 from ${rightOf(world)}`);
      assertEquals(closure(), `4 from ${rightOf(world)}`);
      const nested = await world.execClosurePe(
        rightOf(world),
        (n: number, lamellar: AmContext) => lamellar.closure((k: number) => k + 1, [n]),
        [9],
      );
      assertEquals(nested(), 10);
    },
  },
  {
    name: "A closure travels inside data, there and back",
    async run(world) {
      const f = await world.execClosureLocal(
        (n: number, lamellar: AmContext) => lamellar.closure((k: number) => 2 * k, [n]),
        [21],
      );
      assertEquals(f(), 42);
      assertEquals(await world.execAmPe(rightOf(world), CallsClosure({ f })), 43);
      const back = await world.execClosurePe(
        leftOf(world),
        (inner: Closure<number>) => ({ list: [inner, inner] }),
        [f],
      );
      assertEquals(back.list.map((one) => one()), [42, 42]);
    },
  },
  {
    name: "A closure that a handler returns with onReturn() runs at the origin",
    async run(world) {
      for (let pe = 0; pe < world.numPes; pe++) {
        assertEquals(await world.execAmPe(pe, RunsAtOrigin({ n: 7 })), [7, pe, world.myPe]);
        assertEquals(world.execAmPe(pe, RunsAtOrigin({ n: 7 })).block(), [7, pe, world.myPe]);
        const value = await world.execClosurePe(
          pe,
          (lamellar: AmContext) =>
            lamellar.onReturn(
              async (from: number, origin: AmContext) => {
                await undefined;
                return [from, origin.currentPe];
              },
              [lamellar.currentPe],
            ),
          [],
        );
        assertEquals(value, [pe, world.myPe]);
      }
    },
  },
  {
    name: "A closure may launch AMs and closures, and await them",
    async run(world) {
      const path = await world.execClosurePe(
        rightOf(world),
        async (hops: number, lamellar: AmContext) => {
          const next = (lamellar.currentPe + 1) % lamellar.numPes;
          const there = await lamellar.world.execClosurePe(
            next,
            (left: number, inner: AmContext) => [left, inner.currentPe],
            [hops - 1],
          );
          return [hops, lamellar.currentPe, ...there];
        },
        [2],
      );
      const right = rightOf(world);
      assertEquals(path, [2, right, 1, (right + 1) % world.numPes]);
    },
  },
  {
    name: "Handlers send closures, to others and back",
    async run(world) {
      const result = await world.execAmPe(rightOf(world), FromHandler({ pe: world.myPe, n: 1 }));
      assertEquals(result, [2, world.myPe, rightOf(world)]);
    },
  },
  {
    name: "An error in a closure reaches the caller with the PE and the remote stack",
    async run(world) {
      const attempts = [
        () =>
          world.execClosurePe(rightOf(world), (text: string): number => {
            throw new SyntaxError(text);
          }, ["broken"]),
        () =>
          world.execClosurePe(
            rightOf(world),
            (text: string) => Promise.reject(new SyntaxError(text)),
            ["broken"],
          ),
      ];
      for (const attempt of attempts) {
        const error = await errorOf(attempt);
        assertInstanceOf(error, RemoteError);
        assertEquals([error.pe, error.op], [rightOf(world), "closure"]);
        assertStringIncludes(error.message, "SyntaxError: broken");
        assert((error.cause as Error).stack!.includes("broken"));
      }
      world.execClosurePe(rightOf(world), () => {
        throw new Error("ignored");
      }, []);
      await assertRejects(() => world.awaitAll(), RemoteError, "ignored");
    },
  },
  {
    name: "Globals of every Worker are there in a closure",
    async run(world) {
      const host = await world.execClosurePe(
        rightOf(world),
        (path: string) =>
          new URL(path, "https://example.org/a/b").pathname + Deno.version.deno.length,
        ["c"],
      );
      assertEquals(host, "/a/c" + Deno.version.deno.length);
    },
  },
];
