import { assert, assertEquals, assertMatch } from "@std/assert";
import { DEAF, pidsOf, pmiProcess, startCluster } from "./support/cluster.ts";
import { repositoryPath } from "./support/inline.ts";
import { LAUNCHER, startCommand, startDeno } from "./support/run.ts";
import { serveRepository } from "./support/serve.ts";
import { becomes, childrenOf, isAlive, stateOf } from "./support/processes.ts";

const HOST = Deno.hostname();
/** How long a job may take to be gone after something has failed. */
const GONE_MS = 5000;

function shell(script: string): string[] {
  return ["--exec", "sh", "-c", script];
}

Deno.test("processes find each other by PMI and end without a word", async () => {
  const { code, stdout, stderr } = await startCluster([
    "--processes",
    "4",
    ...pmiProcess("exchange"),
  ])
    .result;
  assertEquals([code, stderr], [0, ""]);
  const texts = "0x1000 1x1000 2x1000 3x1000";
  assertEquals(
    stdout.trim().split("\n").sort(),
    [0, 1, 2, 3].map((rank) => `${rank} of 4 on ${HOST}: ${texts}`),
  );
});

Deno.test("MPICH's own PMI client starts, sums and ends under the launcher", async () => {
  const program = repositoryPath("tests/programs/mpich.ts");
  const args = ["--processes", "3", "--exec", Deno.execPath(), "run", "-A", "--quiet", program];
  const { code, stdout, stderr } = await startCluster(args).result;
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trim().split("\n").sort();
  assertEquals(lines, [0, 1, 2].map((rank) => `rank ${rank} of 3, sum 3`));
  const aborted = await startCluster([...args, "9"]).result;
  assertEquals(aborted.code, 9);
  assertMatch(aborted.stderr, /^lamellar: PE 1 \(process 1 on host .*\) aborted .* exit code 9$/m);
});

Deno.test("every process gets its place, our variables and those that are asked for", async () => {
  const names = "PMI_FD PMI_RANK PMI_SIZE MPI_LOCALRANKID LAMELLAR_BACKEND LAMELLAR_PES " +
    "LAMELLAR_PES_PER_PROCESS LAMELLAR_LAUNCHER LAMELLAR_HEAP_SIZE LAMELLAR_SPIN GIVEN TAKEN " +
    "PMI_PORT";
  const script = `for name in ${names}; do eval "echo \\"$PMI_RANK $name \\$$name\\""; done`;
  const { code, stdout, stderr } = await startCluster(
    [
      "-n4",
      "--processes=2",
      "--backend=shmem",
      "--heap=1M",
      "-x",
      "GIVEN=a=b c",
      "-x",
      "TAKEN",
      ...shell(script),
    ],
    { env: { TAKEN: "here", LAMELLAR_SPIN: "7", PMI_PORT: "elsewhere:1" } },
  ).result;
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout.split("\n").filter((line) => line.startsWith("1 ")), [
    "1 PMI_FD 3",
    "1 PMI_RANK 1",
    "1 PMI_SIZE 2",
    "1 MPI_LOCALRANKID 1",
    "1 LAMELLAR_BACKEND shmem",
    "1 LAMELLAR_PES 4",
    "1 LAMELLAR_PES_PER_PROCESS 2",
    "1 LAMELLAR_LAUNCHER 1",
    "1 LAMELLAR_HEAP_SIZE 1M",
    "1 LAMELLAR_SPIN 7",
    "1 GIVEN a=b c",
    "1 TAKEN here",
    "1 PMI_PORT ",
  ]);
});

Deno.test("lines of several processes stay whole, however long", async () => {
  const script = `i=0; while [ $i -lt 300 ]; do
    printf '%s %s ' $PMI_RANK $i; printf "%0$((i * 37 % 9000 + 1))d\\n" 0; i=$((i + 1)); done`;
  const { code, stdout } = await startCluster(["--processes", "4", ...shell(script)]).result;
  assertEquals(code, 0);
  const next = [0, 0, 0, 0];
  for (const line of stdout.trimEnd().split("\n")) {
    const found = /^(\d) (\d+) (0+)$/.exec(line);
    assert(found, `torn: ${line.slice(0, 100)}`);
    const i = next[Number(found[1])]!++;
    assertEquals([Number(found[2]), found[3]!.length], [i, i * 37 % 9000 + 1]);
  }
  assertEquals(next, [300, 300, 300, 300]);
});

Deno.test("bytes that are no text pass unchanged, and the last line needs no end", async () => {
  const result = await startCluster(["--processes=1", ...shell("printf '\\377\\001\\nend'")])
    .result;
  assertEquals([...result.stdoutBytes], [255, 1, 10, 101, 110, 100]);
});

