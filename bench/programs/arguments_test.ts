import { assertEquals, assertThrows } from "@std/assert";
import { BUFFER_SIZE, LAUNCH_THREADS, readArguments, UPDATES } from "./arguments.ts";
import { reportLine, steadySeconds } from "./report.ts";

const NUMBERS = { updates: UPDATES, bufferSize: BUFFER_SIZE, launchThreads: LAUNCH_THREADS };

function read(...args: string[]) {
  return readArguments(args, ["am", "array"], NUMBERS);
}

Deno.test("readArguments() takes numbers in their order or by name, and has defaults", () => {
  assertEquals(read(), {
    numbers: { updates: 1000, bufferSize: 1000, launchThreads: 1 },
    variants: ["am", "array"],
    iterations: 1,
    metric: false,
  });
  const { numbers, variants, iterations, metric } = read(
    ...["7", "--buffer-size", "8", "--variants", "array,array", "--iterations", "3", "--metric"],
  );
  assertEquals(numbers, { updates: 7, bufferSize: 8, launchThreads: 1 });
  assertEquals([variants, iterations, metric], [["array", "array"], 3, true]);
});

Deno.test("readArguments() says what is wrong", () => {
  const wrong: [string[], string][] = [
    [["0"], "Cannot use 0 as updates: give a whole number, from 1 up"],
    [["1", "x"], "Cannot use x as buffer size"],
    [["1", "1", "2"], "Cannot use 2 as launch threads of a PE: give a whole number, 1"],
    [["1", "1", "1", "5"], "Cannot use 5: it is one too many"],
    [["1", "--updates", "2"], "Cannot use both 1 and 2: give one of them"],
    [["--iterations", "0.5"], "Cannot use 0.5 as iterations"],
    [["--variants", "am,none"], "Cannot run the variant none: there are am, array"],
  ];
  for (const [args, message] of wrong) assertThrows(() => read(...args), RangeError, message);
});

Deno.test("reportLine() is one object, with rates where there are updates", () => {
  const where = { lamella: "local", pes: 2 };
  const finding = { program: "histo", variant: "am", figures: {}, updates: 2_000_000 };
  assertEquals(JSON.parse(reportLine(finding, [9, 0.5], where)), {
    program: "histo",
    variant: "am",
    pes: 2,
    lamella: "local",
    iterations: 2,
    seconds: 0.5,
    updates: 2_000_000,
    mups: 4,
    gbPerSecond: 0.064,
    verified: true,
  });
  const counted = { program: "triangle_count", variant: "am", figures: { nodes: 5 }, scaled: "x" };
  const line = JSON.parse(reportLine(counted, [1], where));
  assertEquals([line.nodes, line.scaled, line.mups], [5, "x", undefined]);
});

Deno.test("steadySeconds() is the median of the later half", () => {
  assertEquals(steadySeconds([100, 50, 3, 1, 2]), 2);
  assertEquals(steadySeconds([7]), 7);
});
