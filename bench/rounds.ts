/**
 * Measures one case: ours and its floors in turn, round after round, and the medians of it.
 *
 * @module
 */
import { type ChildResult, runChild } from "./child.ts";
import type { BenchCase, Contender } from "./contender.ts";
import type { Toolbox } from "./toolbox.ts";

/** One line of the report. */
export interface BenchResult {
  readonly case: string;
  readonly lamella: string;
  readonly pes: number;
  readonly unit: string;
  /** Our median; null when ours failed. */
  readonly ours: number | null;
  /** The median of the floor or peer; null when none could run. */
  readonly floor: number | null;
  readonly floorName: string | null;
  /** Above 1 when we are ahead, whichever way the unit points. */
  readonly ratio: number | null;
  /** How many measurements stand behind each median. */
  readonly runs: number;
}

const CHILD_LIMIT_MS = 60_000;

/**
 * Runs a case, with ours and the floors interleaved, so that a slow minute of the machine hits all.
 *
 * A contender that fails is reported on standard error and left out of the later rounds.
 *
 * @param benchCase the case
 * @param toolbox what turns contenders into commands
 * @param rounds how often each contender runs
 * @returns a line for each floor, or a single one when there is none
 */
export async function measureCase(
  benchCase: BenchCase,
  toolbox: Toolbox,
  rounds: number,
): Promise<BenchResult[]> {
  const contenders = [benchCase.ours, ...benchCase.floors].filter((each) => toolbox.has(each));
  const values = new Map<Contender, number[]>(contenders.map((each) => [each, []]));
  // Start-up is measured with warm caches; all other programs warm up by themselves.
  const warmUps = benchCase.measure === "elapsed" ? 1 : 0;
  for (let round = -warmUps; round < rounds; round++) {
    for (const [contender, measured] of values) {
      const value = await measureOnce(benchCase, contender, toolbox);
      if (value === null) values.delete(contender);
      else if (round >= 0) measured.push(value);
    }
  }
  return summarize(benchCase, values);
}

/** The middle of the values, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot take the median: there are no values");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle]!;
  return sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2;
}

/**
 * Turns the measurements of a case into lines of the report.
 *
 * @param benchCase the case
 * @param values the measurements of each contender that finished
 */
export function summarize(
  benchCase: BenchCase,
  values: ReadonlyMap<Contender, readonly number[]>,
): BenchResult[] {
  const oursRuns = values.get(benchCase.ours) ?? [];
  const ours = oursRuns.length > 0 ? median(oursRuns) : null;
  const common = {
    case: benchCase.name,
    lamella: lamellaOf(benchCase.ours),
    pes: benchCase.pes,
    unit: benchCase.unit,
    ours,
  };
  const lines = benchCase.floors.flatMap((contender): BenchResult[] => {
    const runs = values.get(contender) ?? [];
    if (runs.length === 0) return [];
    const floor = median(runs);
    const ratio = ours === null ? null : benchCase.lowerIsBetter ? floor / ours : ours / floor;
    return [{ ...common, floor, floorName: contender.name, ratio, runs: runs.length }];
  });
  if (lines.length > 0) return lines;
  return [{ ...common, floor: null, floorName: null, ratio: null, runs: oursRuns.length }];
}

function lamellaOf({ spread }: Contender): string {
  if (!spread) return Deno.env.get("LAMELLAR_BACKEND") ?? "local";
  return spread.carrier === "shmem" ? "shmem" : "rofi";
}

async function measureOnce(
  benchCase: BenchCase,
  contender: Contender,
  toolbox: Toolbox,
): Promise<number | null> {
  const command = toolbox.command(contender, benchCase.pes);
  const child = await runChild(command, toolbox.workingFolder, CHILD_LIMIT_MS);
  const value = child.success ? valueOf(benchCase, child) : null;
  if (value !== null) return value;
  const problem = child.problem || "it printed no measurement";
  console.error(`${benchCase.name}: cannot measure ${contender.name}: ${problem}`);
  return null;
}

function valueOf(benchCase: BenchCase, child: ChildResult): number | null {
  return benchCase.measure === "elapsed" ? child.elapsedSeconds : printedValue(child.stdout);
}

/** Reads the value of the first line of measurement; other output is allowed around it. */
export function printedValue(stdout: string): number | null {
  for (const line of stdout.split("\n")) {
    if (!line.startsWith('{"metric"')) continue;
    const { value } = JSON.parse(line) as { value: unknown };
    if (typeof value === "number" && Number.isFinite(value)) return value;
  }
  return null;
}
