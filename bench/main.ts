/**
 * `deno task bench [case…] [--json] [--rounds N] [--list]`: ours beside C floors and what a user
 * would pick instead, in the same run. `deno task bench suite` is in `suite.ts`.
 *
 * With `--json` one object a line, `{case, lamella, pes, unit, ours, floor, floorName, ratio,
 * runs}`; without, an aligned table. Values are medians, and a ratio above 1 means we are ahead.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type BenchResult, measureCase } from "./rounds.ts";
import type { BenchCase } from "./contender.ts";
import { runSuite } from "./suite.ts";
import { CASES, selectCases } from "./table.ts";
import { Toolbox } from "./toolbox.ts";

const ROUNDS = 5;
const USAGE = "deno task bench [case…] [--json] [--rounds N] [--list], or deno task bench suite";

interface Options {
  readonly cases: BenchCase[];
  readonly json: boolean;
  readonly rounds: number;
}

/** Returns the exit code at once when there is nothing to measure. */
function readOptions(args: string[]): Options | number {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        rounds: { type: "string", default: String(ROUNDS) },
        list: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) console.log(USAGE);
    if (values.list) CASES.forEach((each) => console.log(describe(each)));
    if (values.help || values.list) return 0;
    const rounds = Number(values.rounds);
    if (!Number.isSafeInteger(rounds) || rounds < 1) {
      throw new RangeError(`Cannot run ${values.rounds} rounds: give a whole number from 1 up`);
    }
    return { cases: selectCases(positionals), json: values.json, rounds };
  } catch (cause) {
    console.error(`${(cause as Error).message}\n${USAGE}`);
    return 2;
  }
}

function describe({ name, pes, unit, floors }: BenchCase): string {
  return `${name} (${pes} PEs, ${unit}): ${floors.map((floor) => floor.name).join("; ")}`;
}

const COLUMNS: readonly (readonly [string, number])[] = [
  ["case", 26],
  ["pes", 3],
  ["unit", 11],
  ["ours", 9],
  ["floor", 9],
  ["ratio", 7],
  ["runs", 4],
  ["against", 0],
];

function row(cells: readonly string[]): string {
  const padded = cells.map((cell, i) => {
    const [title, width] = COLUMNS[i]!;
    return ["case", "unit", "against"].includes(title) ? cell.padEnd(width) : cell.padStart(width);
  });
  return padded.join("  ").trimEnd();
}

function cells(result: BenchResult): string[] {
  const number = (value: number | null) => value === null ? "-" : String(+value.toPrecision(3));
  return [
    result.case,
    String(result.pes),
    result.unit,
    number(result.ours),
    number(result.floor),
    number(result.ratio),
    String(result.runs),
    result.floorName ?? "-",
  ];
}

/** Runs the cases; the exit code is 1 when a program of ours failed. */
async function run({ cases, json, rounds }: Options): Promise<number> {
  await using toolbox = await Toolbox.open(cases.flatMap(({ ours, floors }) => [ours, ...floors]));
  using _interrupts = toolbox.removedOnInterrupt();
  let failures = 0;
  if (!json) console.log(row(COLUMNS.map(([title]) => title)));
  for (const benchCase of cases.filter(({ ours }) => toolbox.has(ours))) {
    const results = await measureCase(benchCase, toolbox, rounds);
    if (results[0]?.ours === null) failures++;
    for (const result of results) {
      console.log(json ? JSON.stringify(result) : row(cells(result)));
    }
  }
  if (failures > 0) console.error(`${failures} of ${cases.length} cases have no figure of ours`);
  return failures > 0 ? 1 : 0;
}

async function main([first, ...rest]: readonly string[]): Promise<number> {
  if (first === "suite") return await runSuite(rest);
  const options = readOptions(Deno.args);
  return typeof options === "number" ? options : await run(options);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
