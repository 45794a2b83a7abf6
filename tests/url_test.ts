import { assert, assertEquals, assertMatch } from "@std/assert";
import { startDeno } from "./support/run.ts";
import { type RepositoryServer, serveRepository } from "./support/serve.ts";

/** Sends an AM with a MessagePack payload and a closure, so that all libraries are needed. */
const PROGRAM = `import { am, LamellarWorldBuilder } from "./mod.ts";
const Sum = am("Sum", ({ numbers }: { numbers: number[] }) => numbers.reduce((a, b) => a + b));
async function main(): Promise<void> {
  await using world = await new LamellarWorldBuilder().build();
  const peer = (world.myPe + 1) % world.numPes;
  const sum = await world.execAmPe(peer, Sum({ numbers: [1, 2, world.myPe] }));
  const product = await world.execClosurePe(peer, (a: number, b: number) => a * b, [6, 7]);
  console.log(world.myPe, world.numPes, sum, product, Deno.args.join());
  if (Deno.args[0] === "fail") throw new Error("on purpose");
}
if (import.meta.main) await main();
`;

const EXPECTED = ["0 3 3 42 x,y", "1 3 4 42 x,y", "2 3 5 42 x,y"];

function serve(): RepositoryServer {
  return serveRepository({ "program.ts": PROGRAM });
}

/** Runs Deno outside the repository and its settings, with a module cache of its own. */
async function runApart(
  cache: string,
  args: string[],
  env: Record<string, string> = {},
  cwd: string = cache,
) {
  const { result } = startDeno(args, {
    cwd,
    env: { ...env, DENO_DIR: cache, DENO_NO_UPDATE_CHECK: "1" },
    timeoutMs: 60_000,
  });
  const { code, stdout, stderr } = await result;
  return { code, lines: stdout.trim().split("\n").sort(), stderr };
}

