/**
 * Runs a job of several processes: puts together what the command line, the environment and the
 * hosts say, and connects the job to this process's streams and signals.
 *
 * @module
 */

import { environment, environmentNames, readLauncherConfig } from "../../internal/config.ts";
import { FeatureLevelError } from "../../internal/errors.ts";
import { LineLabels } from "../../internal/line_labels.ts";
import { type LaunchArgs, UsageError } from "../launch_args.ts";
import { openLink } from "./agent_link.ts";
import {
  parseHostfile,
  parseHosts,
  type Plan,
  planJob,
  type PlanRequest,
  THIS_HOST,
} from "./hosts.ts";
import { Job } from "./job.ts";
import { Output } from "./output.ts";
import { ownDeno, processFlags } from "./permissions.ts";
import { readInput } from "./standard_input.ts";
// Imported so that a launcher that runs with --cached-only has what its processes run.
import "./process.ts";

/** What a process runs. */
const PROCESS = new URL("./process.ts", import.meta.url);
/** The folder of everything that it loads except the program. */
const LIBRARY = new URL("../../", import.meta.url);

/** How long output may take to be written after the job was ended by a signal, in milliseconds. */
const DRAIN_MS = 1000;
/** Variables that are for the launcher itself. */
const OWN_VARIABLES: readonly string[] = ["LAMELLAR_SSH", "LAMELLAR_REMOTE_DENO"];

/**
 * Runs a job to its end.
 *
 * @param args The command line.
 * @param program The URL of the program, and the number of PEs that was asked for.
 * @returns The exit code.
 * @throws {UsageError} If what is asked for does not go together.
 * @throws {FeatureLevelError} If a permission is missing.
 */
export async function runCluster(
  args: LaunchArgs,
  program: { readonly url: string; readonly pes: number | undefined },
): Promise<number> {
  checkOwnPermissions();
  const plan = planJob(await readPlanRequest(args, program.pes));
  const { exec, flags } = args.cluster;
  if (exec && args.program === undefined) throw new UsageError("Option --exec needs a command");
  const streams = new Streams(() => job.stopReading(), labelWidth(args, plan));
  const job: Job = new Job({
    plan,
    name: `lamellar-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`,
    start: {
      cwd: Deno.cwd(),
      deno: !exec,
      command: exec ? [args.program!, ...args.args] : [
        ...["run", ...processFlags(flags, [new URL(program.url), LIBRARY])],
        ...[PROCESS.href, program.url, ...args.args],
      ],
      env: jobEnvironment(args, plan),
    },
    processEnv: (rank) => localEnvironment(plan, rank),
    open: openLink,
    write: (...output) => streams.write(...output),
    say: (line) => streams.say(line),
    input: readInput,
  });
  const signalled = listenForSignals(job);
  const code = await job.run();
  // As for any program, its reader may take its time; but nobody may be stuck with it.
  await Promise.race([streams.drained(), signalled.then(() => after(DRAIN_MS))]);
  return code;
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function checkOwnPermissions(): void {
  if (ownDeno() === undefined) {
    throw new FeatureLevelError(
      "Cannot start processes: permission to run Deno is missing; run with --allow-run=deno,ssh",
    );
  }
  if (Deno.permissions.querySync({ name: "read", path: "." }).state !== "granted") {
    throw new FeatureLevelError(
      "Cannot start processes: permission to read the current folder is missing; " +
        "run with --allow-read",
    );
  }
}

async function readPlanRequest(args: LaunchArgs, pes: number | undefined): Promise<PlanRequest> {
  const { processes, pesPerHost, hosts, hostfile } = args.cluster;
  const pesPerProcess = args.cluster.pesPerProcess ??
    readLauncherConfig(environment).pesPerProcess;
  const list = hosts !== undefined
    ? parseHosts(hosts)
    : hostfile !== undefined
    ? parseHostfile(await readHostfile(hostfile), hostfile)
    : [THIS_HOST];
  // On this host alone the number of PEs is what it is without processes.
  const cores = hosts === undefined && hostfile === undefined && processes === undefined &&
      pesPerHost === undefined
    ? navigator.hardwareConcurrency
    : undefined;
  return { hosts: list, pes: pes ?? cores, processes, pesPerProcess, pesPerHost };
}

async function readHostfile(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UsageError(`Cannot read the host file ${path}: ${error.message}`, { cause: error });
  }
}

