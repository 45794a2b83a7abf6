/**
 * The test command: `deno task test [--jsr] [path…]`. It installs what the tests need where it can,
 * runs every test, and ends with a line `N passed, N failed`. Where something is missing that tests
 * need, it says so in one line and runs none, unless it was told which to run.
 *
 * Unit tests share one process; a file whose tests start PEs has a process of its own, because a
 * stuck Worker cannot be terminated. With paths, only the test files below them are run.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { checkDeno } from "../internal/platform.ts";
import { type ChildResult, runChild } from "./child.ts";
import { provide, report } from "./test_needs.ts";
import { type Counts, readErrors, readSummary } from "./test_summary.ts";
import { findFiles, ROOT } from "./tree.ts";

/** The folders whose tests start PEs. */
const MULTI_PE = /^(?:tests|bench|examples)\//;

const UNIT_LIMIT_SECONDS = 480;
const FILE_LIMIT_SECONDS = 900;

/** The configuration without stand-ins; it exists while the tests run on the packages from JSR. */
const JSR_CONFIG = "deno.jsr.json";

/** Test files that share a process. */
interface Suite {
  readonly name: string;
  readonly files: readonly string[];
  readonly flags: readonly string[];
  readonly limitSeconds: number;
}

function findSuites(paths: readonly string[]): Suite[] {
  const files = findFiles(ROOT, "_test.ts").filter((file) =>
    paths.length === 0 || paths.some((path) => file.startsWith(path.replace(/^\.\//, "")))
  );
  const units = files.filter((file) => !MULTI_PE.test(file));
  const suites: Suite[] = files.filter((file) => MULTI_PE.test(file)).map((file) => ({
    name: file,
    files: [file],
    flags: [],
    limitSeconds: FILE_LIMIT_SECONDS,
  }));
  if (units.length > 0) {
    suites.unshift({
      name: "unit tests",
      files: units,
      flags: ["--parallel"],
      limitSeconds: UNIT_LIMIT_SECONDS,
    });
  }
  return suites;
}

/** How a suite ended. */
interface Outcome {
  readonly counts: Counts;
  /** What failed, for the end of the log. */
  readonly errors: string;
}

async function runSuite(suite: Suite, flags: readonly string[]): Promise<Outcome> {
  console.log(`--- ${suite.name}`);
  const command = [Deno.execPath(), "test", "-A", ...flags, ...suite.flags, ...suite.files];
  const result: ChildResult = await runChild(command, {
    limitSeconds: suite.limitSeconds,
    show: true,
    cwd: ROOT,
  });
  if (result.code < 0) console.log(`${suite.name}: ended after ${suite.limitSeconds} s`);
  return { counts: readSummary(result.output, result.code), errors: readErrors(result.output) };
}

/** Runs the suites one after another; tests that start PEs want the cores for themselves. */
async function runSuites(suites: readonly Suite[], flags: readonly string[]): Promise<number> {
  let [passed, failed] = [0, 0];
  const report: string[] = [];
  for (const suite of suites) {
    const { counts, errors } = await runSuite(suite, flags);
    passed += counts.passed;
    // A test that is not run says nothing: that it is switched off must not look like success.
    failed += counts.failed + counts.ignored;
    const ignored = counts.ignored === 0 ? "" : `, ${counts.ignored} ignored, which is a failure`;
    if (counts.failed + counts.ignored > 0) {
      report.push(`failed: ${suite.name}: ${counts.failed} failed${ignored}`, errors, "");
    }
  }
  for (const line of report) console.log(line);
  return finish(passed, failed);
}

function finish(passed: number, failed: number): number {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

/** Runs the tests with the packages that deno.json names instead of those it links to. */
async function withJsr(run: (flags: readonly string[]) => Promise<number>): Promise<number> {
  const config = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  delete config.links;
  const packages = Object.values<string>(config.imports).filter((name) => name.startsWith("jsr:"));
  const probe = await runChild(
    [Deno.execPath(), "cache", "--quiet", "--no-config", "--no-lock", ...packages],
    { limitSeconds: 120 },
  );
  if (probe.code !== 0) {
    const reason = /error: (.*)/.exec(probe.output)?.[1] ?? probe.output.trim();
    console.log(
      `JSR cannot be reached, so nothing was tested on ${packages.join(", ")}: ${reason}`,
    );
    return finish(0, 1);
  }
  Deno.writeTextFileSync(ROOT + JSR_CONFIG, JSON.stringify(config));
  try {
    return await run(["--config", JSR_CONFIG, "--no-lock"]);
  } finally {
    Deno.removeSync(ROOT + JSR_CONFIG);
  }
}

/** Installs what the tests need, and returns how many things that they need are missing. */
async function prepare(): Promise<number> {
  const provided = await provide();
  const { fatal, notes } = report(provided);
  for (const line of notes) console.log(line);
  if (fatal === undefined) return 0;
  console.log(fatal);
  return provided.missing.length - notes.length;
}

async function main(): Promise<number> {
  checkDeno();
  const unknown: string[] = [];
  const args = parseArgs(Deno.args, {
    boolean: ["jsr"],
    string: ["_"],
    unknown: (arg, key) => key === undefined || unknown.push(arg) === 0,
  });
  if (unknown.length > 0) {
    console.error(`Unknown option ${unknown.join(", ")}; the only option is --jsr`);
    return 2;
  }
  const suites = findSuites(args._.map(String));
  if (suites.length === 0) {
    console.log(`No test files below ${args._.join(", ")}`);
    return finish(0, 0);
  }
  if (suites.some((suite) => suite.name.startsWith("bench/") || suite.name.startsWith("tests/"))) {
    const missing = await prepare();
    if (missing > 0 && args._.length === 0) return finish(0, missing);
  }
  if (args.jsr === true) return await withJsr((flags) => runSuites(suites, flags));
  return await runSuites(suites, []);
}

if (import.meta.main) Deno.exit(await main());
