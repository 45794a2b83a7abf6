/**
 * A Slurm cluster of two nodes on this machine, for the tests: daemons of its own in a temporary
 * folder, on ports of its own.
 *
 * @module
 */

import { freePorts } from "./ports.ts";
import { type RunningProgram, startCommand, type StartOptions } from "./run.ts";

/** How long the cluster may take to come up, in milliseconds. */
const START_MS = 30_000;

/** How long a daemon may take to end before it is killed, in milliseconds. */
const STOP_MS = 5000;

/** How many ports Slurm gives to the steps of its jobs. */
const STEP_PORTS = 40;

/** One daemon. */
interface Daemon {
  readonly name: string;
  readonly process: Deno.ChildProcess;
}

/** A cluster that runs until it is disposed of. */
export class SlurmCluster implements AsyncDisposable {
  readonly #folder: string;
  readonly #daemons: Daemon[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Starts munged, slurmctld and two slurmd, and waits until both nodes are idle.
   *
   * @returns The cluster.
   * @throws {Error} If it does not come up; says what the daemons wrote.
   */
  static async start(): Promise<SlurmCluster> {
    const cluster = new SlurmCluster(await Deno.makeTempDir({ prefix: "lamellar-slurm-" }));
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
    return startCommand(["srun", ...args], { ...options, env: { ...this.#env, ...options.env } });
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
    const { code } = await startCommand(["sbatch", "--wait", `--output=${file}`, ...args], {
      ...options,
      env: { ...this.#env, ...options.env },
    }).result;
    return { code, output: await Deno.readTextFile(file) };
  }

  /** Ends what runs, the daemons in the order in which they need each other, and the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemons.length === 4) {
      await startCommand(["scancel", "--user=root"], { env: this.#env }).result;
    }
    for (const daemon of this.#daemons.reverse()) await stop(daemon.process);
    await Deno.remove(this.#folder, { recursive: true });
  }

  get #env(): Record<string, string> {
    return { SLURM_CONF: `${this.#folder}/slurm.conf` };
  }

  async #start(): Promise<void> {
    const folder = this.#folder;
    for (const name of ["n1", "n2", "state"]) await Deno.mkdir(`${folder}/${name}`);
    const key = crypto.getRandomValues(new Uint8Array(128));
    await Deno.writeFile(`${folder}/munge.key`, key, { mode: 0o600 });
    await Deno.writeTextFile(`${folder}/slurm.conf`, configuration(folder));
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
    this.#spawn("slurmctld", ["-D", "-f", `${folder}/slurm.conf`]);
    for (const node of ["n1", "n2"]) {
      this.#spawn("slurmd", ["-D", "-N", node, "-f", `${folder}/slurm.conf`]);
    }
    await this.#until("both nodes are idle", async () => {
      const command = ["sinfo", "--noheader", "--Node", "--format=%N %T"];
      const { stdout } = await startCommand(command, { env: this.#env }).result;
      return stdout === "n1 idle\nn2 idle\n";
    });
  }

  #spawn(name: string, args: readonly string[]): void {
    const process = new Deno.Command(name, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#daemons.push({ name, process });
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

function configuration(folder: string): string {
  const host = Deno.hostname();
  const controller = freePorts(3 + STEP_PORTS);
  const [first, second, steps] = [controller + 1, controller + 2, controller + 3];
  return `ClusterName=lamellar
SlurmctldHost=${host}(127.0.0.1)
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
NodeName=n1 NodeHostname=${host} NodeAddr=127.0.0.1 Port=${first} CPUs=4
NodeName=n2 NodeHostname=${host} NodeAddr=127.0.0.1 Port=${second} CPUs=4
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
`;
}

async function stop(process: Deno.ChildProcess): Promise<void> {
  const timer = setTimeout(() => kill(process, "SIGKILL"), STOP_MS);
  kill(process, "SIGTERM");
  await process.status;
  clearTimeout(timer);
}

function kill(process: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    process.kill(signal);
  } catch {
    // It has ended by itself.
  }
}
