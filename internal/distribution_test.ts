import { assertEquals } from "@std/assert";
import { Distribution } from "./distribution.ts";
import { placesIn } from "./distribution_test_places.ts";

const KINDS = ["block", "cyclic"] as const;

Deno.test("a distribution finds every element where its definition puts it", () => {
  for (const kind of KINDS) {
    for (const parts of [1, 2, 3, 5, 8]) {
      for (const whole of [0, 1, 2, 5, 7, 8, 9, 23, 40]) {
        const places = placesIn(kind, parts, whole);
        const all = new Distribution(kind, parts, whole);
        assertEquals(places.map((_, i) => all.partOf(i)), places.map(([part]) => part));
        assertEquals(places.map(([part], i) => all.placeOf(i, part)), places.map(([, at]) => at));
      }
    }
  }
});

Deno.test("a range of a range counts from its own beginning", () => {
  for (const kind of KINDS) {
    for (const [parts, whole] of [[3, 20], [4, 6], [5, 3]] as const) {
      const places = placesIn(kind, parts, whole);
      for (let begin = 0; begin <= whole; begin++) {
        for (let end = begin; end <= whole; end++) {
          const range = new Distribution(kind, parts, whole).range(0, end).range(begin, end);
          const mine = places.slice(begin, end);
          assertEquals([range.first, range.length], [begin, mine.length]);
          assertEquals(mine.map((_, i) => range.partOf(i)), mine.map(([part]) => part));
          assertEquals(mine.map(([part], i) => range.placeOf(i, part)), mine.map(([, at]) => at));
          assertEquals(mine.map(([part, at]) => range.indexOf(part, at)), mine.map((_, i) => i));
          for (let part = 0; part < parts; part++) {
            const here = mine.filter(([other]) => other === part).map(([, at]) => at);
            const { place, count } = range.inPart(part);
            assertEquals(count, here.length);
            if (count === 0) assertEquals(place, 0);
            else assertEquals(here, here.map((_, i) => place + i));
          }
        }
      }
    }
  }
});
