import { assertEquals } from "@std/assert";
import { LineLabels } from "./line_labels.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function labelled(...pieces: string[]): string {
  const labels = new LineLabels("[3] ");
  return pieces.map((piece) => new TextDecoder().decode(labels.add(encode(piece)))).join("");
}

Deno.test("LineLabels labels each line once, wherever the pieces end", () => {
  assertEquals(labelled("one\ntwo\n"), "[3] one\n[3] two\n");
  assertEquals(labelled("o", "ne\ntw", "o\n", "\n"), "[3] one\n[3] two\n[3] \n");
  assertEquals(labelled("", "\n", "no end"), "[3] \n[3] no end");
});

Deno.test("LineLabels labels what is written over a line", () => {
  assertEquals(labelled("\r10 %", "\r20 %", "\n"), "\r[3] 10 %\r[3] 20 %\n");
  assertEquals(labelled("10 %\r", "20 %\r", "done\n"), "[3] 10 %\r[3] 20 %\r[3] done\n");
  assertEquals(labelled("1\r2\r3\n4"), "[3] 1\r[3] 2\r[3] 3\n[3] 4");
});

Deno.test("LineLabels leaves line ends of two bytes alone", () => {
  assertEquals(labelled("one\r", "\n", "two\r\n"), "[3] one\r\n[3] two\r\n");
  assertEquals(labelled("one\r\n", "\r\n", "two\r\n"), "[3] one\r\n[3] \r\n[3] two\r\n");
});

Deno.test("LineLabels changes no other byte", () => {
  const labels = new LineLabels("");
  const all = Uint8Array.from({ length: 512 }, (_, i) => i);
  assertEquals([...labels.add(all)], [...all]);
});
