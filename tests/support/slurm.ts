/**
 * A Slurm cluster on this machine, for the tests: daemons of its own in a temporary folder, on
 * ports of its own; two nodes on this host, or one on each of several namespaces.
 *
 * @module
 */

import type { TestHost } from "./namespaces.ts";
import { freePorts } from "./ports.ts";
import { childrenOf } from "./processes.ts";
import { type RunningProgram, startCommand, type StartOptions } from "./run.ts";

/** How long the cluster may take to come up, in milliseconds. */
const START_MS = 30_000;

/** How long a daemon may take to end before it is killed, in milliseconds. */
const STOP_MS = 5000;

/** How long a batch job may take: sbatch looks for its end ever more rarely. */
const BATCH_MS = 120_000;

/** How many ports Slurm gives to the steps of its jobs. */
const STEP_PORTS = 40;

/** One daemon. */
interface Daemon {
  readonly name: string;
  readonly process: Deno.ChildProcess;
  /** Whether it runs inside of a namespace. */
  readonly entered: boolean;
}

/** Where a node runs. */
interface SlurmNode extends Pick<TestHost, "name" | "address" | "enter"> {
  /** Name of the host; that of the node without it. */
  readonly host?: string;
}

/** On this host. */
const HERE = { enter: [] };

/** A cluster that runs until it is disposed of. */
export class SlurmCluster implements AsyncDisposable {
  readonly #folder: string;
  readonly #nodes: readonly SlurmNode[];
  readonly #daemons: Daemon[] = [];

  private constructor(folder: string, nodes: readonly SlurmNode[]) {
    this.#folder = folder;
    this.#nodes = nodes;
  }

  /**
   * Starts munged, slurmctld and a slurmd for each node, and waits until all nodes are idle.
   *
   * @param hosts The hosts that are nodes; two nodes on this one without it.
   * @returns The cluster.
   * @throws {Error} If it does not come up; says what the daemons wrote.
   */
  static async start(hosts: readonly TestHost[] = []): Promise<SlurmCluster> {
    const nodes = hosts.length > 0 ? hosts : ["n1", "n2"].map((name) => (
      { name, host: Deno.hostname(), address: "127.0.0.1", enter: [] }
    ));
    const folder = await Deno.makeTempDir({ prefix: "lamellar-slurm-" });
    const cluster = new SlurmCluster(folder, nodes);
    try {
      await cluster.#start();
      return cluster;
    } catch (cause) {
      const logs = await cluster.#logs();
      await cluster[Symbol.asyncDispose]();
      throw new Error(`Cannot start a Slurm cluster: ${(cause as Error).message}\n${logs}`, {
        cause,
      });
    }
  }

