import { assert, assertEquals, assertMatch } from "@std/assert";
import { onHosts, SpreadJob, type Starter } from "./support/spread.ts";
import { ALL_FAILED } from "./support/pending.ts";
import { childrenOf } from "./support/processes.ts";
import type { RunResult } from "./support/run.ts";

/** How long a job may take to be gone after something has failed. */
const END_MS = 5000;
/** How long what was ended may still be seen, in milliseconds. */
const CLEAR_MS = 2000;

/** What each PE but the last writes about the operations it had under way. */
function settled(pes: number): string[] {
  return Array.from({ length: pes - 1 }, (_, pe) => `PE ${pe}: ${ALL_FAILED}`);
}

interface Failure {
  readonly name: string;
  /** What the last PE does. */
  readonly way: string;
  /** What is done to its process then. */
  readonly harm?: (pid: number) => void;
  readonly told: RegExp;
  /** The exit code of our launcher. */
  readonly code: number;
}

const THROWS: Failure = {
  name: "a PE that throws",
  way: "throws",
  told:
    /^lamellar: PE (\d) failed: Error: thrown at top level(?: \(process \d on host \S+\))?\n +at /,
  code: 1,
};
const KILLED: Failure = {
  name: "kill -9 of a process",
  way: "waits",
  harm: (pid) => Deno.kill(pid, "SIGKILL"),
  told: /^lamellar: PEs? (\d)(?: to \d)? \(process \d on host \S+\) was killed by SIGKILL\n$/,
  code: 137,
};
const STOPPED: Failure = {
  name: "kill -STOP of a process",
  way: "waits",
  harm: (pid) => Deno.kill(pid, "SIGSTOP"),
  told:
    /^lamellar: PEs? (\d)(?: to \d)? on \S+ gave no sign of life for 3 s(?: \(process .*\))?\n$/,
  code: 1,
};
const FAILURES: readonly Failure[] = [
  THROWS,
  KILLED,
  STOPPED,
  {
    name: "a PE that exits early with 3",
    way: "exit-3",
    told: /^lamellar: PE (\d) failed: it called Deno\.exit\(3\) \(process \d on host \S+\)\n$/,
    code: 3,
  },
  {
    name: "a PE that exits early with 0",
    way: "exit-0",
    told: /^lamellar: PE (\d) failed: it called Deno\.exit\(0\) with its world open; .*\n$/,
    code: 1,
  },
  {
    name: "kill -TERM of a process",
    way: "waits",
    harm: (pid) => Deno.kill(pid, "SIGTERM"),
    told: /^lamellar: PE (\d) got SIGTERM \(process \d on host \S+\)\n$/,
    code: 143,
  },
];

/** Runs a job until it has failed, and a while longer. */
async function fail(
  job: SpreadJob,
  numPes: number,
  harm: ((pid: number) => void) | undefined,
): Promise<RunResult[]> {
  await job.started(numPes);
  await Promise.any(job.programs.map((program) => program.seen("failing at")));
  const start = performance.now();
  harm?.(job.pidOf(numPes - 1));
  const results = await Promise.all(job.programs.map(async (program, rank) => {
    // Nobody but a launcher ends a process that was stopped.
    const ended = job.programs.length === 1 || rank < job.programs.length - 1;
    return ended ? await program.result : undefined;
  }));
  const ms = performance.now() - start;
  assert(ms < END_MS, `ended after ${ms} ms`);
  return results.filter((result) => result !== undefined);
}

function written(results: readonly RunResult[]): string[] {
  const lines = results.flatMap(({ stdout }) => stdout.split("\n"));
  return lines.filter((line) => /^PE \d+: /.test(line)).sort();
}

/**
 * Stopped while it holds one of the spin locks that libfabric's shm provider has in the memory of
 * another process, a process takes that one along: a third then hears nothing from both.
 */
const STOPPED_ON_SHM: Failure = {
  ...STOPPED,
  told: new RegExp(
    String.raw`^lamellar: (?:PE \d on \S+ (?:got no sign of life from|and) )*` +
      String.raw`PE (\d) on \S+ (?:gave no sign of life )?for 3 s(?: \(process .*\))?\n$`,
  ),
};
const SOME = [THROWS, KILLED, STOPPED_ON_SHM];

/** What carries the traffic, and whether processes of a provider share memory all the same. */
const CARRIERS = [
  { provider: "tcp", failures: FAILURES },
  { provider: "shm", failures: SOME },
  { provider: "shm", shares: true, failures: SOME },
  { provider: "shmem", failures: FAILURES },
];

for (const { provider, shares, failures } of CARRIERS) {
  const where = shares ? `${provider} and shared memory` : provider;
  const env = shares ? { LAMELLAR_SHARE_MEMORY: "1" } : {};
  for (const failure of failures) {
    const { name, way, harm, told, code } = failure;
    const pes = failure === KILLED ? 2 : 1;
    const processes = pes === 2 ? 2 : 3;
    Deno.test(`${name} on ${where} ends the job, which says why once`, async () => {
      const program = "tests/programs/pending.ts";
      const shape = { starter: "launcher", provider, env, processes, pes } as const;
      const job = new SpreadJob({ ...shape, program, args: [way] });
      const numPes = processes * pes;
      const [result] = await fail(job, numPes, harm);
      assertMatch(result!.stderr, told);
      assertEquals(told.exec(result!.stderr)?.[1], "2");
      assertEquals(result!.stderr.match(/^lamellar: /gm)?.length, 1, result!.stderr);
      assertEquals(result!.code, code);
      // The other PE of the process that was killed can say nothing more.
      assertEquals(written([result!]), settled(failure === KILLED ? 3 : numPes));
      assertEquals(await job.left(CLEAR_MS), []);
    });
  }
}