Deno.test("-l labels the lines of commands", async () => {
  const script = "printf 'a\\nb'; echo c >&2";
  const { stdout, stderr } = await startCluster(["--processes=11", "-l", ...shell(script)]).result;
  const labels = Array.from({ length: 11 }, (_, rank) => `[${String(rank).padStart(2)}] `);
  const all = (text: string): string[] => text.trimEnd().split("\n").sort();
  assertEquals(all(stdout), labels.flatMap((label) => [`${label}a`, `${label}b`]).sort());
  assertEquals(all(stderr), labels.map((label) => `${label}c`).sort());
});

Deno.test("the standard input goes to rank 0 alone", async () => {
  const { stdout } = await startCluster(
    ["--processes=3", ...shell('echo "$PMI_RANK $(wc -c)"')],
    { stdin: "x".repeat(1_000_000) },
  ).result;
  assertEquals(stdout.trim().split("\n").sort(), ["0 1000000", "1 0", "2 0"]);
});

Deno.test("a question appears before its answer is read", async () => {
  const script = "[ $PMI_RANK = 0 ] && printf 'name? ' && read -r name && echo hello $name; true";
  const { code, stdout } = await startCluster(["--processes=2", ...shell(script)], {
    stdin: "Ada\n",
    stdinAfter: "name? ",
  }).result;
  assertEquals([code, stdout], [0, "name? hello Ada\n"]);
});

/** Ways to fail on rank 0, what is said, and the exit code. */
const FAILURES: readonly (readonly [string, string, number])[] = [
  ["exit 7", "ended with exit code 7", 7],
  ["kill -9 $$", "was killed by SIGKILL", 137],
  ["kill -SEGV $$", "was killed by SIGSEGV", 139],
  ["printf 'cmd=abort exitcode=6\\n' >&3; sleep 600", "aborted the job with exit code 6", 6],
  [
    "printf 'cmd=abort exitcode=6 msg=no%%20room\\n' >&3; sleep 600",
    "aborted the job: no room",
    6,
  ],
];

for (const [failing, said, expected] of FAILURES) {
  Deno.test(`the first failure ends the others, which are deaf (${failing})`, async () => {
    const script = `[ $PMI_RANK = 0 ] && { read -r line; ${failing}; }; ${DEAF}`;
    // Rank 0 fails once the other one runs.
    const program = startCluster(["--processes=2", ...shell(script)], {
      stdin: "now\n",
      stdinAfter: "pid ",
    });
    const [pid] = await pidsOf(program, 1);
    const start = performance.now();
    const { code, stderr } = await program.result;
    assertEquals(code, expected);
    assertEquals(stderr, `lamellar: PE 0 (process 0 on host ${HOST}) ${said}\n`);
    assert(performance.now() - start < GONE_MS);
    assert(!isAlive(pid!));
  });
}

Deno.test("a process that says it has told its failure itself is not told again", async () => {
  const script = "[ $PMI_RANK = 1 ] && echo told >&2 && " +
    "printf 'cmd=abort exitcode=4 msg=reported:%%20told\\n' >&3; sleep 600";
  const { code, stderr } = await startCluster(["--processes=2", ...shell(script)]).result;
  assertEquals([code, stderr], [4, "told\n"]);
});

Deno.test("a process that leaves others in a barrier fails the job", async () => {
  const { code, stderr } = await startCluster(["--processes=3", ...pmiProcess("absent")]).result;
  assertEquals(code, 1);
  assertMatch(stderr, /^lamellar: PE \d .* ended with exit code 0 before its end was agreed.*\n$/);
});

Deno.test("a command that does not exist is named with the folder", async () => {
  const { code, stderr } = await startCluster(["--processes=2", "--exec", "/no/such"]).result;
  assertEquals(code, 1);
  assertMatch(stderr, /^lamellar: PE \d \(.*\) cannot be started as \/no\/such in \/.*ENOENT\n$/);
});

for (const [signal, number] of [["SIGINT", 2], ["SIGTERM", 15], ["SIGHUP", 1]] as const) {
  Deno.test(`${signal} ends the job politely, and deaf processes after 2 s`, async () => {
    const program = startCluster(["--processes=2", ...shell(DEAF)]);
    const pids = await pidsOf(program, 2);
    const start = performance.now();
    program.kill(signal, true);
    const { code, stderr } = await program.result;
    assertEquals([code, stderr], [128 + number, `lamellar: the job was ended by ${signal}\n`]);
    assert(performance.now() - start < GONE_MS);
    assertEquals(pids.filter(isAlive), []);
  });
}

