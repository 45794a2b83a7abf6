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

export type { Environment } from "./config_values.ts";

/** The settings of a world as the environment gives them; undefined where the world decides. */
export interface Config {
  /** The lamella that carries the traffic. */
  readonly backend: "local" | "shmem" | "rofi" | undefined;
  /** PEs of the job; undefined stands for the number of cores. */
  readonly pes: number | undefined;
  /** Heap of each PE; undefined stands for an even share of 4 GiB. */
  readonly heapBytes: number | undefined;
  /** Size of the ring between two PEs; undefined stands for a size that suits the PE count. */
  readonly ringBytes: number | undefined;
  /** Bytes gathered for one destination before they are published. */
  readonly amThresholdBytes: number;
  /** Peers that a PE signals in each round of a barrier. */
  readonly barrierFactor: number;
  /** Loads of a word before a waiting PE offers its core; undefined lets the PE choose. */
  readonly spinLoads: number | undefined;
  /** Time without progress before the watchdog reports; 0 stands for never. */
  readonly deadlockWarningMs: number;
  /** Time without progress before the job is ended; 0 stands for never. */
  readonly deadlockMs: number;
  /** Whether each line of output is labelled with its PE. */
  readonly label: boolean;
  /** Whether PEs run closures that other PEs send. */
  readonly closures: boolean;
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
  /** How long processes wait for each other, and for their launcher. */
  readonly timeoutMs: number;
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
  /** Deno on other hosts; undefined stands for where it is here. */
  readonly remoteDeno: string | undefined;
}

const VARIABLES = {
  backend: {
    name: "LAMELLAR_BACKEND",
    takes: { kind: "enum", words: ["local", "shmem", "rofi"] },
    byDefault: "local for one process, shmem for several of one host, else rofi",
    meaning: "The lamella that carries the traffic: `local` is one process, `shmem` the memory " +
      "that processes of a host share, `rofi` libfabric",
  },
  pes: {
    name: "LAMELLAR_PES",
    takes: { kind: "integer", min: 1, max: 256 },
    byDefault: "the number of cores",
    meaning: "How many PEs the job has",
  },
  heapBytes: {
    name: "LAMELLAR_HEAP_SIZE",
    takes: { kind: "bytes", min: 64 * KIB, max: 1024 * GIB },
    byDefault: "4G shared evenly by the PEs, less the control area",
    meaning: "The heap of each PE, from which memory regions are allocated",
  },
  ringBytes: {
    name: "LAMELLAR_RING_SIZE",
    takes: { kind: "bytes", min: 4 * KIB, max: GIB, pow2: true },
    byDefault: "a size that suits the number of PEs",
    meaning: "The ring from one PE to another, for active messages; rofi takes 64K at the least",
  },
  amThresholdBytes: {
    name: "LAMELLAR_AM_SIZE_THRESHOLD",
    takes: { kind: "bytes", min: 0, max: GIB },
    byDefault: "100000",
    meaning: "How much is gathered for one destination before it is published",
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
    byDefault: "6000, or 100 where PEs share cores",
    meaning: "How often a waiting PE looks before it offers its core to others, and then sleeps",
  },
  deadlockWarningMs: {
    name: "LAMELLAR_DEADLOCK_WARNING_TIMEOUT",
    takes: { kind: "seconds", max: 1_000_000 },
    byDefault: "10",
    meaning: "How long nothing moves before the watchdog reports who waits for whom; 0 is never",
  },
  deadlockMs: {
    name: "LAMELLAR_DEADLOCK_TIMEOUT",
    takes: { kind: "seconds", max: 1_000_000 },
    byDefault: "600",
    meaning: "How long nothing moves before the job is ended; 0 is never",
  },
  label: {
    name: "LAMELLAR_LABEL",
    takes: { kind: "boolean" },
    byDefault: "0",
    meaning: "Whether each line of output starts with the PE it came from",
  },
  closures: {
    name: "LAMELLAR_CLOSURES",
    takes: { kind: "boolean" },
    byDefault: "1",
    meaning: "Whether PEs run closures that other PEs send them",
  },
  ffiFastCall: {
    name: "LAMELLAR_FFI_FASTCALL",
    takes: { kind: "boolean" },
    byDefault: "1",
    meaning: "Whether libfabric is called the fast way where there is one; 0 is to find faults",
  },
  shareMemory: {
    name: "LAMELLAR_SHARE_MEMORY",
    takes: { kind: "boolean" },
    byDefault: "1; 0 for processes of one host alone that are to use rofi or a provider but shm",
    meaning: "Whether processes of a host share memory, whatever is between hosts",
  },
  provider: {
    name: "LAMELLAR_ROFI_PROVIDER",
    takes: { kind: "text", what: "a libfabric provider, such as tcp or verbs" },
    byDefault: "the best there is",
    meaning: "The libfabric provider that carries the traffic between processes",
  },
  domain: {
    name: "LAMELLAR_ROFI_DOMAIN",
    takes: { kind: "text", what: "a libfabric domain, such as eth0 or mlx5_0" },
    byDefault: "the best there is",
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
    byDefault: "60",
    meaning: "How long processes wait for each other while the job starts",
  },
  rendezvous: {
    name: "LAMELLAR_RENDEZVOUS",
    takes: { kind: "text", what: "host:port or [address]:port" },
    byDefault: "none",
    meaning: "Where rank 0 listens, for processes that no launcher connects",
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
    meaning: "How many processes a rendezvous has",
  },
  secret: {
    name: "LAMELLAR_SECRET",
    takes: { kind: "text", what: "at least 16 characters" },
    byDefault: "none",
    meaning: "What the processes of a rendezvous prove to know before they are let in",
  },
  secretFile: {
    name: "LAMELLAR_SECRET_FILE",
    takes: { kind: "text", what: "a path" },
    byDefault: "none",
    meaning: "A file that holds the secret, and that only its owner may read",
  },
  launcher: {
    name: "LAMELLAR_LAUNCHER",
    takes: { kind: "boolean" },
    byDefault: "0",
    meaning: "Whether `scripts/launch.ts` started the process; it sets this itself",
  },
} as const satisfies Record<keyof BootstrapConfig, Variable>;

