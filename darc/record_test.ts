import { assert, assertEquals } from "@std/assert";
import { homeOf, nameOf } from "./record.ts";

Deno.test("The homes of Darcs are spread over their PEs", () => {
  const pes = [3, 5, 8, 13, 21, 34, 55, 89];
  for (const teamId of [-1, 7, 2 ** 52 + 12_345]) {
    const counts = new Map(pes.map((pe) => [pe, 0]));
    for (let number = 1; number <= 800; number++) {
      const home = homeOf(teamId, number, pes);
      counts.set(home, counts.get(home)! + 1);
    }
    assertEquals(counts.size, pes.length);
    assert([...counts.values()].every((count) => count > 60 && count < 140), `${[...counts]}`);
  }
  assertEquals(homeOf(-1, 1, [4]), 4);
});

Deno.test("A Darc is called by its number, and by its team if that is not the world's", () => {
  assertEquals(nameOf("Darc", 3, -1, "the world"), "Darc 3");
  assertEquals(nameOf("GlobalRwDarc", 4, 17, "team 1.2"), "GlobalRwDarc 4 of team 1.2");
});
