/**
 * Signals at random moments to one process of a job, and what has to become of the job then.
 *
 * @module
 */

import { becomes, isAlive, processesWith, stateOf } from "./processes.ts";
import { programUrl } from "./paths.ts";
import { type RunningProgram, type RunResult, startProgram } from "./run.ts";
import { SpreadJob } from "./spread.ts";

/** What carries the traffic of a job. */
export const CARRIERS = ["local", "shmem", "tcp"] as const;
const MOMENTS = ["start", "work", "collectives", "end"] as const;
const SIGNALS = ["SIGKILL", "SIGABRT", "SIGSTOP", "SIGTERM", "SIGINT"] as const;

/** How long after the start of the launcher a signal to a process that starts comes at most. */
const START_MS = 1500;
/** How long after the beginning of a phase a signal comes at most. */
const PHASE_MS = 400;
/** How long a process that goes on was stopped at most: well below any limit. */
const PAUSE_MS = 1000;
/** How long a process may give no sign of life: in its start and at its end, the longest. */
const SILENCE_MS = 5000;
/** How long a job may take to be gone after a sign was missed. */
const END_MS = 5000;
/** How long a job may take at all, and what it left to go. */
const JOB_MS = 60_000;
const CLEAR_MS = 3000;

/** The variable by which the processes of a job are known. */
const MARK = "INJECTION_MARK";

/** A signal, and when it comes. */
export interface Injection {
  readonly carrier: typeof CARRIERS[number];
  readonly processes: number;
  /** The process that gets it. */
  readonly victim: number;
  readonly signal: typeof SIGNALS[number];
  readonly moment: typeof MOMENTS[number];
  /** How long after the beginning of that moment, in milliseconds. */
  readonly delayMs: number;
  /** How long the process is stopped before it goes on, in milliseconds; undefined if for ever. */
  readonly pauseMs: number | undefined;
}

/**
 * Numbers that a seed determines: mulberry32.
 *
 * @param seed 32 bits.
 * @returns Gives a number from 0 up to a limit, which it does not reach.
 */
export function chanceOf(seed: number): (limit: number) => number {
  let state = seed | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * limit;
  };
}

/**
 * @param carrier What carries the traffic.
 * @param chance Random numbers.
 * @returns A random injection.
 */
export function drawInjection(
  carrier: Injection["carrier"],
  chance: (limit: number) => number,
): Injection {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(chance(from.length))]!;
  const processes = carrier === "local" ? 1 : pick([2, 3]);
  const [victim, signal, moment] = [Math.floor(chance(processes)), pick(SIGNALS), pick(MOMENTS)];
  const delayMs = chance(moment === "start" ? START_MS : PHASE_MS);
  const [goesOn, pauseMs] = [chance(2) < 1, chance(PAUSE_MS)];
  // Nobody else could tell that the only process has been stopped.
  const pauses = signal === "SIGSTOP" && (carrier === "local" || goesOn);
  return {
    carrier,
    processes,
    victim,
    signal,
    moment,
    delayMs: Math.round(delayMs),
    pauseMs: pauses ? Math.round(pauseMs) : undefined,
  };
}

/**
 * @param injection A signal, and when it comes.
 * @returns The same in words.
 */
export function describeInjection(injection: Injection): string {
  const { carrier, processes, victim, signal, moment, delayMs, pauseMs } = injection;
  const pause = pauseMs === undefined ? "" : ` for ${pauseMs} ms`;
  return `${signal}${pause} to process ${victim} of ${processes} on ${carrier}, ` +
    `${delayMs} ms after the beginning of ${moment}`;
}

/**
 * Runs a job, does what is to be done to it, and checks its end.
 *
 * @param injection The signal, and when it comes.
 * @returns What is wrong with the end; nothing if all is as it should be.
 */
