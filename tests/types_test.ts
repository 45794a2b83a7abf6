/**
 * What the type checker promises: arguments, captures and elements of a wrong type do not compile,
 * and results have the type of what the handler returns. Each test also runs, as far as it can
 * without a world; that the expectations hold is what `deno check` of this file says.
 */

import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  type ActiveMessaging,
  am,
  type AmCall,
  type AmContext,
  type AmHandle,
  array,
  bigu64,
  BlockedArch,
  type Captures,
  type Closure,
  f64,
  f64Array,
  type Handle,
  type Infer,
  type LamellarArch,
  type LamellarSubteam,
  type LamellarTeam,
  type LamellarWorld,
  localAm,
  type MultiAmHandle,
  oneOf,
  oneSided,
  type OneSidedMemoryRegion,
  optional,
  type OriginClosure,
  region,
  type SharedMemoryRegion,
  str,
  StridedArch,
  tuple,
  u32,
} from "../mod.ts";
import { type Same, same } from "./support/same_type.ts";

/** What an AM or a handle gives. */
type ResultOf<F> = F extends (...args: never[]) => AmCall<infer T> ? T : never;

const Add = am("types.Add", { a: u32, b: optional(f64) }, (self) => self.a + (self.b ?? 0));
const Nothing = am("types.Nothing", {}, () => {});
const Later = am("types.Later", { name: str }, async (self) => {
  await undefined;
  return { name: self.name, list: [1, 2] };
});
const ReturnsAm = am("types.ReturnsAm", {}, () => Later({ name: "a" }));
const ReturnsAmLater = am("types.ReturnsAmLater", {}, async () => {
  await undefined;
  return Add({ a: 1 });
});
const ReturnsClosure = am(
  "types.ReturnsClosure",
  {},
  (_self, lamellar) => lamellar.closure((n: number) => `${n}`, [1]),
);
const ReturnsAtOrigin = am(
  "types.ReturnsAtOrigin",
  {},
  (_self, lamellar) => lamellar.onReturn((n: number) => `${n}`, [1]),
);
const Throws = am("types.Throws", {}, () => {
  throw new Error("always");
});
const Packed = am("types.Packed", (self: { values: Map<string, number[]> }) => self.values.size);
const Fields = am(
  "types.Fields",
  {
    words: array(str),
    pair: tuple(u32, str),
    color: oneOf("red", "green"),
    big: bigu64,
    data: f64Array,
    shared: region("f32"),
    own: oneSided("i64"),
  },
  (self) => [self.color, self.shared.length, self.own.at(0)] as const,
);
const Local = localAm((self: { f: (x: number) => string }) => self.f(1));

Deno.test("The result type of an AM is what its handler returns", () => {
  same<Same<ResultOf<typeof Add>, number>>();
  same<Same<ResultOf<typeof Nothing>, void>>();
  same<Same<ResultOf<typeof Later>, { name: string; list: number[] }>>();
  same<Same<ResultOf<typeof Packed>, number>>();
  same<Same<ResultOf<typeof Local>, string>>();
  same<Same<ResultOf<typeof Throws>, never>>();
  assertEquals(Add.amName, "types.Add");
});

Deno.test("The result type of an AM that returns an AM or a closure is what that one gives", () => {
  same<Same<ResultOf<typeof ReturnsAm>, { name: string; list: number[] }>>();
  same<Same<ResultOf<typeof ReturnsAmLater>, number>>();
  same<Same<ResultOf<typeof ReturnsClosure>, Closure<string>>>();
  same<Same<ResultOf<typeof ReturnsAtOrigin>, string>>();
  assertEquals(ReturnsAtOrigin.amName, "types.ReturnsAtOrigin");
});

Deno.test("Handlers see the types of their payload", () => {
  type Self = Parameters<typeof Fields>[0];
  same<Same<Self["words"], string[]>>();
  same<Same<Self["pair"], [number, string]>>();
  same<Same<Self["color"], "red" | "green">>();
  same<Same<Self["big"], bigint>>();
  same<Same<Self["shared"], SharedMemoryRegion<"f32">>>();
  same<Same<Self["own"], OneSidedMemoryRegion<"i64">>>();
  same<Same<Infer<typeof f64Array>, Float64Array>>();
  same<Same<ResultOf<typeof Fields>, readonly ["red" | "green", number, number]>>();
  assertEquals(Fields.amName, "types.Fields");
});

