import { assert, assertEquals, assertThrows } from "@std/assert";
import { HandshakeError } from "../../internal/errors.ts";
import { type Hello, platformHello } from "../bootstrap/mod.ts";
import { type Card, parseCard, pesPerProcess, tokenOf } from "./card.ts";
import { Chance } from "./fake_network_test.ts";

const HELLO: Hello = {
  ...platformHello(),
  host: "n1",
  protocol: 1,
  version: "1.2.3",
  pesPerProcess: 2,
  heapBytes: 65536,
  ringBytes: 4096,
  closures: false,
  barrierFactor: 2,
  provider: "tcp",
};
const CARD: Card = {
  hello: HELLO,
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
  const { hello: _, ...noHello } = CARD;
  const wrong: unknown[] = [
    noHello,
    { ...CARD, hello: null },
    { ...CARD, hello: { ...HELLO, heapBytes: "1" } },
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
      const { hello, name, key, base } = parseCard(text, 1);
      assert(Uint8Array.fromHex(name).length > 0 && BigInt(key) >= 0n && Number(base) >= 0);
      assertEquals(typeof hello.host, "string");
    } catch (error) {
      assert(error instanceof HandshakeError, `seed ${chance.seed}: ${error} from ${text}`);
      refused++;
    }
  }
  assert(refused > 50_000, `${refused} refused`);
  const seconds = (performance.now() - began) / 1000;
  assert(seconds < 30, `${seconds} s`);
});

Deno.test("pesPerProcess() takes what is said, or shares evenly", () => {
  assertEquals(pesPerProcess(undefined, undefined, 4), 1);
  assertEquals(pesPerProcess(8, undefined, 4), 2);
  assertEquals(pesPerProcess(undefined, 3, 4), 3);
  assertEquals(pesPerProcess(12, 3, 4), 3);
  assertEquals(pesPerProcess(4, undefined, 1), 4);
});

Deno.test("pesPerProcess() refuses what does not fit, and says how it would", () => {
  const cases: [number | undefined, number | undefined, number, string][] = [
    [5, undefined, 4, "Cannot spread 5 PEs over 4 processes: the number has to be a multiple"],
    [8, 3, 4, "Cannot spread 8 PEs over 4 processes with 3 PEs each"],
    [undefined, 100, 4, "Cannot spread 400 PEs over 4 processes with 100 PEs each"],
    [2, undefined, 4, "Cannot spread 2 PEs over 4 processes"],
  ];
  for (const [pes, asked, processes, text] of cases) {
    assertThrows(() => pesPerProcess(pes, asked, processes), HandshakeError, text);
  }
});

Deno.test("tokenOf() tells jobs apart", () => {
  const tokens = new Set(Array.from({ length: 1000 }, (_, i) => tokenOf(`job ${i}`)));
  assertEquals(tokens.size, 1000);
  assertEquals(tokenOf("job 1"), tokenOf("job 1"));
});
