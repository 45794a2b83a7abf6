import { assert, assertEquals, assertMatch } from "@std/assert";
import { runSource } from "./support/inline.ts";
import { fromFileUrl, ROOT } from "./support/paths.ts";
import { type RunOptions, type RunResult, startDeno } from "./support/run.ts";

const LIBRARY = new URL("mod.ts", ROOT).href;

/** A program as Deno's documentation writes it. */
const MAIN = `import { LamellarWorldBuilder } from "MOD";
  export async function main(): Promise<void> {
    await using world = await new LamellarWorldBuilder().build();
    console.log(world.myPe, world.numPes, Deno.args.join());
    if (Deno.args[0] === "fail") throw new Error("on purpose");
  }
  if (import.meta.main) await main();`;

const sorted = (text: string): string[] => text.trim().split("\n").sort();

const WAYS: Record<string, Partial<RunOptions>> = {
  "the launcher": { launcher: true },
  "deno run": { launcher: false },
  "the launcher on two processes": { launcherFlags: ["--processes", "2"], pes: 4 },
};

for (const [way, options] of Object.entries(WAYS)) {
  Deno.test(`import.meta.main and Deno.args are a program's own that ${way} starts`, async () => {
    const { code, stdout, stderr } = await runSource(MAIN, { args: ["x", "y"], ...options });
    const pes = options.pes ?? 3;
    const expected = Array.from({ length: pes }, (_, pe) => `${pe} ${pes} x,y`);
    assertEquals([code, sorted(stdout), stderr], [0, expected, ""]);
  });
}

Deno.test("import.meta.main is false in what a program imports", async () => {
  const other = "data:text/javascript,export const isMain = import.meta.main;";
  const source = `import { isMain } from "${other}";
    import { LamellarWorldBuilder } from "MOD";
    const main = async () => await import("${other}//");
    await using world = await new LamellarWorldBuilder().build();
    console.log(import.meta.main, isMain, (await main()).isMain, world.numPes);`;
  const { code, stdout, stderr } = await runSource(source, { pes: 1 });
  assertEquals([code, stdout, stderr], [0, "true false false 1\n", ""]);
});

Deno.test("an error in a program that asks for import.meta.main names its line", async () => {
  const { code, stderr } = await runSource(MAIN, { args: ["fail"] });
  assertMatch(
    stderr,
    /^lamellar: PE \d failed: Error: on purpose\n +at main \(\S+program\.ts:5:40\)\n.*:7:25\n$/,
  );
  assertEquals(code, 1);
  const broken = await runSource(`${MAIN}\nconst x = = 3;`);
  assertMatch(broken.stderr, /failed: .*SyntaxError: Expression expected[^]*program\.ts:8:1\d/);
  assertEquals(broken.code, 1);
});

const MISSING = `import "./missing.ts";`;
const UNLOADABLE: readonly (readonly [string, string, RegExp])[] = [
  [
    "a missing import",
    MISSING,
    /^lamellar: PE \d failed: TypeError: Module not found "\S+"\. *.*\n +at \S+program\.ts:1:8\n$/,
  ],
  [
    "a syntax error",
    "const a = ;",
    /^lamellar: PE \d failed: .*SyntaxError: Expression expected.*\n[^]* at \S+program\.ts:1:11\n$/,
  ],
];

for (const [what, source, report] of UNLOADABLE) {
  // By `deno run` the main thread comes first, and Deno says it.
  for (const way of ["the launcher", "the launcher on two processes"]) {
    Deno.test(`${what} in a program that ${way} starts is told in Deno's words alone`, async () => {
      const env = { NO_COLOR: "" };
      const { code, stderr } = await runSource(source, { ...WAYS[way], env });
      assertEquals(code, 1);
      assertMatch(stderr, report);
    });
  }
}

Deno.test("the colours of Deno's words are kept where they are forced", async () => {
  const env = { NO_COLOR: "", FORCE_COLOR: "1" };
  assert((await runSource(MISSING, { env })).stderr.includes("\x1b[36m"));
});

Deno.test("a program that begins with a hashbang finds import.meta.main true", async () => {
  const { code, stdout, stderr } = await runSource(`#!/usr/bin/env -S deno run\n${MAIN}`, {
    args: ["x"],
  });
  assertEquals([code, sorted(stdout), stderr], [0, ["0 3 x", "1 3 x", "2 3 x"], ""]);
});

Deno.test("a main function that waits for ever is found, import.meta.main or not", async () => {
  const source = `import { LamellarWorldBuilder } from "MOD";
    async function main() {
      await using world = await new LamellarWorldBuilder().build();
      if (world.myPe === 1) await new Promise(() => {});
    }
    if (import.meta.main) await main();`;
  const { code, stderr } = await runSource(source, {
    flags: ["-A", "--no-lock"],
    env: { LAMELLAR_DEADLOCK_TIMEOUT: "15" },
  });
  assertMatch(stderr, /^lamellar: PE 1 never finishes: its program awaits a promise that nothing /);
  assertEquals(code, 1);
});