  /**
   * Starts a job step.
   *
   * @param args Arguments of srun.
   * @param options The environment and the limit.
   * @returns The process of srun.
   */
  srun(args: readonly string[], options: StartOptions = {}): RunningProgram {
    return startCommand([...this.#first.enter, "srun", ...args], {
      ...options,
      env: { ...this.#env, ...options.env },
    });
  }

  /**
   * Runs a batch job to its end.
   *
   * @param args Arguments of sbatch.
   * @param options The environment and the limit.
   * @returns Its exit code and what it wrote.
   */
  async sbatch(
    args: readonly string[],
    options: StartOptions = {},
  ): Promise<{ code: number; output: string }> {
    const file = `${this.#folder}/job-output`;
    const command = [...this.#first.enter, "sbatch", "--wait", `--output=${file}`, ...args];
    const { code } = await startCommand(command, {
      timeoutMs: BATCH_MS,
      ...options,
      env: { ...this.#env, ...options.env },
    }).result;
    return { code, output: await Deno.readTextFile(file) };
  }

  /** Ends what runs, the daemons in the order in which they need each other, and the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemons.length === 2 + this.#nodes.length) {
      const command = [...this.#first.enter, "scancel", "--user=root"];
      await startCommand(command, { env: this.#env }).result;
    }
    for (const daemon of this.#daemons.reverse()) await stop(daemon);
    await Deno.remove(this.#folder, { recursive: true });
  }

  get #env(): Record<string, string> {
    return { SLURM_CONF: `${this.#folder}/slurm.conf` };
  }

  /** Where the controller runs, and commands are given. */
  get #first(): SlurmNode {
    return this.#nodes[0]!;
  }

  async #start(): Promise<void> {
    const folder = this.#folder;
    const names = this.#nodes.map(({ name }) => name);
    for (const name of [...names, "state"]) await Deno.mkdir(`${folder}/${name}`);
    const key = crypto.getRandomValues(new Uint8Array(128));
    await Deno.writeFile(`${folder}/munge.key`, key, { mode: 0o600 });
    await Deno.writeTextFile(`${folder}/slurm.conf`, configuration(folder, this.#nodes));
    this.#spawn("munged", [
      "--foreground",
      "--force",
      `--socket=${folder}/munge.sock`,
      `--key-file=${folder}/munge.key`,
      `--pid-file=${folder}/munge.pid`,
      `--seed-file=${folder}/munge.seed`,
      `--log-file=${folder}/munged.log`,
    ]);
    await this.#until("munged answers", async () => {
      const command = ["munge", `--socket=${folder}/munge.sock`, "--no-input"];
      return (await startCommand(command).result).code === 0;
    });
    this.#spawn("slurmctld", ["-D", "-f", `${folder}/slurm.conf`], this.#first);
    for (const node of this.#nodes) {
      this.#spawn("slurmd", ["-D", "-N", node.name, "-f", `${folder}/slurm.conf`], node);
    }
    await this.#until("all nodes are idle", async () => {
      const command = ["sinfo", "--noheader", "--Node", "--format=%N %T"];
      const { stdout } = await startCommand([...this.#first.enter, ...command], { env: this.#env })
        .result;
      return stdout === names.map((node) => `${node} idle\n`).join("");
    });
  }

  #spawn(name: string, args: readonly string[], { enter }: Pick<SlurmNode, "enter"> = HERE): void {
    const [command, ...words] = [...enter, name, ...args];
    const process = new Deno.Command(command!, {
      args: words,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#daemons.push({ name, process, entered: enter.length > 0 });
  }

  /** Asks again and again; each time costs a process, so that nothing has to be slept. */
  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const until = performance.now() + START_MS;
    const ended = Promise.race(this.#daemons.map(async ({ name, process }) => {
      const { code } = await process.status;
      return `${name} ended with ${code}`;
    }));
    while (!await holds()) {
      const why = await Promise.race([ended, Promise.resolve(undefined)]);
      if (why !== undefined) throw new Error(`${why} before ${what}`);
      if (performance.now() > until) throw new Error(`${what} not within ${START_MS / 1000} s`);
    }
  }

  async #logs(): Promise<string> {
    const logs: string[] = [];
    for await (const { name } of Deno.readDir(this.#folder)) {
      if (!name.endsWith(".log")) continue;
      const text = await Deno.readTextFile(`${this.#folder}/${name}`);
      logs.push(`--- ${name}\n${text.split("\n").slice(-20).join("\n")}`);
    }
    return logs.join("\n");
  }
}

function configuration(folder: string, nodes: readonly SlurmNode[]): string {
  const controller = freePorts(1 + nodes.length + STEP_PORTS);
  const steps = controller + 1 + nodes.length;
  const [{ host: first, name, address }] = nodes as [SlurmNode];
  const lines = nodes.map((node, index) =>
    `NodeName=${node.name} NodeHostname=${node.host ?? node.name} NodeAddr=${node.address} ` +
    `Port=${controller + 1 + index} CPUs=4`
  );
  return `ClusterName=lamellar
SlurmctldHost=${first ?? name}(${address})
SlurmctldPort=${controller}
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdPidFile=${folder}/%n.pid
SlurmdLogFile=${folder}/%n.log
SlurmdSpoolDir=${folder}/%n/spool
TmpFS=${folder}/%n
StateSaveLocation=${folder}/state
AuthType=auth/munge
AuthInfo=socket=${folder}/munge.sock
SlurmUser=root
ReturnToService=2
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
MpiParams=ports=${steps}-${steps + STEP_PORTS - 1}
${lines.join("\n")}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`;
}

async function stop({ name, process, entered }: Daemon): Promise<void> {
  // What enters a namespace of processes waits outside, and passes no signal on.
  const pids = entered ? childrenOf(process.pid) : [process.pid];
  if (pids.length === 0) throw new Error(`Cannot stop ${name}: it has no process`);
  const timer = setTimeout(() => kill(pids, "SIGKILL"), STOP_MS);
  kill(pids, "SIGTERM");
  await process.status;
  clearTimeout(timer);
}

function kill(pids: readonly number[], signal: Deno.Signal): void {
  for (const pid of pids) {
    try {
      Deno.kill(pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}