const LOST: Failure = {
  ...KILLED,
  told: /^lamellar: The job failed: PE (\d) \(.*\) is gone: .* was closed\n$/,
  code: 1,
};

const OTHERS: readonly (readonly [Starter, Failure])[] = [
  ["hydra", THROWS],
  ["hydra", STOPPED],
  ["mpirun", THROWS],
  ["rendezvous", THROWS],
  ["rendezvous", STOPPED],
  ["rendezvous", LOST],
];

/** Each of them over libfabric, in the memory of the host, and with both. */
const CASES = OTHERS.flatMap(([starter, failure]) => [
  { starter, provider: "tcp", hosts: 1, ...failure },
  { starter, provider: "shmem", hosts: 1, ...failure },
  ...starter === "rendezvous" ? [{ starter, provider: "tcp", hosts: 2, ...failure }] : [],
]);

for (const { starter, provider, hosts, name, way, harm, told } of CASES) {
  const where = hosts > 1 ? `${provider} and ${hosts} hosts` : provider;
  Deno.test(`${name} ends the job on ${where} where processes meet by ${starter}`, async () => {
    const program = "tests/programs/pending.ts";
    const apart = hosts > 1 ? onHosts(hosts) : {};
    const shape = { starter, provider, processes: 3, ...apart };
    const job = new SpreadJob({ ...shape, program, args: [way] });
    const results = await fail(job, 3, harm);
    for (const { code } of results) assert(code !== 0);
    // Without a launcher each process tells for itself what the one that failed could not.
    const reports = job.programs.map(async ({ result }) => (await result).stderr);
    if (harm === STOPPED.harm) job.programs.at(-1)!.kill("SIGCONT", true);
    const all = (await Promise.all(reports)).filter((text) => text !== "");
    assert(all.length > 0);
    for (const report of all) {
      const [line] = report.match(/^lamellar: .*\n(?: +at .*\n)*/m) ?? [];
      assertEquals(told.exec(line ?? report)?.[1], "2", report);
    }
    assertEquals(written(results), settled(3));
    assertEquals(await job.left(CLEAR_MS), []);
  });
}

Deno.test("processes of a hydra that sees one killed are all gone", async () => {
  const program = "tests/programs/pending.ts";
  const shape = { starter: "hydra", provider: "tcp", processes: 3 } as const;
  const job = new SpreadJob({ ...shape, program, args: ["waits"] });
  const [result] = await fail(job, 3, KILLED.harm);
  assertMatch(result!.stdout, /EXIT STRING: Killed \(signal 9\)/);
  assert(result!.code !== 0);
  assertEquals(await job.left(CLEAR_MS), []);
});

/** Three processes of our launcher that wait for what does not come. */
async function waitingJob(provider: string): Promise<SpreadJob> {
  const program = "tests/programs/pending.ts";
  const shape = { starter: "launcher", provider, processes: 3 } as const;
  const job = new SpreadJob({ ...shape, program, args: ["waits"] });
  await job.started(3);
  await job.programs[0]!.seen("failing at");
  return job;
}

for (const provider of ["tcp", "shm", "shmem"]) {
  Deno.test(`a launcher that is killed takes all of the job with it on ${provider}`, async () => {
    const job = await waitingJob(provider);
    job.programs[0]!.kill("SIGKILL");
    await job.ended();
    assertEquals(await job.left(END_MS), []);
  });

  Deno.test(`an agent that is killed takes all of the job with it on ${provider}`, async () => {
    const job = await waitingJob(provider);
    const agent = childrenOf(job.programs[0]!.pid).find((pid) => childrenOf(pid).length > 0)!;
    Deno.kill(agent, "SIGKILL");
    const [{ code, stderr, ms }] = await job.ended() as [RunResult];
    assertMatch(stderr, /^lamellar: Host \S+ was lost with PEs 0 to 2: its agent was killed .*\n$/);
    assertEquals(code, 1);
    assert(ms < 2 * END_MS);
    assertEquals(await job.left(END_MS), []);
  });
}

const SPINS = [["tcp", 2], ["tcp", 4], ["shmem", 2], ["shmem", 4]] as const;

for (const [provider, processes] of SPINS) {
  Deno.test(`a PE that spins is named across ${processes} processes on ${provider}`, async () => {
    const program = "tests/programs/failing.ts";
    const shape = { starter: "launcher", provider, processes, pes: 4 / processes } as const;
    const env = { LAMELLAR_DEADLOCK_WARNING_TIMEOUT: "0", LAMELLAR_DEADLOCK_TIMEOUT: "1.5" };
    const job = new SpreadJob({ ...shape, program, args: ["spins", "barrier"], env });
    const [{ code, stderr, ms }] = await job.ended() as [RunResult];
    assertMatch(stderr, /^lamellar: the job is stuck, nothing moved for 1\.5 s .*\(PE 2\)/m);
    const told = stderr.match(/^lamellar: .*/gm)!;
    assertEquals(told.filter((line) => line.startsWith("lamellar: the job is stuck")).length, 1);
    assert(told.every((line) => line.includes("PE 2")), stderr);
    assertEquals(code, 1);
    assert(ms < 1500 + 2 * END_MS);
  });
}
