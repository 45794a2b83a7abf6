/**
 * The command line of the launcher. Its options end at the program: what follows belongs to the
 * program.
 *
 * @module
 */

import { nearestWord } from "../internal/nearest_word.ts";

/** What the launcher is asked to do. */
export interface LaunchArgs {
  /** Settings given by an option, by the name of the variable they replace. */
  readonly settings: Map<string, Setting>;
  /** The program as it was written, undefined for the demonstration. */
  readonly program: string | undefined;
  /** Arguments for the program. */
  readonly args: readonly string[];
  /** What is asked of a job of several processes. */
  readonly cluster: ClusterArgs;
  /** What to show instead of running anything. */
  readonly show: "help" | "version" | undefined;
}

/** The options that concern processes and hosts; undefined where one was not given. */
export interface ClusterArgs {
  readonly processes: number | undefined;
  readonly pesPerProcess: number | undefined;
  readonly pesPerHost: number | undefined;
  readonly hosts: string | undefined;
  readonly hostfile: string | undefined;
  /** Variables to pass on, as `NAME` or `NAME=value`. */
  readonly env: readonly string[];
  /** Flags of `deno run` for the processes; an empty list means those of the launcher. */
  readonly flags: readonly string[];
  /** Whether the program is a command of the system rather than a module. */
  readonly exec: boolean;
}

/** The value of an option. */
export interface Setting {
  /** The option as it was written, for messages. */
  readonly option: string;
  readonly value: string;
}

/** The command line cannot be understood. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Options that set what a variable sets too. */
const SETTINGS: Readonly<Record<string, { variable: string; takesValue: boolean }>> = {
  "-n": { variable: "LAMELLAR_PES", takesValue: true },
  // As MPI's launchers have it.
  "-np": { variable: "LAMELLAR_PES", takesValue: true },
  "--np": { variable: "LAMELLAR_PES", takesValue: true },
  "--pes": { variable: "LAMELLAR_PES", takesValue: true },
  "--heap": { variable: "LAMELLAR_HEAP_SIZE", takesValue: true },
  "-l": { variable: "LAMELLAR_LABEL", takesValue: false },
  "--label": { variable: "LAMELLAR_LABEL", takesValue: false },
  "--backend": { variable: "LAMELLAR_BACKEND", takesValue: true },
};

/** Options of jobs of several processes, and whether they take a value. */
const CLUSTER: Readonly<Record<string, boolean>> = {
  "--processes": true,
  "--pes-per-process": true,
  "--pes-per-host": true,
  "--hosts": true,
  "--hostfile": true,
  "-x": true,
  "--exec": false,
};

/** Flags of `deno run` that go to the processes as they are. */
const DENO_FLAG = new RegExp(
  "^(?:-A|--(?:(?:allow|deny|ignore)-[a-z-]+|cached-only|no-remote|no-npm|" +
    "unstable-[a-z-]+|v8-flags|import-map|config|lock|no-lock|no-config)(?:=.*)?)$",
);

/** Most processes and most PEs of one of them, against slips of the finger. */
const COUNT_MAX = 65536;

const SHOWS: Readonly<Record<string, "help" | "version">> = {
  "-h": "help",
  "--help": "help",
  "--version": "version",
};

/**
 * Reads the command line.
 *
 * @param args What followed the launcher.
 * @returns What is asked for.
 * @throws {UsageError} If an option is not known, lacks its value, or has one it does not take.
 */
export function parseLaunchArgs(args: readonly string[]): LaunchArgs {
  const settings = new Map<string, Setting>();
  const cluster: ClusterOptions = { env: [], flags: [] };
  let show: "help" | "version" | undefined;
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "--") {
      at++;
      break;
    }
    if (arg === "-" || !arg.startsWith("-")) break;
    show ??= SHOWS[arg];
    if (SHOWS[arg]) continue;
    if (DENO_FLAG.test(arg)) {
      cluster.flags.push(arg);
      continue;
    }
    const { option, attached } = split(arg);
    const takesValue = SETTINGS[option]?.takesValue ??
      (Object.hasOwn(CLUSTER, option) ? CLUSTER[option] : undefined);
    if (takesValue === undefined) {
      throw new UsageError(unknown(arg, option));
    }
    if (!takesValue && attached !== undefined) {
      throw new UsageError(`Option ${option} takes no value, got "${attached}"`);
    }
    const value = takesValue ? attached ?? args[++at] : "1";
    if (value === undefined) throw new UsageError(`Option ${option} needs a value`);
    if (value === "") throw new UsageError(`Option ${option} needs a value, got ""`);
    const setting = SETTINGS[option];
    if (setting) settings.set(setting.variable, { option, value });
    else if (option === "-x") cluster.env.push(value);
    else cluster[option] = value;
  }
  return {
    settings,
    program: args[at],
    args: args.slice(at + 1),
    cluster: readCluster(cluster),
    show,
  };
}