Deno.test("a second Ctrl-C ends deaf processes at once", async () => {
  const program = startCluster(["--processes=2", ...shell(DEAF)]);
  const pids = await pidsOf(program, 2);
  program.kill("SIGINT");
  await program.seen("ended by SIGINT");
  const start = performance.now();
  program.kill("SIGINT");
  assertEquals((await program.result).code, 130);
  assert(performance.now() - start < 1500);
  assertEquals(pids.filter(isAlive), []);
});

for (const way of ["deaf", "wait"]) {
  Deno.test(`a killed launcher leaves no process behind (${way})`, async () => {
    const command = way === "deaf" ? shell(DEAF) : pmiProcess("wait");
    const program = startCluster(["--processes=2", ...command]);
    const pids = await pidsOf(program, 2);
    const agents = childrenOf(program.pid);
    Deno.kill(program.pid, "SIGKILL");
    await program.result;
    assert(await becomes(() => ![...pids, ...agents].some(isAlive), GONE_MS));
  });

  Deno.test(`a killed agent ends the job and leaves no process behind (${way})`, async () => {
    const command = way === "deaf" ? shell(DEAF) : pmiProcess("wait");
    const program = startCluster(["--processes=2", ...command]);
    const pids = await pidsOf(program, 2);
    for (const agent of childrenOf(program.pid)) Deno.kill(agent, "SIGKILL");
    const { code, stderr } = await program.result;
    const told = `Host ${HOST} was lost with PEs 0 to 1: its agent was killed by SIGKILL`;
    assertEquals([code, stderr], [1, `lamellar: ${told}\n`]);
    assert(await becomes(() => !pids.some(isAlive), GONE_MS));
  });
}

Deno.test("a launcher and its agent that are killed together leave no process behind", async () => {
  const program = startCluster(["--processes=2", ...shell(DEAF)]);
  const pids = await pidsOf(program, 2);
  for (const pid of [...childrenOf(program.pid), program.pid]) Deno.kill(pid, "SIGKILL");
  await program.result;
  assert(await becomes(() => !pids.some(isAlive), GONE_MS));
});

Deno.test("what a process leaves running ends with it", async () => {
  const command = ["--exec", "sh", "-c", 'sh -c "$0" & sleep 0.2', DEAF];
  const program = startCluster(["--processes=1", ...command]);
  const { code, stdout } = await program.result;
  assertEquals(code, 0);
  const [child] = [...stdout.matchAll(/pid (\d+) /g)].map((found) => Number(found[1]));
  assert(child !== undefined && !isAlive(child));
});

Deno.test("a stopped agent is lost, and its processes end", async () => {
  const program = startCluster(["--processes=2", ...pmiProcess("wait")]);
  const pids = await pidsOf(program, 2);
  const [agent] = childrenOf(program.pid);
  Deno.kill(agent!, "SIGSTOP");
  const { code, stderr } = await program.result;
  const told = `Host ${HOST} was lost with PEs 0 to 1: it has not answered for 3 s`;
  assertEquals([code, stderr], [1, `lamellar: ${told}\n`]);
  assert(await becomes(() => !pids.some(isAlive), GONE_MS));
});

Deno.test("Ctrl-Z stops the processes, and they go on with the launcher", async () => {
  const program = startCluster(["--processes=2", ...shell(DEAF)]);
  const pids = await pidsOf(program, 2);
  program.kill("SIGTSTP");
  const all = (state: string): boolean => pids.every((pid) => stateOf(pid) === state);
  assert(await becomes(() => all("T") && stateOf(program.pid) === "T", GONE_MS));
  program.kill("SIGCONT");
  assert(await becomes(() => all("S"), GONE_MS));
  program.kill("SIGTERM");
  assertEquals((await program.result).code, 143);
});

Deno.test("a job whose reader goes away ends with 141, in silence", async () => {
  const { code, stderr } = await startCluster(["--processes=2", ...shell("yes")], {
    closeStdoutAfter: 1000,
  }).result;
  assertEquals([code, stderr], [141, ""]);
});

Deno.test("a job whose output nobody takes for long is not given up", async () => {
  // More than all buffers hold, so that nothing of the agent is heard until the reader goes on.
  const command = shell("head -c 30000000 /dev/zero | tr '\\0' x; echo; echo end");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", LAUNCHER, "--processes=1", ...command],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const reader = child.stdout.getReader();
  await reader.read();
  // Longer than a silent agent is waited for.
  await new Promise((resolve) => setTimeout(resolve, 4500));
  let bytes = 0;
  let last = new Uint8Array();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    bytes += read.value.length;
    last = read.value;
  }
  assertEquals([(await child.status).code, await stderr], [0, ""]);
  assert(bytes > 29_000_000);
  // The end may be read by itself.
  assertMatch(new TextDecoder().decode(last), /(?:^|\n)end\n$/);
});

