import { assert, assertEquals, assertThrows } from "@std/assert";
import { HandshakeError } from "../../internal/errors.ts";
import { type Card, parseCard } from "./card.ts";
import { Chance } from "./fake_network_test.ts";

const CARD: Card = {
  provider: "tcp;ofi_rxm",
  name: "0200c0ff",
  key: String(2n ** 64n - 1n),
  base: "4096",
  bell: "123/fd/45",
};

Deno.test("parseCard() reads what a process tells of itself", () => {
  assertEquals(parseCard(JSON.stringify(CARD), 3), CARD);
  assertEquals(parseCard(JSON.stringify({ ...CARD, more: 1 }), 3), CARD);
  assertEquals(parseCard(JSON.stringify({ ...CARD, bell: "" }), 3), { ...CARD, bell: "" });
});

Deno.test("parseCard() refuses what is no card by the rank that sent it", () => {
  const { key: _, ...noKey } = CARD;
  const wrong: unknown[] = [
    noKey,
    { ...CARD, provider: undefined },
    { ...CARD, provider: "x".repeat(257) },
    { ...CARD, name: "" },
    { ...CARD, name: "0" },
    { ...CARD, name: "0g" },
    { ...CARD, name: "00".repeat(513) },
    { ...CARD, key: 5 },
    { ...CARD, key: "-5" },
    { ...CARD, key: String(2n ** 64n) },
    { ...CARD, base: "" },
    { ...CARD, bell: undefined },
    { ...CARD, bell: "../../etc/passwd" },
    { ...CARD, bell: "1/fd/2/3" },
    { ...CARD, base: String(2n ** 53n) },
    [],
    null,
    7,
    "text",
  ];
  for (const card of wrong) {
    const text = JSON.stringify(card);
    assertThrows(() => parseCard(text, 3), HandshakeError, "ank 3", text);
  }
  for (const text of ["", "{", "undefined", "[".repeat(10_000)]) {
    assertThrows(() => parseCard(text, 3), HandshakeError, "ank 3", text);
  }
});

Deno.test("100,000 spoilt cards are read or refused, and nothing else happens", () => {
  const chance = new Chance();
  const sound = JSON.stringify(CARD);
  const pieces = ['"', "{", "}", ":", "null", "1e999", "\\u0000", "__proto__", "[", ",", "-", "0"];
  let refused = 0;
  const began = performance.now();
  for (let i = 0; i < 100_000; i++) {
    let text = sound;
    for (let count = 1 + chance.below(3); count > 0; count--) {
      const at = chance.below(text.length);
      const piece = pieces[chance.below(pieces.length)]!;
      text = text.slice(0, at) + (chance.one(2) ? piece : "") + text.slice(at + chance.below(20));
    }
    try {
      const { name, key, base } = parseCard(text, 1);
      assert(Uint8Array.fromHex(name).length > 0 && BigInt(key) >= 0n && Number(base) >= 0);
    } catch (error) {
      assert(error instanceof HandshakeError, `seed ${chance.seed}: ${error} from ${text}`);
      refused++;
    }
  }
  assert(refused > 50_000, `${refused} refused`);
  const seconds = (performance.now() - began) / 1000;
  assert(seconds < 30, `${seconds} s`);
});
