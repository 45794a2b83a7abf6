/**
 * Child processes with a wall-clock limit, for the project's scripts.
 *
 * @module
 */

/** How a child ended. */
export interface ChildResult {
  /** Its exit code; -1 if the limit ended it. */
  readonly code: number;
  /** What it wrote, both streams as they came. */
  readonly output: string;
  /** How long it ran. */
  readonly seconds: number;
}

/** How to run a child. */
export interface ChildOptions {
  /** The time after which it is ended, with all that it started. */
  readonly limitSeconds: number;
  /** Whether its output is shown while it runs. */
  readonly show?: boolean;
  /** Variables set for it beside those of this process. */
  readonly env?: Record<string, string>;
  /** Where it runs. */
  readonly cwd?: string;
}

/** The process groups that must not outlive this process. */
const groups = new Set<number>();
let watching = false;

/**
 * Runs a command to its end or to its limit. Whatever it leaves behind is ended too, so that a
 * stuck Worker or a forgotten process disturbs nobody.
 *
 * @param command The program and its arguments
 * @param options The limit and the rest
 * @returns How it ended
 */
export async function runChild(
  command: readonly string[],
  options: ChildOptions,
): Promise<ChildResult> {
  watchSignals();
  const start = performance.now();
  const child = new Deno.Command(command[0]!, {
    args: command.slice(1),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    detached: true,
  }).spawn();
  groups.add(child.pid);
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    killGroup(child.pid);
  }, options.limitSeconds * 1000);
  const pieces: string[] = [];
  const pumps = [
    pump(child.stdout, pieces, options.show === true ? Deno.stdout : undefined),
    pump(child.stderr, pieces, options.show === true ? Deno.stderr : undefined),
  ];
  const status = await child.status;
  clearTimeout(timer);
  killGroup(child.pid);
  groups.delete(child.pid);
  await Promise.all(pumps);
  if (expired) pieces.push(`\nended after ${options.limitSeconds} s: ${command.join(" ")}\n`);
  return {
    code: expired ? -1 : status.code,
    output: pieces.join(""),
    seconds: (performance.now() - start) / 1000,
  };
}

async function pump(
  stream: ReadableStream<Uint8Array>,
  pieces: string[],
  echo: typeof Deno.stdout | undefined,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    pieces.push(decoder.decode(chunk, { stream: true }));
    for (let at = 0; echo !== undefined && at < chunk.length;) {
      at += echo.writeSync(chunk.subarray(at));
    }
  }
}

function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    // Nothing of the group is left, which is how it should be.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Children lead groups of their own, so that Ctrl-C reaches this process only. */
function watchSignals(): void {
  if (watching) return;
  watching = true;
  for (const [signal, number] of [["SIGINT", 2], ["SIGTERM", 15]] as const) {
    Deno.addSignalListener(signal, () => {
      for (const pid of groups) killGroup(pid);
      Deno.exit(128 + number);
    });
  }
}
