import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startCluster } from "./support/cluster.ts";
import { repositoryPath } from "./support/inline.ts";
import { run, startHosts, type TestHost } from "./support/namespaces.ts";
import { ALL_FAILED } from "./support/pending.ts";
import type { RunningProgram } from "./support/run.ts";
import { SlurmCluster } from "./support/slurm.ts";
import { startSsh } from "./support/sshd.ts";

/** How long a job may take to be gone after a link was cut. */
const END_MS = 5000;
const SIX = ["--hosts", "n1:2,n2:2,n3:2"];

/** Programs, and something of what they write on 6 PEs, each line once. */
const PROGRAMS: readonly (readonly [string, readonly string[], readonly RegExp[]])[] = [
  [
    "examples/hello.ts",
    ["20000"],
    Array.from(
      { length: 6 },
      (_, pe) => new RegExp(`^Hello from PE ${pe} to PE ${(pe + 1) % 6} of 6$`, "gm"),
    ),
  ],
  [
    "examples/rdma/rdma_get.ts",
    [],
    Array.from({ length: 6 }, (_, pe) => {
      const value = (pe + 1) % 6 + 0.5;
      return new RegExp(`^PE ${pe} got one ${value} and some ${value} ${value}$`, "gm");
    }),
  ],
  ["examples/histogram.ts", ["60"], [
    /^the serial count agrees, [\d.]+ ms$/gm,
    /^ +0 min +91435 #/gm,
  ]],
];

function assertOutput(stdout: string, lines: readonly RegExp[]): void {
  for (const line of lines) assertEquals(stdout.match(line)?.length, 1, `${line}\n${stdout}`);
}

/** Waits until nothing of a job is left on a host. */
async function assertCleared({ enter }: TestHost): Promise<void> {
  const look = () => run([...enter, "sh", "-c", "ps -eo args= | grep '[d]eno' || true"]);
  const end = performance.now() + END_MS;
  let left = await look();
  while (left !== "" && performance.now() < end) left = await look();
  assertEquals(left, "");
}

Deno.test("programs run on three hosts by the launcher", async (test) => {
  await using three = await startHosts(3);
  for (const [program, args, lines] of PROGRAMS) {
    await test.step(program, async () => {
      const { code, stdout, stderr } = await startCluster([...SIX, program, ...args], {
        env: { LAMELLAR_SSH: three.ssh, LAMELLAR_ROFI_PROVIDER: "tcp" },
      }).result;
      assertEquals([code, stderr], [0, ""]);
      assertOutput(stdout, lines);
    });
  }
});

Deno.test("programs run on three hosts by Slurm", async (test) => {
  await using three = await startHosts(3);
  await using slurm = await SlurmCluster.start(three.hosts);
  const [[program, args, lines]] = PROGRAMS as [typeof PROGRAMS[number]];
  const path = repositoryPath(program);
  const shape = ["-N3", "--ntasks-per-node=1"];
  for (const mpi of ["pmi2", "pmix"]) {
    await test.step(`srun --mpi=${mpi}`, async () => {
      const deno = [Deno.execPath(), "run", "--quiet", "-A"];
      const process = [...deno, repositoryPath("scripts/launcher/process.ts"), path, ...args];
      const { code, stdout, stderr } = await slurm.srun(
        ["--quiet", ...shape, `--mpi=${mpi}`, "-K", ...process],
        { env: { LAMELLAR_ROFI_PROVIDER: "tcp", LAMELLAR_PES_PER_PROCESS: "2" } },
      ).result;
      assertEquals([code, stderr], [0, ""]);
      assertOutput(stdout, lines);
    });
  }
  await test.step("lamellar.sbatch, with the permissions it needs", async () => {
    const script = repositoryPath("scripts/lamellar.sbatch");
    const { code, output } = await slurm.sbatch(
      [...shape, "--cpus-per-task=2", script, path, ...args],
      { env: { LAMELLAR_HOME: repositoryPath("."), LAMELLAR_DENO: Deno.execPath() } },
    );
    assertEquals(code, 0, output);
    assertOutput(output, lines);
  });
});

/** Starts a job in which every PE has operations under way with those of the third host. */
async function startPending(
  options: Parameters<typeof startCluster>[1],
): Promise<RunningProgram> {
  const path = repositoryPath("tests/programs/pending.ts");
  const program = startCluster(["--processes=3", "--hosts=n1,n2,n3", path, "waits"], options);
  await program.seen("failing at");
  return program;
}

Deno.test("a cut link between hosts ends the job, where the launcher still hears all", async () => {
  await using three = await startHosts(3);
  const program = await startPending({
    env: { LAMELLAR_SSH: three.ssh, LAMELLAR_ROFI_PROVIDER: "tcp" },
  });
  const start = performance.now();
  await three.setLink(three.hosts[2]!, false);
  const { code, stdout, stderr } = await program.result;
  const ms = performance.now() - start;
  assertMatch(stderr, /^lamellar: PE 2 on n3 .* \(process 2 on host n3\)\n$/);
  assert(code !== 0);
  assert(ms < END_MS, `ended after ${ms} ms`);
  for (const pe of [0, 1]) assertStringIncludes(stdout, `PE ${pe}: ${ALL_FAILED}\n`);
  for (const host of three.hosts) await assertCleared(host);
});

Deno.test("a host that is cut off from the launcher too is lost, and ends its part", async () => {
  await using three = await startHosts(3);
  const program = await startPending({
    env: { LAMELLAR_SSH: await startSsh(three), LAMELLAR_ROFI_PROVIDER: "tcp" },
    enter: three.hosts[0]!.enter,
  });
  const start = performance.now();
  await three.setLink(three.hosts[2]!, false);
  const { code, stdout, stderr } = await program.result;
  const ms = performance.now() - start;
  assertMatch(stderr, /^lamellar: (?:PE 2 on n3 .*|Host n3 was lost with PE 2: .*)\n$/);
  assertEquals(code, 1);
  assert(ms < END_MS, `ended after ${ms} ms`);
  for (const pe of [0, 1]) assertStringIncludes(stdout, `PE ${pe}: ${ALL_FAILED}\n`);
  for (const host of three.hosts) await assertCleared(host);
});

const RESET = "table inet filter { chain input { type filter hook input priority 0; " +
  "meta l4proto tcp iif != lo reject with tcp reset; }; }";

Deno.test("connections that are reset end the job, and operations under way", async () => {
  await using three = await startHosts(3);
  const program = await startPending({
    env: { LAMELLAR_SSH: three.ssh, LAMELLAR_ROFI_PROVIDER: "tcp" },
  });
  const start = performance.now();
  await run([...three.hosts[2]!.enter, "nft", RESET]);
  const { code, stdout, stderr } = await program.result;
  const ms = performance.now() - start;
  // Either side may be the first to see it, and both are right.
  const place = /\(tcp;ofi_rxm, error \d+\) \(process (\d) on host n\d\)\n$/.exec(stderr)?.[1];
  assertMatch(stderr, new RegExp(`^lamellar: PE ${place} on n\\d cannot be reached: .*\n$`));
  assertEquals(code, 1);
  assert(ms < END_MS, `ended after ${ms} ms`);
  for (const pe of [0, 1]) assertStringIncludes(stdout, `PE ${pe}: ${ALL_FAILED}\n`);
});
