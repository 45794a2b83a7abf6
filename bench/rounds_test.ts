import { assertEquals, assertThrows } from "@std/assert";
import { median, printedValue, summarize } from "./rounds.ts";
import type { BenchCase, Contender } from "./contender.ts";
import { CASES, selectCases } from "./table.ts";

const ours: Contender = { name: "ours", tool: "ours", program: "a.ts", args: [] };
const floor: Contender = { name: "C", tool: "cc", program: "a", args: [] };
const peer: Contender = { name: "MPI", tool: "mpi", program: "mpi", args: [] };

function benchCase(lowerIsBetter: boolean): BenchCase {
  return {
    name: "a-case",
    pes: 2,
    unit: "us",
    lowerIsBetter,
    measure: "printed",
    ours,
    floors: [floor, peer],
  };
}

Deno.test("median() takes the middle value, or the mean of the two in the middle", () => {
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([4, 1, 2, 9]), 3);
  assertThrows(() => median([]), RangeError);
});

Deno.test("a ratio above 1 means ours is ahead, whichever way the unit points", () => {
  const values = new Map([[ours, [2, 2, 2]], [floor, [4, 4, 4]]]);
  const [lower] = summarize(benchCase(true), values);
  const [higher] = summarize(benchCase(false), values);
  assertEquals([lower?.ratio, higher?.ratio], [2, 0.5]);
});

Deno.test("each floor that ran gives a line, and one that did not gives none", () => {
  const both = summarize(benchCase(true), new Map([[ours, [1]], [floor, [2]], [peer, [3]]]));
  assertEquals(both.map((line) => line.floorName), ["C", "MPI"]);
  const one = summarize(benchCase(true), new Map([[ours, [1]], [peer, [3]]]));
  assertEquals(one.map((line) => line.floorName), ["MPI"]);
});

Deno.test("a case without floors, or without ours, still gives a line", () => {
  const [alone] = summarize(benchCase(true), new Map([[ours, [1, 3]]]));
  assertEquals([alone?.ours, alone?.floor, alone?.ratio, alone?.runs], [2, null, null, 2]);
  const [missing] = summarize(benchCase(true), new Map([[floor, [7]]]));
  assertEquals([missing?.ours, missing?.floor, missing?.ratio], [null, 7, null]);
});

Deno.test("printedValue() finds the line of measurement among other output", () => {
  assertEquals(printedValue('hello\n{"metric":"x","value":1.5,"unit":"us"}\n'), 1.5);
  assertEquals(printedValue("hello\n"), null);
});

Deno.test("every case has a name of its own, and PEs that its processes share evenly", () => {
  assertEquals(new Set(CASES.map((each) => each.name)).size, CASES.length);
  for (const { name, pes, ours, floors } of CASES) {
    for (const { spread } of [ours, ...floors]) {
      assertEquals(pes % (spread?.processes ?? 1), 0, name);
    }
  }
});

Deno.test("selectCases() takes names and their first words, and names the cases it has", () => {
  assertEquals(selectCases(["barrier"]).map((each) => each.name), ["barrier-2", "barrier-4"]);
  assertEquals(selectCases(["idle"]).length, 1);
  assertEquals(selectCases([]).length > 20, true);
  assertThrows(() => selectCases(["bar"]), RangeError, "the cases are put-1KiB");
});
