import { assertEquals, assertMatch } from "@std/assert";
import { runSource } from "./support/inline.ts";
import { programUrl } from "./support/paths.ts";
import { runProgram } from "./support/run.ts";

const PES = 8;
const LINES = 2000;
const LONGEST = 6000;

async function writeLines(way: string, label: boolean): Promise<void> {
  const result = await runProgram({
    program: programUrl("lines.ts"),
    pes: PES,
    args: [way, String(LINES), String(LONGEST)],
    launcher: true,
    launcherFlags: label ? ["-l"] : [],
    timeoutMs: 60_000,
  });
  const error = way.includes("error");
  assertEquals([result.code, error ? result.stdout : result.stderr], [0, ""]);
  const lines = (error ? result.stderr : result.stdout).split("\n");
  assertEquals(lines.pop(), "");
  const whole = label ? /^\[(\d)\] \1 (\d+) (.)\3*$/ : /^(\d) (\d+) (.)\3*$/;
  const next = new Array<number>(PES).fill(0);
  for (const line of lines) {
    const found = whole.exec(line);
    if (!found) throw new Error(`A line is torn: ${line.slice(0, 200)}`);
    const [pe, i] = [Number(found[1]), Number(found[2])];
    assertEquals(i, next[pe]!++);
    const text = label ? line.slice(4) : line;
    assertEquals(text.length, `${pe} ${i} `.length + 1 + (i * 37) % LONGEST);
  }
  assertEquals(next, new Array(PES).fill(LINES));
}

for (const label of [false, true]) {
  for (const way of ["log", "error", "raw", "raw-sync", "raw-error", "node", "parts", "mixed"]) {
    const labels = label ? "with labels" : "without labels";
    Deno.test(`${PES} PEs that write long lines tear none (${way}, ${labels})`, async () => {
      await writeLines(way, label);
    });
  }
}

Deno.test("labels stand before every line of whatever the console prints", async () => {
  const source = `import process from "node:process";
    console.table([{ a: 1 }]);
    console.error("to\\nerror");
    console.group("group");
    console.info({ deep: { er: [1, 2] } });
    console.groupEnd();
    console.log("%d of %s", 1, "two");
    process.stdout.write("by process\\n");
    await Deno.stdout.write(new TextEncoder().encode("raw\\nand "));
    const writer = Deno.stdout.writable.getWriter();
    await writer.write(new TextEncoder().encode("streamed\\nno end"));
    Deno.exit(0);`;
  const { code, stdout, stderr } = await runSource(source, { pes: 1, launcherFlags: ["-l"] });
  assertEquals([code, stderr], [0, "[0] to\n[0] error\n"]);
  const lines = stdout.split("\n");
  assertEquals(lines.pop(), "");
  for (const line of lines) assertMatch(line, /^\[0\] /);
  assertEquals(lines.slice(-7), [
    "[0] group",
    "[0]   { deep: { er: [ 1, 2 ] } }",
    "[0] 1 of two",
    "[0] by process",
    "[0] raw",
    "[0] and streamed",
    "[0] no end",
  ]);
});

Deno.test("labels have one width", async () => {
  const source = `console.log("here");`;
  const { stdout } = await runSource(source, { pes: 11, launcherFlags: ["-l"] });
  const lines = stdout.trimEnd().split("\n").sort();
  assertEquals(lines, Array.from({ length: 11 }, (_, pe) => `[${String(pe).padStart(2)}] here`));
});

for (const label of [false, true]) {
  const labels = label ? "with labels" : "without labels";
  Deno.test(`the console goes on with a line that a raw write began (${labels})`, async () => {
    const source = `import process from "node:process";
      process.stdout.write("one 100% ");
      console.log("two");
      process.stdout.write("three 5% ");
      console.log("%d", 4, "%s");
      process.stdout.write("five ");
      console.log([6]);
      console.log("50%%");
      process.stderr.write("seven ");
      console.error("eight");
      await Deno.stdout.write(new TextEncoder().encode("nine "));
      console.table([]);
      Deno.exit(0);`;
    // Without labels a table may stand apart from the line it goes on with, and another PE between.
    const pes = label ? [0, 1] : [0];
    const options = { pes: pes.length, launcherFlags: label ? ["-l"] : [] };
    const { code, stdout, stderr } = await runSource(source, options);
    assertEquals(code, 0);
    for (const pe of pes) {
      const own = (text: string): string =>
        label ? text.replace(new RegExp(`^(?!\\[${pe}\\]).*\n`, "gm"), "") : text;
      const lines = own(stdout).replace(/^\[\d\] /gm, "").split("\n");
      const count = (line: string): number => lines.filter((one) => one === line).length;
      for (const line of ["one 100% two", "three 5% 4 %s", "five [ 6 ]", "50%%"]) {
        assertEquals(count(line), 1, `${line}: ${stdout}`);
      }
      assertEquals(own(stderr), `${label ? `[${pe}] ` : ""}seven eight\n`);
    }
  });
}

Deno.test("bytes that are no text pass unchanged", async () => {
  const source = `const pe = globalThis[Symbol.for("lamellar.pe")].lamella.pe;
    if (pe === 0) {
      for (let i = 0; i < 256; i++) await Deno.stdout.write(Uint8Array.of(i, 255 - i));
    }`;
  const { code, stdoutBytes } = await runSource(source, { pes: 2 });
  assertEquals(code, 0);
  assertEquals([...stdoutBytes], Array.from({ length: 256 }, (_, i) => [i, 255 - i]).flat());
});

Deno.test("the beginning of a line appears before an answer is read", async () => {
  const source = `await using world = await new LamellarWorldBuilder().build();
    const buffer = new Uint8Array(100);
    if (world.myPe === 0) {
      await Deno.stdout.write(new TextEncoder().encode("your name? "));
      const length = Deno.stdin.readSync(buffer) ?? 0;
      console.log("hello " + new TextDecoder().decode(buffer.subarray(0, length)));
    }`;
  const { code, stdout } = await runSource(
    `import { LamellarWorldBuilder } from "MOD";\n${source}`,
    { pes: 2, stdin: "Ada", stdinAfter: "your name? " },
  );
  assertEquals([code, stdout], [0, "your name? hello Ada\n"]);
});

for (const way of ["readable", "sync", "node"]) {
  Deno.test(`PE 0 alone reads the standard input (${way})`, async () => {
    const { code, stdout, stderr } = await runProgram({
      program: programUrl("input.ts"),
      pes: 4,
      args: [way],
      stdin: "x".repeat(100_000),
      launcher: true,
    });
    assertEquals([code, stderr], [0, ""]);
    assertEquals(stdout.trim().split("\n").sort(), [
      "PE 0 of 4 got 100000 bytes",
      "PE 1 of 4 got 0 bytes",
      "PE 2 of 4 got 0 bytes",
      "PE 3 of 4 got 0 bytes",
    ]);
  });
}

for (const way of ["log", "raw-sync", "mixed"]) {
  Deno.test(`a job whose reader goes away ends (${way})`, async () => {
    const result = await runProgram({
      program: programUrl("lines.ts"),
      pes: 4,
      args: [way, String(LINES), String(LONGEST)],
      launcher: true,
      closeStdoutAfter: 100,
      timeoutMs: 10_000,
    });
    assertEquals(result.signal, null);
  });
}