/** The variables of all processes: ours, those asked for, and what the options mean. */
function jobEnvironment({ settings, cluster }: LaunchArgs, plan: Plan): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of environmentNames()) {
    if (/^LAMELLAR_/.test(name) && !OWN_VARIABLES.includes(name)) env[name] = environment(name)!;
  }
  for (const one of cluster.env) {
    const equals = one.indexOf("=");
    const name = equals < 0 ? one : one.slice(0, equals);
    const value = equals < 0 ? environment(name) : one.slice(equals + 1);
    if (value === undefined) {
      throw new UsageError(`Cannot pass ${name}: it is not set, or may not be read`);
    }
    env[name] = value;
  }
  for (const [name, { value }] of settings) env[name] = value;
  return {
    ...env,
    LAMELLAR_PES: String(plan.numPes),
    LAMELLAR_PES_PER_PROCESS: String(plan.pesPerProcess),
    LAMELLAR_LAUNCHER: "1",
    PMI_SIZE: String(plan.numProcesses),
  };
}

/** What MPI programs read to know which processes share a host. */
function localEnvironment(plan: Plan, rank: number): Record<string, string> {
  const { ranks } = plan.hosts.find((host) => host.ranks.includes(rank))!;
  return {
    MPI_LOCALRANKID: String(ranks.indexOf(rank)),
    MPI_LOCALNRANKS: String(ranks.length),
  };
}

/** PEs label their lines themselves; a command knows nothing of labels. */
function labelWidth({ cluster, settings }: LaunchArgs, plan: Plan): number {
  if (!cluster.exec || !settings.has("LAMELLAR_LABEL")) return 0;
  return String(plan.numProcesses - 1).length;
}

/** The standard output and error of the launcher. */
class Streams {
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #labelWidth: number;
  /** The labels of both outputs of each process. */
  readonly #labels = new Map<string, LineLabels>();

  constructor(onBroken: () => void, labelWidth: number) {
    this.#stdout = new Output(Deno.stdout, onBroken);
    this.#stderr = new Output(Deno.stderr, () => {});
    this.#labelWidth = labelWidth;
  }

  write(rank: number, isError: boolean, bytes: Uint8Array, more: boolean): Promise<void> {
    const stream = isError ? this.#stderr : this.#stdout;
    return stream.write(rank, this.#labelled(rank, isError, bytes), more);
  }

  say(line: string): void {
    this.#stderr.write(-1, new TextEncoder().encode(`${line}\n`));
  }

  async drained(): Promise<void> {
    await Promise.all([this.#stdout.drained(), this.#stderr.drained()]);
  }

  #labelled(rank: number, isError: boolean, bytes: Uint8Array): Uint8Array {
    if (this.#labelWidth === 0) return bytes;
    const key = `${rank} ${isError}`;
    let labels = this.#labels.get(key);
    if (!labels) {
      labels = new LineLabels(`[${String(rank).padStart(this.#labelWidth)}] `);
      this.#labels.set(key, labels);
    }
    return labels.add(bytes);
  }
}

/** Passes signals to the job; what it returns settles at the first one that ends it. */
function listenForSignals(job: Job): Promise<void> {
  const signalled = Promise.withResolvers<void>();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(name, () => {
      signalled.resolve();
      job.interrupt(name);
    });
  }
  // Only a launcher that may stop itself can stop the others too.
  if (Deno.permissions.querySync({ name: "run" }).state !== "granted") return signalled.promise;
  Deno.addSignalListener("SIGTSTP", () => {
    job.suspend();
    // A turn later the agents have been told.
    setTimeout(() => Deno.kill(Deno.pid, "SIGSTOP"), 50);
  });
  Deno.addSignalListener("SIGCONT", () => job.resume());
  return signalled.promise;
}
