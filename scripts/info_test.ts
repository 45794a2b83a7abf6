import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { jobLines, launcherLines } from "./info.ts";
import { runChild } from "./child.ts";
import { ROOT } from "./tree.ts";

async function info(flags: readonly string[], args: readonly string[] = []): Promise<string> {
  const command = [Deno.execPath(), "run", "--no-prompt", ...flags, "scripts/info.ts", ...args];
  const { code, output } = await runChild(command, { limitSeconds: 60, cwd: ROOT });
  assertEquals(code, 0, output);
  return output;
}

Deno.test("info prints versions, providers, the chosen one and its limits", async () => {
  const output = await info(["-A"], ["--provider", "tcp", "--domain", "lo"]);
  assertMatch(output, /^PEs: \d+, .*\nheap: .* for each PE, .*\nshared memory: .*\nsettings: /);
  assertStringIncludes(output, `\nDeno ${Deno.version.deno}, V8 ${Deno.version.v8}, `);
  assert(/^libfabric \d+\.\d+, layouts as in \d+\.\d+$/m.test(output), output);
  assert(/^ {2}shm +shm on shm$/m.test(output), output);
  assertStringIncludes(
    output,
    "\nchosen: tcp;ofi_rxm, domain lo on 127.0.0.1/32 (asked for as tcp)",
  );
  assertStringIncludes(output, "\n  address 127.0.0.1\n");
  assertStringIncludes(output, "\n  calls take the fast way: ");
});

Deno.test("info says what is missing, and goes on without it", async () => {
  const none = await info(["--allow-env", "--allow-read"]);
  assertStringIncludes(none, "ffi prompt");
  assertStringIncludes(none, "run with --allow-ffi, without paths\n");
  const nowhere = await info(["-A"], ["--domain", "nowhere0"]);
  assertStringIncludes(nowhere, "Cannot use libfabric: no provider is usable on domain nowhere0: ");
});

Deno.test("launcherLines() names the launcher by what it sets", () => {
  const none: Record<string, string> = {};
  assertEquals(launcherLines((name) => none[name]), ["none: a job of one process"]);
  const slurm: Record<string, string> = { PMI_FD: "7", SLURM_STEP_ID: "0", PMI_PORT: "" };
  assertEquals(launcherLines((name) => slurm[name]), [
    "PMI over a descriptor (hydra, srun --mpi=pmi2, our launcher): PMI_FD=7",
    "a step of Slurm: SLURM_STEP_ID=0",
  ]);
});

Deno.test("jobLines() says what a job would have, and which settings make it so", () => {
  const [pes, heap, ...others] = jobLines(() => undefined, [], 4);
  assertEquals(pes, "PEs: 4, one for each core");
  assertMatch(heap!, /^heap: 10\d\d MiB for each PE, shared evenly$/);
  assertEquals(others, [
    "shared memory: a job of one process reserves 4 GiB, which the machine provides only as it " +
    "is used",
    "settings: all at their defaults (docs/environment.md)",
  ]);
  const set: Record<string, string> = {
    LAMELLAR_PES: "2",
    LAMELLAR_HEAP_SIZE: "3G",
    LAMELLAR_SECRET: "0123456789abcdef",
    LAMELLAR_PESS: "3",
    HOME: "/",
  };
  const lines = jobLines((name) => set[name], Object.keys(set), 4);
  assertEquals(lines[0], "PEs: 2, by LAMELLAR_PES");
  assertEquals(lines[1], "heap: 3 GiB for each PE, by LAMELLAR_HEAP_SIZE");
  assertEquals(
    lines[3],
    "settings: LAMELLAR_HEAP_SIZE=3G LAMELLAR_PES=2 LAMELLAR_PESS=3 LAMELLAR_SECRET=…, " +
      "all others at their defaults (docs/environment.md)",
  );
  assertMatch(lines[4]!, /LAMELLAR_PESS is not known/);
});

Deno.test("jobLines() says why a job cannot start", () => {
  const [first] = jobLines((name) => name === "LAMELLAR_PES" ? "0" : undefined, [], 4);
  assertMatch(first!, /^cannot start a job: LAMELLAR_PES/);
  const [large] = jobLines((name) => name === "LAMELLAR_HEAP_SIZE" ? "5G" : undefined, [], 4);
  assertMatch(large!, /^cannot start a job: Cannot reserve 21\d+ bytes for 4 PEs/);
});
