import { assertEquals } from "@std/assert";
import {
  CARRIERS,
  chanceOf,
  describeInjection,
  drawInjection,
  inject,
} from "./support/injections.ts";

/** How many signals each lamella gets: `INJECTIONS=300` for a soak. */
const COUNT = Number(Deno.env.get("INJECTIONS") ?? 12);
const SEED = Number(Deno.env.get("INJECTIONS_SEED") ?? Math.floor(Math.random() * 2 ** 32));
/** Which lamellae get them; all without it. */
const ON = Deno.env.get("INJECTIONS_ON")?.split(",") ?? CARRIERS;
/** How many jobs run at a time: most of their time they wait. */
const AT_A_TIME = 3;

CARRIERS.forEach((carrier, place) => {
  if (!ON.includes(carrier)) return;
  Deno.test(`a signal at any moment ends a job on ${carrier}, which says who got it`, async () => {
    const chance = chanceOf(SEED + place);
    const injections = Array.from({ length: COUNT }, () => drawInjection(carrier, chance));
    const faults: string[] = [];
    const next = injections.entries();
    const run = async (): Promise<void> => {
      for (const [index, injection] of next) {
        const found = await inject(injection);
        faults.push(
          ...found.map((fault) =>
            `INJECTIONS_SEED=${SEED}, injection ${index}: ${describeInjection(injection)}: ${fault}`
          ),
        );
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, run));
    assertEquals(faults, []);
  });
});