const LAUNCHER = {
  pesPerProcess: {
    name: "LAMELLAR_PES_PER_PROCESS",
    takes: { kind: "integer", min: 1, max: 256 },
    byDefault: "LAMELLAR_PES shared evenly, or 1",
    meaning: "How many PEs each process of a job of several has",
  },
  ssh: {
    name: "LAMELLAR_SSH",
    takes: { kind: "text", what: "a command" },
    byDefault: "ssh",
    meaning: "What the launcher reaches other hosts by; options may follow, with spaces between",
  },
  remoteDeno: {
    name: "LAMELLAR_REMOTE_DENO",
    takes: { kind: "text", what: "a path" },
    byDefault: "where it is on the host of the launcher, or else on the path",
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
    deadlockMs: milliseconds(VARIABLES.deadlockMs, env) ?? 600_000,
    label: boolean(VARIABLES.label, env) ?? false,
    closures: boolean(VARIABLES.closures, env) ?? true,
    ffiFastCall: boolean(VARIABLES.ffiFastCall, env) ?? true,
    shareMemory: boolean(VARIABLES.shareMemory, env),
    provider: valueOf(VARIABLES.provider, env),
    domain: valueOf(VARIABLES.domain, env),
  };
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
    timeoutMs: milliseconds(BOOTSTRAP.timeoutMs, env) ?? 60_000,
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
 * Finds variables that look like ours and are none, such as a misspelt one, which would otherwise
 * be passed over in silence.
 *
 * @param names The names of the variables that are set
 * @returns A line of warning for each
 */
export function unknownVariables(names: Iterable<string>): string[] {
  const warnings: string[] = [];
  for (const name of [...names].sort()) {
    if (!/^LAMELLA[RE]_/.test(name) || NAMES.includes(name)) continue;
    const nearest = nearestName(name);
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

function nearestName(name: string): string | undefined {
  let best: string | undefined;
  // Further away than half of what follows the prefix, a guess would only mislead.
  let distanceMax = Math.floor((name.length - "LAMELLAR_".length) / 2) + 1;
  for (const known of NAMES) {
    const distance = editDistance(name, known);
    if (distance < distanceMax) [best, distanceMax] = [known, distance];
  }
  return best;
}

/** How many letters must be put in, left out or exchanged to turn one text into the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchange = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, exchange));
    }
    row = next;
  }
  return row[b.length]!;
}
