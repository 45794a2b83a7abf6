/**
 * A process of a cluster job: `process.ts program.ts [argument…]`. It becomes the supervisor of its
 * PEs without running the program itself. Our agents start it; so can `srun` or `mpiexec`.
 *
 * @module
 */

import { Socket } from "node:net";
import { environment, readConfig } from "../../internal/config.ts";
import { checkDeno } from "../../internal/platform.ts";
import { VERSION } from "../../internal/version.ts";
import { startJob } from "../../lamellae/mod.ts";
import { UsageError } from "../launch_args.ts";
import { isAdvice, USAGE_EXIT_CODE } from "./advice.ts";
import { checkProgram, programUrl } from "./program.ts";

async function main([program, ...args]: readonly string[]): Promise<void> {
  checkDeno();
  if (program === undefined) throw new UsageError("Cannot run a process without a program");
  const url = programUrl(program);
  checkProgram(url, program);
  const config = readConfig(environment);
  const numPes = config.pes ?? navigator.hardwareConcurrency;
  await startJob({ program: url, args, numPes, config }, VERSION);
}

/** Says what is wrong, or lets our launcher say it once: every process would say the same. */
async function say(message: string): Promise<void> {
  const told = environment("LAMELLAR_LAUNCHER") === "1" && await abort(message);
  if (!told) console.error(`lamellar: ${message}`);
}

function abort(message: string): Promise<boolean> {
  const fd = Number(environment("PMI_FD"));
  const line = `cmd=abort exitcode=${USAGE_EXIT_CODE} msg=${encodeURIComponent(message)}\n`;
  return new Promise((resolve) => {
    try {
      const socket = new Socket({ fd, readable: false, writable: true });
      socket.on("error", () => resolve(false));
      socket.write(line, () => resolve(true));
    } catch {
      resolve(false);
    }
  });
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!isAdvice(error)) throw error;
    await say(error.message);
    Deno.exit(USAGE_EXIT_CODE);
  }
}
