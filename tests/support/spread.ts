/**
 * Jobs of several processes for tests, by whatever starts them.
 *
 * @module
 */

import { repositoryPath } from "./inline.ts";
import { freePorts } from "./ports.ts";
import { becomes, isAlive, stateOf } from "./processes.ts";
import { LAUNCHER, type RunningProgram, type RunResult, startCommand } from "./run.ts";

/** What starts the processes: our launcher, MPICH's, OpenMPI's, or nothing but a rendezvous. */
export type Starter = "launcher" | "hydra" | "mpirun" | "rendezvous";

/** What to run. */
export interface SpreadOptions {
  readonly starter: Starter;
  /** A provider of libfabric such as `tcp`, or `shmem`; without it the variables say it. */
  readonly provider?: string;
  readonly processes: number;
  /** PEs of each process; 1 without it. */
  readonly pes?: number;
  /** A path from the root of the repository. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of `deno run` for the processes; `-A` without it. */
  readonly flags?: readonly string[];
  /** When each of its commands is killed, in milliseconds. */
  readonly timeoutMs?: number;
  /** Variables of one process; only with a rendezvous. */
  readonly envOf?: (rank: number) => Readonly<Record<string, string>>;
}

const DENO = [Deno.execPath(), "run", "--quiet", "--no-prompt"];
const STARTERS = {
  hydra: ["mpiexec.hydra", "-n"],
  mpirun: ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n"],
} as const;

/**
 * Variables that choose a provider.
 *
 * @param provider A provider of libfabric, which is to carry all traffic.
 * @returns The variables.
 */
export function overLibfabric(provider: string): Record<string, string> {
  const chosen = { LAMELLAR_ROFI_PROVIDER: provider };
  // Without a word processes that name it share memory.
  return provider === "shm" ? { ...chosen, LAMELLAR_SHARE_MEMORY: "0" } : chosen;
}

/** Variables that choose what carries the traffic. */
function carriedBy(provider: string | undefined): Record<string, string> {
  if (provider === undefined) return {};
  return provider === "shmem" ? { LAMELLAR_BACKEND: "shmem" } : overLibfabric(provider);
}

/** A job that runs. */
export class SpreadJob {
  /** The launcher, or each of the processes. */
  readonly programs: readonly RunningProgram[];
  readonly #pids = new Map<number, number>();

  /**
   * Starts a job.
   *
   * @param options What to run.
   */
  constructor(options: SpreadOptions) {
    const { starter, provider, processes, pes = 1, args, flags = ["-A"] } = options;
    const limit = options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs };
    const program = [repositoryPath(options.program), ...args];
    const process = [...DENO, ...flags, repositoryPath("scripts/launcher/process.ts"), ...program];
    const env = {
      ...carriedBy(provider),
      LAMELLAR_PES_PER_PROCESS: String(pes),
      ...options.env,
    };
    if (starter === "launcher") {
      const shape = ["--processes", String(processes), "--pes-per-process", String(pes)];
      const launcher = [...DENO, "-A", LAUNCHER, ...flags, ...shape, ...program];
      this.programs = [startCommand(launcher, { env, ...limit })];
    } else if (starter === "rendezvous") {
      const at = {
        LAMELLAR_RENDEZVOUS: `127.0.0.1:${freePorts(1)}`,
        LAMELLAR_SIZE: String(processes),
        LAMELLAR_SECRET: crypto.randomUUID(),
      };
      this.programs = Array.from({ length: processes }, (_, rank) =>
        startCommand(process, {
          ...limit,
          env: { ...env, ...at, LAMELLAR_RANK: String(rank), ...options.envOf?.(rank) },
        }));
    } else {
      const command = [...STARTERS[starter], String(processes), ...process];
      this.programs = [startCommand(command, { env, ...limit })];
    }
  }

  /** All that the job has written to its standard output. */
  output(): string {
    return this.programs.map((program) => program.output()).join("");
  }

  /**
   * Waits until each of the PEs has said `pid` and its process, and `PE` and its number.
   *
   * @param numPes How many there are.
   */
  async started(numPes: number): Promise<void> {
    const every = Array.from({ length: numPes }, (_, pe) => pe);
    const last = this.programs.length - 1;
    await Promise.all(every.map((pe) => {
      const program = this.programs[last === 0 ? 0 : Math.floor(pe * (last + 1) / numPes)]!;
      return program.seen(`PE ${pe}\n`);
    }));
    for (const [, pid, pe] of this.output().matchAll(/^pid (\d+) PE (\d+)$/gm)) {
      this.#pids.set(Number(pe), Number(pid));
    }
  }

  /**
   * @param pe A PE that has started.
   * @returns Its process.
   */
  pidOf(pe: number): number {
    return this.#pids.get(pe)!;
  }

  /**
   * @returns How the launcher, or each of the processes, ended.
   */
  async ended(): Promise<RunResult[]> {
    return await Promise.all(this.programs.map(({ result }) => result));
  }

  /**
   * Waits until no process of the job is left, nor a file of the `shm` provider.
   *
   * @param limitMs How long, in milliseconds.
   * @returns What is left.
   */
  async left(limitMs: number): Promise<string[]> {
    const pids = [...new Set(this.#pids.values())];
    const look = () => [
      ...pids.filter(isAlive).map((pid) => `process ${pid} (${stateOf(pid)})`),
      ...[...Deno.readDirSync("/dev/shm")].map(({ name }) => name)
        .filter((name) =>
          pids.some((pid) => name.startsWith("lamellar-") && name.includes(`-${pid}-`))
        ),
    ];
    await becomes(() => look().length === 0, limitMs);
    return look();
  }
}

/**
 * What makes processes of a rendezvous believe that they are on several hosts: their host is what
 * `HOSTNAME` says, where they may not ask the system.
 *
 * @param hosts On how many hosts; they are dealt out one by one.
 */
export function onHosts(hosts: number): Pick<SpreadOptions, "flags" | "envOf"> {
  return {
    flags: ["-A", "--deny-sys=hostname"],
    envOf: (rank) => ({ HOSTNAME: `h${rank % hosts}` }),
  };
}
