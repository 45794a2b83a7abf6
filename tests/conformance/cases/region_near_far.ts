/**
 * Memory of this PE and of another are used alike: the same random calls, right and wrong ones, do
 * the same to both and have the same results and errors.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  am,
  type ElementType,
  type LamellarWorld,
  type OneSidedMemoryRegion,
} from "../../../mod.ts";
import { type Case, rightOf, type Tools } from "../case.ts";
import { callAt, LENGTH, type Surroundings, type Target } from "../random_calls.ts";
import { elementInfo } from "../../../internal/elements.ts";
import { TYPES } from "./region_values.ts";

const ALL_TYPES: readonly ElementType[] = [...TYPES, "bool"];

/** Calls of each type at each kind of region; more find more. */
const CALLS = Number(Deno.env.get("CONFORMANCE_CALLS") ?? 20);

/** More PEs only take longer: each makes its own calls. */
function few(numPes: number): boolean {
  return numPes > 1 && numPes <= 4;
}

/** A call's target, and what it may take from: of this PE's memory, or of another's. */
interface Side {
  readonly target: Target;
  readonly around: Surroundings;
}

interface Lent {
  readonly data: OneSidedMemoryRegion<ElementType>;
  readonly flags: OneSidedMemoryRegion<"u8">;
}

/** The one-sided regions of this PE that the others may have. */
let lent: Lent | undefined;

const Borrow = am("nearFar.Borrow", (_self: object) => lent!);

async function surroundings(
  world: LamellarWorld,
  type: ElementType,
): Promise<Surroundings & Disposable> {
  const other = await world.allocSharedMemRegion(type, LENGTH);
  const strange = world.allocOneSidedMemRegion(type === "u16" ? "i16" : "u16", 4);
  const gone = world.allocOneSidedMemRegion(type, 4);
  gone.dispose();
  const u32 = await world.allocSharedMemRegion("u32", LENGTH);
  const u64 = await world.allocSharedMemRegion("bigu64", LENGTH);
  const dispose = (): void => [other, strange, u32, u64].forEach((region) => region.dispose());
  const { numPes } = world;
  return { numPes, other, strange, gone, u32, u64, [Symbol.dispose]: dispose };
}

/** What is in the memory of a target, of both kinds; a NaN is like any other. */
async function contents({ region, pe, flags }: Target): Promise<string> {
  // deno-lint-ignore no-explicit-any -- either kind of region
  const all = async (one: any): Promise<Iterable<number | bigint>> => {
    const { arrayClass } = elementInfo(one.type);
    // deno-lint-ignore no-explicit-any -- of either kind of number
    const array = new arrayClass(one.length) as any;
    await one.get(...(pe === undefined ? [] : [pe]), 0, array);
    return array;
  };
  const shown = (list: Iterable<number | bigint>): string =>
    Array.from(list, (value) => Object.is(value, -0) ? "-0" : String(value)).join(" ");
  return `${shown(await all(region))} | ${shown(await all(flags))}`;
}

/** Fills the memory of a target alike, after a difference. */
async function reset({ region, pe, flags }: Target, { other }: Surroundings): Promise<void> {
  // deno-lint-ignore no-explicit-any -- either kind of region
  const put = async (one: any): Promise<void> => {
    const { arrayClass } = elementInfo(one.type);
    await one.put(...(pe === undefined ? [] : [pe]), 0, new arrayClass(one.length));
  };
  await put(region);
  await put(flags);
  const mine = other.asMutSlice();
  for (let i = 0; i < mine.length; i++) mine[i] = typeof mine[i] === "bigint" ? 0n : 0;
}

/** Makes random calls on both sides; returns where these differ. */
async function compare(
  world: LamellarWorld,
  t: Tools,
  near: Side,
  far: Side,
): Promise<string[]> {
  const differences: string[] = [];
  const quiet = () => world.quiet();
  for (let i = 0; i < CALLS; i++) {
    const seed = Math.floor(t.random() * 2 ** 31);
    const here = await callAt(seed, near.target, near.around, quiet);
    const there = await callAt(seed, far.target, far.around, quiet);
    const [mine, theirs] = [await contents(near.target), await contents(far.target)];
    if (here.seen === there.seen && mine === theirs) continue;
    const lines = [`near ${here.seen}`, `far  ${there.seen}`];
    if (mine !== theirs) lines.push(`near has ${mine}`, `far has  ${theirs}`);
    differences.push([here.call, ...lines].join("\n    "));
    for (const { target, around } of [near, far]) await reset(target, around);
  }
  return differences;
}

/** Refuses differences, all of them at once. */
function none(differences: readonly string[], seed: number): void {
  assertEquals(differences.length, 0, `seed ${seed}:\n${differences.join("\n")}`);
}

/** The cases of random calls. */
export const REGION_NEAR_FAR_CASES: readonly Case[] = [
  {
    name: "Random calls do the same to a shared region's part of this PE and of another",
    pes: few,
    limitMs: 120_000,
    async run(world, t) {
      const differences: string[] = [];
      for (const type of ALL_TYPES) {
        using here = await surroundings(world, type);
        using there = await surroundings(world, type);
        // Nobody else calls at these parts of these regions.
        using all = await world.allocSharedMemRegion(type, LENGTH);
        using beyond = await world.allocSharedMemRegion(type, LENGTH + 5);
        // One is a range of a larger region.
        const sub = beyond.subRegion(3, LENGTH + 3);
        const [mine, theirs] = t.sharedRandom() < 0.5 ? [all, sub] : [sub, all];
        using myFlags = await world.allocSharedMemRegion("u8", 2);
        using theirFlags = await world.allocSharedMemRegion("u8", 2);
        const sides = [[mine, myFlags, world.myPe, here], [
          theirs,
          theirFlags,
          rightOf(world),
          there,
        ]] as const;
        const [near, far] = sides.map(([region, flags, pe, around]) => ({
          target: { region, pe, owner: pe, flags },
          around,
        }));
        differences.push(...await compare(world, t, near!, far!));
        await world.asyncBarrier();
      }
      none(differences, t.seed);
    },
  },
  {
    name: "Random calls do the same to a one-sided region of this PE and of another",
    pes: few,
    limitMs: 120_000,
    async run(world, t) {
      const differences: string[] = [];
      for (const type of ALL_TYPES) {
        using here = await surroundings(world, type);
        using there = await surroundings(world, type);
        using all = new DisposableStack();
        const alloc = (): Lent => ({
          data: all.use(world.allocOneSidedMemRegion(type, LENGTH + 5)).subRegion(5),
          flags: all.use(world.allocOneSidedMemRegion("u8", 2)),
        });
        const mine = alloc();
        lent = alloc();
        await world.asyncBarrier();
        const pe = rightOf(world);
        const theirs = await world.execAmPe(pe, Borrow({})) as Lent;
        const side = ({ data, flags }: Lent, owner: number, around: Surroundings): Side => ({
          target: { region: data, pe: undefined, owner, flags },
          around,
        });
        const near = side(mine, world.myPe, here);
        differences.push(...await compare(world, t, near, side(theirs, pe, there)));
        await world.asyncBarrier();
      }
      none(differences, t.seed);
    },
  },
];
