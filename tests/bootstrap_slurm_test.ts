import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { repositoryPath } from "./support/inline.ts";
import { SlurmCluster } from "./support/slurm.ts";

const PROGRAM = [Deno.execPath(), "run", "-A", "-q", repositoryPath("tests/programs/bootstrap.ts")];

/** How long a job may take that another one ends, in milliseconds. */
const END_MS = 15_000;

Deno.test("Slurm starts jobs on two nodes", async (test) => {
  await using cluster = await SlurmCluster.start();
  const srun = (flag: string, args: readonly string[] = []) =>
    cluster.srun(["--quiet", "-N2", "-n3", flag, ...PROGRAM, ...args]).result;

  for (const [mpi, means] of [["pmi2", "pmi"], ["pmix", "pmix"]] as const) {
    await test.step(`processes meet by --mpi=${mpi}`, async () => {
      const { code, stdout, stderr } = await srun(`--mpi=${mpi}`);
      assertEquals([code, stderr], [0, ""]);
      const ranks = [0, 1, 2];
      assertEquals(
        stdout.trim().split("\n").sort(),
        [
          ...ranks.map((rank) => `rank ${rank} closed`),
          ...ranks.map((rank) => `rank ${rank} of 3 by ${means} (other), 1 job`),
        ].sort(),
      );
    });

    await test.step(`abort() of one process ends the others by --mpi=${mpi}`, async () => {
      const { code, ms, stderr } = await srun(`--mpi=${mpi}`, ["abort"]);
      assert(code !== 0 && ms < END_MS, `code ${code} after ${ms} ms: ${stderr}`);
    });
  }

  await test.step("a step without PMI stops with what to do", async () => {
    const { code, stderr } = await srun("--mpi=none");
    assertEquals(code, 3);
    assertStringIncludes(stderr, "FeatureLevelError: Cannot connect the 3 tasks of Slurm step ");
    assertStringIncludes(stderr, "use srun --mpi=pmi2 (or --mpi=pmix)");
  });

  await test.step("tasks of a step without PMI can be jobs of their own", async () => {
    const result = await cluster.srun(["-N2", "-n2", "--mpi=none", ...PROGRAM], {
      env: { LAMELLAR_BOOTSTRAP: "alone" },
    }).result;
    assertEquals(result.code, 0, result.stderr);
    assertEquals(result.stdout.match(/rank 0 of 1 by alone/g)?.length, 2);
  });
});
