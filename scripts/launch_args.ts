/**
 * The command line of the launcher. Its options end at the program: what follows belongs to the
 * program.
 *
 * @module
 */

/** What the launcher is asked to do. */
export interface LaunchArgs {
  /** Settings given by an option, by the name of the variable they replace. */
  readonly settings: ReadonlyMap<string, Setting>;
  /** The program as it was written, undefined for the demonstration. */
  readonly program: string | undefined;
  /** Arguments for the program. */
  readonly args: readonly string[];
  /** What to show instead of running anything. */
  readonly show: "help" | "version" | undefined;
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
  "--pes": { variable: "LAMELLAR_PES", takesValue: true },
  "--heap": { variable: "LAMELLAR_HEAP_SIZE", takesValue: true },
  "-l": { variable: "LAMELLAR_LABEL", takesValue: false },
  "--label": { variable: "LAMELLAR_LABEL", takesValue: false },
};

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
  let show: "help" | "version" | undefined;
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "--") {
      at++;
      break;
    }
    if (arg === "-" || !arg.startsWith("-")) break;
    const { option, attached } = split(arg);
    show ??= SHOWS[arg];
    if (SHOWS[arg]) continue;
    const setting = SETTINGS[option];
    if (!setting) throw new UsageError(`Unknown option ${option}; --help lists them`);
    if (!setting.takesValue && attached !== undefined) {
      throw new UsageError(`Option ${option} takes no value, got "${attached}"`);
    }
    const value = setting.takesValue ? attached ?? args[++at] : "1";
    if (value === undefined) throw new UsageError(`Option ${option} needs a value`);
    if (value === "") throw new UsageError(`Option ${option} needs a value, got ""`);
    settings.set(setting.variable, { option, value });
  }
  return { settings, program: args[at], args: args.slice(at + 1), show };
}

/** Takes `--name=value` and `-n4` apart. */
function split(arg: string): { option: string; attached: string | undefined } {
  const equals = arg.indexOf("=");
  if (arg.startsWith("--")) {
    return equals < 0
      ? { option: arg, attached: undefined }
      : { option: arg.slice(0, equals), attached: arg.slice(equals + 1) };
  }
  return arg.length === 2
    ? { option: arg, attached: undefined }
    : { option: arg.slice(0, 2), attached: arg.slice(2) };
}

/** What `--help` shows. */
export const HELP = `Run a program on PEs of this machine.

  launch.ts [option…] [program.ts [argument…]]

The program is a path or a URL; without one a demonstration runs. What follows the
program is its own.

  -n, --pes N      number of PEs, 1 to 256; otherwise LAMELLAR_PES or the number of cores
  -l, --label      put the number of its PE before each line of output
      --heap SIZE  heap of each PE, such as 512M or 2G; otherwise LAMELLAR_HEAP_SIZE
  -h, --help       show this
      --version    show the version

Ctrl-C ends the job, twice at once. The exit code is that of the first PE that fails,
130 after Ctrl-C, 2 for a command line or a setting that cannot be used.`;
