/**
 * The one table of environment variables: names, kinds, limits, defaults and meanings. The document
 * `docs/environment.md` is generated from it.
 *
 * A variable that is not set, is empty, or may not be read has its default. A value that cannot be
 * used is an error that names the variable, what it takes, and what it got.
 *
 * @module
 */

import {
  boolean,
  bytes,
  describe,
  type Environment,
  GIB,
  integer,
  KIB,
  milliseconds,
  valueOf,
  type Variable,
  word,
} from "./config_values.ts";
import { nearestWord } from "./nearest_word.ts";

export type { Environment } from "./config_values.ts";

/** The settings of a world as the environment gives them; undefined where the world decides. */
export interface Config {
  /** The lamella that carries the traffic. */
  readonly backend: "local" | "shmem" | "rofi" | undefined;
  /** PEs of the job; undefined means the number of cores. */
  readonly pes: number | undefined;
  /** Heap of each PE; undefined means an even share of 4 GiB. */
  readonly heapBytes: number | undefined;
  /** Size of the ring between two PEs; undefined means a size that suits the number of PEs. */
  readonly ringBytes: number | undefined;
  /** Bytes gathered for one destination before they are published. */
  readonly amThresholdBytes: number;
  /** Peers that a PE signals in each round of a barrier. */
  readonly barrierFactor: number;
  /** Loads of a word before a waiting PE offers its core; undefined lets the PE choose. */
  readonly spinLoads: number | undefined;
  /** Time without progress before the watchdog reports; 0 means never. */
  readonly deadlockWarningMs: number;
  /**
   * Time without progress before the watchdog ends the job; 0 means never. Undefined means
   * 600 s, and never while a PE computes.
   */
  readonly deadlockMs: number | undefined;
  /** Whether each line of output is labelled with its PE. */
  readonly label: boolean;
  /** Whether stacks show the frames of the runtime, too. */
  readonly allFrames: boolean;
  /** Whether PEs run closures that other PEs send. */
  readonly closures: boolean;
  /** Whether each handle of a Darc remembers where it was made. */
  readonly darcOrigins: boolean;
  /** Whether slices of arrays are checked at each use. */
  readonly checkSlices: boolean;
  /** Whether calls of the network library take the fast way, where there is one. */
  readonly ffiFastCall: boolean;
  /** Whether processes of a host share memory; undefined leaves it to what else is asked for. */
  readonly shareMemory: boolean | undefined;
  /** The libfabric provider; undefined lets the library choose. */
  readonly provider: string | undefined;
  /** The libfabric domain, for IP an interface; undefined lets the library choose. */
  readonly domain: string | undefined;
}

/** How a process finds the others of its job, as the environment says it. */
export interface BootstrapConfig {
  /** The means to use; undefined lets the process look for one. */
  readonly means: "pmi" | "pmix" | "rendezvous" | "alone" | undefined;
  /** How long processes wait for each other and for their launcher; undefined if not said. */
  readonly timeoutMs: number | undefined;
  /** Where rank 0 of a rendezvous listens, as `host:port`. */
  readonly rendezvous: string | undefined;
  /** Number of this process in a rendezvous. */
  readonly rank: number | undefined;
  /** Number of processes in a rendezvous. */
  readonly size: number | undefined;
  /** What the processes of a rendezvous prove to know. */
  readonly secret: string | undefined;
  /** A file that holds the secret. */
  readonly secretFile: string | undefined;
  /** Whether the launcher of this library started the process. */
  readonly launcher: boolean;
}

/** What the launcher of several processes takes from the environment. */
export interface LauncherConfig {
  /** PEs of each process; undefined lets the launcher share them out. */
  readonly pesPerProcess: number | undefined;
  /** The command that reaches other hosts, with its options. */
  readonly ssh: string;
  /** Deno on other hosts; undefined means the same place as here. */
  readonly remoteDeno: string | undefined;
}

