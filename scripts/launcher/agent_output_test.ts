import { assertEquals } from "@std/assert";
import { LongLine, passOutput } from "./agent_output.ts";
import type { FromAgent } from "./protocol.ts";

const MIB = 1024 * 1024;

type Said = readonly [rank: number, text: string, more: boolean];

/** Notes what is said, with long texts cut to their first letter and length. */
function listener(): { said: Said[]; say: (message: FromAgent) => Promise<void> } {
  const said: Said[] = [];
  const say = (message: FromAgent): Promise<void> => {
    if (message.type === "output") {
      const { rank, text, more } = message;
      said.push([rank, text.length > 100 ? `${text[0]} ${text.length}` : text, more]);
    }
    return Promise.resolve();
  };
  return { said, say };
}

/** An output that ends when told. */
function output(): { write: (text: string) => void; close: () => void; stream: ReadableStream } {
  let controller!: ReadableStreamDefaultController;
  const stream = new ReadableStream({ start: (own) => void (controller = own) });
  return {
    stream,
    write: (text) => controller.enqueue(new TextEncoder().encode(text)),
    close: () => controller.close(),
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("A line is passed on when it is whole, written over, or at the end", async () => {
  const { said, say } = listener();
  const { stream, write, close } = output();
  const over = passOutput(stream, { rank: 1, isError: false, say, longLine: new LongLine() });
  for (const text of ["a", "b\nc", "d\n", "\r10 %", "\r20 %", "\nno end"]) {
    write(text);
    await turn();
  }
  const expected: Said[] = [[1, "ab\n", false], [1, "cd\n", false]];
  expected.push([1, "\r10 %", false], [1, "\r20 %", false], [1, "\n", false]);
  assertEquals(said, expected);
  close();
  await over;
  assertEquals(said, [...expected, [1, "no end", false]]);
});

Deno.test("The first process's question is passed on though its line has no end", async () => {
  const { say } = listener();
  const { stream, write, close } = output();
  const asked = Promise.withResolvers<FromAgent>();
  const over = passOutput(stream, {
    rank: 0,
    isError: false,
    longLine: new LongLine(),
    say: (message) => {
      asked.resolve(message);
      return say(message);
    },
  });
  write("name? ");
  const expected = { type: "output", rank: 0, isError: false, more: false, text: "name? " };
  assertEquals(await asked.promise, expected as FromAgent);
  close();
  await over;
});

type Written = ReturnType<typeof output>;

/** Passes on what several processes of an agent write. */
function passFrom(processes: number) {
  const { said, say } = listener();
  const longLine = new LongLine();
  const outputs = Array.from({ length: processes }, output);
  const passing = outputs.map(({ stream }, rank) =>
    passOutput(stream, { rank, isError: false, say, longLine })
  );
  return { said, outputs, passing };
}

Deno.test("A long line goes in pieces, and no other process is passed on meanwhile", async () => {
  const { said, outputs, passing } = passFrom(2);
  const [long, short] = outputs as [Written, Written];
  long.write("x".repeat(MIB + 1));
  await turn();
  short.write("short\n");
  await turn();
  long.write("x".repeat(2 * MIB));
  await turn();
  assertEquals(said, [[0, `x ${MIB + 1}`, true], [0, `x ${2 * MIB}`, true]]);
  long.write("end\n");
  await turn();
  assertEquals(said.slice(2), [[0, "end\n", false], [1, "short\n", false]]);
  for (const { close } of [long, short]) close();
  await Promise.all(passing);
});

Deno.test("A long line that does not go on lets the others go on", async () => {
  const { said, outputs, passing } = passFrom(2);
  const [long, short] = outputs as [Written, Written];
  long.write("x".repeat(MIB + 1));
  await turn();
  short.write("short\n");
  // Its turn comes when the long line has been given up.
  short.close();
  await passing[1];
  assertEquals(said, [[0, `x ${MIB + 1}`, true], [0, "", false], [1, "short\n", false]]);
  long.close();
  await passing[0];
});

Deno.test("Of several processes that wait for a long line, one goes on at a time", async () => {
  const { said, outputs, passing } = passFrom(3);
  for (const { write } of outputs) {
    write("x".repeat(MIB + 1));
    await turn();
  }
  assertEquals(said, [[0, `x ${MIB + 1}`, true]]);
  outputs[0]!.write("end\n");
  await turn();
  assertEquals(said.slice(1), [[0, "end\n", false], [1, `x ${MIB + 1}`, true]]);
  outputs[1]!.write("end\n");
  await turn();
  assertEquals(said.slice(3), [[1, "end\n", false], [2, `x ${MIB + 1}`, true]]);
  for (const { close } of outputs) close();
  await Promise.all(passing);
});
