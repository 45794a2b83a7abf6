import { assertEquals } from "@std/assert";
import { startProcesses } from "./fake_processes_test.ts";
import { hearers } from "./network_start.ts";
import { Silence } from "./silence.ts";

/** The first of some processes, which hears the signs of life of others. */
function listener(processes: number) {
  const { start, views, net } = startProcesses({ processes }).all[0]!;
  const silence = new Silence(start, views.i32, 1000);
  const beat = (rank: number) => views.i32[net.beats / 4 + rank]!++;
  return { silence, beat };
}

/** Looks each 100 ms; returns what was seen, and when. */
function watch({ silence }: ReturnType<typeof listener>, from: number, to: number) {
  for (let now = from; now <= to; now += 100) {
    const silent = silence.look(now);
    if (silent) return { rank: silent.rank, now };
  }
  return undefined;
}

Deno.test("hearers() gives each process two before and two behind it, none of them twice", () => {
  const ranks = (processes: number, rank: number, step: 1 | -1) =>
    hearers(startProcesses({ processes }).all[rank]!.start, step);
  assertEquals(ranks(1, 0, 1), []);
  assertEquals(ranks(2, 0, 1), [1]);
  assertEquals(ranks(2, 1, -1), [0]);
  assertEquals(ranks(3, 2, 1), [0, 1]);
  assertEquals(ranks(5, 0, 1), [1, 2]);
  assertEquals(ranks(5, 0, -1), [4, 3]);
});

Deno.test("Silence names a process whose signs of life have stopped", () => {
  const it = listener(4);
  for (const rank of [2, 3]) it.beat(rank);
  assertEquals(watch(it, 1000, 3000), undefined);
  it.beat(3);
  // 1 is not among those that give this process signs.
  assertEquals(watch(it, 3100, 9000), { rank: 2, now: 4600 });
});

Deno.test("Silence gives a process more time for its first sign of life", () => {
  const it = listener(3);
  it.beat(1);
  assertEquals(watch(it, 1000, 4000), undefined);
  it.beat(1);
  assertEquals(watch(it, 4100, 7500), undefined);
  const other = listener(2);
  assertEquals(watch(other, 1000, 60_000), { rank: 1, now: 31_100 });
});

Deno.test("Silence blames nobody for what this process has slept through itself", () => {
  const it = listener(2);
  it.beat(1);
  assertEquals(watch(it, 1000, 2000), undefined);
  assertEquals(it.silence.look(60_000), undefined);
  assertEquals(watch(it, 60_100, 63_500), undefined);
  assertEquals(watch(it, 63_600, 70_000), { rank: 1, now: 63_600 });
});

Deno.test("Silence has nobody to watch in a job of one process", () => {
  assertEquals(watch(listener(1), 1000, 100_000), undefined);
});