const VARIABLES = {
  backend: {
    name: "LAMELLAR_BACKEND",
    takes: { kind: "enum", words: ["local", "shmem", "rofi"] },
    byDefault: "local for one process, shmem for several on one host, otherwise rofi",
    meaning: "The lamella that carries the traffic: `local` serves one process, `shmem` several " +
      "processes that share the memory of a host, `rofi` any number over libfabric",
  },
  pes: {
    name: "LAMELLAR_PES",
    takes: { kind: "integer", min: 1, max: 256 },
    byDefault: "the number of cores",
    meaning: "How many PEs the job has",
  },
  heapBytes: {
    name: "LAMELLAR_HEAP_SIZE",
    takes: { kind: "bytes", min: 64 * KIB, max: 16 * GIB },
    byDefault: "4G shared evenly by the PEs, less the control area",
    meaning:
      "The heap of each PE, from which memory regions are allocated. A process has at most " +
      "16G for its heaps and all else; the processes of a host that share memory have 16G together",
  },
  ringBytes: {
    name: "LAMELLAR_RING_SIZE",
    takes: { kind: "bytes", min: 4 * KIB, max: GIB, pow2: true },
    byDefault: "a size that suits the number of PEs",
    meaning: "The ring from one PE to another, for active messages; rofi needs at least 64K",
  },
  amThresholdBytes: {
    name: "LAMELLAR_AM_SIZE_THRESHOLD",
    takes: { kind: "bytes", min: 0, max: GIB },
    byDefault: "100000",
    meaning: "How many bytes of active messages are gathered for one PE before they are published",
  },
  barrierFactor: {
    name: "LAMELLAR_BARRIER_DISSEMINATION_FACTOR",
    takes: { kind: "integer", min: 1, max: 255 },
    byDefault: "3",
    meaning: "How many peers a PE signals in each round of a barrier",
  },
  spinLoads: {
    name: "LAMELLAR_SPIN",
    takes: { kind: "integer", min: 0, max: 1_000_000 },
    byDefault: "6000, or 100 if PEs share cores",
    meaning: "How often a waiting PE looks for news before it offers its core to others, and " +
      "then sleeps",
  },
  deadlockWarningMs: {
    name: "LAMELLAR_DEADLOCK_WARNING_TIMEOUT",
    takes: { kind: "seconds", max: 1_000_000 },
    byDefault: "10",
    meaning: "How long nothing moves, or a PE computes while others wait for it, before the " +
      "watchdog reports which PE waits for which; 0 means never",
  },
  deadlockMs: {
    name: "LAMELLAR_DEADLOCK_TIMEOUT",
    takes: { kind: "seconds", max: 1_000_000 },
    byDefault: "600, and never while a PE computes",
    meaning: "How long nothing moves before the watchdog ends the job; 0 means never. A PE that " +
      "listens, or awaits I/O or a timer, counts as moving; a PE that computes counts as moving " +
      "unless this is set",
  },
  label: {
    name: "LAMELLAR_LABEL",
    takes: { kind: "boolean" },
    byDefault: "0",
    meaning: "Whether each line of output starts with the PE it came from",
  },
  allFrames: {
    name: "LAMELLAR_STACKS",
    takes: { kind: "boolean" },
    byDefault: "0",
    meaning: "Whether stacks also show the frames of the runtime",
  },
  closures: {
    name: "LAMELLAR_CLOSURES",
    takes: { kind: "boolean" },
    byDefault: "1",
    meaning: "Whether PEs run closures that other PEs send",
  },
  darcOrigins: {
    name: "LAMELLAR_DARC_ORIGINS",
    takes: { kind: "boolean" },
    byDefault: "0",
    meaning: "Whether each handle of a Darc remembers where it was made, so that the report of a " +
      "conversion that waits can say it; this takes time",
  },
  checkSlices: {
    name: "LAMELLAR_CHECK_SLICES",
    takes: { kind: "boolean" },
    byDefault: "0",
    meaning: "Whether slices of arrays throw when they are used after their array or guard was " +
      "given up; this takes much time",
  },
  ffiFastCall: {
    name: "LAMELLAR_FFI_FASTCALL",
    takes: { kind: "boolean" },
    byDefault: "1",
    meaning: "Whether libfabric is called the fast way, if there is one; 0 helps to find faults",
  },
  shareMemory: {
    name: "LAMELLAR_SHARE_MEMORY",
    takes: { kind: "boolean" },
    byDefault: "1; 0 if all processes are on one host and rofi, or a provider other than shm, " +
      "was asked for",
    meaning: "Whether the processes of a host share memory, whatever carries the traffic between " +
      "hosts",
  },
  provider: {
    name: "LAMELLAR_ROFI_PROVIDER",
    takes: { kind: "text", what: "a libfabric provider, such as tcp or verbs" },
    byDefault: "the best one available",
    meaning: "The libfabric provider that carries the traffic between processes",
  },
  domain: {
    name: "LAMELLAR_ROFI_DOMAIN",
    takes: { kind: "text", what: "a libfabric domain, such as eth0 or mlx5_0" },
    byDefault: "the best one available",
    meaning: "The network device that carries the traffic between processes",
  },
} as const satisfies Record<keyof Config, Variable>;

