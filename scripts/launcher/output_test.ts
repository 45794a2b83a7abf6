import { assertEquals } from "@std/assert";
import { Output } from "./output.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function fixture(
  write: (bytes: Uint8Array) => Promise<number>,
): { output: Output; broken: number[] } {
  const broken: number[] = [];
  return { output: new Output({ write }, () => broken.push(1)), broken };
}

Deno.test("Output writes all of it, though the sink takes little at a time", async () => {
  let text = "";
  const { output } = fixture((bytes) => {
    text += new TextDecoder().decode(bytes.subarray(0, 2));
    return Promise.resolve(Math.min(2, bytes.length));
  });
  output.write(0, encode("hello\n"));
  output.write(1, encode("world\n"));
  await output.drained();
  assertEquals(text, "hello\nworld\n");
});

Deno.test("Output begins a new line for others, and lets the same process go on", async () => {
  let text = "";
  const { output } = fixture((bytes) => {
    text += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  });
  output.write(0, encode("name? "));
  output.write(0, encode("yes\nmore? "));
  output.write(1, encode("one\n"));
  output.write(0, encode("no\n"));
  await output.drained();
  assertEquals(text, "name? yes\nmore? \none\nno\n");
});

Deno.test("Output holds back who writes more than is taken", async () => {
  const gate = Promise.withResolvers<void>();
  const { output } = fixture(async (bytes) => {
    await gate.promise;
    return bytes.length;
  });
  await output.write(0, encode("small\n"));
  let held = true;
  const written = output.write(0, new Uint8Array(5 * 1024 * 1024)).then(() => held = false);
  await Promise.resolve();
  assertEquals(held, true);
  gate.resolve();
  await written;
});

Deno.test("Output tells once that nobody reads, and then takes all without waiting", async () => {
  const { output, broken } = fixture(() => Promise.reject(new Deno.errors.BrokenPipe()));
  output.write(0, encode("a\n"));
  output.write(0, encode("b\n"));
  await output.drained();
  assertEquals(broken, [1]);
});

Deno.test("Output lets nobody into a line whose end is to come", async () => {
  let text = "";
  const { output } = fixture((bytes) => {
    text += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  });
  await output.write(0, encode("long "), true);
  const others = [output.write(1, encode("one\n")), output.write(2, encode("two "), true)];
  await output.write(0, encode("line, "), true);
  await output.write(0, encode("its end\nand "), false);
  const last = output.write(1, encode("three\n"));
  await output.write(2, encode("lines\n"));
  await Promise.all([...others, last]);
  await output.drained();
  assertEquals(text, "long line, its end\nand \none\ntwo lines\nthree\n");
});

Deno.test("Output lets others in once all is over, or nothing of a long line comes", async () => {
  let text = "";
  const { output } = fixture((bytes) => {
    text += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  });
  output.write(0, encode("cut"), true);
  // Settles when the time for the long line is over.
  await output.write(1, encode("one\n"));
  assertEquals(text, "cut\none\n");
  output.write(0, encode("off"), true);
  output.write(1, encode("two\n"));
  await output.drained();
  assertEquals(text, "cut\none\noff\ntwo\n");
});

Deno.test("Output begins no new line for what is written over the old one", async () => {
  let text = "";
  const { output } = fixture((bytes) => {
    text += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  });
  output.write(0, encode("\r10 %"));
  output.write(1, encode("\r20 %"));
  output.write(0, encode("done\n"));
  await output.drained();
  assertEquals(text, "\r10 %\r20 %\ndone\n");
});
