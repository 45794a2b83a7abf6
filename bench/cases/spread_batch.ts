// Batches of random elements of the tables of all PEs, a call for a million of them:
// spread_batch.ts add|fetch-add|gather|scatter all|far|near|apart [seconds]
//
// The PEs run in two processes. Of the elements that a PE names, `all` are anywhere, `far` are on
// PEs of the other process, and `near` in a table that only PEs of its own process have. `apart`
// names the same ones as `all`, but calls first for the near ones, in such a table, and then for
// the far ones.
import {
  am,
  type LamellarMemoryRegion,
  LamellarWorldBuilder,
  oneSided,
  type OneSidedMemoryRegion,
  type RmaHandle,
} from "../../mod.ts";
import { printMetric } from "../measure.ts";
import { randomIndices } from "../random.ts";
import { calibratedTogether } from "./together.ts";

/** Elements of each PE, and items of each batch. */
const LENGTH = 1 << 20;
/** What no element holds. */
const NOTHING = 2n ** 64n - 1n;

/** A part of what a PE does again and again. */
interface Batch {
  readonly table: LamellarMemoryRegion<"u64">;
  readonly wanted: Uint32Array;
  readonly indices: OneSidedMemoryRegion<"u32">;
  readonly values: OneSidedMemoryRegion<"u64">;
}

/** What this PE knows of its own tables. */
interface Counts {
  readonly sum: number;
  /** What updates that found 0, 1, 2, … in each element have found altogether. */
  readonly found: number;
  /** What its own updates have found. */
  readonly fetched: number;
}

let nearTable: OneSidedMemoryRegion<"u64">;
/** Those of this PE. */
const tables: BigUint64Array[] = [];
const batches: Batch[] = [];

const NearTable = am("bench.NearTable", {}, () => nearTable, { returns: oneSided("u64") });
const Count = am("bench.Count", (): Counts => {
  let [sum, found, fetched] = [0, 0, 0];
  for (const table of tables) {
    for (let i = 0; i < table.length; i++) {
      const count = Number(table[i]);
      sum += count;
      found += count * (count - 1) / 2;
    }
  }
  for (const { values } of batches) {
    for (const value of values.asSlice()) fetched += Number(value);
  }
  return { sum, found, fetched };
});

const [operation = "add", reach = "all", seconds = "0.3"] = Deno.args;

await using world = await new LamellarWorldBuilder().build();
const { myPe, numPes } = world;
const each = numPes / 2;
const nearFirst = myPe - myPe % each;
const farFirst = each - nearFirst;
const shared = await world.allocSharedMemRegion("u64", LENGTH);
tables.push(shared.asSlice());
if (myPe === nearFirst) {
  nearTable = world.allocOneSidedMemRegion("u64", LENGTH * each);
  tables.push(nearTable.asSlice());
}
await world.asyncBarrier();
if (myPe !== nearFirst) nearTable = await world.execAmPe(nearFirst, NearTable({}));

function batch(table: LamellarMemoryRegion<"u64">, wanted: Uint32Array): Batch {
  const indices = world.allocOneSidedMemRegion("u32", wanted.length);
  const values = world.allocOneSidedMemRegion("u64", wanted.length);
  indices.asSlice().set(wanted);
  const slice = values.asSlice();
  for (let i = 0; i < wanted.length; i++) slice[i] = BigInt(wanted[i]!);
  return { table, wanted, indices, values };
}

function chosenBatches(): Batch[] {
  if (reach === "near") return [batch(nearTable, randomIndices(LENGTH, LENGTH * each, myPe))];
  if (reach === "far") {
    const inside = randomIndices(LENGTH, LENGTH * each, myPe);
    return [batch(shared, inside.map((index) => index + farFirst * LENGTH))];
  }
  const wanted = randomIndices(LENGTH, LENGTH * numPes, myPe);
  if (reach === "all") return [batch(shared, wanted)];
  const [from, to] = [nearFirst * LENGTH, (nearFirst + each) * LENGTH];
  const isNear = (index: number) => index >= from && index < to;
  return [
    batch(nearTable, wanted.filter(isNear).map((index) => index - from)),
    batch(shared, wanted.filter((index) => !isNear(index))),
  ];
}

function start({ table, indices, values }: Batch): RmaHandle<void> {
  switch (operation) {
    case "add":
      return table.batchAdd(indices, 1);
    case "fetch-add":
      return table.batchFetchAdd(indices, 1, values);
    case "gather":
      return table.gather(indices, values);
    case "scatter":
      return table.scatter(indices, values);
    default:
      throw new TypeError(`Cannot run ${operation}: there are add, fetch-add, gather, scatter`);
  }
}

function work(count: number): void {
  for (let i = 0; i < count; i++) {
    for (const one of batches) start(one).block();
  }
}

/** Element i of each table holds i; what is written to it is i too. */
function checkValues(): void {
  for (const { table, wanted, indices, values } of batches) {
    const slice = values.asSlice().fill(NOTHING);
    table.gather(indices, values).block();
    const wrong = wanted.findIndex((index, i) => slice[i] !== BigInt(index));
    if (wrong >= 0) throw new Error(`PE ${myPe} read ${slice[wrong]} at ${wanted[wrong]}`);
  }
}

async function totals(): Promise<Counts> {
  const all = await world.execAmAll(Count());
  const sum = (key: keyof Counts) => all.reduce((total, counts) => total + counts[key], 0);
  return { sum: sum("sum"), found: sum("found"), fetched: sum("fetched") };
}

/** Every update has counted. */
async function checkSum(runs: number): Promise<void> {
  const { sum } = await totals();
  const expected = runs * LENGTH * numPes;
  if (sum !== expected) throw new Error(`The tables hold ${sum} updates, not ${expected}`);
}

/** From tables of zeros: all that updates find in an element is 0, 1, 2 and so on. */
async function checkFetched(): Promise<void> {
  await world.asyncBarrier();
  for (const table of tables) table.fill(0n);
  await world.asyncBarrier();
  work(1);
  await world.asyncBarrier();
  const { found, fetched } = await totals();
  if (found !== fetched) throw new Error(`Updates found ${fetched} altogether, not ${found}`);
}

batches.push(...chosenBatches());
if (operation === "gather") {
  const starts = [myPe * LENGTH, 0];
  tables.forEach((table, which) => {
    for (let i = 0; i < table.length; i++) table[i] = BigInt(starts[which]! + i);
  });
}
await world.asyncBarrier();
const run = await calibratedTogether(world, work, Number(seconds));
if (operation === "add" || operation === "fetch-add") await checkSum(run.total);
else checkValues();
if (operation === "fetch-add") await checkFetched();
if (myPe === 0) printMetric(operation, (LENGTH * numPes * 1e-6) / run.each, "M/s");
await world.asyncBarrier();