Deno.test("A payload of a wrong type does not compile", () => {
  const calls = [
    // @ts-expect-error a number is wanted
    Add({ a: "1" }),
    // @ts-expect-error a is missing
    Add({ b: 1 }),
    // @ts-expect-error there is no field c
    Add({ a: 1, c: 2 }),
    // @ts-expect-error the payload is missing
    Add(),
    // @ts-expect-error a list of numbers is wanted
    Packed({ values: new Map([["a", ["b"]]]) }),
    // @ts-expect-error a function of a number is wanted
    Local({ f: (x: string) => x }),
  ];
  assertEquals(calls.length, 6);
  assertEquals([Nothing(), Nothing({})].length, 2);
});

Deno.test("A field of a wrong type in a longer payload does not compile", () => {
  const rest = {} as Parameters<typeof Fields>[0];
  const calls = [
    Fields(rest),
    // @ts-expect-error blue is none of the choices
    Fields({ ...rest, color: "blue" }),
    // @ts-expect-error the pair ends with a string
    Fields({ ...rest, pair: [1, 2] }),
    // @ts-expect-error a BigInt is wanted
    Fields({ ...rest, big: 1 }),
    // @ts-expect-error a Float64Array is wanted
    Fields({ ...rest, data: new Float32Array(1) }),
    // @ts-expect-error a region of f32 is wanted
    Fields({ ...rest, shared: {} as SharedMemoryRegion<"f64"> }),
    // @ts-expect-error a one-sided region is wanted
    Fields({ ...rest, own: {} as SharedMemoryRegion<"i64"> }),
  ];
  assertEquals(calls.length, 7);
});

/** Compiled, and never run: what needs a world. */
async function launching(world: ActiveMessaging): Promise<void> {
  same<Same<Awaited<ReturnType<typeof all>>, number[]>>();
  const sum: number = await world.execAmPe(0, Add({ a: 1 }));
  const sums: number[] = world.execAmAll(Add({ a: 1 })).block();
  const text: string = await world.execAmLocal(Local({ f: String }));
  // @ts-expect-error the result is a number
  const wrong: string = await world.execAmPe(0, Add({ a: 1 }));
  // @ts-expect-error the results are a list
  const notOne: number = await world.execAmAll(Add({ a: 1 }));
  // @ts-expect-error an AM has to be called with its payload
  world.execAmPe(0, Add);
  // @ts-expect-error a PE is a number
  world.execAmPe("0", Add({ a: 1 }));
  // @ts-expect-error the option is called timeoutMs
  world.execAmPe(0, Add({ a: 1 }), { timeout: 1 });
  // @ts-expect-error a promise cannot be blocked on
  world.blockOn(Promise.resolve(1));
  await Promise.all([sum, sums, text, wrong, notOne]);

  async function all(): Promise<number[]> {
    return await world.execAmAll(Add({ a: 1 }));
  }
}

