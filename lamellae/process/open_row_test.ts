import { assertEquals } from "@std/assert";
import { HEADER } from "../local/layout.ts";
import { OpenRow } from "./open_row.ts";

function fixture() {
  const words = new Int32Array(new SharedArrayBuffer(1024));
  let written = "";
  const write = (row: OpenRow, text: string): boolean => {
    let goesOn = false;
    row.write((own) => {
      goesOn = own;
      return new TextEncoder().encode(text);
    }, (bytes) => written += new TextDecoder().decode(bytes));
    return goesOn;
  };
  const rows = [0, 1].map((pe) => new OpenRow(words, "stdout", pe));
  return { words, rows, write, written: () => written };
}

Deno.test("OpenRow begins a row where another writer's is open", () => {
  const { rows: [a, b], write, written } = fixture();
  write(a!, "\r10 %");
  write(a!, "\r20 %");
  write(b!, "line\n");
  write(b!, "line\n");
  assertEquals(written(), "\r10 %\r20 %\nline\nline\n");
});

Deno.test("OpenRow lets another writer write over a row", () => {
  const { rows: [a, b], write, written } = fixture();
  write(a!, "\r10 %");
  write(b!, "\r20 %");
  write(a!, "line\n");
  assertEquals(written(), "\r10 %\r20 %\nline\n");
});

Deno.test("OpenRow tells whether the writer's own row is open still", () => {
  const { rows: [a, b], write } = fixture();
  assertEquals(write(a!, "10 %\r"), false);
  assertEquals(write(a!, "20 %\r"), true);
  write(b!, "line\n");
  assertEquals(write(a!, "30 %\r"), false);
});

Deno.test("OpenRow knows each output by itself, and the supervisor", () => {
  const { words, rows: [a], write, written } = fixture();
  write(a!, "\r10 %");
  write(new OpenRow(words, "stderr"), "error\n");
  write(new OpenRow(words, "stdout"), "told\n");
  assertEquals(written(), "\r10 %error\n\ntold\n");
});

Deno.test("OpenRow goes on where a writer has ended in the middle of its writing", () => {
  const { words, rows: [a], write, written } = fixture();
  words[HEADER.openRows >>> 2] = ~3;
  write(a!, "line\n");
  write(a!, "line\n");
  assertEquals(written(), "line\nline\n");
});
