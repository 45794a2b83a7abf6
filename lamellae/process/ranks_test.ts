import { assertEquals, assertThrows } from "@std/assert";
import { HandshakeError } from "../../internal/errors.ts";
import { hearers, pesPerProcess, tagOf } from "./ranks.ts";

Deno.test("hearers() gives each process two before and two behind it, none of them twice", () => {
  const ranks = (processes: number, rank: number, step: 1 | -1) =>
    hearers({ rank, peers: Array.from({ length: processes }, () => ({ host: "n" })) }, step);
  assertEquals(ranks(1, 0, 1), []);
  assertEquals(ranks(2, 0, 1), [1]);
  assertEquals(ranks(2, 1, -1), [0]);
  assertEquals(ranks(3, 2, 1), [0, 1]);
  assertEquals(ranks(5, 0, 1), [1, 2]);
  assertEquals(ranks(5, 0, -1), [4, 3]);
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
    [5, undefined, 4, "Cannot spread 5 PEs over 4 processes: the number must be a multiple"],
    [8, 3, 4, "Cannot spread 8 PEs over 4 processes with 3 PEs each"],
    [undefined, 100, 4, "Cannot spread 400 PEs over 4 processes with 100 PEs each"],
    [2, undefined, 4, "Cannot spread 2 PEs over 4 processes"],
  ];
  for (const [pes, asked, processes, text] of cases) {
    assertThrows(() => pesPerProcess(pes, asked, processes), HandshakeError, text);
  }
});

Deno.test("tagOf() tells jobs apart", () => {
  const tokens = new Set(Array.from({ length: 1000 }, (_, i) => tagOf(`job ${i}`)));
  assertEquals(tokens.size, 1000);
  assertEquals(tagOf("job 1"), tagOf("job 1"));
});
