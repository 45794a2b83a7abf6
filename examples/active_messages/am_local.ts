/**
 * A local active message: it never leaves its PE, so its payload may hold what cannot travel.
 *
 *     deno task run:local -n 2 examples/active_messages/am_local.ts
 *
 * @module
 */

import { LamellarWorldBuilder, localAm } from "../../mod.ts";

/** Has a private field and methods: nothing that could be sent. */
class Counter {
  #count = 0;
  increment(): number {
    return ++this.#count;
  }
}

const CountWords = localAm(
  (self: { words: Map<string, Counter>; clean: (text: string) => string; text: string }) => {
    const words = self.clean(self.text).split(" ");
    return words.map((word) => {
      const counter = self.words.get(word) ?? new Counter();
      self.words.set(word, counter);
      return counter.increment();
    });
  },
);

await using world = await new LamellarWorldBuilder().build();
const words = new Map<string, Counter>();
const clean = (text: string): string => text.toLowerCase().replaceAll(/[^a-z ]/g, "");
const text = "The more the merrier, the less the sadder";
const counts = await world.execAmLocal(CountWords({ words, clean, text }));
console.log(`PE ${world.myPe}: ${counts.join(" ")}, ${words.size} different words`);