Deno.test("a program given to deno eval runs on PEs", async () => {
  const result = await deno(["eval", MAIN.replace("MOD", LIBRARY), "x"], { LAMELLAR_PES: "2" });
  assertEquals([result.code, sorted(result.stdout)], [0, ["0 2 x", "1 2 x"]], result.stderr);
});

const NO_WORLD =
  /^lamellar: (PE \d .*aborted .*: )?the program ended without building a world; probably .*\n$/;

Deno.test("a program that ends without any world says so and fails", async () => {
  const uncalled = MAIN.replace("if (import.meta.main) await main();", "");
  for (const launcherFlags of [[], ["--processes", "3"]]) {
    const { code, stdout, stderr } = await runSource(uncalled, { launcherFlags });
    assertMatch(stderr, NO_WORLD);
    assertEquals([code, stdout], [1, ""]);
  }
  const foreign = await runSource(`console.log("no import");`, { pes: 1 });
  assertMatch(foreign.stderr, NO_WORLD);
  assertEquals([foreign.code, foreign.stdout], [1, "no import\n"]);
});

Deno.test("a program that exits on purpose without a world keeps its exit code", async () => {
  const exited = await runSource(`console.log("usage: …"); Deno.exit(0);`, { pes: 1 });
  assertEquals([exited.code, exited.stdout, exited.stderr], [0, "usage: …\n", ""]);
  const coded = await runSource(`console.log("usage: …"); Deno.exitCode = 7;`, { pes: 1 });
  assertEquals([coded.code, coded.stdout, coded.stderr], [7, "usage: …\n", ""]);
});

/** Runs Deno with the settings of the repository. */
function deno(
  args: string[],
  env: Record<string, string> = {},
  stdin?: string,
): Promise<RunResult> {
  const options = { cwd: fromFileUrl(ROOT), env, timeoutMs: 30_000 };
  return startDeno(args, stdin === undefined ? options : { ...options, stdin }).result;
}

async function withFile(
  name: string,
  source: string,
  body: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "lamellar-test-" });
  try {
    await Deno.writeTextFile(`${folder}/${name}`, source.replace("MOD", LIBRARY));
    await body(`${folder}/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const BUILD = `await using world = await new LamellarWorldBuilder().build(); void world;`;
const IMPORT = `import { LamellarWorldBuilder } from "MOD";\n`;

for (const command of ["test", "bench"] as const) {
  const inside = `${IMPORT}Deno.${command}("a world", async () => { ${BUILD} });`;
  const above = `${IMPORT}${BUILD}\nDeno.${command}("a world", () => {});`;
  for (const [where, source] of [["inside", inside], ["above", above]] as const) {
    Deno.test(`a world ${where} a case of deno ${command} fails and says what to do`, async () => {
      await withFile(`world_${command}.ts`, source, async (path) => {
        const { code, stdout, stderr } = await deno([command, "-A", "--no-check", path]);
        assertMatch(
          stdout + stderr,
          new RegExp(
            `Cannot build a world in deno ${command}: .* put it into a program and start that ` +
              "from here: new Deno\\.Command\\(",
          ),
        );
        assert(code !== 0, "it exits with 0");
      });
    });
  }
}

Deno.test("a world in a REPL throws, and the REPL goes on", async () => {
  const lines = `${
    IMPORT.replace("MOD", LIBRARY)
  }await new LamellarWorldBuilder().build();\n6 * 7\n`;
  const { code, stdout, stderr } = await deno(["repl", "-A", "--no-lock"], {}, lines);
  const all = stdout + stderr;
  assertMatch(all, /FeatureLevelError: Cannot build a world in a REPL: .*write .* to a file/);
  assertMatch(all, /\n42\n/);
  assertEquals(code, 0);
});

Deno.test("a Worker of the user is no PE, and building a world there throws", async () => {
  const worker = `${IMPORT}
    try {
      await new LamellarWorldBuilder().build();
    } catch (error) {
      self.postMessage(error.message);
    }`;
  await withFile("worker.js", worker, async (path) => {
    const start = `await new Promise((resolve) => {
        const worker = new Worker("file://${path}", { type: "module" });
        worker.onmessage = ({ data }) => {
          console.log(data);
          worker.terminate();
          resolve(data);
        };
      });`;
    const text = "Cannot build a world in a Worker of the program: build it in the program " +
      "itself, and exchange messages with the Worker\n";
    const alone = await deno(["eval", start]);
    assertEquals([alone.code, alone.stdout], [0, text], alone.stderr);
    const inPe = await runSource(`${IMPORT}${BUILD}\n${start}`, { pes: 1 });
    assertEquals([inPe.code, inPe.stdout], [0, text], inPe.stderr);
  });
});