/** The options of a cluster as they were written, the last one of each. */
interface ClusterOptions {
  readonly env: string[];
  readonly flags: string[];
  [option: string]: string | string[];
}

function readCluster(options: ClusterOptions): ClusterArgs {
  const { env, flags } = options;
  for (const one of env) {
    if (!/^[A-Za-z_]\w*(?:=|$)/.test(one)) {
      throw new UsageError(`Option -x takes NAME or NAME=value, got ${JSON.stringify(one)}`);
    }
  }
  const text = (option: string): string | undefined => options[option] as string | undefined;
  if (text("--hosts") !== undefined && text("--hostfile") !== undefined) {
    throw new UsageError("Cannot use both --hosts and --hostfile");
  }
  return {
    processes: count("--processes", text("--processes")),
    pesPerProcess: count("--pes-per-process", text("--pes-per-process")),
    pesPerHost: count("--pes-per-host", text("--pes-per-host")),
    hosts: text("--hosts"),
    hostfile: text("--hostfile"),
    env,
    flags,
    exec: text("--exec") !== undefined,
  };
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= COUNT_MAX) return value;
  throw new UsageError(
    `${option} must be a whole number from 1 to ${COUNT_MAX}, got ${JSON.stringify(text)}`,
  );
}

/** Takes `--name=value`, `-n=4` and `-n4` apart. */
function split(arg: string): { option: string; attached: string | undefined } {
  const [, option, attached] = /^(--[^=]*|-np(?![^=\d])|-[^-])(.*)$/s.exec(arg)!;
  if (attached === "") return { option: option!, attached: undefined };
  return { option: option!, attached: attached!.replace(/^=/, "") };
}

/** The message for an unknown option: which one was probably meant, or which ones there are. */
function unknown(arg: string, option: string): string {
  const known = [...Object.keys(SETTINGS), ...Object.keys(CLUSTER), ...Object.keys(SHOWS)];
  // A word behind one hyphen is a long option, written as others have it.
  const written = arg.replace(/=.*/s, "");
  const word = written.replace(/^-(?=[a-z]{2})/, "--");
  const long = known.filter((name) => name.startsWith("--"));
  const nearest = nearestWord(word, long, Math.ceil((word.length - 2) / 3));
  if (nearest !== undefined) return `Unknown option ${written}; did you mean ${nearest}?`;
  return `Unknown option ${word === written ? option : written}; there are ${known.join(", ")}, ` +
    "and flags of deno run for the processes; --help says what they do";
}

/** What `--help` shows. */
export const HELP = `Run a program on PEs of this machine, or of several.

  launch.ts [option…] [program.ts [argument…]]

The program is a path or a URL; without one, a demonstration runs. The arguments after
the program go to the program.

  -n, --pes N      number of PEs, 1 to 256; otherwise LAMELLAR_PES or the number of cores;
                   -np and --np are the same
  -l, --label      put the number of its PE before each line of output
      --heap SIZE  heap of each PE, such as 512M; otherwise LAMELLAR_HEAP_SIZE, or an even
                   share of 4G; a process has at most 16G for all its memory
      --backend B  the lamella: local (one process), shmem (several on one host) or rofi (any
                   number, over libfabric); otherwise LAMELLAR_BACKEND, or what the job needs
  -h, --help       show this
      --version    show the version

Several processes and hosts:

      --processes N        number of processes, which share the PEs evenly; otherwise one per host
      --pes-per-process N  number of PEs of each process
      --hosts A,B:4,…      where they run, by ssh; B:4 takes at most 4 PEs
      --hostfile FILE      the same from a file, one host per line
      --pes-per-host N     number of PEs of each host
  -x NAME[=VALUE]          pass a variable to all processes; LAMELLAR_… are passed anyway
  -A, --allow-…, --deny-…  flags of deno run for the processes; otherwise those of the launcher
      --exec               run a system command instead of a module, once per process

Ctrl-C ends the job; a second Ctrl-C ends it at once. The exit code is that of the first
PE that fails, 130 after Ctrl-C, and 2 for a command line or a setting that cannot be used.`;
