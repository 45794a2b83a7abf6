// Operations on arrays of two PEs: array.ts <what> [argument] [seconds]. The whats are the keys of
// WORK, and a name that begins with `region-` does the same with a region.
import {
  AtomicArray,
  LamellarWorldBuilder,
  LocalLockArray,
  type SharedMemoryRegion,
  UnsafeArray,
  type WritableArray,
} from "../../mod.ts";
import { printMetric } from "../measure.ts";
import { randomIndices } from "../random.ts";
import { calibratedTogether } from "./together.ts";

const LENGTH = 1 << 20;
const SUMMED = 10_000_000;

type Type = "u32" | "u64" | "f64";

const [what = "add", argument = "u64", secondsText = "0.3"] = Deno.args;
const seconds = Number(secondsText);

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const indices = randomIndices(LENGTH, LENGTH * numPes, myPe);

/** Adds at random places, and checks that none was lost. */
async function adds(
  array: WritableArray<Type>,
  add: (array: WritableArray<Type>) => unknown,
): Promise<void> {
  const { each, total } = await calibratedTogether(world, async (count) => {
    for (let i = 0; i < count; i++) await add(array);
  }, seconds);
  // As integers wrap, so does what is expected.
  const expected = total * LENGTH * numPes;
  const sum = await array.sum();
  if (Number(sum) !== (array.type === "u32" ? expected % 2 ** 32 : expected)) {
    throw new Error(`The array holds ${sum} updates, not ${expected}`);
  }
  if (myPe === 0) printMetric("add", (LENGTH * numPes * 1e-6) / each, "M/s");
}

async function loads(): Promise<void> {
  const unsafe = await UnsafeArray.create(world, "u64", LENGTH * numPes);
  unsafe.localAsMutSlice().forEach((_, i, all) => all[i] = BigInt(myPe * LENGTH + i));
  const array = await unsafe.intoReadOnly();
  const target = new BigUint64Array(LENGTH);
  const { each } = await calibratedTogether(world, async (count) => {
    for (let i = 0; i < count; i++) await array.batchLoad(indices, target);
  }, seconds);
  const wrong = indices.findIndex((index, i) => target[i] !== BigInt(index));
  if (wrong >= 0) throw new Error(`PE ${myPe} loaded ${target[wrong]} at ${indices[wrong]}`);
  if (myPe === 0) printMetric("load", (LENGTH * numPes * 1e-6) / each, "M/s");
}

/** One PE asks, both reduce. */
async function sums(type: "u64" | "f64"): Promise<void> {
  const array = await UnsafeArray.create(world, type, SUMMED);
  await array.fill(3);
  await world.asyncBarrier();
  if (myPe !== 0) return;
  const times = await timed(async () => {
    if (await array.sum() !== 3 * SUMMED) throw new Error("The sum is wrong");
  });
  printMetric("sum", times * 1e3, "ms");
}

/** Seconds of one call, at best. */
async function timed(call: () => unknown, batch = 1): Promise<number> {
  let best = Infinity;
  for (const end = performance.now() + 2000 + 1000 * seconds; performance.now() < end;) {
    const start = performance.now();
    for (let i = 0; i < batch; i++) {
      const called = call();
      if (called instanceof Promise) await called;
    }
    best = Math.min(best, performance.now() - start);
  }
  return best / batch / 1000;
}

/** Copies to and from the other PE. */
async function copies(kind: "put" | "get", isRegion: boolean): Promise<void> {
  const bytes = Number(argument);
  const buffer = world.allocOneSidedMemRegion("u8", bytes).asMutSlice().fill(7);
  const array = await UnsafeArray.create(world, "u8", 2 * bytes);
  const region: SharedMemoryRegion<"u8"> = await world.allocSharedMemRegion("u8", bytes);
  await world.asyncBarrier();
  if (myPe !== 0) return;
  const call = {
    put: isRegion ? () => region.blockingPut(1, 0, buffer) : () => array.blockingPut(bytes, buffer),
    get: isRegion ? () => region.blockingGet(1, 0, buffer) : () => array.blockingGet(bytes, buffer),
  }[kind];
  const batch = Math.max(1, Math.floor((4 << 20) / (bytes + 256)));
  printMetric(kind, (bytes * 1e-9) / await timed(call, batch), "GB/s");
}

/** Single operations on an element of the other PE. */
async function singles(call: (array: AtomicArray<"u64">, index: number) => unknown): Promise<void> {
  const array = await AtomicArray.create(world, "u64", 2);
  await world.asyncBarrier();
  if (myPe === 0) printMetric("single", await timed(() => call(array, 1), 1000) * 1e6, "us");
}

const type = argument as Type;
const length = LENGTH * numPes;
const WORK: Readonly<Record<string, () => Promise<void>>> = {
  "add": async () =>
    adds(await AtomicArray.create(world, type, length), (array) => array.batchAdd(indices, 1)),
  "add-iterator": async () =>
    adds(
      await AtomicArray.create(world, type, length),
      (array) => array.batchAdd(indices.values(), 1),
    ),
  "add-locked": async () =>
    adds(await LocalLockArray.create(world, type, length), (array) => array.batchAdd(indices, 1)),
  "load": loads,
  "sum": () => sums(argument as "u64" | "f64"),
  "put": () => copies("put", false),
  "get": () => copies("get", false),
  "region-put": () => copies("put", true),
  "region-get": () => copies("get", true),
  "fetch-add-block": () => singles((array, index) => array.fetchAdd(index, 1).block()),
  "fetch-add-awaited": () => singles(async (array, index) => await array.fetchAdd(index, 1)),
};

const work = WORK[what];
if (!work) throw new Error(`Cannot measure ${what}: there are ${Object.keys(WORK).join(", ")}`);
await work();
await world.asyncBarrier();
