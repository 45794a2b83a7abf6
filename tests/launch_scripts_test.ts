import { assert, assertEquals, assertMatch } from "@std/assert";
import { repositoryPath } from "./support/inline.ts";
import { startHosts } from "./support/namespaces.ts";
import { startCommand } from "./support/run.ts";
import { SlurmCluster } from "./support/slurm.ts";
import { startSsh } from "./support/sshd.ts";

const PROGRAM = repositoryPath("examples/hello.ts");

/** Stands in for the process of a job: finds the others, and says what it was given. */
const PROCESS = `
import { startBootstrap } from "REPOSITORY/lamellae/bootstrap/mod.ts";
import { environment, readBootstrapConfig } from "REPOSITORY/internal/config.ts";

const state = (descriptor) => Deno.permissions.querySync(descriptor).state;
const config = readBootstrapConfig(environment);
const bootstrap = await startBootstrap({ config, env: environment });
const { rank, size, means } = bootstrap;
const [program, ...args] = Deno.args;
await bootstrap.exchange(String(rank));
if (args[0] === "fail" && rank === 1) Deno.exit(5);
if (args[0] === "fail") await new Promise((resolve) => setTimeout(resolve, 60_000));
const all = ["read", "write", "net", "env", "run", "sys", "ffi", "import"].filter((name) =>
  state({ name }) === "granted"
);
const parts = [
  state({ name: "read", path: program }),
  state({ name: "write", path: "TEMPORARY/file" }),
  state({ name: "sys", kind: "hostname" }),
];
const pes = environment("LAMELLAR_PES_PER_PROCESS");
console.log([rank, size, means, pes, JSON.stringify(args), all.join(), parts.join()].join(" "));
await bootstrap.barrier();
await bootstrap.close();
Deno.exit();
`;

/** A folder that looks like the library to the script, but for what a process does. */
async function makeHome(): Promise<string> {
  const home = await Deno.makeTempDir({ prefix: "lamellar-home-" });
  await Deno.mkdir(`${home}/scripts/launcher`, { recursive: true });
  const repository = new URL(".", `file://${repositoryPath("mod.ts")}`).href.slice(0, -1);
  const source = PROCESS.replaceAll("REPOSITORY", repository)
    .replace("TEMPORARY", home.slice(0, home.lastIndexOf("/")));
  await Deno.writeTextFile(`${home}/scripts/launcher/process.ts`, source);
  return home;
}

Deno.test("lamellar.sbatch starts a process a task, with the permissions it needs", async () => {
  await using slurm = await SlurmCluster.start();
  const home = await makeHome();
  try {
    const script = repositoryPath("scripts/lamellar.sbatch");
    const shape = ["-N2", "--ntasks-per-node=1", "--cpus-per-task=2"];
    const env = { LAMELLAR_HOME: home };
    // The stand-in loads the library from where it really is.
    const flags = `--allow-read=${repositoryPath(".")} --allow-net=127.0.0.1`;
    const good = await slurm.sbatch([...shape, script, PROGRAM, "a b", "c"], {
      env: { ...env, LAMELLAR_FLAGS: flags },
    });
    assertEquals(good.output.trim().split("\n").sort(), [
      '0 2 pmi 2 ["a b","c"] ffi granted,granted,granted',
      '1 2 pmi 2 ["a b","c"] ffi granted,granted,granted',
    ]);
    assertEquals(good.code, 0);
    const start = performance.now();
    const bad = await slurm.sbatch([...shape, script, PROGRAM, "fail"], { env });
    // Slurm gives the highest of the codes, such as that of the task that it ended.
    assert(bad.code >= 5, bad.output);
    assert(performance.now() - start < 20_000);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("lamellar-ssh.sh runs a program on three hosts, with few permissions", async () => {
  await using three = await startHosts(3);
  const script = ["sh", repositoryPath("scripts/lamellar-ssh.sh")];
  const { code, stdout, stderr } = await startCommand(
    [...three.hosts[0]!.enter, ...script, "n1:2,n2:2,n3:2", PROGRAM, "20000"],
    {
      env: {
        LAMELLAR_SSH: await startSsh(three),
        LAMELLAR_DENO: Deno.execPath(),
        LAMELLAR_ROFI_PROVIDER: "tcp",
      },
    },
  ).result;
  assertEquals([code, stderr], [0, ""]);
  for (let pe = 0; pe < 6; pe++) {
    assertMatch(stdout, new RegExp(`^Hello from PE ${pe} to PE ${(pe + 1) % 6} of 6$`, "m"));
  }
});

Deno.test("the scripts say what they need", async () => {
  for (const [script, args] of [["lamellar.sbatch", []], ["lamellar-ssh.sh", ["n1,n2"]]] as const) {
    const { code, stderr } = await startCommand([
      "sh",
      repositoryPath(`scripts/${script}`),
      ...args,
    ])
      .result;
    assertEquals(code, 2);
    assertMatch(stderr, /^lamellar: Cannot run a job without (?:hosts and )?a program: .*\n$/);
  }
});
