import { assertEquals, assertMatch } from "@std/assert";
import { startCluster } from "./support/cluster.ts";
import { repositoryPath } from "./support/inline.ts";
import { SpreadJob } from "./support/spread.ts";

const PROGRAM = "tests/programs/different_ams.ts";

/** What is set on one of two hosts, as somebody's own settings there do. */
const DIFFERENT = {
  LAMELLAR_HEAP_SIZE: "32M",
  LAMELLAR_RING_SIZE: "128K",
  LAMELLAR_CLOSURES: "0",
  LAMELLAR_BARRIER_DISSEMINATION_FACTOR: "2",
  LAMELLAR_PES_PER_PROCESS: "2",
};

const LINES = [
  /^ {2}rank 1 on host \S+ has PEs per process 2, rank 0 on host \S+ has 1$/m,
  /^ {2}rank 1 on host \S+ has heap size 33554432, rank 0 on host \S+ has \d+$/m,
  /^ {2}rank 1 on host \S+ has ring size 131072, rank 0 on host \S+ has \d+$/m,
  /^ {2}rank 1 on host \S+ has closures not allowed, rank 0 on host \S+ has allowed$/m,
  /^ {2}rank 1 on host \S+ has barrier factor 2, rank 0 on host \S+ has 3$/m,
];

/** Runs a program on two "hosts", both of them this one, the second with variables of its own. */
async function onTwoHosts(
  variables: Readonly<Record<string, string>>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = await Deno.makeTempDir({ prefix: "lamellar-test-" });
  try {
    const ssh = `${folder}/enter`;
    const words = Object.entries(variables).map(([name, value]) => `${name}=${value}`).join(" ");
    const script = `#!/bin/sh
host=$1; shift
case $host in
second) exec env ${words} sh -c "$*" ;;
*) exec sh -c "$*" ;;
esac
`;
    await Deno.writeTextFile(ssh, script, { mode: 0o755 });
    const hosts = ["--hosts", "first,second", "--processes", "2"];
    return await startCluster([...hosts, repositoryPath(PROGRAM)], {
      env: { LAMELLAR_SSH: ssh, LAMELLAR_ROFI_PROVIDER: "tcp" },
    }).result;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("processes that differ are told all differences at once, by the launcher", async () => {
  // The launcher says itself how many PEs a process has.
  const { LAMELLAR_PES_PER_PROCESS: _, ...different } = DIFFERENT;
  const { code, stdout, stderr } = await onTwoHosts(different);
  assertMatch(
    stderr,
    /^lamellar: PE \d .* aborted the job: The processes of the job do not fit tog/,
  );
  for (const line of LINES.slice(1)) assertMatch(stderr, line);
  assertEquals(stderr.trimEnd().split("\n").length, LINES.length);
  assertEquals([code, stdout], [2, ""]);
});

Deno.test("processes that differ are told all differences once, without a launcher", async () => {
  const job = new SpreadJob({
    starter: "rendezvous",
    provider: "tcp",
    processes: 2,
    program: PROGRAM,
    args: [],
    envOf: (rank) => rank === 1 ? DIFFERENT : {},
  });
  const results = await job.ended();
  const stderr = results.map((result) => result.stderr).join("");
  assertEquals(
    stderr.match(/^lamellar: The processes of the job do not fit together:$/gm)?.length,
    1,
  );
  for (const line of LINES) assertMatch(stderr, line);
  assertEquals(stderr.trimEnd().split("\n").length, 1 + LINES.length);
  assertEquals(results.map(({ code }) => code), [2, 2]);
});

Deno.test("another set of AMs on one host ends the job, naming them", async () => {
  const { code, stdout, stderr } = await onTwoHosts({ OTHER_COPY: "1" });
  assertMatch(
    stderr,
    /^lamellar: PE \d failed: HandshakeError: The PEs define different AMs: PE 0 lacks "Extra" /,
  );
  assertEquals(stderr.match(/^lamellar: /gm)?.length, 1, stderr);
  assertEquals([code, stdout], [1, ""]);
});
