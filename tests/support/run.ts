/**
 * Runs a program on PEs in a process of its own, with a wall-clock limit: a stuck Worker cannot be
 * terminated, a process can.
 *
 * @module
 */

import { fromFileUrl } from "./paths.ts";

/** The launcher, as a path. */
export const LAUNCHER: string = fromFileUrl(new URL("../../scripts/launch.ts", import.meta.url));

/** What to run, and how. */
export interface RunOptions {
  /** The program: a `file:` URL, or a path or URL as text. */
  readonly program: URL | string;
  /** Number of PEs. */
  readonly pes: number;
  /** Arguments for the program. */
  readonly args?: readonly string[];
  /** Variables set for it beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads from its standard input; without it the input is empty. */
  readonly stdin?: string | Uint8Array<ArrayBuffer>;
  /** Holds its input back until this text has appeared on its standard output. */
  readonly stdinAfter?: string;
  /** When its process group is killed, in milliseconds; 20 000 without it. */
  readonly timeoutMs?: number;
  /** Flags of `deno run`; `-A` without it. */
  readonly flags?: readonly string[];
  /** Whether the launcher starts it rather than `LAMELLAR_PES`. */
  readonly launcher?: boolean;
  /** Options of the launcher beside `-n`. */
  readonly launcherFlags?: readonly string[];
  /** Closes the reading end of its standard output once so many bytes came, as `head` does. */
  readonly closeStdoutAfter?: number;
}

/** How a program ended. */
export interface RunResult {
  /** Its exit code; -1 if a signal ended it, as the limit does. */
  readonly code: number;
  /** The signal that ended it; `SIGKILL` at the limit. */
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  /** The same, byte for byte. */
  readonly stdoutBytes: Uint8Array;
  readonly stderr: string;
  /** How long it ran, from its start to its exit. */
  readonly ms: number;
}

/** A program that runs. */
export interface RunningProgram {
  readonly pid: number;
  /** Settles when it has ended. */
  readonly result: Promise<RunResult>;
  /** What it has written to its standard output so far. */
  output(): string;
  /** Settles when it has written more to its standard output; rejects if it ends instead. */
  moreOutput(): Promise<void>;
  /** Settles once the text appeared on its standard output or error; rejects if it ends before. */
  seen(text: string): Promise<void>;
  /** Sends a signal to the process, or to its whole group as a terminal does. */
  kill(signal: Deno.Signal, group?: boolean): void;
}

/**
 * Runs a program to its end, or to its limit.
 *
 * @param options What to run.
 * @returns How it ended.
 */
export function runProgram(options: RunOptions): Promise<RunResult> {
  return startProgram(options).result;
}

/**
 * Starts a program.
 *
 * @param options What to run.
 * @returns The program, which ends at its limit at the latest.
 */
export function startProgram(options: RunOptions): RunningProgram {
  return startDeno(commandLine(options), {
    ...options,
    env: options.launcher ? options.env : { LAMELLAR_PES: String(options.pes), ...options.env },
  });
}

function commandLine(options: RunOptions): string[] {
  const program = options.program instanceof URL && options.program.protocol === "file:"
    ? fromFileUrl(options.program)
    : String(options.program);
  const launcher = options.launcher
    ? [LAUNCHER, "-n", String(options.pes), ...options.launcherFlags ?? []]
    : [];
  // Quiet: what Deno downloads into an empty cache is not what the program writes.
  return [
    "run",
    "--quiet",
    ...options.flags ?? ["-A"],
    ...launcher,
    program,
    ...options.args ?? [],
  ];
}

/** The environment of a process, its input and its limit. */
export interface StartOptions {
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly stdin?: string | Uint8Array<ArrayBuffer>;
  readonly stdinAfter?: string;
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly closeStdoutAfter?: number;
}

/**
 * Starts Deno with any command line.
 *
 * @param args Arguments of Deno.
 * @param options The environment, the input and the limit.
 * @returns The process, which ends at its limit at the latest.
 */