/** Compiled, and never run: closures. */
async function closing(world: ActiveMessaging, context: AmContext): Promise<void> {
  const plus: number = await world.execClosurePe(0, (a: number, b: number) => a + b, [1, 2]);
  const later: string = await world.execClosurePe(0, async (a: string) => await a, ["a"]);
  const where: number[] = await world.execClosureAll((l: AmContext) => l.currentPe, []);
  const both = await world.execClosureLocal((a: string, l: AmContext) => `${a}${l.numPes}`, ["a"]);
  same<Same<typeof both, string>>();
  // @ts-expect-error a number is wanted
  world.execClosurePe(0, (a: number) => a, ["1"]);
  // @ts-expect-error a capture is missing
  world.execClosurePe(0, (a: number, b: number) => a + b, [1]);
  // @ts-expect-error there is one capture too many
  world.execClosurePe(0, (a: number) => a, [1, 2]);
  // @ts-expect-error the captures are missing
  world.execClosurePe(0, (a: number) => a);
  // @ts-expect-error the captures are missing where a parameter may be left out
  world.execClosurePe(0, (a = 1) => a);
  // @ts-expect-error the captures are missing where a parameter takes the rest
  world.execClosurePe(0, (...a: number[]) => a.length);
  // @ts-expect-error the options stand behind the captures
  world.execClosurePe(0, () => 5, { timeoutMs: 1000 });
  // @ts-expect-error there is nothing to capture
  world.execClosurePe(0, () => 5, [1]);
  const five: number = await world.execClosurePe(0, () => 5);
  const fives: number[] = await world.execClosureAll(() => 5);
  const local: number = await world.execClosureLocal((l: AmContext) => l.currentPe);
  const timed: number = await world.execClosurePe(0, () => 5, [], { timeoutMs: 1000 });
  void [five, fives, local, timed];
  // @ts-expect-error the context is not captured, it comes by itself
  world.execClosurePe(0, (l: AmContext) => l.currentPe, [1]);
  // @ts-expect-error the result is a number
  const wrong: string = await world.execClosurePe(0, (a: number) => a, [1]);

  const data = context.closure((a: number) => a > 0, [1]);
  same<Same<typeof data, Closure<boolean>>>();
  same<Same<ReturnType<typeof data>, boolean>>();
  // @ts-expect-error a number is wanted
  context.closure((a: number) => a > 0, ["1"]);
  const home = context.onReturn((a: number, l: AmContext) => a + l.numPes, [1]);
  same<Same<typeof home, OriginClosure<number>>>();
  world.execClosurePe(0, (l: AmContext) => [l.closure(() => 1), l.onReturn(() => 1)]);
  // @ts-expect-error the captures of a closure that is returned are missing
  world.execClosurePe(0, (l: AmContext) => l.onReturn((a: string) => a));
  const atHome = world.execClosurePe(0, (l: AmContext) => l.onReturn((a: string) => a, ["a"]), []);
  same<Same<Awaited<typeof atHome>, string>>();
  same<Same<Captures<[a: number, l: AmContext]>, [a: number]>>();
  same<Same<Captures<[a: number]>, [a: number]>>();
  await Promise.all([plus, later, where, wrong]);
}

/** Compiled, and never run: regions. */
async function remembering(
  numbers: SharedMemoryRegion<"u64">,
  bigints: SharedMemoryRegion<"bigu64">,
  floats: OneSidedMemoryRegion<"f32">,
): Promise<void> {
  const one: number = await numbers.get(0, 1);
  const big: bigint = bigints.blockingGet(0, 1);
  const slices: [BigUint64Array, Float32Array] = [numbers.asSlice(), floats.asSlice()];
  const some: Float32Array = await floats.getBuffer(0, 2);
  await numbers.put(0, 0, 5);
  await numbers.put(0, 0, [5, 6]);
  await bigints.put(0, 0, new BigUint64Array(1));
  // @ts-expect-error the values of u64 are numbers
  numbers.put(0, 0, 5n);
  // @ts-expect-error the values of bigu64 are BigInts
  bigints.put(0, 0, 5);
  // @ts-expect-error a Float32Array is wanted
  floats.put(0, new Float64Array(1));
  // @ts-expect-error a one-sided region has one PE only
  floats.put(0, 0, 1);
  // @ts-expect-error elements are got into an array of their type
  numbers.get(0, 0, new Uint32Array(1));
  // @ts-expect-error floats have no bits to combine
  floats.or(0, 1);
  // @ts-expect-error there is no such comparison
  numbers.waitUntil(0, "=", 1);
  // @ts-expect-error an element is a number
  const wrong: string = numbers.at(0);
  await Promise.all([one, big, slices, some, wrong]);
}

/** Compiled, and never run: handles. */
async function handling(one: AmHandle<number>, all: MultiAmHandle<string>): Promise<void> {
  same<Same<ReturnType<typeof one.block>, number>>();
  same<Same<ReturnType<typeof all.block>, string[]>>();
  const value: number = await one;
  const values: string[] = await all;
  const mapped: string = await one.then((n) => n.toFixed());
  // @ts-expect-error the callback gets a number
  one.then((n: string) => n);
  // @ts-expect-error the callback gets a list
  all.then((n: string) => n);
  await Promise.all([value, values, mapped]);
}

