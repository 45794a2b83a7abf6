/**
 * Handles of active messages: await, block, ignore, AbortSignal, timeouts; and what cannot be
 * launched.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { am, type AmCall, LamellarError, TimeoutError, u32 } from "../../../mod.ts";
import { type Case, rightOf, several } from "../case.ts";

const Twice = am("handles.Twice", { n: u32 }, (self) => 2 * self.n);
const Later = am(
  "handles.Later",
  { n: u32 },
  (self) => new Promise<number>((resolve) => setImmediate(() => resolve(self.n))),
);
const Reject = am("handles.Reject", {}, () => Promise.reject(new Error("rejected")));

const gates = new Map<number, PromiseWithResolvers<void>>();
function gate(key: number): PromiseWithResolvers<void> {
  let found = gates.get(key);
  if (!found) gates.set(key, found = Promise.withResolvers<void>());
  return found;
}
const Wait = am("handles.Wait", { key: u32 }, async (self) => {
  await gate(self.key).promise;
  passed++;
  return self.key;
});
const Open = am("handles.Open", { key: u32 }, (self) => gate(self.key).resolve());
let passed = 0;
const Passed = am("handles.Passed", {}, () => passed);

/** The cases of rows AM-10, AM-13, AM-14, W-24. */
export const AM_HANDLE_CASES: readonly Case[] = [
  {
    name: "A handle can be awaited many times and in many ways",
    async run(world) {
      const handle = world.execAmPe(rightOf(world), Twice({ n: 4 }));
      assertEquals(await handle, 8);
      assertEquals(await handle, 8);
      assertEquals(handle.block(), 8);
      assertEquals(await handle.then((n) => n + 1), 9);
      assertEquals(await handle.finally(() => {}), 8);
      assertEquals(await handle.catch(() => 0), 8);
      assert(handle.done);
      const [first, second] = await Promise.all([handle, world.execAmAll(Twice({ n: 1 }))]);
      assertEquals([first, second[0]], [8, 2]);
    },
  },
  {
    name: "block() gives the result without an event loop, from others and from the own PE",
    run(world) {
      for (let i = 0; i < 200; i++) {
        const pe = (world.myPe + i) % world.numPes;
        assertEquals(world.execAmPe(pe, Twice({ n: i })).block(), 2 * i);
      }
      assertEquals(world.execAmAll(Twice({ n: 3 })).block(), new Array(world.numPes).fill(6));
    },
  },
  {
    name: "block() waits for an async handler on another PE",
    pes: several,
    async run(world) {
      if (world.myPe === 0) {
        for (let pe = 1; pe < world.numPes; pe++) {
          assertEquals(world.execAmPe(pe, Later({ n: pe })).block(), pe);
          const rejected = world.execAmPe(pe, Reject({}));
          assertThrows(() => rejected.block(), Error, "rejected");
        }
      }
      await world.asyncBarrier();
    },
  },
  {
    name: "block() says so if the result needs the event loop of this PE, and await still gets it",
    async run(world) {
      const handle = world.execAmPe(world.myPe, Later({ n: 5 }));
      const error = assertThrows(() => handle.block(), LamellarError, "use await");
      assertEquals(error.code, "ERR_NEEDS_EVENT_LOOP");
      assertEquals(await handle, 5);
      assertEquals(handle.block(), 5);
    },
  },
  {
    name: "An AbortSignal that was given before ends the wait at once",
    async run(world) {
      const reason = new Error("stop");
      const handle = world.execAmPe(rightOf(world), Twice({ n: 1 }), {
        signal: AbortSignal.abort(reason),
      });
      assertStrictEquals(await assertRejects(async () => await handle), reason);
      assertThrows(() => handle.block(), Error, "stop");
    },
  },
  {
    name: "An AbortSignal ends the wait, not the work",
    async run(world) {
      const before = await world.execAmPe(rightOf(world), Passed({}));
      const right = rightOf(world);
      const controller = new AbortController();
      const key = world.myPe;
      const handle = world.execAmPe(right, Wait({ key }), { signal: controller.signal });
      controller.abort();
      const error = await assertRejects(async () => await handle) as Error;
      assertEquals(error.name, "AbortError");
      await world.execAmPe(right, Open({ key }));
      await world.awaitAll();
      assertEquals(await world.execAmPe(right, Passed({})), before + 1);
    },
  },
  {
    name: "The end of a signal after the result changes nothing",
    async run(world) {
      const controller = new AbortController();
      const handle = world.execAmPe(rightOf(world), Twice({ n: 6 }), { signal: controller.signal });
      assertEquals(await handle, 12);
      controller.abort();
      assertEquals(await handle, 12);
    },
  },
  {
    name: "timeoutMs ends the wait with a TimeoutError, awaited or blocked on",
    async run(world) {
      const right = rightOf(world);
      const key = 1000 + world.myPe;
      const awaited = world.execAmPe(right, Wait({ key }), { timeoutMs: 20 });
      const error = await assertRejects(async () => await awaited, TimeoutError, "20 ms");
      assertEquals(error.code, "ERR_TIMEOUT");
      if (world.numPes > 1) {
        const blocked = world.execAmPe(right, Wait({ key }), { timeoutMs: 20 });
        assertThrows(() => blocked.block(), TimeoutError);
        await assertRejects(async () => await blocked, TimeoutError);
      }
      await world.execAmPe(right, Open({ key }));
      await world.awaitAll();
    },
  },
  {
    name: "timeoutMs that is not reached changes nothing",
    async run(world) {
      const options = { timeoutMs: 10_000 };
      assertEquals(await world.execAmPe(rightOf(world), Twice({ n: 2 }), options), 4);
      assertEquals(world.execAmPe(rightOf(world), Twice({ n: 2 }), options).block(), 4);
      assertEquals((await world.execAmAll(Later({ n: 2 }), options)).length, world.numPes);
    },
  },
  {
    name: "A timeout that is no length of time is refused",
    async run(world) {
      for (const timeoutMs of [-1, NaN]) {
        assertThrows(
          () => world.execAmPe(rightOf(world), Twice({ n: 1 }), { timeoutMs }),
          RangeError,
          "timeout",
        );
      }
      await world.awaitAll();
    },
  },
  {
    name: "A PE that does not exist is refused, whatever it is called",
    async run(world) {
      const wrong: unknown[] = [
        -1,
        world.numPes,
        0.5,
        NaN,
        Infinity,
        -0.5,
        2 ** 32,
        undefined,
        null,
        "0",
      ];
      for (const pe of wrong) {
        assertThrows(
          () => world.execAmPe(pe as number, Twice({ n: 1 })),
          RangeError,
          `PEs 0 to ${world.numPes - 1}`,
        );
        assertThrows(() => world.execClosurePe(pe as number, () => 1, []), RangeError);
      }
      assertEquals(await world.execAmPe(rightOf(world), Twice({ n: 1 })), 2);
    },
  },
  {
    name: "What is not an AM with its payload is refused",
    run(world) {
      const right = rightOf(world);
      assertThrows(
        () => world.execAmPe(right, Twice as unknown as AmCall<number>),
        TypeError,
        'AM "handles.Twice" itself',
      );
      for (const wrong of [{}, "Twice", 5, () => 1]) {
        assertThrows(() => world.execAmPe(right, wrong as AmCall<number>), TypeError, "not an AM");
        assertThrows(() => world.execAmLocal(wrong as AmCall<number>), TypeError, "not an AM");
      }
      for (const wrong of [undefined, null]) {
        assertThrows(() => world.execAmPe(right, wrong as unknown as AmCall<number>), TypeError);
      }
    },
  },
  {
    name: "AMs are defined before the world is built, each under a name of its own",
    run() {
      assertThrows(() => am("handles.TooLate", {}, () => {}), TypeError, "the world is built");
      assertThrows(() => am("", {}, () => {}), TypeError, "needs a name");
      assertThrows(
        () => am("handles.NoHandler", {}, undefined as unknown as () => void),
        TypeError,
        "handler",
      );
      assertEquals(duplicate?.message.includes("another AM has this name"), true);
      assertEquals(Twice.amName, "handles.Twice");
    },
  },
];

/** Tried at the top level, where AMs may still be defined. */
const duplicate: Error | undefined = (() => {
  try {
    am("handles.Twice", {}, () => {});
    return undefined;
  } catch (error) {
    return error as Error;
  }
})();
