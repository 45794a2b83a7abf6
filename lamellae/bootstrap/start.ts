/**
 * Which means of start-up a process uses.
 *
 * @module
 */

import type { BootstrapConfig, Environment } from "../../internal/config.ts";
import { FeatureLevelError, HandshakeError } from "../../internal/errors.ts";
import { startAlone } from "./alone.ts";
import type { Bootstrap, BootstrapMeans } from "./bootstrap.ts";
import { startPmi } from "./pmi.ts";
import { startPmix } from "./pmix.ts";
import { startRendezvous } from "./rendezvous.ts";
import { parseAddress } from "./rendezvous_wire.ts";

/** What a process knows before it knows who it is. */
export interface BootstrapSettings {
  /** Our own variables, read and checked. */
  readonly config: BootstrapConfig;
  /** Where the variables of launchers come from. */
  readonly env: Environment;
}

/**
 * Finds out who this process is and connects it with the others of its job. Takes, in this order:
 * what `LAMELLAR_BOOTSTRAP` says, PMI-1 (`PMI_FD`, then `PMI_PORT`), PMIx, the rendezvous, and else
 * the process is alone.
 *
 * @param settings The environment.
 * @returns The connection.
 * @throws {FeatureLevelError} If the means that was asked for is not there, or Slurm started
 * several tasks without one.
 * @throws {HandshakeError} If the launcher or the other processes do not play along.
 * @throws {TimeoutError} If they do not come in time.
 */
export async function startBootstrap(settings: BootstrapSettings): Promise<Bootstrap> {
  const { config, env } = settings;
  const { timeoutMs } = config;
  const agent = config.launcher ? "lamellar" : "other";
  switch (bootstrapMeans(settings)) {
    case "pmi":
      return await startPmi({ env, timeoutMs, agent });
    case "pmix":
      return await startPmix({ env, timeoutMs, agent });
    case "rendezvous":
      return await startRendezvous({ ...readRendezvous(config), timeoutMs, agent });
    case "alone":
      return startAlone(agent);
  }
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

function readRendezvous(config: BootstrapConfig) {
  const { rendezvous, rank, size } = config;
  if (rendezvous === undefined || rank === undefined || size === undefined) {
    throw new HandshakeError(
      "A rendezvous needs LAMELLAR_RENDEZVOUS, LAMELLAR_RANK and LAMELLAR_SIZE, " +
        `got ${rendezvous ?? "nothing"}, ${rank ?? "nothing"} and ${size ?? "nothing"}`,
      { op: "bootstrap" },
    );
  }
  return { address: parseAddress(rendezvous), rank, size, secret: readSecret(config) };
}

function readSecret(config: BootstrapConfig): string {
  const { secret, secretFile } = config;
  if (secret !== undefined) return secret;
  if (secretFile === undefined) {
    throw new HandshakeError(
      "A rendezvous needs a secret: set LAMELLAR_SECRET, or LAMELLAR_SECRET_FILE to a file that " +
        "holds it",
      { op: "bootstrap" },
    );
  }
  try {
    const { mode } = Deno.statSync(secretFile);
    if (mode !== null && (mode & 0o077) !== 0) {
      throw new TypeError(`others than its owner may use it; chmod 600 ${secretFile}`);
    }
    return Deno.readTextFileSync(secretFile).trim();
  } catch (cause) {
    throw new HandshakeError(
      `Cannot take the secret from LAMELLAR_SECRET_FILE=${secretFile}: ${(cause as Error).message}`,
      { op: "bootstrap", cause },
    );
  }
}