Deno.test("the launcher does with few permissions, and says which one is missing", async () => {
  const here = `--allow-read=${repositoryPath(".")}`;
  const args = ["--processes=2", "--exec", "echo", "here"];
  const enough = await startCluster(args, { flags: [here, "--allow-run=deno"] }).result;
  assertEquals([enough.code, enough.stdout, enough.stderr], [0, "here\nhere\n", ""]);
  const noRun = await startCluster(args, { flags: [here] }).result;
  assertEquals(noRun.code, 2);
  assertMatch(
    noRun.stderr,
    /^lamellar: Cannot start processes: .*run with --allow-run=deno,ssh\n$/,
  );
  const noRead = await startCluster(args, { flags: ["--allow-run=deno"] }).result;
  assertEquals(noRead.code, 2);
  assertMatch(noRead.stderr, /^lamellar: Cannot start processes: .*run with --allow-read\n$/);
});

Deno.test("the launcher and its agents run from a URL, and from the cache alone", async () => {
  const cache = await Deno.makeTempDir({ prefix: "lamellar-test-" });
  try {
    const env = { DENO_DIR: cache, DENO_NO_UPDATE_CHECK: "1" };
    const options = { env, cwd: cache, timeoutMs: 60_000 };
    const command = ["--processes=2", "--exec", "echo", "here"];
    let launcher: string;
    let flags: string[];
    {
      await using server = serveRepository();
      launcher = `${server.url}scripts/launch.ts`;
      flags = [`--allow-import=${server.host}`, "--allow-run", `--allow-read=${cache}`];
      const args = ["run", "--quiet", ...flags, launcher, ...command];
      const first = await startDeno(args, options).result;
      assertEquals([first.code, first.stdout, first.stderr], [0, "here\nhere\n", ""]);
    }
    const args = ["run", "--quiet", "--cached-only", ...flags, launcher, ...command];
    const second = await startDeno(args, options).result;
    assertEquals([second.code, second.stdout, second.stderr], [0, "here\nhere\n", ""]);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("a job in the background of a terminal goes on without reading from it", async () => {
  const shellScript = `set -m
    "$DENO" run -A --quiet "$LAUNCHER" --processes=1 --exec echo here &
    wait; echo over`;
  const { code, stdout } = await startCommand(["script", "-qec", shellScript, "/dev/null"], {
    env: { SHELL: "/bin/bash", DENO: Deno.execPath(), LAUNCHER },
  }).result;
  assertEquals(code, 0);
  assertMatch(stdout, /^here\r\n[^]*^over\r$/m);
});

Deno.test("processes of the runtime start by the launcher, and abort by it", async () => {
  const program = repositoryPath("tests/programs/bootstrap.ts");
  const run = (...args: string[]) =>
    startCluster([
      ...["--processes=3", "--exec", Deno.execPath(), "run", "-A", "--quiet", program, ...args],
    ]).result;
  const good = await run();
  assertEquals([good.code, good.stderr], [0, ""]);
  for (const rank of [0, 1, 2]) {
    assertMatch(good.stdout, new RegExp(`^rank ${rank} of 3 by pmi \\(lamellar\\), 1 job$`, "m"));
  }
  const bad = await run("abort");
  assertEquals(bad.code, 7);
  const told = `PE 2 (process 2 on host ${HOST}) aborted the job: it had enough`;
  assertEquals(bad.stderr, `lamellar: ${told}\n`);
});

Deno.test("processes of the runtime see that their launcher is gone", async () => {
  const folder = await Deno.makeTempDir({ prefix: "lamellar-test-" });
  try {
    const program = repositoryPath("tests/programs/bootstrap.ts");
    // Deaf to the guard, so that the loss is all that ends it.
    const command = ["sh", "-c", 'trap "" TERM; exec "$@"', "sh", Deno.execPath(), "run", "-A"];
    const launcher = startCluster(
      ["--processes=1", "--exec", ...command, "--quiet", program, "wait", folder],
    );
    await launcher.seen("rank 0 of 1");
    for (const pid of [...childrenOf(launcher.pid), launcher.pid]) Deno.kill(pid, "SIGKILL");
    await launcher.result;
    const text = () => {
      try {
        return Deno.readTextFileSync(`${folder}/0`);
      } catch {
        return "";
      }
    };
    assert(await becomes(() => text() !== "", GONE_MS));
    assertMatch(
      text(),
      /^rank 0 lost: LamellarError: The connection to the launcher .* was closed$/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
