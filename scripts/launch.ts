/**
 * The launcher: `deno run -A scripts/launch.ts -n 4 app.ts args…`, by path or by URL. Its process
 * becomes the supervisor of the PEs without running the program itself, so the program's top level
 * runs once on each PE and nowhere else.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import { environment, environmentNames, readConfig, unknownVariables } from "../internal/config.ts";
import { FeatureLevelError } from "../internal/errors.ts";
import { checkDeno, checkPermissions } from "../internal/platform.ts";
import { VERSION } from "../internal/version.ts";
import { startJob } from "../lamellae/mod.ts";
import { HELP, type LaunchArgs, parseLaunchArgs, UsageError } from "./launch_args.ts";

/** What runs when no program is named. */
const DEMONSTRATION = "../examples/hello.ts";

/** Exit code for what cannot be started as asked. */
const USAGE_EXIT_CODE = 2;

/**
 * @param program The program as it was written, a path or a URL.
 * @returns Its URL.
 */
function programUrl(program: string | undefined): string {
  if (program === undefined) return new URL(DEMONSTRATION, import.meta.url).href;
  // A single letter before the colon is a drive.
  return /^[a-z][a-z0-9+.-]+:/i.test(program) ? program : pathToFileURL(program).href;
}

function checkProgram(url: string, program: string): void {
  if (!URL.canParse(url)) throw new UsageError(`Cannot run ${program}: it is no URL`);
  checkPermissions(url);
  if (new URL(url).protocol !== "file:") return;
  let isFile = false;
  try {
    isFile = Deno.statSync(new URL(url)).isFile;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(`Cannot run ${program}: there is no such file`);
  }
  if (!isFile) throw new UsageError(`Cannot run ${program}: it is not a file`);
}

/** The settings: an option goes before the variable it replaces, and messages name the option. */
function configure(settings: LaunchArgs["settings"]): ReturnType<typeof readConfig> {
  try {
    return readConfig((name) => settings.get(name)?.value ?? environment(name));
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    error.message = error.message.replace(
      /^LAMELLAR_\w+/,
      (name) => settings.get(name)?.option ?? name,
    );
    throw error;
  }
}

async function launch(args: readonly string[]): Promise<void> {
  checkDeno();
  const { settings, program, args: programArgs, show } = parseLaunchArgs(args);
  if (show) return console.log(show === "help" ? HELP : `lamellar ${VERSION}`);
  for (const warning of unknownVariables(environmentNames())) {
    console.error(`lamellar: ${warning}`);
  }
  const config = configure(settings);
  const url = programUrl(program);
  checkProgram(url, program ?? "the demonstration");
  const numPes = config.pes ?? navigator.hardwareConcurrency;
  await startJob({ program: url, args: programArgs, numPes, config }, VERSION);
}

/** Whether an error says what the user has to change, so that a stack would only hide it. */
function isAdvice(error: unknown): error is Error {
  return error instanceof UsageError || error instanceof FeatureLevelError ||
    error instanceof RangeError || error instanceof TypeError;
}

if (import.meta.main) {
  try {
    await launch(Deno.args);
  } catch (error) {
    if (!isAdvice(error)) throw error;
    console.error(`lamellar: ${error.message}`);
    Deno.exit(USAGE_EXIT_CODE);
  }
}
