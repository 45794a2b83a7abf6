import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { repositoryPath } from "./support/inline.ts";
import { freePorts } from "./support/ports.ts";
import { type RunningProgram, startCommand, startDeno, type StartOptions } from "./support/run.ts";

const DENO = ["run", "-A", "-q", repositoryPath("tests/programs/bootstrap.ts")];
const PROGRAM = [Deno.execPath(), ...DENO];
const RANKS = [0, 1, 2];

/** How long a job may take that one of its processes, or its launcher, has ended. */
const END_MS = 5000;

/** The launchers, and by what means their processes meet. */
const LAUNCHERS: readonly (readonly [string, "pmi" | "pmix"])[] = [
  ["mpiexec.hydra -n 3", "pmi"],
  ["mpiexec.hydra -pmi-port -n 3", "pmi"],
  ["mpirun --allow-run-as-root --oversubscribe -n 3", "pmix"],
];

function launch(launcher: string, args: readonly string[] = []): RunningProgram {
  return startCommand([...launcher.split(" "), ...PROGRAM, ...args]);
}

function sortedLines(text: string): string[] {
  return text.trim().split("\n").sort();
}

/** What three processes say that have met. */
function met(means: string): string[] {
  return RANKS.flatMap((rank) => [
    `rank ${rank} closed`,
    `rank ${rank} of 3 by ${means} (other), 1 job`,
  ]).sort();
}

for (const [launcher, means] of LAUNCHERS) {
  Deno.test(`Processes of ${launcher} meet, exchange and part`, async () => {
    const { code, stdout, stderr } = await launch(launcher).result;
    assertEquals([code, stderr], [0, ""]);
    assertEquals(sortedLines(stdout), met(means));
  });

  Deno.test(`abort() of one process of ${launcher} ends the others`, async () => {
    const { code, ms } = await launch(launcher, ["abort"]).result;
    assertEquals(code, 7);
    assert(ms < END_MS, `ended after ${ms} ms`);
  });
}

/** Gives a folder in which processes write what their launcher cannot pass on any more. */
async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "lamellar-test-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Waits until each of the files has a text, or the time is over. */
async function texts(folder: string, ranks: readonly number[]): Promise<string[]> {
  const read = () =>
    ranks.map((rank) => {
      try {
        return Deno.readTextFileSync(`${folder}/${rank}`);
      } catch {
        return "";
      }
    });
  const watcher = Deno.watchFs(folder);
  const timer = setTimeout(() => watcher.close(), END_MS);
  for await (const _ of watcher) {
    if (read().every((text) => text !== "")) break;
  }
  clearTimeout(timer);
  return read();
}

Deno.test("lost() settles in all processes of an mpirun that is killed", async () => {
  await withFolder(async (folder) => {
    const mpirun = launch(LAUNCHERS[2]![0], ["wait", folder]);
    for (const rank of RANKS) await mpirun.seen(`rank ${rank} of 3`);
    const found = texts(folder, RANKS);
    mpirun.kill("SIGKILL");
    for (const [rank, text] of (await found).entries()) {
      assertMatch(text, new RegExp(`^rank ${rank} lost: LamellarError: The PMIx server is gone: `));
    }
    await mpirun.result;
  });
});

Deno.test("lost() settles in the processes of a hydra whose proxy is killed", async () => {
  await withFolder(async (folder) => {
    const hydra = launch(LAUNCHERS[0]![0], ["wait", folder]);
    for (const rank of RANKS) await hydra.seen(`rank ${rank} of 3`);
    const found = texts(folder, RANKS);
    Deno.kill(Number(await Deno.readTextFile(`${folder}/parent`)), "SIGKILL");
    for (const [rank, text] of (await found).entries()) {
      assertMatch(
        text,
        new RegExp(
          `^rank ${rank} lost: LamellarError: The connection to the launcher \\(PMI_FD=\\d+\\) `,
        ),
      );
    }
    assert((await hydra.result).code !== 0);
  });
});

/** Starts the processes of a rendezvous. */
function rendezvous(
  args: readonly string[] = [],
  env: (rank: number) => Record<string, string> = () => ({}),
): RunningProgram[] {
  const port = freePorts(1);
  return RANKS.map((rank) => {
    const options: StartOptions = {
      env: {
        LAMELLAR_RENDEZVOUS: `localhost:${port}`,
        LAMELLAR_RANK: String(rank),
        LAMELLAR_SIZE: "3",
        LAMELLAR_SECRET: "a secret of the tests",
        ...env(rank),
      },
    };
    return startDeno([...DENO, ...args], options);
  });
}

