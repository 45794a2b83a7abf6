/**
 * Which means of start-up a process uses. Apart from the means themselves, which a process that is
 * alone need not load.
 *
 * @module
 */

import type { BootstrapConfig, Environment } from "../../internal/config.ts";
import { FeatureLevelError } from "../../internal/errors.ts";
import type { BootstrapMeans } from "./bootstrap.ts";

/** What a process knows before it knows its rank. */
export interface BootstrapSettings {
  /** Our own variables, read and checked. */
  readonly config: BootstrapConfig;
  /** Where the variables of launchers come from. */
  readonly env: Environment;
}

/**
 * Says which means a process would use, without using it.
 *
 * @param settings The environment.
 * @returns The means.
 * @throws {FeatureLevelError} If Slurm started several tasks without one.
 */
export function bootstrapMeans(settings: BootstrapSettings): BootstrapMeans {
  const { config, env } = settings;
  if (config.means) return config.means;
  if (env("PMI_FD") || env("PMI_PORT")) return "pmi";
  if (env("PMIX_NAMESPACE") && env("PMIX_RANK")) return "pmix";
  if (config.rendezvous) return "rendezvous";
  refuseLonelySteps(env);
  return "alone";
}

/**
 * Tasks of a Slurm step that know nothing of each other would each do the whole work. Only a step
 * counts: a batch script has `SLURM_PROCID` and `SLURM_NTASKS` too, and is one process.
 */
function refuseLonelySteps(env: Environment): void {
  const step = env("SLURM_STEP_ID");
  const tasks = Number(env("SLURM_STEP_NUM_TASKS") ?? env("SLURM_NTASKS") ?? 1);
  if (!step || !(tasks > 1)) return;
  throw new FeatureLevelError(
    `Cannot connect the ${tasks} tasks of Slurm step ${env("SLURM_JOB_ID") ?? "?"}.${step}: ` +
      "they were started without PMI; use srun --mpi=pmi2 (or --mpi=pmix), " +
      "or set LAMELLAR_BOOTSTRAP=alone if each task is to be a job of its own",
    { op: "bootstrap" },
  );
}
