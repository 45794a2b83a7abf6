import { assertEquals } from "@std/assert";
import type { Ranked } from "./ranks.ts";
import { Silence } from "./silence.ts";

/** One process of several. */
function processOf(processes: number, rank = 0): Ranked {
  const peers = Array.from({ length: processes }, (_, rank) => ({ host: `n${rank + 1}` }));
  return { rank, pesPerProcess: 2, peers };
}

/** What process 0 of several says while the time runs and the processes in `alive` give signs. */
function heard(
  processes: number,
  alive: readonly number[],
  { stepMs = 250, before = 1, untilMs = 4000 } = {},
): string | undefined {
  const counts = new Int32Array(processes).fill(before);
  const silence = new Silence(processOf(processes), (rank) => counts[rank]!, 0);
  for (let now = 0; now < untilMs; now += stepMs) {
    for (const rank of alive) counts[rank]!++;
    const told = silence.look(now);
    if (told) return `${now} ms: ${told}`;
  }
  return undefined;
}

Deno.test("a process that gives no sign of life for 3 s is named by its PEs", () => {
  const told = "3250 ms: PEs 4 to 5 on n3 gave no sign of life for 3 s";
  assertEquals(heard(3, [1]), told);
});

Deno.test("processes that give signs of life are not named", () => {
  assertEquals(heard(3, [1, 2]), undefined);
});

Deno.test("one of two processes that hears nothing names the other", () => {
  assertEquals(heard(2, []), "3250 ms: PEs 2 to 3 on n2 gave no sign of life for 3 s");
});

Deno.test("a process that hears nobody gives others the time to name it", () => {
  assertEquals(
    heard(3, []),
    "3750 ms: PEs 0 to 1 on n1 got no sign of life from PEs 4 to 5 on n3 and PEs 2 to 3 on n2 " +
      "for 3 s",
  );
});

Deno.test("a process that stood still itself names nobody", () => {
  assertEquals(heard(3, [], { stepMs: 1600 }), undefined);
});

Deno.test("a process has more time for its first sign of life", () => {
  assertEquals(heard(2, [], { before: 0, untilMs: 4000 }), undefined);
  assertEquals(
    heard(2, [], { before: 0, untilMs: 60_000 }),
    "4250 ms: PEs 2 to 3 on n2 gave no sign of life for 3 s",
  );
});

Deno.test("a job of one process has nobody to listen to", () => {
  assertEquals(heard(1, [], { untilMs: 100_000 }), undefined);
});
