import { assert, assertEquals, assertMatch } from "@std/assert";
import { DEAF, pidsOf, pmiProcess, startCluster } from "./support/cluster.ts";
import { run, startHosts, type TestHost } from "./support/namespaces.ts";
import { becomes } from "./support/processes.ts";
import { startSsh } from "./support/sshd.ts";

/** How long a job may take to be gone after something has failed, with a second for the machine. */
const GONE_MS = 6000;
const THREE = ["--processes", "3", "--hosts", "n1,n2,n3"];

/** What the processes of a job run when they are to stay. */
const STAY = ["--exec", "sh", "-c", DEAF];

/** Whether nothing that a job started is left on a host, within the time for it. */
async function isCleared(host: TestHost): Promise<boolean> {
  let left = "";
  const look = async () => left = await run([...host.enter, "ps", "-eo", "args="]);
  await look();
  return await becomes(() => {
    if (!/sleep 600|agent\.ts/.test(left)) return true;
    look();
    return false;
  }, GONE_MS);
}

Deno.test("processes on three hosts find each other", async () => {
  await using three = await startHosts(3);
  const { code, stdout, stderr } = await startCluster([...THREE, ...pmiProcess("exchange")], {
    env: { LAMELLAR_SSH: three.ssh },
  }).result;
  assertEquals([code, stderr], [0, ""]);
  const texts = "0x1000 1x1000 2x1000";
  assertEquals(
    stdout.trim().split("\n").sort(),
    [0, 1, 2].map((rank) => `${rank} of 3 on n${rank + 1}: ${texts}`),
  );
});

Deno.test("a host file and slots say where processes run, and variables go along", async () => {
  await using three = await startHosts(3);
  await Deno.writeTextFile(`${three.folder}/hostfile`, "n2 slots=1\nn3:2 # two\n");
  const words = ["$PMI_RANK", "$(hostname)", "$MPI_LOCALRANKID", "$GIVEN", "$LAMELLAR_SPIN"];
  const { code, stdout } = await startCluster(
    [
      ...["--hostfile", `${three.folder}/hostfile`, "--pes-per-process=1", "-x", "GIVEN"],
      ...["--exec", "sh", "-c", `echo "${words.join(" ")}"`],
    ],
    { env: { LAMELLAR_SSH: three.ssh, GIVEN: 'it\'s "here" $x', LAMELLAR_SPIN: "9" } },
  ).result;
  assertEquals(code, 0);
  assertEquals(stdout.trim().split("\n").sort(), [
    '0 n2 0 it\'s "here" $x 9',
    '1 n3 0 it\'s "here" $x 9',
    '2 n3 1 it\'s "here" $x 9',
  ]);
});

Deno.test("a process that is killed on another host is named with it, and ends all", async () => {
  await using three = await startHosts(3);
  const script = `[ $PMI_RANK = 1 ] && kill -9 $$; ${DEAF}`;
  const { code, stderr } = await startCluster([...THREE, "--exec", "sh", "-c", script], {
    env: { LAMELLAR_SSH: three.ssh },
  }).result;
  const told = "lamellar: PE 1 (process 1 on host n2) was killed by SIGKILL\n";
  assertEquals([code, stderr], [137, told]);
  for (const host of three.hosts) assert(await isCleared(host));
});

Deno.test("a host whose every process is killed is lost, and the others are cleared", async () => {
  await using three = await startHosts(3);
  const program = startCluster([...THREE, ...STAY], { env: { LAMELLAR_SSH: three.ssh } });
  await pidsOf(program, 3);
  await run([...three.hosts[1]!.enter, "sh", "-c", "kill -KILL -1"]).catch(() => {});
  const { code, stderr } = await program.result;
  assertEquals(code, 1);
  assertMatch(stderr, /^lamellar: Host n2 was lost with PE 1: .*\n$/);
  for (const host of three.hosts) assert(await isCleared(host));
});

Deno.test("a killed launcher leaves nothing on other hosts", async () => {
  await using three = await startHosts(3);
  const program = startCluster([...THREE, ...STAY], { env: { LAMELLAR_SSH: three.ssh } });
  await pidsOf(program, 3);
  Deno.kill(program.pid, "SIGKILL");
  await program.result;
  for (const host of three.hosts) assert(await isCleared(host));
});