export function startDeno(args: readonly string[], options: StartOptions = {}): RunningProgram {
  return startCommand([Deno.execPath(), ...args], options);
}

/**
 * Starts a program of any kind.
 *
 * @param command The program and its arguments.
 * @param options The environment, the input and the limit.
 * @returns The process, which ends at its limit at the latest.
 */
export function startCommand(
  command: readonly string[],
  options: StartOptions = {},
): RunningProgram {
  const start = performance.now();
  const child = new Deno.Command(command[0]!, {
    args: command.slice(1),
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    detached: true,
  }).spawn();
  const timer = setTimeout(
    () => send(-child.pid, "SIGKILL"),
    options.timeoutMs ?? 20_000,
  );
  const stdout = new Output(child.stdout, options.closeStdoutAfter);
  const stderr = new Output(child.stderr);
  if (options.stdin !== undefined) {
    const ready = options.stdinAfter === undefined ? undefined : stdout.seen(options.stdinAfter);
    feed(child.stdin, options.stdin, ready);
  }
  const result = (async () => {
    const status = await child.status;
    const ms = performance.now() - start;
    clearTimeout(timer);
    send(-child.pid, "SIGKILL");
    await Promise.all([stdout.closed, stderr.closed]);
    const { signal } = status;
    return {
      code: signal ? -1 : status.code,
      signal,
      stdout: stdout.text,
      stdoutBytes: stdout.bytes(),
      stderr: stderr.text,
      ms,
    };
  })();
  return {
    pid: child.pid,
    result,
    output: () => stdout.text,
    moreOutput: () => stdout.more(),
    seen: (text) => Promise.any([stdout.seen(text), stderr.seen(text)]),
    kill: (signal, group = false) => send(group ? -child.pid : child.pid, signal),
  };
}

async function feed(
  stream: WritableStream<Uint8Array<ArrayBuffer>>,
  data: string | Uint8Array<ArrayBuffer>,
  ready: Promise<void> | undefined,
): Promise<void> {
  const writer = stream.getWriter();
  try {
    await ready;
    await writer.write(typeof data === "string" ? new TextEncoder().encode(data) : data);
    await writer.close();
  } catch {
    // A program need not read its input to the end.
  }
}

function send(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    // Nothing of it is left, which is how it should be.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Collects an output stream and tells when a text has come. */
class Output {
  text = "";
  readonly #chunks: Uint8Array[] = [];
  readonly closed: Promise<void>;
  #watchers: { sees: () => boolean; found: () => void; lost: () => void }[] = [];
  #ended = false;

  constructor(stream: ReadableStream<Uint8Array>, bytesMax = Infinity) {
    this.closed = this.#read(stream, bytesMax);
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  seen(text: string): Promise<void> {
    return this.#until(() => this.text.includes(text), `without "${text}"`);
  }

  more(): Promise<void> {
    const length = this.text.length;
    return this.#until(() => this.text.length > length, "although more was to come");
  }

  #until(sees: () => boolean, otherwise: string): Promise<void> {
    return new Promise((found, reject) => {
      const lost = () => reject(new Error(`Output ended ${otherwise}: ${this.text}`));
      this.#watchers.push({ sees, found, lost });
      this.#look();
      if (this.#ended) lost();
    });
  }

  async #read(stream: ReadableStream<Uint8Array>, bytesMax: number): Promise<void> {
    const decoder = new TextDecoder();
    let bytes = 0;
    for await (const chunk of stream) {
      this.#chunks.push(chunk);
      this.text += decoder.decode(chunk, { stream: true });
      this.#look();
      bytes += chunk.length;
      // Leaving the loop closes the stream.
      if (bytes >= bytesMax) break;
    }
    this.#ended = true;
    for (const { lost } of this.#watchers) lost();
  }

  #look(): void {
    this.#watchers = this.#watchers.filter(({ sees, found }) => {
      if (!sees()) return true;
      found();
      return false;
    });
  }
}
