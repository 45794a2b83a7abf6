import { assertEquals } from "@std/assert";
import { pausingOffer } from "./core_offer.ts";

Deno.test("Offers pause while they take long, longer each time, and go on when they do not", () => {
  let now = 0;
  let takes = 0;
  let offers = 0;
  const offer = pausingOffer(() => {
    offers++;
    now += takes;
  }, () => now);
  /** How many of the offers of a number of milliseconds are made, one each. */
  const made = (ms: number): number => {
    offers = 0;
    for (const end = now + ms; now < end; now++) offer();
    return offers;
  };
  assertEquals(made(10), 10);
  takes = 3;
  assertEquals(made(20), 1);
  assertEquals(made(39), 1);
  takes = 0;
  // The last pause is not over.
  assertEquals(made(10) < 10, true);
  made(80);
  assertEquals(made(10), 10);
  takes = 3;
  assertEquals(made(20), 1);
});
