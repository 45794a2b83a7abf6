/**
 * Starts by the means that fits.
 *
 * @module
 */

import type { BootstrapConfig } from "../../internal/config.ts";
import { procFiles } from "../../ffi/host.ts";
import { HandshakeError } from "../../internal/errors.ts";
import { startAlone } from "./alone.ts";
import type { Bootstrap } from "./bootstrap.ts";
import { bootstrapMeans, type BootstrapSettings } from "./means.ts";
import { startPmi } from "./pmi.ts";
import { startPmix } from "./pmix.ts";
import { startRendezvous } from "./rendezvous.ts";
import { parseAddress } from "./rendezvous_wire.ts";
import { Siblings, type SiblingVariables, unlessStopped, watchSiblings } from "./siblings.ts";

/** How long processes wait for each other where nothing is said, in milliseconds. */
const TIMEOUT_MS = 60_000;

/**
 * Finds out which rank this process has and connects it with the others of its job. Takes, in this
 * order: what `LAMELLAR_BOOTSTRAP` says, PMI-1 (`PMI_FD`, then `PMI_PORT`), PMIx, the rendezvous,
 * and else the process is alone.
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
  const { timeoutMs = TIMEOUT_MS, timeoutMs: watchedMs = Infinity } = config;
  const agent: "lamellar" | "other" = config.launcher ? "lamellar" : "other";
  switch (bootstrapMeans(settings)) {
    case "pmi":
      if (config.launcher) return await startPmi({ env, timeoutMs: watchedMs, agent });
      return watched(await startPmi({ env, timeoutMs, agent }), { rank: "PMI_RANK" });
    case "pmix": {
      const variables = { rank: "PMIX_RANK", job: "PMIX_NAMESPACE" };
      return watched(await startPmix({ env, timeoutMs, agent }), variables);
    }
    case "rendezvous": {
      const variables = { rank: "LAMELLAR_RANK", job: "LAMELLAR_RENDEZVOUS" };
      const options = { ...readRendezvous(config), timeoutMs, exchangeMs: watchedMs, agent };
      // From then on members give signs of life.
      return await unlessStopped(siblingsBy(variables), startRendezvous(options), "joining");
    }
    case "alone":
      return startAlone(agent);
  }
}

function siblingsBy(variables: SiblingVariables): Siblings | undefined {
  const files = procFiles();
  return files && new Siblings(files, variables);
}

function watched(bootstrap: Bootstrap, variables: SiblingVariables): Bootstrap {
  const siblings = siblingsBy(variables);
  return siblings ? watchSiblings(bootstrap, siblings) : bootstrap;
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