/** Compiled, and never run: all handles have one surface, and nothing of the engine's. */
async function surfaces(world: LamellarWorld, numbers: SharedMemoryRegion<"f64">): Promise<void> {
  const handles: Handle<unknown>[] = [
    world.execAmPe(0, Add({ a: 1 })),
    world.execAmAll(Add({ a: 1 })),
    world.asyncBarrier(),
    world.createTeamFromArch(new BlockedArch(0, 1)),
    world.spawn(() => 1),
    numbers.get(0, 0),
    numbers.waitUntil(0, "==", 1),
  ];
  for (const handle of handles) handle.block({ timeoutMs: 1 });
  const limited: number = await numbers.get(0, 0).within({ signal: AbortSignal.timeout(5) });
  const one = world.execAmPe(0, Add({ a: 1 }));
  // @ts-expect-error only the engine ends a handle
  one.resolve(1);
  // @ts-expect-error only the engine ends a handle
  one.reject(new Error());
  // @ts-expect-error a limit is given to the launch, to within() or to block()
  one.limit({ timeoutMs: 1 });
  // @ts-expect-error it is the engine's
  one.needsEventLoop();
  // @ts-expect-error it is the engine's
  one.observe();
  // @ts-expect-error it is for handles only
  one.promised();
  // @ts-expect-error what a call runs is the engine's
  Add({ a: 1 }).definition;
  // @ts-expect-error its payload is the engine's
  Add({ a: 1 }).self;
  // @ts-expect-error it is the engine's
  world.spawn(() => 1).observed;
  // @ts-expect-error a time is a number
  one.within({ timeoutMs: "1" });
  await Promise.all([limited, ...handles]);
}

/** Compiled, and never run: teams. */
async function teaming(world: LamellarWorld, context: AmContext): Promise<void> {
  const team = await world.createTeamFromArch(new BlockedArch(0, 1));
  same<Same<typeof team, LamellarSubteam>>();
  const inner = await team.createSubteamFromArch(new StridedArch(0, 1, 1));
  same<Same<typeof inner, LamellarSubteam | null>>();
  const sums: number[] = await team.execAmAll(Add({ a: 1 }));
  const text: string = await team.execClosurePe(0, (l: AmContext) => `${l.team.myPe}`, []);
  const any: LamellarTeam[] = [team, world.team];
  const list: LamellarArch = { ...new BlockedArch(0, 1), parentPeId: Number, teamPeId: Number };
  // @ts-expect-error an arch maps PEs back too
  world.createTeamFromArch({ numPes: 1, startPe: 0, endPe: 0, parentPeId: Number });
  // @ts-expect-error a stride is wanted
  new StridedArch(0, 1);
  // @ts-expect-error it may be null
  inner.barrier();
  const shared = await team.allocSharedMemRegion("u8", 1);
  same<Same<typeof shared, SharedMemoryRegion<"u8">>>();
  const byConstant = await world.allocSharedMemRegion(u32, 1);
  same<Same<typeof byConstant, SharedMemoryRegion<"u32">>>();
  // @ts-expect-error not the schema of an element type
  world.allocSharedMemRegion(array(u32), 1);
  const own = team.allocOneSidedMemRegion("u64", 1);
  same<Same<typeof own, OneSidedMemoryRegion<"u64">>>();
  // @ts-expect-error regions are the world's, in handlers too
  context.team.allocOneSidedMemRegion("u8", 1);
  world.team.allocOneSidedMemRegion("u8", 1);
  // @ts-expect-error the team of the world ends with the world
  world.team.close();
  await Promise.all([sums, text, any, list]);
}

Deno.test("What is launched, kept or waited for with wrong types does not compile", async () => {
  for (const compiled of [launching, closing, remembering, handling, surfaces, teaming]) {
    assertInstanceOf(compiled, Function);
  }
  // A run without type checking would not notice, so that the check is made here.
  const check = new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", import.meta.filename!],
    env: { NO_COLOR: "1" },
  });
  const { code, stderr } = await check.output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
});
