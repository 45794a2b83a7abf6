/**
 * Values that throw when they are looked at, errors of every shape, and long chains of returned
 * AMs: all of it reaches the caller, and the job goes on.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { am, f64Array, RemoteError, u32 } from "../../../mod.ts";
import { type Case, errorOf, rightOf } from "../case.ts";

function no(): never {
  throw new Error("no");
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const circular = new Error("circular");
circular.cause = circular;

const THROWN: readonly (() => unknown)[] = [
  () => new Proxy(new Error("x"), { get: no, getPrototypeOf: no, has: no }),
  revoked,
  () => Object.defineProperty(new Error("x"), "name", { get: no }),
  () => Object.defineProperty(new Error("x"), "stack", { get: no }),
  () => Object.defineProperty(new Error("x"), "cause", { get: no }),
  () => Object.defineProperty(new AggregateError([]), "errors", { get: no }),
  () => ({ toString: no, [Symbol.toPrimitive]: no, [Symbol.for("Deno.customInspect")]: no }),
  () => circular,
  () => new Error("x".repeat(1 << 21)),
  () => Symbol("s"),
];
const RETURNED: readonly (() => unknown)[] = [
  () => Object.defineProperty({}, "then", { get: no }),
  () => ({ then: no }),
  revoked,
  () => new Proxy({}, { getPrototypeOf: no, get: no }),
  () => Object.defineProperty(Promise.resolve(1), "constructor", { get: no }),
  () => Promise.resolve(revoked()),
  () => ({ deep: Object.defineProperty({}, "x", { get: no, enumerable: true }) }),
];

const Throw = am("hostile.Throw", { which: u32, late: u32 }, (self) => {
  const thrown = THROWN[self.which]!();
  if (self.late === 0) throw thrown;
  return Promise.reject(thrown);
});
const Return = am("hostile.Return", { which: u32 }, (self): unknown => RETURNED[self.which]!());
const Chain = am(
  "hostile.Chain",
  { left: u32 },
  (self): unknown => self.left === 0 ? "done" : Chain({ left: self.left - 1 }),
);
const LateChain = am(
  "hostile.LateChain",
  { left: u32 },
  (self): unknown => self.left === 0 ? "done" : Promise.resolve(LateChain({ left: self.left - 1 })),
);
const Several = am("hostile.Several", {}, () => {
  const errors = [
    new RangeError("one"),
    new TypeError("two", { cause: new Error("why") }),
    "three",
  ];
  throw new AggregateError(errors, "several", { cause: new SyntaxError("all") });
});
const FIELDS = { n: u32, list: f64Array };
const Fields = am("hostile.Fields", FIELDS, (self) => self, { returns: FIELDS });
const Gives = am("hostile.Gives", { which: u32 }, (self, { world, currentPe }) => {
  let looks = 0;
  const lists = [
    () => no(),
    () => new Float64Array(looks++ === 0 ? 1 : 3),
    () => {
      if (looks++ > 0) world.execAmPe(currentPe, Echo({ value: 1 }));
      return new Float64Array(1);
    },
  ];
  return {
    n: 1,
    get list() {
      return lists[self.which]!();
    },
  };
}, { returns: FIELDS });
const Echo = am("hostile.Echo", (self: { value: unknown }) => self.value);

/** The cases. */
export const HOSTILE_VALUE_CASES: readonly Case[] = [
  {
    name: "Whatever a handler throws or returns, its caller gets an error, and the job goes on",
    limitMs: 60_000,
    async run(world) {
      for (const pe of [world.myPe, rightOf(world)]) {
        const calls = [
          ...THROWN.flatMap((_, which) => [Throw({ which, late: 0 }), Throw({ which, late: 1 })]),
          ...RETURNED.map((_, which) => Return({ which })),
        ];
        for (const call of calls) {
          assertInstanceOf(await errorOf(() => world.execAmPe<unknown>(pe, call)), RemoteError);
          if (pe !== world.myPe) continue;
          const error = await errorOf(() => world.execAmLocal<unknown>(call));
          // A result is not looked into, if nothing has to travel.
          assert(error === undefined || error instanceof RemoteError, Deno.inspect(error));
        }
      }
    },
  },
  {
    name: "A payload or result whose getters throw, launch AMs or change it is refused",
    async run(world) {
      for (const pe of [world.myPe, rightOf(world)]) {
        const launched: PromiseLike<unknown>[] = [];
        const launches = {
          n: 1,
          get list(): Float64Array {
            launched.push(world.execAmPe(pe, Echo({ value: 1 })));
            return new Float64Array(1);
          },
        };
        let looks = 0;
        const changes = {
          n: 1,
          get list() {
            return new Float64Array(looks++ === 0 ? 1 : 3);
          },
        };
        const throws = {
          n: 1,
          get list(): Float64Array {
            return no();
          },
        };
        for (const payload of [launches, changes, throws]) {
          looks = 0;
          assertThrows(() => world.execAmPe(pe, Fields(payload)), Error);
          looks = 0;
          if (payload === launches) continue;
          assertThrows(() => world.execAmAll(Fields(payload)), Error);
        }
        for (let which = 0; which < 3; which++) {
          const error = await errorOf(() => world.execAmPe(pe, Gives({ which })));
          assertInstanceOf(error, RemoteError, `result ${which}`);
        }
        await Promise.all(launched);
        const list = new Float64Array([5]);
        assertEquals(await world.execAmPe(pe, Fields({ n: 2, list })), { n: 2, list });
      }
    },
  },
  {
    name: "AMs and closures may be returned in a row, however many",
    limitMs: 60_000,
    async run(world) {
      const left = 30_000;
      for (const pe of [world.myPe, rightOf(world)]) {
        assertEquals(await world.execAmPe(pe, Chain({ left })), "done");
        assertEquals(await world.execAmPe(pe, LateChain({ left: left / 10 })), "done");
      }
      assertEquals(await world.execAmLocal(Chain({ left })), "done");
      assertEquals(world.execAmLocal(Chain({ left })).block(), "done");
    },
  },
  {
    name: "The errors of an AggregateError arrive, thrown or as a value, with causes",
    async run(world) {
      for (const pe of [world.myPe, rightOf(world)]) {
        const { cause } = await assertRejects(
          async () => await world.execAmPe(pe, Several({})),
          RemoteError,
        );
        assertInstanceOf(cause, AggregateError);
        assertEquals([cause.message, (cause.cause as Error).message], ["several", "all"]);
        const [one, two, three] = cause.errors;
        assertInstanceOf(one, RangeError);
        assertInstanceOf(two, TypeError);
        assertEquals([one.message, two.message, (two.cause as Error).message], [
          ...["one", "two", "why"],
        ]);
        assertEquals(three.message, '"three"');
        const value = new AggregateError([new RangeError("a"), 5, { b: 1 }], "value");
        const back = await world.execAmPe(pe, Echo({ value }));
        assertInstanceOf(back, AggregateError);
        assertInstanceOf(back.errors[0], RangeError);
        assertEquals([back.message, back.errors.slice(1), "cause" in back], [
          ...["value", [5, { b: 1 }], false],
        ]);
        const caused = new AggregateError([], "caused", { cause: new Error("why") });
        const backCaused = await world.execAmPe(pe, Echo({ value: caused })) as AggregateError;
        assertEquals([backCaused.errors, (backCaused.cause as Error).message], [[], "why"]);
      }
    },
  },
  {
    name: "A lone surrogate arrives: in a closure, an error, a payload and a result",
    async run(world) {
      const texts = ["\ud800", "a\udfff", "\ud800".repeat(100), `${"x".repeat(300)}\udc00`];
      // The source of a closure has it itself, not an escape of it.
      const make = new Function(`return (x) => "a\ud800b" + x`) as () => (x: string) => string;
      const throws = new Function(`return () => { throw new Error("a\ud800b") }`) as () => () =>
        void;
      for (const pe of [world.myPe, rightOf(world)]) {
        assertEquals(await world.execClosurePe(pe, make(), ["\udfff"]), "a\ud800b\udfff");
        const error = await errorOf(() => world.execClosurePe(pe, throws(), []));
        assertEquals((error!.cause as Error).message, "a\ud800b");
        for (const value of texts) {
          assertEquals(await world.execAmPe(pe, Echo({ value })), value);
          const map = new Map([[value, [value]]]);
          assertEquals(await world.execAmPe(pe, Echo({ value: map })), map);
        }
        const keys = { ["\ud800"]: 1 };
        assertEquals(await world.execAmPe(pe, Echo({ value: keys })), keys);
      }
    },
  },
];
