import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { repositoryPath } from "./support/inline.ts";
import { SpreadJob, type Starter } from "./support/spread.ts";
import type { RunResult } from "./support/run.ts";

const READ = `--allow-read=${repositoryPath(".")}`;
const FFI = "--allow-ffi";

/** What processes need by whom they are started, as the guide to clusters says. */
const ENOUGH: Readonly<Record<Starter, readonly string[]>> = {
  launcher: [READ, FFI],
  hydra: [READ, FFI, "--allow-env=LAMELLAR_*,PMI_*"],
  mpirun: [READ, FFI, "--allow-env=LAMELLAR_*,PMIX_*"],
  rendezvous: [READ, FFI, "--allow-env=LAMELLAR_*", "--allow-net"],
};

async function hello(
  starter: Starter,
  flags: readonly string[],
  provider = "tcp",
): Promise<RunResult[]> {
  const program = { program: "examples/hello.ts", args: ["20000"] };
  const job = new SpreadJob({ starter, provider, processes: 2, flags, ...program });
  return await job.ended();
}

const WAYS = (Object.keys(ENOUGH) as Starter[]).flatMap((starter) =>
  ["tcp", "shmem"].map((provider) => [starter, provider] as const)
);

for (const [starter, provider] of WAYS) {
  Deno.test(`processes run with the flags of the guide, by ${starter} on ${provider}`, async () => {
    const results = await hello(starter, ENOUGH[starter], provider);
    for (const { code, stderr } of results) assertEquals([code, stderr], [0, ""]);
    const text = results.map(({ stdout }) => stdout).join("");
    for (const pe of [0, 1]) {
      const line = `Hello from PE ${pe} to PE ${1 - pe} of 2\n`;
      assertEquals(text.split(line).length, 2, text);
    }
  });
}

/** Each flag that may be missing, and what is said then. */
const MISSING: readonly (readonly [Starter, RegExp, RegExp])[] = [
  ["launcher", /read/, /Cannot start PEs from \S+hello\.ts: .*; run with --allow-read$/m],
  ["launcher", /ffi/, /Cannot use libfabric: .*; run with --allow-ffi, without paths$/m],
  ["mpirun", /ffi/, /Cannot start by PMIx: .*; run with --allow-ffi$/m],
  ["rendezvous", /net/, /Cannot use \S+: .*; run with --allow-net$/m],
];

for (const [starter, flag, told] of MISSING) {
  Deno.test(`a process without ${flag} by ${starter} says so`, async () => {
    const results = await hello(
      starter,
      ENOUGH[starter].filter((one) => !flag.test(one.split("=")[0]!)),
    );
    for (const { code } of results) assert(code !== 0);
    assertMatch(results.map(({ stderr }) => stderr).join(""), told);
  });
}

Deno.test("processes that may not read their places do not pass for a job", async () => {
  const [result] = await hello("launcher", [READ, FFI, "--allow-env=HOME"]);
  assertEquals(result!.code, 2);
  assertStringIncludes(
    result!.stderr,
    "has not met the others: it needs --allow-env=LAMELLAR_*,PMI_*\n",
  );
});
