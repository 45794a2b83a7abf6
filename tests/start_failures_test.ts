import { assert, assertEquals, assertMatch } from "@std/assert";
import { becomes, isAlive, processesWith } from "./support/processes.ts";
import type { RunResult } from "./support/run.ts";
import { SpreadJob, type Starter } from "./support/spread.ts";

/** How long a process may give no sign of life in its start. */
const SILENCE_MS = 5000;
/** How long a job may take to be gone after a sign was missed. */
const END_MS = 5000;
/** How long what was ended may still be seen, in milliseconds. */
const CLEAR_MS = 2000;
/** How long a process may take to be there. */
const APPEAR_MS = 20_000;
/** How long a process runs, and how long it is stopped, in turns: far more than its start takes. */
const [RUNS_MS, STOPPED_MS, TURNS] = [30, 1000, 8];

const STILL = new RegExp(
  String.raw`^lamellar: PE 1 \(process 1 on host \S+\) gave no sign of life for 5 s ` +
    "while it was loading; it is stopped\n$",
);

function start(starter: Starter, provider: string): SpreadJob {
  return new SpreadJob({
    starter,
    provider,
    processes: 2,
    program: "tests/programs/injected.ts",
    args: [],
    env: { START_MARK: provider },
    timeoutMs: 60_000,
  });
}

/** The process with number 1 of the job, as soon as there is one. */
async function processOf(starter: Starter, job: SpreadJob, provider: string): Promise<number> {
  if (starter === "rendezvous") return job.programs[1]!.pid;
  const rank = starter === "mpirun" ? "PMIX_RANK=1" : "PMI_RANK=1";
  let found: number | undefined;
  const appears = () => {
    const all = processesWith(`START_MARK=${provider}`);
    found = all.find(({ environ }) => environ.includes(rank))?.pid;
    return found !== undefined;
  };
  assert(await becomes(appears, APPEAR_MS));
  return found!;
}

for (const provider of ["tcp", "shmem"]) {
  Deno.test(`a process that is stopped before it speaks ends the job on ${provider}`, async () => {
    const job = start("launcher", provider);
    const pid = await processOf("launcher", job, provider);
    const at = performance.now();
    Deno.kill(pid, "SIGSTOP");
    const [{ code, stderr }] = await job.ended() as [RunResult];
    const ms = performance.now() - at;
    assertMatch(stderr, STILL);
    assertEquals(code, 1);
    assert(ms < SILENCE_MS + END_MS, `ended after ${ms} ms`);
    assert(await becomes(() => !isAlive(pid), CLEAR_MS));
  });

  Deno.test(`a process that is slow starts all the same on ${provider}`, async () => {
    const job = start("launcher", provider);
    const pid = await processOf("launcher", job, provider);
    for (let turn = 0; turn < TURNS; turn++) {
      Deno.kill(pid, "SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, STOPPED_MS));
      Deno.kill(pid, "SIGCONT");
      await new Promise((resolve) => setTimeout(resolve, RUNS_MS));
    }
    const [{ code, stdout, stderr, ms }] = await job.ended() as [RunResult];
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^done PE 1$/m);
    assert(ms > SILENCE_MS + STOPPED_MS);
  });
}

for (const starter of ["hydra", "mpirun", "rendezvous"] as const) {
  Deno.test(`a process that is stopped before it speaks ends a job of ${starter}`, async () => {
    const job = start(starter, "tcp");
    const pid = await processOf(starter, job, "tcp");
    const at = performance.now();
    Deno.kill(pid, "SIGSTOP");
    const { code, stdout, stderr } = await job.programs[0]!.result;
    const ms = performance.now() - at;
    job.programs[1]?.kill("SIGKILL");
    // mpirun has its own way to pass on what processes write.
    assertMatch(stderr + stdout, /^lamellar: rank 1 has been stopped for 5 s, /m);
    assert(code !== 0);
    assert(ms < SILENCE_MS + END_MS, `ended after ${ms} ms`);
    assert(await becomes(() => !isAlive(pid), 2 * CLEAR_MS));
  });
}
