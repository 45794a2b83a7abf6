import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { CollectiveMismatchError } from "../internal/errors.ts";
import { EXCHANGE_BYTES, PES_MAX } from "../internal/limits.ts";
import { problemOf, readWish, splitByColor, splitInGrid, writeWish } from "./team_split.ts";
import type { TeamParent } from "./teams.ts";

const PARENT: TeamParent = {
  name: "the world",
  path: "",
  pes: [100, 101, 102],
  parentPes: [100, 101, 102],
  children: 0,
  createOp: "createTeamFromArch",
  me: 1,
  group: undefined,
};

Deno.test("What a PE contributes to a split is read as it was written", () => {
  for (const wish of [[], [0, 0], [2 ** 53 - 1, -(2 ** 53 - 1)]]) {
    assertEquals(readWish(writeWish(wish)), wish);
  }
  assertEquals(readWish(writeWish(new Error("wrong ×"))), "wrong ×");
  const long = writeWish(new Error("€".repeat(1000)));
  assert(long.length <= EXCHANGE_BYTES);
  assertEquals(readWish(long), `${"€".repeat((readWish(long) as string).length - 1)}…`);
});

Deno.test("A split by color gives each PE the same teams, with as many PEs as there may be", () => {
  const wishes = Array.from({ length: PES_MAX }, (_, pe) => pe % 5 === 4 ? [] : [pe % 5, -pe % 3]);
  const { parts } = splitByColor({ color: 1 });
  for (let pe = 0; pe < PES_MAX; pe++) {
    const all = parts(wishes, pe);
    if (pe % 5 === 4) {
      assertEquals(all, []);
      continue;
    }
    const [{ label, members }] = all as [typeof all[number]];
    assertEquals(label, `${pe % 5}`);
    assert(members.includes(pe) && members.every((one) => one % 5 === pe % 5));
    assertEquals(members.length, wishes.filter(([color]) => color === pe % 5).length);
    const key = (pe: number): number => wishes[pe]![1]!;
    const ordered = members.every((one, i) => {
      const before = members[i - 1];
      return before === undefined || key(before) < key(one) ||
        (key(before) === key(one) && before < one);
    });
    assert(ordered);
  }
});

Deno.test("A grid has each PE in one row and one column, and columns have no gap", () => {
  for (const numPes of [1, 2, 3, 5, 7, 12, 97, PES_MAX]) {
    for (let rows = 1; rows <= numPes; rows += numPes > 20 ? 7 : 1) {
      const { parts } = splitInGrid(rows, numPes);
      const seen = new Map<string, string>();
      for (let pe = 0; pe < numPes; pe++) {
        const [row, column] = parts([], pe);
        for (const { label, members } of [row!, column!]) {
          assert(members.includes(pe));
          assertEquals(seen.get(label) ?? `${members}`, `${members}`);
          seen.set(label, `${members}`);
        }
        const shared = row!.members.filter((other) => column!.members.includes(other));
        assertEquals(shared, [pe]);
        assert(row!.members.length - Math.floor(numPes / rows) <= 1);
        assertEquals(row!.label, `row${column!.members.indexOf(pe)}`);
        assertEquals(column!.label, `column${row!.members.indexOf(pe)}`);
      }
      assertEquals([...seen.keys()].filter((label) => label.startsWith("row")).length, rows);
    }
  }
});

Deno.test("PEs that cannot split, or not alike, are named on all PEs", () => {
  const byColor = splitByColor({ color: 0 });
  assertEquals(problemOf(PARENT, byColor, [[0, 1], [2, 3], []]), undefined);
  const refused = problemOf(PARENT, byColor, [[0, 1], [2, 3], "no color"]);
  assertInstanceOf(refused, CollectiveMismatchError);
  assertEquals(
    refused.message,
    "PE 101 called split of the world where PE 102 could not: no color",
  );
  const grid = splitInGrid(2, 3);
  assertEquals(problemOf(PARENT, grid, [[2], [2], [2]]), undefined);
  assertEquals(
    problemOf(PARENT, grid, [[2], [2], [3]])?.message,
    "PE 101 called split2d(2) of the world where PE 102 called split2d(3): all of its PEs must " +
      "name the same number of rows",
  );
});
