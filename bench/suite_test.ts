import { assertEquals, assertThrows } from "@std/assert";
import { type Contender, contender } from "./contender.ts";
import { Figures, readLines, tableOf, writeTable } from "./suite.ts";
import { PLACES, SUITE_PROGRAMS, type SuiteRun, suiteRuns } from "./suite_table.ts";

const OURS = contender("ours", "ours", "histo.ts", []);

function run(place: SuiteRun["place"], by: Contender = OURS): SuiteRun {
  return { program: "histo", place, contender: by };
}

Deno.test("readLines() takes rates where there are any, or else seconds", () => {
  const lines = readLines(
    'hello\n{"program":"histo","variant":"am","seconds":2,"mups":3}\n' +
      '{"program":"randperm","variant":"darts","seconds":2}\n',
  );
  assertEquals(lines, [
    { variant: "am", unit: "M/s", value: 3 },
    { variant: "darts", unit: "s", value: 2 },
  ]);
  assertThrows(() => readLines('{"program":"histo","variant":"am"}'), TypeError);
});

Deno.test("Figures has the median of each variant in each place", () => {
  const figures = new Figures();
  for (const value of [5, 1, 3]) figures.add(run("local"), 2, [{ variant: "a", unit: "s", value }]);
  figures.add(run("rofi"), 2, [{ variant: "a", unit: "s", value: 9 }]);
  const common = { program: "histo", by: "ours", variant: "a", pes: 2, unit: "s" };
  assertEquals(figures.list(), [
    { ...common, place: "local", value: 3, runs: 3 },
    { ...common, place: "rofi", value: 9, runs: 1 },
  ]);
});

Deno.test("the table has a row for each variant, and a column for each place", () => {
  const figures = new Figures();
  figures.add(run("local"), 2, [{ variant: "a", unit: "M/s", value: 123.4 }]);
  figures.add(run("shmem", contender("C", "cc", "c", [])), 2, [
    { variant: "b", unit: "M/s", value: 0.123 },
  ]);
  figures.add(run("rofi"), 2, [{ variant: "a", unit: "M/s", value: 45.6 }]);
  const rows = tableOf(figures.list());
  assertEquals(rows, [
    ["program", "by", "variant", "local", "shmem", "rofi"],
    ["histo, M/s", "ours", "a", "123", "", "46"],
    ["histo, M/s", "C", "b", "", "0.12", ""],
  ]);
  assertEquals(
    writeTable(rows, true),
    "| program    | by   | variant | local | shmem | rofi |\n" +
      "| ---------- | ---- | ------- | ----- | ----- | ---- |\n" +
      "| histo, M/s | ours | a       | 123   |       | 46   |\n" +
      "| histo, M/s | C    | b       |       | 0.12  |      |",
  );
  assertEquals(
    writeTable(rows, false).split("\n")[1],
    "histo, M/s  ours  a        123           46",
  );
});

Deno.test("the suite runs each program on every lamella and with every peer", () => {
  for (const name of SUITE_PROGRAMS) {
    const runs = suiteRuns([name], 4);
    for (const place of PLACES) {
      const ours = runs.filter((each) => each.place === place).map(({ contender }) => contender)
        .filter(({ name }) => name === "Lamellar for Deno");
      assertEquals(ours.length > 0, true, `${name} on ${place}`);
      for (const { spread } of ours) {
        assertEquals(spread?.processes, place === "local" ? undefined : 4);
      }
    }
    const peers = new Set(runs.map(({ contender }) => contender.tool));
    assertEquals([...peers].sort(), ["mpi4py", "ours", "rofi", "rust", "shmem"]);
  }
  assertEquals(suiteRuns([], 2), []);
});
