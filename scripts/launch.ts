/**
 * The launcher: `deno run -A scripts/launch.ts -n 4 app.ts args…`, by path or by URL. Its process
 * becomes the supervisor of the PEs without running the program itself, so the program's top level
 * runs once on each PE and nowhere else.
 *
 * @module
 */

import { environment, environmentNames, readConfig, unknownVariables } from "../internal/config.ts";
import { checkDeno } from "../internal/platform.ts";
import { VERSION } from "../internal/version.ts";
import { startJob } from "../lamellae/mod.ts";
import { isAdvice, USAGE_EXIT_CODE } from "./launcher/advice.ts";
import { checkProgram, programUrl } from "./launcher/program.ts";
import { HELP, type LaunchArgs, parseLaunchArgs, UsageError } from "./launch_args.ts";

/** What runs when no program is named. */
const DEMONSTRATION = new URL("../examples/hello.ts", import.meta.url).href;

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

/** Whether several processes are asked for, or what one of them would be. */
function isCluster({ settings, cluster }: LaunchArgs): boolean {
  const { env: _env, flags: _flags, ...shape } = cluster;
  const backend = settings.get("LAMELLAR_BACKEND")?.value ?? environment("LAMELLAR_BACKEND");
  const asked = Object.values(shape).some((value) => value !== undefined && value !== false);
  if (asked && backend === "local") {
    throw new UsageError("Cannot start several processes on the local lamella: it has only one");
  }
  const several = asked || backend === "rofi" || backend === "shmem";
  if (!several && cluster.env.length + cluster.flags.length > 0) {
    throw new UsageError(
      "Options -x and --allow-… only apply to several processes; add --processes or --hosts",
    );
  }
  return several;
}

async function launch(args: readonly string[]): Promise<void> {
  checkDeno();
  const asked = parseLaunchArgs(args);
  const { settings, program, args: programArgs, cluster, show } = asked;
  if (show) return console.log(show === "help" ? HELP : `lamellar ${VERSION}`);
  for (const warning of unknownVariables(environmentNames())) {
    console.error(`lamellar: ${warning}`);
  }
  const several = isCluster(asked);
  const config = configure(settings);
  const url = program === undefined ? DEMONSTRATION : programUrl(program);
  if (!cluster.exec) checkProgram(url, program ?? "the demonstration");
  if (several) {
    // Its modules are of no use to a job of one process.
    const { runCluster } = await import("./launcher/cluster.ts");
    return Deno.exit(await runCluster(asked, { url, pes: config.pes }));
  }
  const numPes = config.pes ?? navigator.hardwareConcurrency;
  await startJob({ program: url, args: programArgs, numPes, config }, VERSION);
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
