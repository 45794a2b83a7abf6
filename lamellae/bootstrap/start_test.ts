import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { readBootstrapConfig } from "../../internal/config.ts";
import { FeatureLevelError, HandshakeError } from "../../internal/errors.ts";
import { bootstrapMeans, type BootstrapSettings } from "./means.ts";
import { startBootstrap } from "./start.ts";

function settings(values: Record<string, string>): BootstrapSettings {
  const env = (name: string) => values[name];
  return { config: readBootstrapConfig(env), env };
}

const PMIX = { PMIX_NAMESPACE: "1", PMIX_RANK: "0" };
const PMI = { PMI_PORT: "h:1", PMI_ID: "0" };
const RENDEZVOUS = { LAMELLAR_RENDEZVOUS: "h:1", LAMELLAR_RANK: "0", LAMELLAR_SIZE: "1" };
const STEP = { SLURM_JOB_ID: "7", SLURM_STEP_ID: "0", SLURM_STEP_NUM_TASKS: "3" };

Deno.test("bootstrapMeans() takes what is asked for, then PMI, PMIx, the rendezvous", () => {
  const cases: [Record<string, string>, string][] = [
    [{}, "alone"],
    [RENDEZVOUS, "rendezvous"],
    [{ ...RENDEZVOUS, ...STEP }, "rendezvous"],
    [{ ...RENDEZVOUS, ...PMIX }, "pmix"],
    [{ ...RENDEZVOUS, ...PMIX, ...PMI }, "pmi"],
    [{ ...PMIX, PMI_FD: "3", ...STEP }, "pmi"],
    [{ ...PMI, ...PMIX, LAMELLAR_BOOTSTRAP: "pmix" }, "pmix"],
    [{ ...PMI, ...STEP, LAMELLAR_BOOTSTRAP: "alone" }, "alone"],
    [{ PMIX_NAMESPACE: "1" }, "alone"],
  ];
  for (const [values, means] of cases) assertEquals(bootstrapMeans(settings(values)), means);
});

Deno.test("A Slurm step of several tasks without PMI stops with what to do", async () => {
  const error = await assertRejects(() => startBootstrap(settings(STEP)), FeatureLevelError);
  assertEquals(
    error.message,
    "Cannot connect the 3 tasks of Slurm step 7.0: they were started without PMI; use " +
      "srun --mpi=pmi2 (or --mpi=pmix), or set LAMELLAR_BOOTSTRAP=alone if each task is to be a " +
      "job of its own",
  );
  const older = { SLURM_STEP_ID: "0", SLURM_NTASKS: "2" };
  assertThrows(() => bootstrapMeans(settings(older)), FeatureLevelError, "the 2 tasks of Slurm");
});

Deno.test("A Slurm batch script, and a step of one task, are one process", () => {
  const batch = { SLURM_JOB_ID: "7", SLURM_PROCID: "0", SLURM_NTASKS: "8" };
  assertEquals(bootstrapMeans(settings(batch)), "alone");
  assertEquals(bootstrapMeans(settings({ ...STEP, SLURM_STEP_NUM_TASKS: "1" })), "alone");
});

Deno.test("alone: a process exchanges with itself, and is lost to nobody", async () => {
  const one = await startBootstrap(settings({ LAMELLAR_LAUNCHER: "1" }));
  assertEquals([one.means, one.rank, one.size, one.agent], ["alone", 0, 1, "lamellar"]);
  assertEquals(await one.exchange("x"), ["x"]);
  await one.barrier();
  await assertRejects(() => one.exchange("x".repeat(2 ** 21)), RangeError);
  await one.abort(1, "why not");
  await one.close();
});

Deno.test("A rendezvous that is not told enough says what is missing", async () => {
  const cases: [Record<string, string>, string][] = [
    [
      { LAMELLAR_BOOTSTRAP: "rendezvous", LAMELLAR_SIZE: "2" },
      "A rendezvous needs LAMELLAR_RENDEZVOUS, LAMELLAR_RANK and LAMELLAR_SIZE, " +
      "got nothing, nothing and 2",
    ],
    [RENDEZVOUS, "A rendezvous needs a secret: set LAMELLAR_SECRET, or LAMELLAR_SECRET_FILE"],
    [
      { ...RENDEZVOUS, LAMELLAR_SECRET_FILE: "no such file" },
      "Cannot take the secret from LAMELLAR_SECRET_FILE=no such file: ",
    ],
  ];
  for (const [values, message] of cases) {
    await assertRejects(() => startBootstrap(settings(values)), HandshakeError, message);
  }
  const nowhere = { ...RENDEZVOUS, LAMELLAR_RENDEZVOUS: "h", LAMELLAR_SECRET: "x".repeat(16) };
  for (const where of ["h", "h:0", "h:65536", "::1:7", "[::1]", "h:7x", "a b:7"]) {
    await assertRejects(
      () => startBootstrap(settings({ ...nowhere, LAMELLAR_RENDEZVOUS: where })),
      TypeError,
      `LAMELLAR_RENDEZVOUS must be host:port or [address]:port, got ${JSON.stringify(where)}`,
    );
  }
});

Deno.test("The secret of a rendezvous can be in a file, which others must not read", async () => {
  const file = await Deno.makeTempFile({ prefix: "lamellar-test-" });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const values = {
    ...RENDEZVOUS,
    LAMELLAR_RENDEZVOUS: `127.0.0.1:${port}`,
    LAMELLAR_SECRET_FILE: file,
  };
  try {
    await Deno.writeTextFile(file, "a secret of the tests\n");
    await Deno.chmod(file, 0o640);
    await assertRejects(
      () => startBootstrap(settings(values)),
      HandshakeError,
      `others than its owner may use it; chmod 600 ${file}`,
    );
    await Deno.chmod(file, 0o600);
    const one = await startBootstrap(settings(values));
    assertEquals([one.means, one.size], ["rendezvous", 1]);
    assertEquals(await one.exchange("x"), ["x"]);
    await one.close();
  } finally {
    await Deno.remove(file);
  }
});
