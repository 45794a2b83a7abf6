/**
 * Runs one child process with a wall-clock limit.
 *
 * @module
 */

/** What came of a child. */
export interface ChildResult {
  readonly success: boolean;
  readonly stdout: string;
  /** From start to exit. */
  readonly elapsedSeconds: number;
  /** Why it failed, with the first lines it wrote to standard error; empty after a success. */
  readonly problem: string;
}

const PROBLEM_LINES_MAX = 6;
/** How long a process that was told to end may take to do so. */
export const GRACE_MS = 2_000;

/**
 * Runs a command to its end and collects what it prints.
 *
 * A child that outlives the limit gets SIGTERM, which `mpirun` passes on to its ranks, and SIGKILL
 * two seconds later.
 *
 * @param command the program and its arguments
 * @param workingFolder where it starts
 * @param limitMs how long it may take
 */
export async function runChild(
  command: readonly string[],
  workingFolder: string,
  limitMs: number,
): Promise<ChildResult> {
  const [program, ...args] = command;
  if (program === undefined) throw new TypeError("Cannot run a child: the command is empty");
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args,
      cwd: workingFolder,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    return failed("", elapsed(), `${program} is not installed`);
  }
  let late = false;
  const timers = [
    setTimeout(() => {
      late = true;
      stop(child, "SIGTERM");
    }, limitMs),
    setTimeout(() => stop(child, "SIGKILL"), limitMs + GRACE_MS),
  ];
  const { stdout, stderr, code, signal } = await child.output();
  const elapsedSeconds = elapsed();
  timers.forEach(clearTimeout);
  const decoder = new TextDecoder();
  const printed = decoder.decode(stdout);
  if (code === 0 && !late) {
    return { success: true, stdout: printed, elapsedSeconds, problem: "" };
  }
  const ending = late
    ? `it took longer than ${limitMs / 1000} s`
    : signal
    ? `it ended with ${signal}`
    : `it exited with code ${code}`;
  return failed(printed, elapsedSeconds, withFirstLines(ending, decoder.decode(stderr)));
}

function failed(stdout: string, elapsedSeconds: number, problem: string): ChildResult {
  return { success: false, stdout, elapsedSeconds, problem };
}

function withFirstLines(ending: string, stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  return [ending, ...lines.slice(0, PROBLEM_LINES_MAX)].join("\n  ");
}

/** Sends a signal to a child, which may have ended. */
export function stop(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (cause) {
    // It has ended.
    if (!(cause instanceof TypeError)) throw cause;
  }
}
