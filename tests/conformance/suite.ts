/**
 * The driver of the conformance table: runs it on a lamella in some shape, and makes every case a
 * test.
 *
 * @module
 */

import { type RunOptions, runProgram, type RunResult } from "../support/run.ts";
import { onHosts, SpreadJob } from "../support/spread.ts";
import { casesOf, environmentOf, GROUP_NAMES, MARK, type Report } from "./table.ts";

/** A lamella to try. */
export interface LamellaUnderTest {
  /** Its name, as `LAMELLAR_BACKEND` has it. */
  readonly name: string;
  /** Variables that choose it. */
  readonly env: Readonly<Record<string, string>>;
  /** Shapes to try: PEs of one process, or of each of several. */
  readonly shapes: readonly Shape[];
  /** The groups to try; all without it. */
  readonly groups?: readonly string[];
}

/** How many PEs there are: in the process of the launcher, or in each of several it starts. */
export type Shape = number | Spread;

/** Several processes. */
export interface Spread {
  readonly processes: number;
  /** PEs of each. */
  readonly pes: number;
  /** On how many hosts they believe to be. */
  readonly hosts?: number;
}

/** What became of the cases of a group: nothing if it passed, or what went wrong. */
type Outcome = Map<string, string | undefined>;

const PROGRAM = new URL("./program.ts", import.meta.url);

/** A group ends by itself long before; this is for a PE that no watchdog ends. */
const GROUP_LIMIT_MS = 240_000;

/**
 * Makes a test of every case, for every number of PEs.
 *
 * @param lamella The lamella.
 */
export function conformance(lamella: LamellaUnderTest): void {
  for (const shape of lamella.shapes) {
    const pes = pesOf(shape);
    const title = typeof shape === "number"
      ? `${shape} PEs`
      : `${shape.processes} processes of ${shape.pes} PEs${onHowMany(shape)}`;
    for (const group of lamella.groups ?? GROUP_NAMES) {
      let outcome: Promise<Outcome> | undefined;
      const { open, closed } = casesOf(group, pes);
      for (const { name } of [...open, ...closed]) {
        Deno.test(`${lamella.name}, ${title}, ${group}: ${name}`, async () => {
          // The first test of a group runs all of it.
          outcome ??= runGroup(lamella, shape, group);
          const problem = (await outcome).get(name) ?? "it was not reached";
          if (problem !== PASSED) throw new Error(problem);
        });
      }
    }
  }
}

const PASSED = "passed";

function onHowMany({ hosts }: Spread): string {
  return hosts === undefined ? "" : ` on ${hosts} hosts`;
}

function pesOf(shape: Shape): number {
  return typeof shape === "number" ? shape : shape.processes * shape.pes;
}

async function runGroup(
  lamella: LamellaUnderTest,
  shape: Shape,
  group: string,
): Promise<Outcome> {
  const pes = pesOf(shape);
  const { open, closed } = casesOf(group, pes);
  const names = [...open, ...closed].map((test) => test.name);
  const seed = Number(Deno.env.get("CONFORMANCE_SEED") ?? Math.floor(Math.random() * 2 ** 31));
  const outcome: Outcome = new Map();
  for (let from = 0; from < names.length;) {
    const result = await run(shape, {
      args: [group, String(seed), String(from)],
      env: {
        ...lamella.env,
        ...environmentOf(group),
        LAMELLAR_DEADLOCK_WARNING_TIMEOUT: "5",
        LAMELLAR_DEADLOCK_TIMEOUT: "15",
      },
      timeoutMs: GROUP_LIMIT_MS,
    });
    const stopped = readReports(result, outcome);
    if (result.code === 0 && stopped === undefined && outcome.size === names.length) break;
    const culprit = stopped ?? names[from]!;
    outcome.set(culprit, describe(result, outcome.get(culprit), seed, from));
    from = names.indexOf(culprit) + 1;
  }
  return outcome;
}

/** Runs the program in a shape. */
async function run(
  shape: Shape,
  options: Pick<RunOptions, "env" | "timeoutMs"> & { readonly args: readonly string[] },
): Promise<RunResult> {
  if (typeof shape === "number") {
    return await runProgram({ ...options, program: PROGRAM, pes: shape });
  }
  const { hosts, processes } = shape;
  if (hosts === undefined) {
    const launcherFlags = ["--processes", String(processes)];
    const pes = pesOf(shape);
    return await runProgram({ ...options, program: PROGRAM, pes, launcher: true, launcherFlags });
  }
  const program = "tests/conformance/program.ts";
  const apart = onHosts(hosts);
  const job = new SpreadJob({ ...options, ...shape, ...apart, starter: "rendezvous", program });
  return together(await job.ended());
}

/** How processes ended, as if they were one: by the first that did not end well. */
function together(results: readonly RunResult[]): RunResult {
  const first = results.find(({ code }) => code !== 0) ?? results[0]!;
  const text = (of: (result: RunResult) => string): string => results.map(of).join("");
  return { ...first, stdout: text((one) => one.stdout), stderr: text((one) => one.stderr) };
}

/** Notes what the program reported; returns the case at which it stopped, if it did. */
function readReports(result: RunResult, outcome: Outcome): string | undefined {
  let running: string | undefined;
  let failed: string | undefined;
  for (const line of result.stdout.split("\n")) {
    if (!line.startsWith(MARK)) continue;
    const report = JSON.parse(line.slice(MARK.length)) as Report;
    if (report.kind === "begin") running = report.name;
    else if (report.kind === "pass") {
      outcome.set(report.name, PASSED);
      running = undefined;
    } else if (failed === undefined) {
      failed = report.name;
      outcome.set(report.name, `failed on PE ${report.pe}: ${report.error}`);
    }
  }
  return failed ?? running;
}

function describe(
  result: RunResult,
  reported: string | undefined,
  seed: number,
  from: number,
): string {
  const ending = result.signal
    ? `ended by ${result.signal} after ${Math.round(result.ms)} ms`
    : `exit code ${result.code} after ${Math.round(result.ms)} ms`;
  const reason = reported === undefined || reported === PASSED
    ? "the job ended or stood still here"
    : reported;
  return `${reason}\n${ending}, CONFORMANCE_SEED=${seed}, from case ${from}\n${result.stderr}`;
}
