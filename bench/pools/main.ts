/**
 * Pools of four threads at the service of a program: ours and those of npm.
 *
 *     deno run -A bench/pools/main.ts POOL WHAT [seconds]
 *
 * POOL is session, piscina, workerpool, comlink or workers (by hand). WHAT is
 *
 * - start: from nothing to the first answers of four tasks
 * - task: a small task there and back, one after the other
 * - tasks: 10,000 small tasks at once
 * - data-copied: copies of 100 MB to four threads, which change them, and back
 * - data-moved: the same without copies: transferred, or in shared memory
 * - http-1, http-16: a server that asks a thread for each request, with so many clients
 *
 * tinypool is missing: in Deno 2.9 it hangs with many tasks and with large ones.
 *
 * @module
 */
import { requests } from "../io_loads.ts";
import { calibrated, printMetric } from "../measure.ts";
import { POOLS } from "./kinds.ts";

const THREADS = 4;
const TASKS = 10_000;
const DATA_BYTES = 100e6;

const [name = "session", what = "task", secondsText = "0.5"] = Deno.args;
const seconds = Number(secondsText);
const open = POOLS[name];
if (!open) throw new TypeError(`There is no pool ${name}: there are ${Object.keys(POOLS)}`);

const begun = performance.now();
const pool = await open(THREADS);
await Promise.all(Array.from({ length: THREADS }, (_, thread) => task(thread)));
const startMs = performance.now() - begun;

/** A task that is known to be done right. */
async function task(value: number): Promise<void> {
  if (await pool.increment(value) !== value + 1) throw new Error("The task gave a wrong value");
}

/** Each block goes to a thread, which adds 1 to each number, and comes back. */
async function data(kind: "addOneCopied" | "addOneMoved"): Promise<void> {
  const length = DATA_BYTES / THREADS / 8;
  let blocks = await pool.makeBlocks(THREADS, length);
  blocks.forEach((block, i) => block.fill(i));
  let times = 0;
  const each = await calibrated(async (count) => {
    for (let i = 0; i < count; i++) blocks = await pool[kind](blocks);
    times += count;
  }, seconds);
  blocks.forEach((block, i) => {
    if (block.length === length && [0, length - 1].every((at) => block[at] === i + times)) return;
    throw new Error(`Block ${i} is wrong: ${block[0]} after ${times} times`);
  });
  printMetric(what, each * 1000, "ms");
}

async function http(clients: number): Promise<void> {
  const rate = await requests("http", clients, seconds, (_question, value) => {
    return pool.increment(value);
  });
  printMetric(what, rate, "requests/s");
}

const WORK: Readonly<Record<string, () => Promise<void>>> = {
  "start": () => Promise.resolve(printMetric("start", startMs, "ms")),
  "task": async () => {
    const each = await calibrated(async (count) => {
      for (let i = 0; i < count; i++) await task(i);
    }, seconds);
    printMetric("task", each * 1e6, "us");
  },
  "tasks": async () => {
    const each = await calibrated(async (count) => {
      for (let i = 0; i < count; i++) {
        await Promise.all(Array.from({ length: TASKS }, (_, value) => task(value)));
      }
    }, seconds);
    printMetric("tasks", each * 1000, "ms");
  },
  "data-copied": () => data("addOneCopied"),
  "data-moved": () => data("addOneMoved"),
  "http-1": () => http(1),
  "http-16": () => http(16),
};
const work = WORK[what];
if (!work) throw new TypeError(`There is no measurement ${what}: there are ${Object.keys(WORK)}`);
await work();
Deno.exit(0);