async function withCache(body: (cache: string) => Promise<void>): Promise<void> {
  const cache = await Deno.makeTempDir({ prefix: "lamellar-test-" });
  try {
    await body(cache);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

Deno.test("a program and the library at a URL run with --cached-only once cached", async () => {
  await withCache(async (cache) => {
    const pes = { LAMELLAR_PES: "3" };
    let program: string;
    {
      await using server = serve();
      program = `${server.url}program.ts`;
      const cached = await runApart(cache, ["cache", `--allow-import=${server.host}`, program]);
      assertEquals(cached.code, 0, cached.stderr);
    }
    // The server is gone: what runs now comes from the cache.
    const flags = ["--cached-only", `--allow-import=${new URL(program).host}`, "--allow-env"];
    const ran = await runApart(cache, ["run", ...flags, program, "x", "y"], pes);
    assertEquals([ran.code, ran.lines], [0, EXPECTED], ran.stderr);
    // What only a network needs is loaded late, and cached nevertheless.
    const rofi = { ...pes, LAMELLAR_BACKEND: "rofi", LAMELLAR_ROFI_PROVIDER: "tcp" };
    const far = await runApart(cache, ["run", ...flags, "--allow-ffi", program, "x", "y"], rofi);
    assertEquals([far.code, far.lines], [0, EXPECTED], far.stderr);
  });
});

Deno.test("a program and the library run from a URL without being cached before", async () => {
  await withCache(async (cache) => {
    await using server = serve();
    const flags = [`--allow-import=${server.host}`, "--allow-env"];
    const ran = await runApart(cache, ["run", ...flags, `${server.url}program.ts`, "x", "y"], {
      LAMELLAR_PES: "3",
    });
    assertEquals([ran.code, ran.lines], [0, EXPECTED], ran.stderr);
    assertEquals(server.requested.filter((path) => /^tests|_test\.ts$/.test(path)), []);
  });
});

Deno.test("a session runs from a URL, and with --cached-only once it ran", async () => {
  await withCache(async (cache) => {
    const session = `import { startSession } from "./mod.ts";
      import { CountPrimes } from "./examples/sessions/prime_ams.ts";
      const modules = [import.meta.resolve("./examples/sessions/prime_ams.ts")];
      await using session = await startSession({ pes: 2, modules });
      console.log(await session.execAmAll(CountPrimes({ from: 0, to: 100 })));
      console.log(await session.runAll(({ currentPe }) => currentPe));`;
    const expected = ["[ 0, 1 ]", "[ 25, 25 ]"];
    let program: string;
    let flag: string;
    {
      await using server = serveRepository({ "session.ts": session });
      program = `${server.url}session.ts`;
      flag = `--allow-import=${server.host}`;
      const ran = await runApart(cache, ["run", "--no-prompt", flag, program]);
      assertEquals([ran.code, ran.lines], [0, expected], ran.stderr);
    }
    const again = await runApart(cache, ["run", "--no-prompt", "--cached-only", flag, program]);
    assertEquals([again.code, again.lines], [0, expected], again.stderr);
  });
});

Deno.test("an error in a program at a URL names its line", async () => {
  await withCache(async (cache) => {
    await using server = serve();
    const flags = [`--allow-import=${server.host}`, "--allow-env", "--quiet"];
    const ran = await runApart(cache, ["run", ...flags, `${server.url}program.ts`, "fail"], {
      LAMELLAR_PES: "2",
    });
    assertEquals(ran.code, 1);
    assertMatch(
      ran.stderr,
      /: Error: on purpose\n +at main \(http:\S+program\.ts:9:38\)\n.*:11:23\n$/,
    );
  });
});

Deno.test("the launcher runs from a URL, with a program at a URL and one on disk", async () => {
  await withCache(async (cache) => {
    await using server = serve();
    const launcher = `${server.url}scripts/launch.ts`;
    const flags = [`--allow-import=${server.host}`, "--allow-env", `--allow-read=${cache}`];
    const remote = [launcher, "-n", "3", `${server.url}program.ts`, "x", "y"];
    const one = await runApart(cache, ["run", ...flags, ...remote]);
    assertEquals([one.code, one.lines], [0, EXPECTED], one.stderr);
    await Deno.writeTextFile(
      `${cache}/disk.ts`,
      PROGRAM.replace('"./mod.ts"', `"${server.url}mod.ts"`),
    );
    const other = await runApart(cache, [
      "run",
      ...flags,
      launcher,
      "-n",
      "3",
      "disk.ts",
      "x",
      "y",
    ]);
    assertEquals([other.code, other.lines], [0, EXPECTED], other.stderr);
  });
});

Deno.test("the launcher at a URL runs its demonstration", async () => {
  await withCache(async (cache) => {
    await using server = serve();
    const flags = [`--allow-import=${server.host}`];
    const ran = await runApart(cache, ["run", ...flags, `${server.url}scripts/launch.ts`, "-n2"]);
    assertEquals(ran.code, 0, ran.stderr);
    assert(ran.lines.includes("Hello from PE 0 to PE 1 of 2"), ran.lines.join("\n"));
  });
});

Deno.test("a program at a URL that may not be imported says which flag is missing", async () => {
  await withCache(async (cache) => {
    await using server = serve();
    const launcher = new URL("../scripts/launch.ts", import.meta.url).pathname;
    const args = ["run", "--no-prompt", "--allow-read", launcher, `${server.url}program.ts`];
    const ran = await runApart(cache, args);
    assertEquals(ran.code, 2);
    assertMatch(
      ran.stderr,
      /^lamellar: Cannot start PEs from .*--allow-import=127\.0\.0\.1:\d+\n$/,
    );
  });
});

Deno.test("a program beside a package.json runs, or says how it would", async () => {
  // Deno does not look for node_modules around its own cache.
  await withCache((cache) =>
    withCache(async (app) => {
      await using server = serve();
      await Deno.writeTextFile(`${app}/package.json`, "{}");
      const run = async (library: string, ...flags: string[]) => {
        await Deno.writeTextFile(`${app}/program.ts`, PROGRAM.replace("./mod.ts", library));
        const args = ["run", "-A", "--quiet", ...flags, "program.ts", "x", "y"];
        return await runApart(cache, args, { LAMELLAR_PES: "3" }, app);
      };
      for (const library of [import.meta.resolve("../mod.ts"), `${server.url}mod.ts`]) {
        const { code, stderr } = await run(library);
        assertMatch(
          stderr,
          /Cannot load npm:\S+, .* need: beside a package\.json .*-modules-dir=none/,
        );
        assertEquals(code, 1);
        const ran = await run(library, "--node-modules-dir=none");
        assertEquals([ran.code, ran.lines], [0, EXPECTED], ran.stderr);
      }
      await Deno.writeTextFile(`${app}/deno.json`, '{"nodeModulesDir":"none"}');
      const ran = await run(`${server.url}mod.ts`);
      assertEquals([ran.code, ran.lines], [0, EXPECTED], ran.stderr);
    })
  );
});