Deno.test("Processes of a rendezvous meet, exchange and part", async () => {
  const results = await Promise.all(rendezvous().map((one) => one.result));
  assertEquals(results.map(({ code, stderr }) => `${code}${stderr}`), ["0", "0", "0"]);
  assertEquals(sortedLines(results.map(({ stdout }) => stdout).join("")), met("rendezvous"));
});

Deno.test("A wrong secret ends all processes of a rendezvous, and says whose it is", async () => {
  const started = rendezvous([], (rank) => ({
    // The right one may come for as long.
    LAMELLAR_BOOTSTRAP_TIMEOUT: "4",
    ...rank === 2 ? { LAMELLAR_SECRET: "x".repeat(20) } : {},
  }));
  const results = await Promise.all(started.map((one) => one.result));
  assertEquals(results.map(({ code }) => code), [3, 3, 3]);
  for (const rank of [0, 1]) {
    assertStringIncludes(results[rank]!.stderr, "that says it is rank 2 does not have the secret");
  }
  assertStringIncludes(results[2]!.stderr, "HandshakeError: Cannot join as rank 2: rank 0 (");
});

Deno.test("abort() of one process ends the others of a rendezvous", async () => {
  const results = await Promise.all(rendezvous(["abort"]).map((one) => one.result));
  assertEquals(results.map(({ code }) => code), [9, 9, 7]);
  for (const { stdout } of results.slice(0, 2)) {
    assertStringIncludes(stdout, "rank 2 ended the job with exit code 7: it had enough");
  }
});

for (const victim of [0, 2]) {
  Deno.test(`lost() settles in a rendezvous whose process ${victim} is killed`, async () => {
    const started = rendezvous(["wait"]);
    await Promise.all(started.map((one, rank) => one.seen(`rank ${rank} of 3`)));
    const killed = performance.now();
    started[victim]!.kill("SIGKILL");
    const results = await Promise.all(started.map((one) => one.result));
    assert(performance.now() - killed < END_MS);
    const others = results.filter((_, rank) => rank !== victim);
    assertEquals(others.map(({ code }) => code), [9, 9]);
    for (const { stdout } of others) {
      assertMatch(stdout, new RegExp(`rank ${victim} \\(.*\\) is gone: The connection to `));
    }
  });
}

Deno.test("A process without a launcher is a job of one", async () => {
  const { code, stdout } = await startDeno(DENO).result;
  assertEquals([code, stdout], [0, "rank 0 of 1 by alone (other), 1 job\nrank 0 closed\n"]);
});

/** The program with the permission to read the environment, and no other. */
const BARE = [Deno.execPath(), "run", "-q", "--no-prompt", "--allow-env", ...DENO.slice(3)];

Deno.test("PMI needs the permission to read the environment, and no other", async () => {
  const { code, stderr } = await startCommand(["mpiexec.hydra", "-n", "2", ...BARE]).result;
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("A means whose permission is missing says at once which flag to add", async () => {
  const net =
    /FeatureLevelError: Cannot use \S+:\d+: permission .* missing; run with --allow-net\n/;
  const ffi = /FeatureLevelError: Cannot start by PMIx: permission .* run with --allow-ffi\n/;
  const env = {
    LAMELLAR_RENDEZVOUS: "localhost:7",
    LAMELLAR_RANK: "1",
    LAMELLAR_SIZE: "2",
    LAMELLAR_SECRET: "a secret of the tests",
  };
  const results = [
    [startCommand([...LAUNCHERS[1]![0].split(" "), ...BARE]), net],
    [startCommand([...LAUNCHERS[2]![0].split(" "), ...BARE]), ffi],
    [startCommand(BARE, { env }), net],
  ] as const;
  for (const [{ result }, message] of results) {
    const { code, ms, stderr } = await result;
    assertEquals(code, 3);
    assertMatch(stderr, message);
    assert(ms < END_MS, `ended after ${ms} ms`);
  }
});

Deno.test("A launcher that is named and is not there is told of", async () => {
  const cases: [Record<string, string>, string][] = [
    [{ PMI_FD: "77" }, "FeatureLevelError: Cannot start by PMI: PMI_FD is 77, which cannot be"],
    [{ PMI_PORT: "localhost:1", PMI_ID: "0" }, "The connection to the launcher (PMI_PORT=local"],
    [{ LAMELLAR_BOOTSTRAP: "pmi" }, "neither PMI_FD nor PMI_PORT is set; start the program by"],
    [{ LAMELLAR_BOOTSTRAP: "pmix" }, "HandshakeError: PMIx_Init failed: "],
  ];
  for (const [env, message] of cases) {
    const { code, stderr } = await startDeno(DENO, { env }).result;
    assertEquals(code, 3);
    assertStringIncludes(stderr, message);
  }
});