Deno.test("what keeps a job from starting on a host is said in one line", async () => {
  await using three = await startHosts(2);
  const refused = async (
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    cwd?: string,
  ): Promise<string> => {
    const { code, stdout, stderr } = await startCluster([...args, "--exec", "true"], {
      env: { LAMELLAR_SSH: three.ssh, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    }).result;
    assert(code !== 0);
    assertEquals(stdout, "");
    return stderr;
  };
  const both = ["--processes=2", "--hosts=n1,n2"];
  assertEquals(
    await refused(["--processes=2", "--hosts=n1,n9"], {}),
    "lamellar: Cannot start on host n9: no host n9\n",
  );
  assertMatch(
    await refused(both, { LAMELLAR_SSH: "/no/ssh -v" }),
    /^lamellar: Cannot start on host n\d: \/no\/ssh cannot be started: .*\n$/,
  );
  // What the way to a host needs, without what lies beside it: Deno may be in any of its folders.
  const path = `${three.folder}/bin`;
  await Deno.mkdir(path);
  for (const name of ["sh", "nsenter"]) await Deno.symlink(`/usr/bin/${name}`, `${path}/${name}`);
  const bare = { LAMELLAR_REMOTE_DENO: "/no/deno", PATH: path, HOME: `${three.folder}/nobody` };
  assertMatch(
    await refused(both, bare),
    /^lamellar: Cannot start on host n\d: there is no Deno: set LAMELLAR_REMOTE_DENO.*\n$/,
  );
  await Deno.mkdir(`${three.folder}/own/here`, { recursive: true });
  const own = `${three.folder}/own`;
  await run([...three.hosts[1]!.enter, "mount", "-t", "tmpfs", "tmpfs", own]);
  assertMatch(
    await refused(both, {}, `${own}/here`),
    /^lamellar: PE 1 \(process 1 on host n2\) cannot be started as true in .*own\/here: .*\n$/,
  );
});

Deno.test("the launcher reaches hosts by ssh, and starts its own without", async () => {
  await using three = await startHosts(3);
  const ssh = await startSsh(three);
  const options = { env: { LAMELLAR_SSH: ssh }, enter: three.hosts[0]!.enter };
  const found = await startCluster([...THREE, ...pmiProcess("exchange")], options).result;
  assertEquals([found.code, found.stderr], [0, ""]);
  const texts = "0x1000 1x1000 2x1000";
  assertEquals(
    found.stdout.trim().split("\n").sort(),
    [0, 1, 2].map((rank) => `${rank} of 3 on n${rank + 1}: ${texts}`),
  );
  const unknown = await startCluster(["--processes=2", "--hosts=n1,n9", "--exec", "true"], options)
    .result;
  assertEquals(unknown.code, 2);
  assertMatch(
    unknown.stderr,
    /^lamellar: Cannot start on host n9: ssh: .*resolve hostname n9.*\n$/,
  );
  const refused = await startCluster(
    ["--processes=2", "--hosts=n1,me@n2", "--exec", "true"],
    options,
  )
    .result;
  assertEquals(refused.code, 2);
  assertMatch(
    refused.stderr,
    /^lamellar: Cannot start on host me@n2: me@n2: Permission denied.*\n$/,
  );
});

Deno.test("a cut link ends the job on both of its sides", async () => {
  await using three = await startHosts(3);
  const ssh = await startSsh(three);
  const options = { env: { LAMELLAR_SSH: ssh }, enter: three.hosts[0]!.enter };
  const program = startCluster([...THREE, ...STAY], options);
  await pidsOf(program, 3);
  const start = performance.now();
  await three.setLink(three.hosts[1]!, false);
  const { code, stderr } = await program.result;
  const told = "lamellar: Host n2 was lost with PE 1: it has not answered for 3 s\n";
  assertEquals([code, stderr], [1, told]);
  assert(performance.now() - start < GONE_MS);
  for (const host of three.hosts) assert(await isCleared(host));
});
