/**
 * Waiting for what was launched: waitAll, awaitAll, spawn, blockOn, blockOnAll.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { am, type Blockable, LamellarError, RemoteError, u32 } from "../../../mod.ts";
import { type Case, errorOf, rightOf } from "../case.ts";

let ran = 0;
const Note = am("tasks.Note", {}, () => {
  ran++;
});
const NoteLater = am("tasks.NoteLater", { turns: u32 }, async (self) => {
  for (let i = 0; i < self.turns; i++) await new Promise((resolve) => setImmediate(resolve));
  ran++;
});
const Ran = am("tasks.Ran", {}, () => ran);
const Twice = am("tasks.Twice", { n: u32 }, (self) => 2 * self.n);
const Fail = am("tasks.Fail", { n: u32 }, (self) => {
  throw new RangeError(`task ${self.n}`);
});

/** The cases of rows W-11 to W-15. */
export const TASK_CASES: readonly Case[] = [
  {
    name: "waitAll() covers AMs whose handles were ignored",
    async run(world) {
      ran = 0;
      await world.asyncBarrier();
      for (let i = 0; i < 1000; i++) world.execAmPe((world.myPe + i) % world.numPes, Note({}));
      world.waitAll();
      world.barrier();
      // Each PE got an even share of what every PE sent.
      const all = await world.execAmAll(Ran({}));
      assertEquals(all.reduce((sum, n) => sum + n), 1000 * world.numPes);
      await world.asyncBarrier();
    },
  },
  {
    name: "awaitAll() covers AMs whose handles were ignored, async handlers too",
    async run(world) {
      ran = 0;
      await world.asyncBarrier();
      for (let i = 0; i < 100; i++) world.execAmAll(NoteLater({ turns: i % 3 }));
      for (let i = 0; i < 100; i++) world.execAmAll(Note({}));
      await world.awaitAll();
      await world.asyncBarrier();
      assertEquals(ran, 200 * world.numPes);
      await world.asyncBarrier();
    },
  },
  {
    name: "waitAll() covers async handlers on other PEs",
    pes: (numPes) => numPes > 1,
    async run(world) {
      ran = 0;
      await world.asyncBarrier();
      world.execAmPe(rightOf(world), NoteLater({ turns: 3 }));
      // One after the other: a PE that blocks does not get past an await in a handler.
      for (let pe = 0; pe < world.numPes; pe++) {
        if (pe === world.myPe) world.waitAll();
        await world.asyncBarrier();
      }
      assertEquals(ran, 1);
    },
  },
  {
    name: "waitAll() says so if what it waits for needs the event loop of this PE",
    async run(world) {
      world.execAmLocal(NoteLater({ turns: 2 }));
      const error = assertThrows(() => world.waitAll(), LamellarError, "awaitAll");
      assertEquals(error.code, "ERR_NEEDS_EVENT_LOOP");
      await world.awaitAll();
      world.waitAll();
    },
  },
  {
    name: "waitAll() and awaitAll() return at once if nothing is under way",
    async run(world) {
      world.waitAll();
      await world.awaitAll();
      world.waitAll();
    },
  },
  {
    name: "spawn() gives the value of a promise and of a function",
    async run(world) {
      assertEquals(await world.spawn(Promise.resolve("a")), "a");
      assertEquals(await world.spawn(() => 5), 5);
      assertEquals(await world.spawn(async () => await world.execAmPe(0, Twice({ n: 4 }))), 8);
    },
  },
  {
    name: "awaitAll() covers a spawned task that nobody waits for",
    async run(world) {
      let done = false;
      world.spawn(async () => {
        for (let i = 0; i < 20; i++) await world.execAmPe(rightOf(world), Twice({ n: i }));
        done = true;
      });
      await world.awaitAll();
      assert(done);
    },
  },
  {
    name: "The error of a spawned task reaches whoever awaits it, else awaitAll()",
    async run(world) {
      const broken = (): never => {
        throw new SyntaxError("broken");
      };
      await assertRejects(async () => await world.spawn(broken), SyntaxError, "broken");
      await world.awaitAll();
      world.spawn(broken);
      await assertRejects(() => world.awaitAll(), SyntaxError, "broken");
      await world.awaitAll();
    },
  },
  {
    name: "blockOn() takes a handle of an AM and of a barrier, and refuses a promise",
    run(world) {
      assertEquals(world.blockOn(world.execAmPe(rightOf(world), Twice({ n: 21 }))), 42);
      assertEquals(
        world.blockOn(world.execAmAll(Twice({ n: 1 }))),
        new Array(world.numPes).fill(2),
      );
      world.blockOn(world.asyncBarrier());
      const promise = Promise.resolve(1) as unknown as Blockable<number>;
      assertThrows(() => world.blockOn(promise), TypeError, "await");
    },
  },
  {
    name: "blockOnAll() gives the values in the order of the handles",
    run(world) {
      const handles = Array.from(
        { length: 50 },
        (_, n) => world.execAmPe((world.myPe + n) % world.numPes, Twice({ n })),
      );
      assertEquals(world.blockOnAll(handles.reverse()), handles.map((_, i) => 2 * (49 - i)));
      assertEquals(world.blockOnAll([]), []);
    },
  },
  {
    name: "The error of an ignored AM surfaces once, in the next waitAll() or awaitAll()",
    async run(world) {
      world.execAmPe(rightOf(world), Fail({ n: 7 }));
      const first = assertThrows(() => world.waitAll(), RemoteError, "task 7");
      assertEquals(first.pe, rightOf(world));
      world.waitAll();
      world.execAmPe(rightOf(world), Fail({ n: 8 }));
      await assertRejects(() => world.awaitAll(), RemoteError, "task 8");
      await world.awaitAll();
    },
  },
  {
    name: "The errors of several ignored AMs surface together",
    async run(world) {
      for (let n = 0; n < 5; n++) world.execAmPe((world.myPe + n) % world.numPes, Fail({ n }));
      const error = await errorOf(() => world.awaitAll());
      assertInstanceOf(error, AggregateError);
      const messages = error.errors.map((one: Error) => /task \d/.exec(one.message)?.[0]);
      assertEquals(messages.sort(), ["task 0", "task 1", "task 2", "task 3", "task 4"]);
      await world.awaitAll();
    },
  },
  {
    name: "The error of a handle that was awaited does not surface again",
    async run(world) {
      const handle = world.execAmPe(rightOf(world), Fail({ n: 1 }));
      await assertRejects(async () => await handle, RemoteError, "task 1");
      const late = world.execAmPe(rightOf(world), Fail({ n: 2 }));
      while (!late.done) await world.execAmPe(rightOf(world), Twice({ n: 1 }));
      await assertRejects(async () => await late, RemoteError, "task 2");
      assertThrows(() => late.block(), RemoteError, "task 2");
      await world.awaitAll();
    },
  },
];
