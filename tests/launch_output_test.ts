import { assertEquals, assertMatch } from "@std/assert";
import { runSource } from "./support/inline.ts";
import { programUrl } from "./support/paths.ts";
import { LAUNCHER, runProgram, startCommand, startDeno, startProgram } from "./support/run.ts";

const PES = 8;
const LINES = 2000;
const LONGEST = 6000;
const MIB = 1024 * 1024;

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
    }
    Deno.exit(0);`;
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

/** Jobs that write without end, and where they are to be ended. */
const UNREAD: readonly (readonly [shape: string, pes: number, launcherFlags: string[]])[] = [
  ["one PE", 1, []],
  ["four PEs", 4, []],
  ["labels", 2, ["-l"]],
  ["two processes", 2, ["--processes", "2"]],
];

for (const [shape, pes, launcherFlags] of UNREAD) {
  const ways = ["log", "raw", "raw-sync", "node", "stream"];
  for (const way of shape === "two processes" ? ["log"] : ways) {
    Deno.test(`a job that nobody reads any more ends with 141 (${shape}, ${way})`, async () => {
      const { code, signal, stderr } = await runProgram({
        program: programUrl("lines.ts"),
        pes,
        args: [way, "100000000", "20"],
        launcher: true,
        launcherFlags,
        closeStdoutAfter: 100,
        timeoutMs: 20_000,
      });
      assertEquals([code, signal, stderr], [141, null, ""]);
    });
  }
}

/** Jobs of one process and of two, with labels and without, and what stands before each line. */
const SHAPES: Readonly<Record<string, { launcherFlags: string[]; label: (pe: number) => string }>> =
  {
    "one process": { launcherFlags: [], label: () => "" },
    "one process, labels": { launcherFlags: ["-l"], label: (pe) => `[${pe}] ` },
    "two processes": { launcherFlags: ["--processes", "2"], label: () => "" },
    "two processes, labels": {
      launcherFlags: ["-l", "--processes", "2"],
      label: (pe) => `[${pe}] `,
    },
  };

for (const [shape, { launcherFlags, label }] of Object.entries(SHAPES)) {
  for (const pe of [0, 1]) {
    const who = `${shape}, PE ${pe}`;
    Deno.test(`a line to be written over is seen when it is written (${who})`, async () => {
      const folder = await Deno.makeTempDir({ prefix: "lamellar-test-" });
      try {
        // The PE goes on only when its line has been seen, and gives no timer a chance meanwhile.
        await Deno.writeTextFile(
          `${folder}/program.ts`,
          `import { LamellarWorldBuilder } from ${JSON.stringify(import.meta.resolve("../mod.ts"))};
          const world = await new LamellarWorldBuilder().build();
          const write = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text));
          const seen = (name: string) => {
            const there = () => [...Deno.readDirSync(${JSON.stringify(folder)})]
              .some((one) => one.name === name);
            const pause = new Int32Array(new SharedArrayBuffer(4));
            while (!there()) Atomics.wait(pause, 0, 0, 5);
          };
          if (world.myPe === ${pe}) {
            write("\\r10 %");
            seen("first");
            write("\\r20 %");
            seen("second");
            write("\\r100 %\\n");
          }`,
        );
        const program = startProgram({
          program: `${folder}/program.ts`,
          pes: 2,
          launcher: true,
          launcherFlags,
        });
        for (const [text, name] of [["10 %", "first"], ["20 %", "second"]] as const) {
          await program.seen(text);
          await Deno.writeTextFile(`${folder}/${name}`, "");
        }
        const { code, stdout, stderr } = await program.result;
        const line = ["10 %", "20 %", "100 %"].map((text) => `\r${label(pe)}${text}`).join("");
        assertEquals([code, stdout, stderr], [0, `${line}\n`, ""]);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
}

Deno.test("nobody goes on in a row of another PE where lines are labelled", async () => {
  const source = `import { LamellarWorldBuilder } from "MOD";
    await using world = await new LamellarWorldBuilder().build();
    const write = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text));
    const steps = [
      () => write("10 %\\r"),
      () => console.log("a line"),
      () => write("20 %\\r30 %\\r"),
      () => write("\\r1 %"),
      () => write("done\\n"),
      () => write("\\r2 %\\n"),
    ];
    for (const [i, step] of steps.entries()) {
      if (world.myPe === i % 2) step();
      world.barrier();
    }`;
  const { code, stdout, stderr } = await runSource(source, { pes: 2, launcherFlags: ["-l"] });
  const rows = "[0] 10 %\r\n[1] a line\n[0] 20 %\r[0] 30 %\r\r[1] 1 %\n" +
    "[0] done\n\r[1] 2 %\n";
  assertEquals([code, stdout, stderr], [0, rows, ""]);
});

Deno.test("what the launcher reports begins a row of its own among labelled ones", async () => {
  const source = `import { LamellarWorldBuilder } from "MOD";
    await using world = await new LamellarWorldBuilder().build();
    Deno.stderr.writeSync(new TextEncoder().encode("10 %\\r"));
    throw new Error("on purpose");`;
  const { stderr } = await runSource(source, { pes: 1, launcherFlags: ["-l"] });
  assertMatch(stderr, /^\[0\] 10 %\r\nlamellar: PE 0 failed: Error: on purpose\n/);
});

/** Bytes with few line ends, or with none. */
const BYTES: Readonly<Record<string, string>> = {
  "text without line ends": "97 + i % 26",
  "bytes of all kinds": "(i * 2654435761 >>> 13) & 255",
};

for (const [what, byte] of Object.entries(BYTES)) {
  for (const processes of [1, 2]) {
    const where = processes === 1 ? "one process" : "two processes";
    Deno.test(`32 MiB of ${what} in small pieces pass unchanged and soon (${where})`, async () => {
      // In time that grows with the square of their number these took minutes.
      const source = `import { LamellarWorldBuilder } from "MOD";
        const world = await new LamellarWorldBuilder().build();
        const piece = new Uint8Array(4096);
        for (let at = 0; world.myPe === 0 && at < 32 * ${MIB}; at += piece.length) {
          for (let j = 0; j < piece.length; j++) {
            const i = at + j;
            piece[j] = ${byte};
          }
          await Deno.stdout.write(piece);
        }`;
      const { code, stdoutBytes, stderr } = await runSource(source, {
        pes: 2,
        launcherFlags: processes === 1 ? [] : ["--processes", "2"],
        timeoutMs: 30_000,
      });
      assertEquals([code, stderr, stdoutBytes.length], [0, "", 32 * MIB]);
      const expected = new Function("i", `return ${byte}`) as (i: number) => number;
      for (let i = 0; i < stdoutBytes.length; i++) {
        if (stdoutBytes[i] !== expected(i)) throw new Error(`Byte ${i} is ${stdoutBytes[i]}`);
      }
    });
  }
}

Deno.test("lines of several MiB of several processes stay whole", async () => {
  const source = `import { LamellarWorldBuilder } from "MOD";
    const world = await new LamellarWorldBuilder().build();
    const { myPe } = world;
    const line = new TextEncoder().encode(String(myPe).repeat(3 * ${MIB} + myPe) + "\\n");
    world.barrier();
    for (let i = 0; i < 4; i++) {
      console.log("short " + myPe);
      await Deno.stdout.write(line);
    }`;
  const { code, stdout, stderr } = await runSource(source, {
    pes: 3,
    launcherFlags: ["--processes", "3"],
    timeoutMs: 40_000,
  });
  assertEquals([code, stderr], [0, ""]);
  const count = new Map<string, number>();
  for (const line of stdout.split("\n")) {
    const key = line.length > 100 ? `${line[0]} ${new Set(line).size} ${line.length}` : line;
    count.set(key, (count.get(key) ?? 0) + 1);
  }
  const expected = [0, 1, 2].flatMap((pe) => [
    [`short ${pe}`, 4] as const,
    [`${pe} 1 ${3 * MIB + pe}`, 4] as const,
  ]);
  assertEquals(Object.fromEntries(count), { ...Object.fromEntries(expected), "": 1 });
});

Deno.test("what a failing PE wrote arrives, however slow the reader is", async () => {
  const folder = await Deno.makeTempDir({ prefix: "lamellar-test-" });
  try {
    await Deno.writeTextFile(
      `${folder}/program.ts`,
      `import { LamellarWorldBuilder } from ${JSON.stringify(import.meta.resolve("../mod.ts"))};
      const world = await new LamellarWorldBuilder().build();
      world.barrier();
      if (world.myPe === 1) {
        const line = new TextEncoder().encode("x".repeat(1023) + "\\n");
        for (let i = 0; i < 3072; i++) Deno.stdout.writeSync(line);
        Deno.stdout.writeSync(new TextEncoder().encode("the end"));
        Deno.exit(3);
      }
      await new Promise(() => {});`,
    );
    const { execPath } = Deno;
    const command = [execPath(), "run", "-A", LAUNCHER, "-n2", "--processes", "2"];
    const script = '"$@" | { sleep 5; wc -c; }; echo "${PIPESTATUS[0]}"';
    const { stdout, stderr } = await startCommand(
      ["bash", "-c", script, "bash", ...command, `${folder}/program.ts`],
      { timeoutMs: 40_000 },
    ).result;
    assertEquals(stdout, `${3 * MIB + "the end".length}\n3\n`);
    assertMatch(stderr, /^lamellar: PE 1 failed: it called Deno\.exit\(3\)/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a command's lines are labelled wherever its output is cut", async () => {
  const script = 'printf "one\\r\\ntwo"; printf "\\rthree\\n"; head -c 3000000 /dev/zero; echo end';
  const { stdoutBytes, code } = await startDeno([
    ...["run", "-A", LAUNCHER, "-l", "-n2", "--processes", "2", "--exec"],
    ...["sh", "-c", `[ "$PMI_RANK" = 0 ] || exit 0; ${script}`],
  ]).result;
  assertEquals(code, 0);
  const text = new TextDecoder().decode(stdoutBytes);
  const zeros = "\0".repeat(3_000_000);
  assertEquals(text, `[0] one\r\n[0] two\r[0] three\n[0] ${zeros}end\n`);
});
