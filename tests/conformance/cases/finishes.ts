/**
 * `finish`: what it waits for, whose errors it gives, and how it is stopped.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  am,
  type AmContext,
  AmGroup,
  type AmType,
  BlockedArch,
  type HandlerWorld,
  LamellarError,
  LamellarTaskGroup,
  localAm,
  RemoteError,
  TimeoutError,
  u32,
} from "../../../mod.ts";
import { type Case, rightOf, several } from "../case.ts";

/** How much ran here, by the number of the finish that it belongs to. */
const ran = new Map<number, number>();
function count(finish: number): void {
  ran.set(finish, (ran.get(finish) ?? 0) + 1);
}
/** A turn of the event loop: a handler that awaits it goes on when nothing else of it runs. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function messageOf(error: unknown): string {
  return (error as Error).message;
}

const Ran = am("finishes.Ran", { finish: u32 }, (self) => ran.get(self.finish) ?? 0);
const Grow = am("finishes.Grow", { finish: u32, depth: u32, seed: u32 }, (self, lamellar) => {
  count(self.finish);
  const { currentPe, world } = lamellar;
  for (let i = 0; self.depth > 0 && i < 3; i++) {
    const pe = (currentPe + self.seed + i) % world.numPes;
    const seed = self.seed + i * self.depth;
    const am = i % 2 === 0 ? Grow : GrowSlowly;
    world.execAmPe(pe, am({ finish: self.finish, depth: self.depth - 1, seed }));
  }
});
const GrowSlowly = am(
  "finishes.GrowSlowly",
  { finish: u32, depth: u32, seed: u32 },
  async (self, lamellar) => {
    await turn();
    lamellar.team.execAmAll(Count(self));
    const awaited = lamellar.world.execAmPe(
      (lamellar.currentPe + self.seed) % lamellar.numPes,
      Count(self),
    );
    await awaited;
    lamellar.world.execAmLocal(Grow(self));
  },
);
const Count = am("finishes.Count", { finish: u32 }, (self) => count(self.finish));
/** How many AMs a tree counts. */
function treeSize(slow: boolean, depth: number, numPes: number): number {
  if (slow) return numPes + 1 + treeSize(false, depth, numPes);
  if (depth === 0) return 1;
  return 1 + 2 * treeSize(false, depth - 1, numPes) + treeSize(true, depth - 1, numPes);
}

let gate = Promise.withResolvers<void>();
const Held = am("finishes.Held", {}, () => gate.promise);
const Release = am("finishes.Release", {}, () => {
  gate.resolve();
  gate = Promise.withResolvers();
});
const Fail = am("finishes.Fail", { depth: u32 }, (self, lamellar) => {
  const next = (lamellar.currentPe + 1) % lamellar.numPes;
  if (self.depth > 0) lamellar.world.execAmPe(next, Fail({ depth: self.depth - 1 }));
  throw new RangeError(`at depth ${self.depth}`);
});
const SpawnAndFail = am("finishes.SpawnAndFail", {}, (_self, lamellar) => {
  lamellar.world.spawn(async () => {
    await turn();
    throw new TypeError(`a task of PE ${lamellar.currentPe}`);
  });
});
const Catch = am("finishes.Catch", {}, async (_self, lamellar) => {
  const next = (lamellar.currentPe + 1) % lamellar.numPes;
  return await lamellar.world.execAmPe(next, Fail({ depth: 0 })).catch(messageOf);
});
interface Nesting {
  readonly finish: number;
  readonly depth: number;
}
const Nest: AmType<Nesting, number> = am("finishes.Nest", async (self: Nesting, lamellar) => {
  const { finish } = self;
  const next = (lamellar.currentPe + 1) % lamellar.numPes;
  const seen = await lamellar.world.finish(async (scope) => {
    scope.execAmPe(next, Grow({ finish, depth: 3, seed: 1 }));
    if (self.depth > 0) return await scope.execAmPe(next, Nest({ finish, depth: self.depth - 1 }));
    return 0;
  });
  return seen + 1;
});
const FailInside = am("finishes.FailInside", {}, async (_self, lamellar) => {
  const inner = lamellar.world.finish((scope) => {
    scope.execAmAll(Fail({ depth: 0 }));
  });
  // Nobody awaits it: its error is one of the finish around it.
  await turn();
  return inner.done || true;
});
const Burst = am("finishes.Burst", { finish: u32 }, async (self, lamellar) => {
  await bursting.promise;
  for (let i = 0; i < 100; i++) lamellar.world.execAmAll(Count(self));
});
let bursting = Promise.withResolvers<void>();
const LetBurst = am("finishes.LetBurst", {}, () => {
  bursting.resolve();
  bursting = Promise.withResolvers();
});
const Endless = am("finishes.Endless", {}, async (_self, lamellar) => {
  await turn();
  lamellar.world.execAmPe((lamellar.currentPe + 1) % lamellar.numPes, Endless({}));
});
let escaped: AmContext | undefined;
const Escape = am("finishes.Escape", {}, (_self, lamellar) => {
  escaped = lamellar;
});
const LaunchEscaped = am("finishes.LaunchEscaped", {}, () => {
  try {
    escaped!.world.execAmPe(0, Count({ finish: 0 }));
    return "launched";
  } catch (error) {
    return (error as LamellarError).code;
  }
});
const WhereInTeam = am("finishes.WhereInTeam", { finish: u32 }, (self, lamellar) => {
  const { team, world } = lamellar;
  team.execAmAll(Count(self));
  world.execAmAll(Count(self));
  return [team.myPe, team.numPes, world.myPe, team.world.numPes];
});
const FromOrigin = am(
  "finishes.FromOrigin",
  { finish: u32 },
  (self) => Grow({ ...self, depth: 2, seed: 0 }),
);

