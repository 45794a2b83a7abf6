/** Nonsense that a seed repeats, for the tests of this folder. */

import { assertEquals, assertNotEquals } from "@std/assert";

/** A source of whole numbers, and of nonsense made of pieces. */
export class Nonsense {
  #state: number;

  /** @param seed Printed by a test that fails. */
  constructor(readonly seed: number = crypto.getRandomValues(new Uint32Array(1))[0]!) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to `end`, which is excluded. */
  below(end: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * end);
  }

  /** Up to `countMax` of the pieces, one after the other. */
  of(pieces: readonly string[], countMax: number): string {
    return Array.from({ length: this.below(countMax + 1) }, () => pieces[this.below(pieces.length)])
      .join("");
  }

  /** The text with some characters taken out, doubled, or replaced. */
  spoil(text: string): string {
    let spoilt = text;
    for (let count = 1 + this.below(4); count > 0; count--) {
      const at = this.below(spoilt.length);
      const letter = this.below(2) === 0 ? String.fromCharCode(this.below(256)) : "";
      spoilt = spoilt.slice(0, at) + letter + spoilt.slice(at + this.below(3));
    }
    return spoilt;
  }
}

Deno.test("Nonsense repeats itself for the same seed only", () => {
  const take = (seed: number) => new Nonsense(seed).of(["a", "b", "c"], 50);
  assertEquals(take(7), take(7));
  assertNotEquals(take(7), take(8));
});