const BOOTSTRAP = {
  means: {
    name: "LAMELLAR_BOOTSTRAP",
    takes: { kind: "enum", words: ["pmi", "pmix", "rendezvous", "alone"] },
    byDefault: "what the launcher offers",
    meaning: "How a process finds the others of its job",
  },
  timeoutMs: {
    name: "LAMELLAR_BOOTSTRAP_TIMEOUT",
    takes: { kind: "seconds", max: 86_400 },
    byDefault: "60; no limit where signs of life are watched",
    meaning: "How long processes wait for each other while the job starts",
  },
  rendezvous: {
    name: "LAMELLAR_RENDEZVOUS",
    takes: { kind: "text", what: "host:port or [address]:port" },
    byDefault: "none",
    meaning: "Where rank 0 of a rendezvous listens, for processes without a launcher",
  },
  rank: {
    name: "LAMELLAR_RANK",
    takes: { kind: "integer", min: 0, max: 65_535 },
    byDefault: "none",
    meaning: "The number of this process in a rendezvous",
  },
  size: {
    name: "LAMELLAR_SIZE",
    takes: { kind: "integer", min: 1, max: 65_536 },
    byDefault: "none",
    meaning: "The number of processes in a rendezvous",
  },
  secret: {
    name: "LAMELLAR_SECRET",
    takes: { kind: "text", what: "at least 16 characters" },
    byDefault: "none",
    meaning: "The secret that each process of a rendezvous must prove to know",
  },
  secretFile: {
    name: "LAMELLAR_SECRET_FILE",
    takes: { kind: "text", what: "a path" },
    byDefault: "none",
    meaning: "A file with the secret, which only its owner may read",
  },
  launcher: {
    name: "LAMELLAR_LAUNCHER",
    takes: { kind: "boolean" },
    byDefault: "0",
    meaning: "Whether `scripts/launch.ts` started the process, which sets this itself",
  },
} as const satisfies Record<keyof BootstrapConfig, Variable>;

const LAUNCHER = {
  pesPerProcess: {
    name: "LAMELLAR_PES_PER_PROCESS",
    takes: { kind: "integer", min: 1, max: 256 },
    byDefault: "LAMELLAR_PES shared evenly, or 1",
    meaning: "How many PEs each process has, in a job of several processes",
  },
  ssh: {
    name: "LAMELLAR_SSH",
    takes: { kind: "text", what: "a command" },
    byDefault: "ssh",
    meaning: "The command by which the launcher reaches other hosts; options may follow, " +
      "separated by spaces",
  },
  remoteDeno: {
    name: "LAMELLAR_REMOTE_DENO",
    takes: { kind: "text", what: "a path" },
    byDefault: "where it is on the launcher's host, or else on the path",
    meaning: "Where the launcher finds Deno on other hosts",
  },
} as const satisfies Record<keyof LauncherConfig, Variable>;

const ALL: readonly Variable[] = [VARIABLES, BOOTSTRAP, LAUNCHER].flatMap((one) =>
  Object.values(one)
);
const NAMES: readonly string[] = ALL.map((variable) => variable.name);

/**
 * Reads and checks the settings.
 *
 * @param env Where the values come from; {@linkcode environment} gives the process's own.
 * @returns Every setting, with its default where the variable is not set
 * @throws {RangeError} If a number is outside its limits
 * @throws {TypeError} If a text is not what the variable takes
 */