async function total(
  scope: { execAmAll: HandlerWorld["execAmAll"] },
  finish: number,
): Promise<number> {
  const counts = await scope.execAmAll(Ran({ finish }));
  return counts.reduce((sum, one) => sum + one, 0);
}

/** The number of a finish: another for each PE and case. */
function numberOf(testCase: number, pe: number): number {
  return testCase * 1000 + pe;
}

/** The cases of row P-22. */
export const FINISH_CASES: readonly Case[] = [
  {
    name: "finish waits for all that its launches launch in turn, on every PE at once",
    async run(world, t) {
      for (let round = 0; round < 3; round++) {
        const finish = numberOf(1 + round, world.myPe);
        const depth = 1 + Math.floor(t.random() * 5);
        const pe = Math.floor(t.random() * world.numPes);
        const seed = Math.floor(t.random() * 100);
        const value = await world.finish((scope) => {
          scope.execAmPe(pe, Grow({ finish, depth, seed }));
          scope.execAmAll(GrowSlowly({ finish, depth: 0, seed }));
          return round;
        });
        assertEquals(value, round);
        const { numPes } = world;
        const expected = treeSize(false, depth, numPes) + numPes * treeSize(true, 0, numPes);
        assertEquals(await total(world, finish), expected);
      }
    },
  },
  {
    name: "finish covers closures, groups, tasks, local AMs and what returns to its origin",
    async run(world) {
      const finish = numberOf(10, world.myPe);
      const right = rightOf(world);
      const Local = localAm((n: number, lamellar) => {
        for (let i = 0; i < n; i++) lamellar.world.execAmPe(right, Count({ finish }));
      });
      await world.finish((scope) => {
        scope.execClosurePe(right, (finish: number, lamellar: AmContext) => {
          lamellar.world.execClosureAll((finish: number, { world }: AmContext) => {
            world.execClosureLocal(async (finish: number, { world }: AmContext) => {
              await undefined;
              world.spawn(async () => {
                await undefined;
                const ams =
                  (globalThis as unknown as { finishAms: { Count: typeof Count } }).finishAms;
                world.execAmPe(0, ams.Count({ finish }));
              });
            }, [finish]);
          }, [finish]);
        }, [finish]);
        const group = new AmGroup(scope);
        for (let i = 0; i < 10; i++) group.addAmAll(Grow({ finish, depth: 1, seed: i }));
        group.exec();
        const tasks = new LamellarTaskGroup(scope);
        tasks.execAmLocal(Local(5));
        tasks.spawn(async () => {
          await turn();
          tasks.execAmPe(right, FromOrigin({ finish }));
        });
      });
      const { numPes } = world;
      const fromGroup = 10 * numPes * treeSize(false, 1, numPes);
      const expected = numPes + fromGroup + 5 + treeSize(false, 2, numPes);
      assertEquals(await total(world, finish), expected);
    },
  },
  {
    name: "finish does not wait for what goes through another object",
    async run(world) {
      const held = world.execAmPe(rightOf(world), Held({}));
      const other = world.finish((scope) => {
        scope.execAmPe(rightOf(world), Held({}));
      });
      await world.finish((scope) => {
        world.execAmAll(Held({}));
        scope.execAmAll(Count({ finish: numberOf(20, 0) }));
      });
      assert(!held.done && !other.done);
      await world.asyncBarrier();
      await world.execAmPe(rightOf(world), Release({}));
      await Promise.all([held, other]);
      assert(other.done);
    },
  },
  {
    name: "finish fails with all errors that nobody has awaited, wherever they happened",
    async run(world) {
      const { numPes } = world;
      const right = rightOf(world);
      const error = await assertRejects(() =>
        world.finish(async (scope) => {
          scope.execAmPe(right, Fail({ depth: 3 }));
          scope.execAmAll(SpawnAndFail({}));
          assertEquals(
            await scope.execAmPe(right, Catch({})),
            `AM "finishes.Fail" failed on PE ${(right + 1) % numPes}: RangeError: at depth 0`,
          );
          throw new Error("the body");
        }), AggregateError);
      assertEquals(error.errors.length, 5 + numPes);
      const messages = error.errors.map((one: Error) => one.message).sort();
      const fails = [3, 2, 1, 0].map((depth) => {
        const pe = (right + 3 - depth) % numPes;
        return `AM "finishes.Fail" failed on PE ${pe}: RangeError: at depth ${depth}`;
      });
      const tasks = Array.from({ length: numPes }, (_, pe) => {
        return `a task failed on PE ${pe}: TypeError: a task of PE ${pe}`;
      });
      assertEquals(messages, [...fails, ...tasks, "the body"].sort());
      for (const one of error.errors as Error[]) {
        if (!one.message.includes("failed on PE")) continue;
        assertInstanceOf(one, RemoteError);
        assertInstanceOf(one.cause, Error);
        assertEquals(one.message.includes(`failed on PE ${one.pe}: `), true);
      }
      const text = `A finish of PE ${world.myPe} failed with ${5 + numPes} errors, the first: `;
      assert(error.message.startsWith(text), error.message);
      await world.awaitAll();
    },
  },
  {
    name: "finishes nest, in handlers and in bodies",
    async run(world) {
      const finish = numberOf(30, world.myPe);
      const right = rightOf(world);
      const depths = await world.finish((scope) =>
        scope.execAmPe(right, Nest({ finish, depth: 2 }))
      );
      assertEquals(depths, 3);
      assertEquals(await total(world, finish), 3 * treeSize(false, 3, world.numPes));
      const inner = numberOf(31, world.myPe);
      await world.finish(async (outer) => {
        await outer.finish((scope) => {
          scope.execAmPe(right, Grow({ finish: inner, depth: 2, seed: 0 }));
        });
        assertEquals(await total(world, inner), treeSize(false, 2, world.numPes));
        outer.finish((scope) => {
          scope.execAmPe(right, Grow({ finish: inner, depth: 2, seed: 0 }));
        });
      });
      assertEquals(await total(world, inner), 2 * treeSize(false, 2, world.numPes));
      const error = await assertRejects(
        () => world.finish((scope) => scope.execAmPe(right, FailInside({}))),
        AggregateError,
        `A finish of PE ${world.myPe} failed with 1 error, the first: a task failed on PE`,
      );
      assertInstanceOf(error.errors[0], RemoteError);
      assert(
        /^A finish of PE \d failed with \d+ errors?/.test((error.errors[0].cause as Error).message),
      );
    },
  },
  {
    name: "finish of a team has the numbers of the team, and its handlers go on in it",
    pes: several,
    async run(world) {
      const { myPe, numPes } = world;
      const team = await world.createTeamFromArch(new BlockedArch(1, numPes - 1));
      const finish = numberOf(40, myPe);
      const last = numPes - 2;
      await team.finish(async (scope) => {
        assertEquals(scope.numPes, numPes - 1);
        const [inTeam, size, inWorld, world] = await scope.execAmPe(last, WhereInTeam({ finish }));
        assertEquals([inTeam, size, inWorld, world], [last, numPes - 1, numPes - 1, numPes]);
      });
      assertEquals(await total(world, finish), numPes - 1 + numPes);
      await team.close();
    },
  },
  {
    name: "A finish that is stopped fails at once, says what is left, and launches nothing more",
    async run(world) {
      const right = rightOf(world);
      const late = await assertRejects(() =>
        world.finish((scope) => {
          scope.execAmPe(right, Endless({}));
        }, { timeoutMs: 20 }), TimeoutError);
      const { myPe } = world;
      const text = new RegExp(
        String
          .raw`^Cannot wait any longer for a finish of PE ${myPe} \(left: .*\): 20 ms are over$`,
      );
      assertMatch(late.message, text);
      assertEquals([late.pe, late.op], [myPe, "finish"]);
      const stop = new AbortController();
      let kept: HandlerWorld | undefined;
      const aborted = await assertRejects(() =>
        world.finish(async (scope) => {
          kept = scope;
          scope.execAmPe(right, Fail({ depth: 0 }));
          scope.execAmPe(right, Held({}));
          await scope.execAmPe(right, Count({ finish: 0 }));
          setTimeout(() => stop.abort(new Error("enough")));
          await new Promise(() => {});
        }, { signal: stop.signal }), LamellarError);
      assertEquals([aborted.code, (aborted.cause as Error).message], [
        "ERR_FINISH_STOPPED",
        "enough",
      ]);
      assertEquals(
        aborted.message,
        `A finish of PE ${myPe} was stopped because its signal was aborted (left: its body, ` +
          `1 AM or task of PE ${myPe}); A finish of PE ${myPe} failed with 1 error, the first: ` +
          `AM "finishes.Fail" failed on PE ${right}: RangeError: at depth 0`,
      );
      const burst = numberOf(50, myPe);
      await assertRejects(() =>
        world.finish((scope) => {
          scope.execAmPe(right, Burst({ finish: burst }));
        }, { timeoutMs: 10 }), TimeoutError);
      await world.execAmPe(right, LetBurst({}));
      await world.asyncBarrier();
      assertEquals(await total(world, burst), 0);
      const refused = assertThrows(() => kept!.execAmPe(0, Count({ finish: 0 })), LamellarError);
      assertEquals(refused.code, "ERR_FINISH_STOPPED");
      const never = world.finish(() => assert(false), { signal: stop.signal });
      assertEquals(await never.catch(messageOf), "enough");
      await world.asyncBarrier();
      await world.execAmPe(right, Release({}));
      // What could not be launched any more, or failed before, is not told again.
      await world.awaitAll();
    },
  },
  {
    name: "What has left a finish launches nothing more in it",
    async run(world) {
      const right = rightOf(world);
      let kept: HandlerWorld | undefined;
      await world.finish(async (scope) => {
        kept = scope;
        await scope.execAmPe(right, Escape({}));
      });
      const over = assertThrows(() => kept!.execAmPe(0, Count({ finish: 0 })), LamellarError);
      assertEquals(over.code, "ERR_FINISH_OVER");
      assertThrows(() => kept!.spawn(() => assert(false)), LamellarError, "is over");
      await world.asyncBarrier();
      assertEquals(await world.execAmPe(right, LaunchEscaped({})), "ERR_FINISH_OVER");
      await world.asyncBarrier();
    },
  },
  {
    name: "finish refuses wrong arguments, and is a handle like others",
    async run(world) {
      const bad = (body: unknown, options?: unknown): void => {
        world.finish(body as () => void, options as { timeoutMs: number });
      };
      assertThrows(() => bad(undefined), TypeError, "its body must be a function");
      assertThrows(() => bad(() => {}, { timeoutMs: -1 }), RangeError);
      assertThrows(() => bad(() => {}, { signal: 1 }), TypeError, "must be an AbortSignal");
      const done = world.finish(() => 7);
      assertThrows(() => done.block(), LamellarError, "Cannot block on a finish that is not over");
      assertEquals(await done, 7);
      assertEquals(done.block(), 7);
      const late = world.finish(turn);
      await world.awaitAll();
      assert(late.done);
      world.finish(() => {
        throw new RangeError("nobody waits for it");
      });
      const error = await assertRejects(async () => {
        await turn();
        await turn();
        await world.awaitAll();
      }, AggregateError);
      assertEquals(error.errors[0].message, "nobody waits for it");
    },
  },
];
(globalThis as unknown as { finishAms: unknown }).finishAms = { Count };
