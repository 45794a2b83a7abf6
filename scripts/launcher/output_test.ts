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
