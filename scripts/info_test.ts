import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { launcherLines } from "./info.ts";
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
  assertStringIncludes(output, `\nDeno ${Deno.version.deno}, V8 ${Deno.version.v8}, `);
  assert(/^libfabric \d+\.\d+, layouts as in \d+\.\d+$/m.test(output), output);
  assert(/^ {2}shm +shm on shm$/m.test(output), output);
  assertStringIncludes(
    output,
    "\nchosen: tcp;ofi_rxm, domain lo on 127.0.0.1/32 (asked for by tcp)",
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
  assertEquals(launcherLines((name) => none[name]), ["none: one process by itself"]);
  const slurm: Record<string, string> = { PMI_FD: "7", SLURM_STEP_ID: "0", PMI_PORT: "" };
  assertEquals(launcherLines((name) => slurm[name]), [
    "PMI over a descriptor (hydra, srun --mpi=pmi2, our launcher): PMI_FD=7",
    "a step of Slurm: SLURM_STEP_ID=0",
  ]);
});