export async function inject(injection: Injection): Promise<string[]> {
  const { moment, delayMs, pauseMs, signal } = injection;
  const mark = crypto.randomUUID();
  const folder = Deno.makeTempDirSync({ prefix: "injection" });
  const program = startJob(injection, { [MARK]: mark, TMPDIR: folder });
  const begin = moment === "start" ? Promise.resolve() : program.seen(`now ${moment}`);
  // A job that ends by itself before fails the checks below.
  await begin.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  let pid: number | undefined;
  await becomes(() => (pid = victimOf(injection, mark, program)) !== undefined, JOB_MS);
  const pids = processesWith(`${MARK}=${mark}`).map(({ pid }) => pid);
  const at = performance.now();
  const hit = pid !== undefined && send(pid, signal);
  const sentAt = Date.now();
  if (hit && pauseMs !== undefined) setTimeout(() => send(pid!, "SIGCONT"), pauseMs);
  const result = await program.result;
  const ms = hit ? performance.now() - at : undefined;
  const faults = judge(injection, result, { late: isLate(result, sentAt), ms });
  const left = (): string[] => leftOf(mark, folder, pids);
  await becomes(() => left().length === 0, CLEAR_MS);
  faults.push(...left().map((what) => `${what} was left`));
  await Deno.remove(folder, { recursive: true });
  return faults.map((fault) => `${fault}\n${result.stdout}${result.stderr}`);
}

function startJob(
  { carrier, processes }: Injection,
  env: Readonly<Record<string, string>>,
): RunningProgram {
  const limit = { timeoutMs: JOB_MS };
  if (carrier === "local") {
    const program = programUrl("injected.ts");
    return startProgram({ program, pes: 2, launcher: true, env, ...limit });
  }
  const shape = { starter: "launcher", provider: carrier, processes } as const;
  const program = "tests/programs/injected.ts";
  return new SpreadJob({ ...shape, program, args: [], env, ...limit }).programs[0]!;
}

/** The process that is to get the signal, if it is there; it need not have begun to run Deno. */
function victimOf(
  { carrier, victim }: Injection,
  mark: string,
  program: RunningProgram,
): number | undefined {
  if (carrier === "local") return program.pid;
  return processesWith(`${MARK}=${mark}`).find(({ environ }) =>
    environ.includes(`PMI_RANK=${victim}`)
  )?.pid ??
    (isAlive(program.pid) ? undefined : -1);
}

function send(pid: number, signal: Deno.Signal): boolean {
  if (pid < 0) return false;
  try {
    Deno.kill(pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Whether a signal may find that all is over: on a busy machine this process may come to send it,
 * or to read what the job says, only then. So the job says when its end began.
 */
function isLate({ stdout }: RunResult, sentAt: number): boolean {
  const [, endAt] = /^now end at (\d+)$/m.exec(stdout) ?? [];
  return endAt !== undefined && Number(endAt) <= sentAt;
}

/** When a signal was sent: perhaps too late, and how long before the end, if at all. */
interface Sent {
  readonly late: boolean;
  readonly ms: number | undefined;
}

function judge(injection: Injection, result: RunResult, { late, ms }: Sent): string[] {
  const { carrier, processes, signal, victim, pauseMs, moment } = injection;
  const { code, stdout, stderr } = result;
  const pes = carrier === "local" ? 2 : processes;
  const done = Array.from({ length: pes }, (_, pe) => `done PE ${pe}\n`)
    .every((line) => stdout.includes(line));
  if (pauseMs !== undefined || ms === undefined || (late && done && code === 0)) {
    return code === 0 && done && stderr === "" ? [] : [`the job did not go on: code ${code}`];
  }
  const faults: string[] = [];
  const limit = END_MS + (signal === "SIGSTOP" ? SILENCE_MS : 0);
  if (ms > limit) faults.push(`it ended ${Math.round(ms)} ms after the signal`);
  if (code === 0) faults.push("it ended with exit code 0");
  // A process that is killed alone can say nothing.
  const silent = carrier === "local" && result.signal === signal;
  const early = carrier === "local" && moment === "start";
  const who = carrier === "local" ? /by SIG/ : new RegExp(`^lamellar: .*PEs? ${victim}\\b`, "m");
  if (!silent && !early && !who.test(stderr)) faults.push("it does not say who");
  return faults;
}

/** Processes and files that a job has left; sockets are gone with the processes. */
function leftOf(mark: string, folder: string, pids: readonly number[]): string[] {
  const processes = processesWith(`${MARK}=${mark}`);
  const shm = [...Deno.readDirSync("/dev/shm")].map(({ name }) => name);
  return [
    ...processes.map(({ pid }) => `process ${pid} (${stateOf(pid)})`),
    ...shm.filter((name) => pids.some((pid) => name.includes(`-${pid}-`))),
    ...[...Deno.readDirSync(folder)].map(({ name }) => `file ${name}`),
  ];
}