export function readConfig(env: Environment): Config {
  return {
    backend: word(VARIABLES.backend, env),
    pes: integer(VARIABLES.pes, env),
    heapBytes: bytes(VARIABLES.heapBytes, env),
    ringBytes: bytes(VARIABLES.ringBytes, env),
    amThresholdBytes: bytes(VARIABLES.amThresholdBytes, env) ?? 100_000,
    barrierFactor: integer(VARIABLES.barrierFactor, env) ?? 3,
    spinLoads: integer(VARIABLES.spinLoads, env),
    deadlockWarningMs: milliseconds(VARIABLES.deadlockWarningMs, env) ?? 10_000,
    deadlockMs: milliseconds(VARIABLES.deadlockMs, env),
    label: boolean(VARIABLES.label, env) ?? false,
    allFrames: boolean(VARIABLES.allFrames, env) ?? false,
    closures: boolean(VARIABLES.closures, env) ?? true,
    darcOrigins: boolean(VARIABLES.darcOrigins, env) ?? false,
    checkSlices: boolean(VARIABLES.checkSlices, env) ?? false,
    ffiFastCall: boolean(VARIABLES.ffiFastCall, env) ?? true,
    shareMemory: boolean(VARIABLES.shareMemory, env),
    provider: valueOf(VARIABLES.provider, env),
    domain: valueOf(VARIABLES.domain, env),
  };
}

/**
 * Tells whether stacks show the frames of the runtime, whatever else is set.
 *
 * @param env Where the value comes from.
 * @returns Whether they do; false if the value cannot be used, which
 * {@linkcode readConfig} reports.
 */
export function readsAllFrames(env: Environment): boolean {
  try {
    return boolean(VARIABLES.allFrames, env) ?? false;
  } catch {
    return false;
  }
}

/**
 * Reads and checks how the process finds the others of its job.
 *
 * @param env Where the values come from.
 * @returns Every setting, with its default where the variable is not set
 * @throws {RangeError} If a number is outside its limits
 * @throws {TypeError} If a text is not what the variable takes
 */
export function readBootstrapConfig(env: Environment): BootstrapConfig {
  return {
    means: word(BOOTSTRAP.means, env),
    timeoutMs: milliseconds(BOOTSTRAP.timeoutMs, env),
    rendezvous: valueOf(BOOTSTRAP.rendezvous, env),
    rank: integer(BOOTSTRAP.rank, env),
    size: integer(BOOTSTRAP.size, env),
    secret: valueOf(BOOTSTRAP.secret, env),
    secretFile: valueOf(BOOTSTRAP.secretFile, env),
    launcher: boolean(BOOTSTRAP.launcher, env) ?? false,
  };
}

/**
 * Reads and checks what the launcher of several processes takes from the environment.
 *
 * @param env Where the values come from.
 * @returns Every setting, with its default where the variable is not set
 * @throws {RangeError} If a number is outside its limits
 * @throws {TypeError} If a text is not what the variable takes
 */
export function readLauncherConfig(env: Environment): LauncherConfig {
  return {
    pesPerProcess: integer(LAUNCHER.pesPerProcess, env),
    ssh: valueOf(LAUNCHER.ssh, env) ?? "ssh",
    remoteDeno: valueOf(LAUNCHER.remoteDeno, env),
  };
}

/**
 * The environment of this process. Where the permission to read a variable was not given, the
 * variable counts as not set: nobody is prompted for it.
 *
 * @param name The variable
 * @returns Its value, or undefined
 */
export function environment(name: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return;
  return Deno.env.get(name);
}

/**
 * The names of all variables of this process, or none if the environment may not be listed. Nobody
 * is prompted for the permission.
 *
 * @returns The names
 */
export function environmentNames(): string[] {
  if (Deno.permissions.querySync({ name: "env" }).state !== "granted") return [];
  return Object.keys(Deno.env.toObject());
}

/**
 * Finds variables that look like ours but are not, such as a misspelt one, which would otherwise
 * be ignored silently.
 *
 * @param names The names of the variables that are set
 * @returns A line of warning for each
 */
export function unknownVariables(names: Iterable<string>): string[] {
  const warnings: string[] = [];
  for (const name of [...names].sort()) {
    if (!/^LAMELLA[RE]_/.test(name) || NAMES.includes(name)) continue;
    // Further away than half of what follows the prefix, a guess would only mislead.
    const nearest = nearestWord(name, NAMES, Math.floor((name.length - "LAMELLAR_".length) / 2));
    const advice = nearest === undefined ? "" : `; did you mean ${nearest}?`;
    warnings.push(`Environment variable ${name} is not known and has no effect${advice}`);
  }
  return warnings;
}

/**
 * The table of `docs/environment.md`.
 *
 * @returns Markdown, a row for each variable
 */
export function configTable(): string {
  const rows = ALL.map((variable) =>
    `| \`${variable.name}\` | ${describe(variable.takes)} | ${variable.byDefault} | ` +
    `${variable.meaning} |`
  );
  return ["| variable | takes | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
}
