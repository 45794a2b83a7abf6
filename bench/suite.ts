/**
 * `deno task bench suite [program…] [--json] [--markdown] [--pes N] [--rounds N]`: the programs of
 * lamellar-benchmarks on each lamella, beside the same in OpenSHMEM, mpi4py and Lamellar for Rust.
 *
 * Everything runs in turn, round after round, so that a slow minute of the machine hits all; the
 * figures are medians. With `--json` one object a line, `{program, by, variant, place, pes, unit,
 * value, runs}`; `--markdown` writes the table as this repository shows it.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { runChild } from "./child.ts";
import { median } from "./rounds.ts";
import { type Place, PLACES, SUITE_PROGRAMS, type SuiteRun, suiteRuns } from "./suite_table.ts";
import { Toolbox } from "./toolbox.ts";

const ROUNDS = 3;
const PES = 2;
const CHILD_LIMIT_MS = 180_000;
const USAGE = "deno task bench suite [program…] [--json] [--markdown] [--pes N] [--rounds N]";

interface Options {
  readonly programs: readonly string[];
  readonly form: "table" | "json" | "markdown";
  readonly pes: number;
  readonly rounds: number;
}

/** What one variant of one program took or did, in one place. */
export interface Figure {
  readonly program: string;
  /** Who wrote what it runs on. */
  readonly by: string;
  readonly variant: string;
  readonly place: Place;
  readonly pes: number;
  readonly unit: string;
  /** The median. */
  readonly value: number;
  readonly runs: number;
}

/** Returns the exit code at once when there is nothing to measure. */
function readOptions(args: readonly string[]): Options | number {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        markdown: { type: "boolean", default: false },
        pes: { type: "string", default: String(PES) },
        rounds: { type: "string", default: String(ROUNDS) },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const unknown = positionals.find((name) => !SUITE_PROGRAMS.includes(name));
    if (unknown !== undefined) {
      throw new RangeError(`Cannot run ${unknown}: the programs are ${SUITE_PROGRAMS.join(", ")}`);
    }
    return {
      programs: positionals.length > 0 ? positionals : SUITE_PROGRAMS,
      form: values.json ? "json" : values.markdown ? "markdown" : "table",
      pes: wholeNumber(values.pes, "PEs"),
      rounds: wholeNumber(values.rounds, "rounds"),
    };
  } catch (cause) {
    console.error(`${(cause as Error).message}\n${USAGE}`);
    return 2;
  }
}

function wholeNumber(text: string, words: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(`Cannot run ${text} ${words}: give a whole number from 1 up`);
}

/** What a program printed about a variant, in the unit of the report. */
interface Line {
  readonly variant: string;
  readonly unit: string;
  readonly value: number;
}

/**
 * Reads the lines that a program of the suite prints; other output is allowed around them.
 *
 * @param stdout what it printed
 * @returns rates in million items a second where there are any, or else seconds
 */
export function readLines(stdout: string): Line[] {
  return stdout.split("\n").filter((line) => line.startsWith('{"program"')).map((line) => {
    const { variant, mups, seconds } = JSON.parse(line) as Record<string, unknown>;
    const value = mups ?? seconds;
    if (typeof value !== "number") throw new TypeError(`There is no figure in ${line}`);
    return { variant: String(variant), unit: mups === undefined ? "s" : "M/s", value };
  });
}

/** Gathers what the rounds bring, in the order in which it comes first. */
export class Figures {
  readonly #values = new Map<string, { figure: Omit<Figure, "value" | "runs">; all: number[] }>();

  /** Takes the lines of one run. */
  add({ program, place, contender }: SuiteRun, pes: number, lines: readonly Line[]): void {
    for (const { variant, unit, value } of lines) {
      const key = [program, contender.name, variant, place].join();
      const figure = { program, by: contender.name, variant, place, pes, unit };
      const known = this.#values.get(key) ?? { figure, all: [] };
      this.#values.set(key, known);
      known.all.push(value);
    }
  }

  /** The medians. */
  list(): Figure[] {
    return Array.from(this.#values.values(), ({ figure, all }) => ({
      ...figure,
      value: median(all),
      runs: all.length,
    }));
  }
}

/**
 * Lays figures out as a table: a row for each variant, a column for each place.
 *
 * @param figures the figures
 * @returns the rows with their cells, under a row of titles
 */
export function tableOf(figures: readonly Figure[]): string[][] {
  const rows = new Map<string, string[]>();
  for (const { program, by, variant, place, unit, value } of figures) {
    const key = [program, by, variant].join();
    const row = rows.get(key) ?? [`${program}, ${unit}`, by, variant, ...PLACES.map(() => "")];
    rows.set(key, row);
    row[3 + PLACES.indexOf(place)] = String(Number(value.toPrecision(value < 100 ? 2 : 3)));
  }
  return [["program", "by", "variant", "local", "shmem", "rofi"], ...rows.values()];
}

/** Writes a table, with cells of the same width in each column. */
export function writeTable(rows: readonly string[][], markdown: boolean): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[], fill = " ") => {
    const cells = row.map((cell, i) => cell.padEnd(widths[i]!, fill));
    return markdown ? `| ${cells.join(" | ")} |` : cells.join("  ").trimEnd();
  };
  const [titles, ...others] = rows.map((row) => line(row));
  const rule = markdown ? [line(widths.map(() => ""), "-")] : [];
  return [titles, ...rule, ...others].join("\n");
}

async function measure(
  runs: readonly SuiteRun[],
  toolbox: Toolbox,
  { pes, rounds }: Options,
): Promise<{ figures: Figure[]; failures: number }> {
  const left = new Set(runs.filter(({ contender }) => toolbox.has(contender)));
  const figures = new Figures();
  let failures = 0;
  for (let round = 0; round < rounds; round++) {
    for (const run of left) {
      const { contender, program, place } = run;
      const command = toolbox.command(contender, pes);
      const child = await runChild(command, toolbox.workingFolder, CHILD_LIMIT_MS);
      figures.add(run, pes, child.success ? readLines(child.stdout) : []);
      if (child.success) continue;
      left.delete(run);
      if (contender.tool === "ours" || contender.tool === "rofi") failures++;
      console.error(`${program}: cannot run ${contender.name} on ${place}: ${child.problem}`);
    }
  }
  return { figures: figures.list(), failures };
}

/**
 * Runs the suite.
 *
 * @param args what follows `suite` on the command line
 * @returns the exit code: 1 when a program of ours failed, 2 for wrong arguments
 */
export async function runSuite(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === "number") return options;
  const runs = suiteRuns(options.programs, options.pes);
  await using toolbox = await Toolbox.open(runs.map(({ contender }) => contender));
  using _interrupts = toolbox.removedOnInterrupt();
  const { figures, failures } = await measure(runs, toolbox, options);
  if (options.form === "json") figures.forEach((figure) => console.log(JSON.stringify(figure)));
  else console.log(writeTable(tableOf(figures), options.form === "markdown"));
  return failures > 0 ? 1 : 0;
}
